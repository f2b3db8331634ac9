"""Live sources of other makes on the loopback interface: ffmpeg, nginx and GStreamer."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import IO

import pytest

from tests.support.files_server import files_server
from tests.support.paths import ROOT
from tests.support.server import free_port

_PYTHON = "/usr/bin/python3"  # the system's, which has GStreamer's bindings
_RTMP_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg here")


def has_rtmp() -> bool:
    return shutil.which("nginx") is not None and _RTMP_MODULE.exists()


@cache
def has_rtsp() -> bool:
    asked = "import gi; gi.require_version('GstRtspServer', '1.0')"
    asked += "; from gi.repository import GstRtspServer"
    try:
        return subprocess.run([_PYTHON, "-c", asked], capture_output=True).returncode == 0
    except OSError:
        return False


needs_rtmp = pytest.mark.skipif(not has_rtmp(), reason="no nginx with its RTMP module here")
needs_rtsp = pytest.mark.skipif(not has_rtsp(), reason="no GStreamer RTSP server here")


@contextmanager
def running(
    *command: str, out: IO[str] | int | None = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """A program that runs until the end of the block."""
    process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, text=True)
    try:
        with process:
            yield process
            process.kill()
    finally:
        process.kill()


@contextmanager
def played(clip: Path, form: str, target: str, *more: str) -> Iterator[None]:
    """``clip`` over and over at its own speed, as ffmpeg sends it, uncoded anew."""
    again = ("-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy", *more, "-f", form)
    with running("ffmpeg", "-v", "quiet", *again, target):
        yield


@contextmanager
def rtmp_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Debian's nginx with its RTMP module; yields the address of an application."""
    port = port or free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"load_module {_RTMP_MODULE};\ndaemon off;\nworker_processes 1;\n"
        f"pid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\n"
        "events { worker_connections 64; }\n"
        f"rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}\n"
    )
    with running("nginx", "-p", str(folder), "-c", str(config)) as process:
        _listens(port)
        yield f"rtmp://127.0.0.1:{port}/live"
        process.terminate()  # so that it ends its workers too
        process.wait(60)


def a_free_udp_port() -> int:
    return free_port(kind=socket.SOCK_DGRAM)


def served(kind: str, clip: Path, folder: Path, stack: ExitStack) -> str:
    """The address at which ``clip`` is served as ``kind`` until ``stack`` is closed."""
    if kind in ("hls", "low-latency hls", "dash"):
        site = stack.enter_context(files_server(folder))
        more = {
            "hls": ("-hls_time", "1", "-hls_list_size", "5", "-hls_flags", "delete_segments"),
            "low-latency hls": ("-hls_time", "1", "-hls_segment_type", "fmp4"),
            "dash": ("-seg_duration", "1", "-window_size", "8", "-streaming", "1"),
        }[kind]
        form, name = ("dash", "live.mpd") if kind == "dash" else ("hls", "live.m3u8")
        stack.enter_context(played(clip, form, str(folder / name), *more))
        return f"{site}/{name}"
    if kind == "udp":
        address = f"udp://127.0.0.1:{a_free_udp_port()}"
        stack.enter_context(played(clip, "mpegts", f"{address}?pkt_size=1316"))
        return address
    if kind == "srt":
        address = f"srt://127.0.0.1:{a_free_udp_port()}?passphrase=0123456789ab"
        stack.enter_context(played(clip, "mpegts", f"{address}&mode=listener"))
        return address
    if kind == "rtmp":
        application = stack.enter_context(rtmp_server(folder))
        stack.enter_context(played(clip, "flv", f"{application}/clip"))
        return f"{application}/clip"
    return stack.enter_context(rtsp_server(clip))


@contextmanager
def rtsp_server(clip: Path, *credentials: str) -> Iterator[str]:
    """GStreamer's RTSP server; yields the address of ``clip`` on it."""
    program = str(ROOT / "tests/support/gstreamer_rtsp.py")
    with running(_PYTHON, program, str(clip), *credentials, out=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"rtsp://127.0.0.1:{port}/live"


def _listens(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nobody listens on port {port}")
