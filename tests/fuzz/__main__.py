"""Fuzz what strangers write: ``python -m tests.fuzz [--seconds S | --fixed] [TARGET ...]``.

With ``--fixed``, as in ``make test``, nothing depends on the clock, on chance, or on the order in
which a file system lists a folder: the same runs find the same things, with the same Python and the
same packages. What is found is written to
``build/fuzz`` and named; ``python -m tests.fuzz TARGET --input FILE`` tries it again, and
``tests/fuzz/corpus`` is where it belongs once it is mended. New inputs that reach something new are
kept in ``build/fuzz`` as well, and the next time is begun with them, but never with ``--fixed``.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.support.paths import ROOT

HERE = Path(__file__).resolve().parent
RUNS = {"wire": 500_000, "whip": 160_000, "upload": 30_000, "playlist": 80_000, "settings": 6_000}
"""What takes a minute in all: reading settings is slow."""

_LONGEST = 4 * 1024  # bytes of one input
_HANGS = 60  # seconds that no input may take, on a busy machine too


def command(target: str, work: Path, runs: int | None, seconds: float) -> list[str]:
    """libFuzzer's command for one target."""
    corpus = HERE / "corpus" / target
    words = HERE / "dictionaries" / f"{target}.dict"
    options = [f"-dict={words}"] if words.is_file() else []
    # The first place takes what is new; it has to be empty for runs that are always the same.
    found = work / ("once" if runs is not None else "corpus") / target
    if runs is not None:
        shutil.rmtree(found, ignore_errors=True)
        # Files of a folder come in the order in which its file system has them. What is new is
        # read again every second otherwise, and the inputs that were made shorter run once more.
        files = ",".join(str(file) for file in sorted(corpus.iterdir()))
        how = [f"-seed_inputs={files}", f"-runs={runs}", "-seed=1", "-reload=0"]
    else:
        how = [str(corpus), f"-max_total_time={max(int(seconds), 1)}"]
    found.mkdir(parents=True, exist_ok=True)
    return [
        *(_same_addresses() if runs is not None else ()),
        *(sys.executable, "-m", "tests.fuzz.one", target, str(found)),
        *(*options, *how),
        f"-max_len={_LONGEST}",
        f"-timeout={_HANGS}",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={work}/{target}-",
    ]


def _same_addresses() -> list[str]:
    """What runs a command with its memory always at the same addresses, where that is allowed: by
    them an object is found in a set, and another order is another path."""
    fixed = ["setarch", "-R"]
    try:
        allowed = subprocess.run([*fixed, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        allowed = False
    return fixed if allowed else []


def fuzz(target: str, work: Path, runs: int | None, seconds: float) -> bool:
    """Whether nothing was found."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    asked = command(target, work, runs, seconds)
    done = subprocess.run(
        asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        said = [line for line in done.stderr.splitlines() if line.startswith(("stat::", "Done"))]
        print(f"{target}: nothing found; " + " ".join(" ".join(line.split()) for line in said[:2]))
        return True
    print(f"{target}: FOUND SOMETHING (status {done.returncode})")
    print((done.stderr[-2000:] + done.stdout)[-6000:])
    print(f"try it again: {sys.executable} -m tests.fuzz {target} --input FILE")
    return False


def main() -> int:
    """Fuzz each target in turn; 1 if something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(RUNS))
    parser.add_argument("--seconds", type=float, default=600.0, help="of all targets together")
    parser.add_argument(
        "--fixed", action="store_true", help="always the same runs, instead of a time"
    )
    parser.add_argument("--input", type=Path, help="try this one input and nothing else")
    options = parser.parse_args()
    targets = options.targets or list(RUNS)
    unknown = sorted(set(targets) - set(RUNS))
    if unknown:
        parser.error(f"unknown target {unknown[0]}; known: {', '.join(RUNS)}")
    if options.input is not None:
        from tests.fuzz.targets import TARGETS

        for target in targets:
            TARGETS[target](options.input.read_bytes())
        return 0
    if find_spec("atheris") is None:
        print("Atheris is not installed, of which there are wheels for Linux on x86-64 alone")
        return 1 if (sys.platform, platform.machine()) == ("linux", "x86_64") else 0
    work = ROOT / "build" / "fuzz"
    work.mkdir(parents=True, exist_ok=True)
    share = options.seconds / len(targets)
    clean = [
        fuzz(target, work, RUNS[target] if options.fixed else None, share) for target in targets
    ]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    raise SystemExit(main())
