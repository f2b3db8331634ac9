"""The gate that keeps tests from being skipped without a listed reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.skips import read_allowed

LIST = ROOT / "tests" / "allowed_skips.txt"
ALLOWED = """
# a comment
anywhere | no moon tonight | it cannot be made
local | no telescope | the setup brings one
"""
PLUGIN = """
from pathlib import Path
from tests.support.skips import SkipGate, read_allowed
def pytest_configure(config):
    config.pluginmanager.register(SkipGate(read_allowed(Path("allowed.txt")), {on_ci}))
"""


def run(pytester: pytest.Pytester, body: str, on_ci: bool = False) -> pytest.RunResult:
    (pytester.path / "allowed.txt").write_text(ALLOWED)
    pytester.makeconftest(PLUGIN.format(on_ci=on_ci))
    pytester.makepyfile(test_good="def test_good(): pass", test_other=f"import pytest\n{body}")
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")


def skipped(reason: str) -> str:
    return f"@pytest.mark.skip(reason={reason!r})\ndef test_it(): pass"


def test_a_listed_reason_passes_and_is_named(pytester: pytest.Pytester) -> None:
    result = run(pytester, skipped("no moon tonight, but for stars"))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["allowed *::test_it: no moon tonight, but for stars"])


@pytest.mark.parametrize(
    "body",
    [
        skipped("not today"),
        skipped("tonight: no moon tonight"),
        "def test_it(): pytest.skip('not today')",
        "@pytest.mark.xfail(reason='not today')\ndef test_it(): assert False",
        "@pytest.mark.xfail(reason='not today', strict=False)\ndef test_it(): pass",
        "@pytest.fixture\ndef it(): pytest.skip('not today')\ndef test_it(it): pass",
        "pytest.skip('not today', allow_module_level=True)",
        "pytest.importorskip('no_such_package')",
    ],
)
def test_any_other_reason_fails_the_run_and_is_named(pytester: pytest.Pytester, body: str) -> None:
    result = run(pytester, body)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["NOT ALLOWED *"])


@pytest.mark.parametrize(("on_ci", "status"), [(False, 0), (True, 1)])
def test_what_the_setup_brings_must_be_there_on_ci(
    pytester: pytest.Pytester, on_ci: bool, status: int
) -> None:
    assert run(pytester, skipped("no telescope"), on_ci).ret == status


def test_a_run_without_skips_says_nothing(pytester: pytest.Pytester) -> None:
    result = run(pytester, "")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*allowed_skips*")


@pytest.mark.parametrize("line", ["anywhere | no moon", "sometimes | no moon | why", "local || x"])
def test_a_line_of_another_form_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "allowed.txt"
    path.write_text(line)
    with pytest.raises(ValueError, match=r"allowed\.txt:1: .* is not 'anywhere|local"):
        read_allowed(path)


def test_every_listed_reason_is_one_that_a_test_gives() -> None:
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("*.py")]
    stale = [one.begins for one in read_allowed(LIST) if not any(one.begins in s for s in sources)]
    assert stale == []
