"""The command's contract: exit statuses, where results go, what is accepted."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import shtab

from stream_server.cli import main
from tests.support.files_server import files_server
from tests.support.paths import ROOT
from tests.support.scan_media import every, moving_face, without_faces, write_video
from tests.support.scanning import ScanCommand, run

COMMAND = [sys.executable, "-m", "stream_server.cli", "scan"]
REPORT = {
    "file", "duration_s", "frames", "analysed", "verdict", "probability", "faces", "provenance",
    "engine", "models", "settings", "error", "status", "account", "accuracy",
}  # fmt: skip
FACE = {
    "track", "first_s", "last_s", "box", "samples", "probability", "verdict", "reasons", "members",
    "timeline", "grounds", "passages",
}  # fmt: skip
VERDICTS = {"gathering", "not_enough_evidence", "likely_real", "unsure", "likely_fake"}


def test_the_report_has_the_contracts_fields(scan: ScanCommand, portrait_clip: Path) -> None:
    report = scan(portrait_clip).found
    assert set(report) == REPORT
    assert report["file"] == str(portrait_clip)
    assert report["verdict"] in VERDICTS and report["error"] is None
    assert report["models"] == ["tiny"] and report["engine"] == "embedded"
    (face,) = report["faces"]
    assert set(face) == FACE
    assert len(face["box"]) == 4 and all(0 <= edge <= 1 for edge in face["box"])
    assert set(face["members"]) == {"tiny"}
    assert all(len(point) == 2 for point in face["timeline"])


def test_an_unusable_input_has_the_same_fields(scan: ScanCommand, tmp_path: Path) -> None:
    report = scan(tmp_path / "nowhere.mp4").found
    assert set(report) == REPORT
    assert report["faces"] == [] and report["error"]["status"] == 404


def test_several_files_make_a_list_in_their_order(
    scan: ScanCommand, portrait_clip: Path, tmp_path: Path
) -> None:
    empty = write_video(tmp_path / "empty.mp4", without_faces(), every(10, 1))
    found = scan(portrait_clip, empty, portrait_clip).found
    assert [report["file"] for report in found] == [str(p) for p in (portrait_clip, empty)] + [
        str(portrait_clip)
    ]


def test_a_folder_is_searched_to_the_bottom(
    scan: ScanCommand, portrait_clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("b.mp4", "deep/deeper/a.MP4", "notes.txt", ".hidden/c.mp4", ".d.mp4"):
        (tmp_path / name).write_bytes(portrait_clip.read_bytes())
    outcome = scan(tmp_path)
    names = [Path(report["file"]).name for report in outcome.reports]
    assert names == ["b.mp4", "a.MP4"]
    assert "1 file in folders is not a video or picture" in outcome.err


def test_a_folder_without_anything_to_scan_is_unusable(scan: ScanCommand, tmp_path: Path) -> None:
    outcome = scan(tmp_path)
    assert outcome.status == 2
    assert "no video or picture in this folder" in outcome.err


@pytest.mark.parametrize(
    ("lines", "fail_on", "status"),
    [
        (("0.05", "0.01"), None, 3),
        (("0.05", "0.01"), "likely_fake", 3),
        (("0.05", "0.01"), "unsure", 3),
        (("0.05", "0.01"), "never", 0),
        (("0.999", "0.01"), None, 0),
        (("0.999", "0.01"), "unsure", 3),
        (("0.999", "0.99"), None, 0),
        (("0.999", "0.99"), "unsure", 0),
    ],
)
def test_exit_statuses(
    portrait_clip: Path,
    cautious_models: Callable[[str, str], Path],
    capsys: pytest.CaptureFixture[str],
    lines: tuple[str, ...],
    fail_on: str | None,
    status: int,
) -> None:
    arguments = ["scan", str(portrait_clip), "--models", str(cautious_models(*lines))]
    if fail_on:
        arguments += ["--fail-on", fail_on]
    assert run(*arguments) == status


def test_json_stands_alone_on_stdout(portrait_clip: Path, models: Path) -> None:
    command = [sys.executable, "-m", "stream_server.cli", "scan", str(portrait_clip)]
    done = subprocess.run(
        [*command, "--json", "-", "--models", str(models)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 3)
    assert json.loads(done.stdout)["file"] == str(portrait_clip)
    assert str(portrait_clip) in done.stderr and "\r" not in done.stderr


def test_results_go_to_files(
    portrait_clip: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, lines, page = (tmp_path / name for name in ("a.json", "a.jsonl", "a.html"))
    arguments = ["scan", str(portrait_clip), "--json", str(found), "--jsonl", lines, "--html", page]
    run(*arguments, "--models", models)
    report = json.loads(found.read_text())
    assert report["faces"] and json.loads(lines.read_text().splitlines()[0]) == report
    assert "<!doctype html>" in page.read_text()
    told = capsys.readouterr()
    assert str(portrait_clip) in told.out and "face 1" in told.out and "\x1b" not in told.out
    assert [f"report written to {one}" in told.err for one in (found, lines, page)] == [True] * 3
    assert run(*arguments, "--models", models, "--quiet") in (0, 3)
    assert capsys.readouterr() == ("", "")


def test_results_that_cannot_be_written_are_told_before_the_work(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.html"
    kept.write_text("an older report")
    for target, words in ((tmp_path / "no" / "a.json", "does not exist"), (tmp_path, "a folder")):
        arguments = ("--json", target, "--html", kept, "--models", models)
        assert run("scan", tmp_path / "nowhere.mp4", *arguments) == 2
        told = capsys.readouterr()
        assert words in told.err and "nowhere.mp4" not in told.err and told.out == ""
    assert kept.read_text() == "an older report" and list(tmp_path.iterdir()) == [kept]


@pytest.mark.parametrize(
    ("given", "command", "meant"),
    [
        (("scan", "a.mp4", "--modles", "x"), "fakelight scan", "--models"),
        (("serve", "--modles", "x"), "fakelight serve", "--models"),
        (("--versoin",), "fakelight", "--version"),
    ],
)
def test_an_option_that_is_none_is_answered_with_the_usage_of_its_command(
    capsys: pytest.CaptureFixture[str], given: tuple[str, ...], command: str, meant: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith(f"usage: {command} ")
    assert re.search(rf"--\w+ is no option of {command}; did you mean {meant}\?$", told.strip())


def test_without_a_command_the_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2 and "name a COMMAND" in capsys.readouterr().err


def test_the_shell_is_told_what_completes_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in shtab.SUPPORTED_SHELLS:
        assert main(["completion", shell]) == 0
        script = capsys.readouterr().out
        assert "--fail-on" in script and "likely_fake" in script
        if shell == "bash":
            script += (
                "\nCOMP_WORDS=(fakelight completion '') COMP_CWORD=2\n"
                '_shtab_fakelight fakelight "" completion; echo "${COMPREPLY[@]}"\n'
            )
            told = subprocess.run(
                ["bash"], input=script, text=True, check=True, stdout=subprocess.PIPE
            )
            assert set(shtab.SUPPORTED_SHELLS) <= set(told.stdout.split())
    assert main(["completion", "dash"]) == 2
    assert "'dash' is no shell that is known; bash, " in capsys.readouterr().err


def test_window_and_rate_are_used_and_told(scan: ScanCommand, portrait_clip: Path) -> None:
    report = scan(portrait_clip, "--window", "40", "--sample-hz", "5").found
    assert report["settings"]["window"] == 40
    assert report["settings"]["sample_hz"] == 5
    assert report["analysed"] in (15, 16)


def test_an_address_is_fetched_and_scanned(scan: ScanCommand, portrait_clip: Path) -> None:
    with files_server(portrait_clip.parent) as address:
        good, bad = f"{address}/{portrait_clip.name}", f"{address}/nowhere.mp4"
        outcome = scan(good, bad, "ftp://127.0.0.1/a.mp4")
    assert outcome.status == 2
    assert [report["file"] for report in outcome.reports] == [good, bad, "ftp://127.0.0.1/a.mp4"]
    assert outcome.reports[0]["faces"][0]["samples"] == 30
    assert "answered 404" in outcome.reports[1]["error"]["detail"]
    assert outcome.reports[2]["error"]["code"] == "scheme"


def test_without_triton_the_embedded_engine_stands_in_and_is_named(
    scan: ScanCommand, portrait_clip: Path
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        outcome = scan(portrait_clip, "--engine", "triton", "--triton-url", address)
    assert outcome.status in (0, 3)
    assert outcome.found["engine"] == "embedded"
    assert outcome.found["faces"][0]["samples"] == 30


def test_a_window_of_auto_is_told_as_what_it_became(scan: ScanCommand, portrait_clip: Path) -> None:
    settings = scan(portrait_clip, "--window", "auto").found["settings"]
    assert (settings["window_chosen"], settings["window"]) == ("auto", 20)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--window", "7"), "window is '7'"), (("--sample-hz", "1000"), "sample_hz = 1000")],
)
def test_bad_settings_are_refused_by_name(
    portrait_clip: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert run("scan", portrait_clip, *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_bad_fail_on_is_refused(portrait_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["scan", str(portrait_clip), "--fail-on", "maybe"])
    assert ended.value.code == 2
    assert "likely_fake" in capsys.readouterr().err


def test_on_a_terminal_progress_tells_the_time_left(models: Path, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo terminals")
    # How much is left is known after half a second, which a face takes on a quick machine too.
    clip = write_video(tmp_path / "a.mp4", moving_face(), every(10, 35), rate=10)
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "stream_server.cli", "scan", str(clip), "--models", str(models)],
        cwd=ROOT,
        stderr=child,
        stdout=subprocess.DEVNULL,
    )
    os.close(child)
    seen = b""
    while True:
        try:
            piece = os.read(parent, 4096)
        except OSError:  # how Linux says that nobody writes any more
            break
        if not piece:
            break
        seen += piece
    os.close(parent)
    assert process.wait(120) == 3  # likely fake, to the made-up models
    text = seen.decode()
    assert "1/1 [" in text and "%" in text and "left" in text
    assert "a.mp4" in text


@pytest.fixture
def address() -> Iterator[Callable[[str], str]]:
    """The address of a file that is promised, of which nothing comes (``silent``) or again and
    again a little, without an end (``endless``)."""
    over = threading.Event()

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            request = client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n")
            while not over.wait(0.05):
                if b"endless" in request:
                    client.sendall(b"\0" * 100)

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    threading.Thread(target=answer, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield lambda kind: f"http://127.0.0.1:{listening.getsockname()[1]}/{kind}.mp4"
        over.set()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("sent", "status", "fetched"),
    [
        (signal.SIGINT, 130, ""),
        (signal.SIGTERM, 143, ""),
        (signal.SIGINT, 130, "silent"),
        (signal.SIGINT, 130, "endless"),
    ],
)
def test_a_scan_can_be_interrupted(
    models: Path,
    tmp_path: Path,
    address: Callable[[str], str],
    sent: Any,
    status: int,
    fetched: str,
) -> None:
    clip = write_video(tmp_path / "a.mp4", without_faces(), every(10, 1000), rate=10)
    given = address(fetched) if fetched else str(clip)
    process = subprocess.Popen(
        [*COMMAND, "nowhere.mp4", given, "--models", str(models)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Shells start what runs in the background with Ctrl-C ignored, the tests themselves too.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert "no such file" in process.stderr.readline()  # the first is told, the second goes on
    process.send_signal(sent)
    _, err = process.communicate(timeout=120)
    assert process.returncode == status
    assert "Traceback" not in err


@pytest.mark.skipif(os.name != "posix", reason="the example is a POSIX shell script")
@pytest.mark.parametrize(("lines", "status"), [(("0.05", "0.01"), 3), (("0.999", "0.01"), 0)])
def test_the_example_for_ci_hands_the_status_on(
    portrait_clip: Path,
    cautious_models: Callable[[str, str], Path],
    tmp_path: Path,
    lines: tuple[str, ...],
    status: int,
) -> None:
    command = tmp_path / "fakelight"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stream_server.cli "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        ["sh", str(ROOT / "docs" / "examples" / "check-media.sh"), str(portrait_clip.parent)],
        cwd=tmp_path,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")},
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "FAKELIGHT_MODELS": str(cautious_models(*lines)),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert ("Something is likely fake" in done.stdout) == (status == 3)
    assert json.loads((tmp_path / "report.json").read_text())["settings"]["window_chosen"] == "auto"
    assert (tmp_path / "report.html").exists()
