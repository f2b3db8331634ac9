"""The ``fakelight`` command."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stream_server import __version__
from stream_server.languages.choice import LANGUAGES, of_environment, speaking
from stream_server.loading import loading

# NumPy's linear algebra starts a thread for each further core, which spins for a tenth of a second;
# none of it is large enough here for more than one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
with loading():
    from stream_server.scan.options import DEFAULT_WINDOW, FAIL_ON
    from stream_server.settings import ENGINES, Settings, SettingsError, load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 fine, 1 found wanting, 2 unusable)."""
    options = _parsed(arguments)
    try:
        with speaking(getattr(options, "language", None) or of_environment()):
            return int(options.run(options))
    except KeyboardInterrupt:
        return 130
    except (SettingsError, ValueError, OSError) as error:
        sys.stderr.write(f"fakelight: {error}\n")
        return 2


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; an option that is none is answered with the usage of its own command."""
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.error(_unknown(unknown[0], options.parser))
    if not hasattr(options, "run"):
        options.parser.error("name a COMMAND; fakelight --help lists them")
    return options


def _unknown(given: str, parser: argparse.ArgumentParser) -> str:
    known = [name for action in parser._actions for name in action.option_strings]
    close = difflib.get_close_matches(given.split("=")[0], known, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{given} is no option of {parser.prog}{meant}"


class _Command(argparse.ArgumentParser):
    """The parser of one command, which what is parsed knows."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.set_defaults(parser=self)


def _parser() -> argparse.ArgumentParser:
    parser = _Command(
        prog="fakelight", description="Live face-manipulation warnings on any web video."
    )
    parser.add_argument("--version", action="version", version=f"fakelight {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the live page and the browser extension")
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default 8765)")
    serve.add_argument("--engine", choices=ENGINES, help="where the networks run")
    serve.add_argument("--triton-url", metavar="HOST:PORT", help="Triton's gRPC address")
    serve.add_argument("--models", type=Path, metavar="DIR", help="the model repository")
    serve.add_argument(
        "--ray", metavar="ADDRESS", help="watch monitors on a Ray cluster: HOST:PORT or auto"
    )
    serve.set_defaults(run=_serve)

    scan = commands.add_parser("scan", help="check videos and pictures before posting them")
    scan.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE|URL|DIR|-",
        help="a file, an http(s) address, a folder, or - for standard input",
    )
    scan.add_argument(
        "--json",
        metavar="PATH",
        help="write the report there, of several files a list; - for stdout",
    )
    scan.add_argument(
        "--jsonl", metavar="PATH", help="the same, one report a line for any number of files"
    )
    scan.add_argument("--html", type=Path, metavar="PATH", help="write a page to read and print")
    scan.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    scan.add_argument(
        "--window",
        default=DEFAULT_WINDOW,
        metavar="N",
        help="looks that a verdict is made of: 20, 40, 60, 80, 100 or auto (default 20)",
    )
    scan.add_argument(
        "--sample-hz", type=float, metavar="HZ", help="samples per second (default 10)"
    )
    scan.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default=FAIL_ON[0],
        help="the least verdict that gives exit status 3 (default likely_fake)",
    )
    scan.add_argument("--engine", choices=ENGINES, help="where the networks run")
    scan.add_argument("--triton-url", metavar="HOST:PORT", help="Triton's gRPC address")
    scan.add_argument("--models", type=Path, metavar="DIR", help="the model repository")
    scan.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="run on a Ray cluster: HOST:PORT, ray://HOST:PORT, auto or local",
    )
    scan.add_argument(
        "--language",
        choices=tuple(LANGUAGES),
        help="of the words and of --html (default: as the terminal's locale, LANG)",
    )
    scan.set_defaults(run=_scan)

    monitor = commands.add_parser("monitor", help="watch live streams, without a server")
    monitor.add_argument(
        "urls", nargs="+", metavar="URL", help="HLS, DASH, RTMP, RTSP, SRT, MPEG-TS or WebM"
    )
    monitor.add_argument("--json", metavar="PATH", help="write incidents as lines; - for stdout")
    monitor.add_argument("--seconds", type=float, metavar="S", help="how long (default: for ever)")
    monitor.add_argument(
        "--sample-hz", type=float, metavar="HZ", help="samples per second (default 10)"
    )
    monitor.add_argument("--engine", choices=ENGINES, help="where the networks run")
    monitor.add_argument("--triton-url", metavar="HOST:PORT", help="Triton's gRPC address")
    monitor.add_argument("--models", type=Path, metavar="DIR", help="the model repository")
    monitor.set_defaults(run=_monitor)

    models = commands.add_parser(
        "models", help="list the models, check them, or have a running server go over to others"
    )
    models.add_argument("what", choices=("list", "check", "swap"))
    models.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="swap: the new ones")
    models.add_argument("--models", type=Path, metavar="DIR", help="the model repository")
    models.add_argument(
        "--triton-url", metavar="HOST:PORT", help="swap: a Triton that serves the new ones"
    )
    models.set_defaults(run=_models)

    bench = commands.add_parser("bench", help="measure this machine")
    bench.add_argument("what", choices=("live", "scan"))
    bench.add_argument(
        "--streams",
        type=_counts,
        default=(1,),
        metavar="N[,N...]",
        help="live: streams at once; several numbers are measured one after the other",
    )
    bench.add_argument("--seconds", type=float, default=20, metavar="S", help="how long")
    bench.add_argument("--json", metavar="PATH", help="write the figures there; - for stdout")
    bench.add_argument("--long", action="store_true", help="scan: ten minutes of 1080p as well")
    bench.set_defaults(run=_bench)

    token = commands.add_parser("token", help="print the server's token, made if there is none")
    token.set_defaults(run=_token)

    database = commands.add_parser(
        "database", help="say what is kept where, or go back to the tables of an earlier version"
    )
    database.add_argument("part", nargs="?", choices=("monitors", "pairings", "mistakes", "scans"))
    database.add_argument(
        "step", nargs="?", metavar="STEP", help="head, the number of a step, or base"
    )
    database.set_defaults(run=_database)

    doctor = commands.add_parser("doctor", help="say what is wrong with this installation")
    doctor.set_defaults(run=_doctor)

    install = commands.add_parser(
        "install", help="put the command on the PATH and start the server with each session"
    )
    install.set_defaults(run=_install)
    uninstall = commands.add_parser("uninstall", help="undo install, and forget what was kept")
    uninstall.add_argument(
        "--keep-data", action="store_true", help="keep the key, pairings, results and incidents"
    )
    uninstall.set_defaults(run=_uninstall)

    completion = commands.add_parser("completion", help="print what completes commands in a shell")
    shell = completion.add_argument("shell", metavar="SHELL", help="bash, zsh, tcsh or another")
    completion.set_defaults(run=lambda options: _completion(options, parser, shell))
    return parser


def _serve(options: argparse.Namespace) -> int:
    from stream_server.server.serve import serve

    return serve(_settings(options, "host", "port", "engine", "triton_url", "models", "ray"))


def _scan(options: argparse.Namespace) -> int:
    with loading():
        from stream_server.scan.command import ScanRequest, scan
        from stream_server.scan.options import ScanOptions
        from stream_server.scan.outputs import Outputs

    settings = _settings(options, "engine", "triton_url", "models", "sample_hz")
    chosen = ScanOptions.chosen(settings, options.window)
    outputs = Outputs(options.json, options.jsonl, options.html)
    request = ScanRequest(
        options.inputs, chosen, outputs, options.fail_on, options.ray, options.quiet
    )
    return scan(settings, request)


def _monitor(options: argparse.Namespace) -> int:
    from stream_server.commands.monitor import MonitorRequest, monitor

    settings = _settings(options, "engine", "triton_url", "models", "sample_hz")
    return monitor(settings, MonitorRequest(options.urls, options.json, options.seconds))


def _models(options: argparse.Namespace) -> int:
    from stream_server.commands.models import check_models, list_models, swap_models

    settings = _settings(options, "models")
    if options.what == "swap":
        if options.folder is None:
            raise ValueError("models swap: name the folder of the new models")
        return swap_models(settings, options.folder, options.triton_url or "")
    if options.folder is not None:
        raise ValueError(f"models {options.what} takes no folder but --models {options.folder}")
    command = list_models if options.what == "list" else check_models
    return command(settings.models)


def _bench(options: argparse.Namespace) -> int:
    if options.what == "scan":
        from stream_server.bench.scan import bench_scan

        return bench_scan(options.long, options.json)
    from stream_server.bench.live import bench_live

    return bench_live(options.streams, options.seconds, options.json)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _token(options: argparse.Namespace) -> int:
    from stream_server.server.token_file import load_token

    sys.stdout.write(load_token(_settings(options)) + "\n")
    return 0


def _database(options: argparse.Namespace) -> int:
    from stream_server.commands.database import go, show

    if options.part is None:
        return show(_settings(options))
    if options.step is None:
        raise ValueError(f"database {options.part}: name the step (head, a number, or base)")
    return go(_settings(options), options.part, options.step)


def _doctor(options: argparse.Namespace) -> int:
    from stream_server.commands.doctor import examine

    return examine(_settings(options))


def _install(options: argparse.Namespace) -> int:
    from stream_server.commands.install import install

    return install(_settings(options))


def _uninstall(options: argparse.Namespace) -> int:
    from stream_server.commands.install import uninstall

    return uninstall(_settings(options), options.keep_data)


def _completion(
    options: argparse.Namespace, parser: argparse.ArgumentParser, shell: argparse.Action
) -> int:
    import shtab

    if options.shell not in shtab.SUPPORTED_SHELLS:
        known = ", ".join(shtab.SUPPORTED_SHELLS)
        raise ValueError(f"completion: {options.shell!r} is no shell that is known; {known} are")
    shell.choices = shtab.SUPPORTED_SHELLS  # they are completed too
    sys.stdout.write(shtab.complete(parser, options.shell))
    return 0


def _settings(options: argparse.Namespace, *names: str) -> Settings:
    return load(**{name: getattr(options, name) for name in names})


if __name__ == "__main__":
    raise SystemExit(main())
