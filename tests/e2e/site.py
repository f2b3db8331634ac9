"""A web site of made pages and clips, served on a loopback port under any name."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".js": "text/javascript",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}


class Site:
    """Serves files of a folder (with ranges, which seeking needs) and pages given as text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages: dict[str, tuple[str, Mapping[str, str]]] = {}
        self.files: dict[str, Path] = {}  # files from elsewhere, by their path on the site
        self.requests: list[tuple[str, str]] = []  # Host and path, as they came
        self._held: dict[str, threading.Event] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def page(self, path: str, html: str, headers: Mapping[str, str] | None = None) -> str:
        """Serve ``html`` at ``path``; the address under the site's main name is returned."""
        self.pages[path] = (html, headers or {})
        return self.address(path)

    def address(self, path: str, host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"

    @contextmanager
    def held(self, path: str) -> Iterator[str]:
        """An address that is answered only when this ends: until then its page is loading."""
        self._held[path] = threading.Event()
        try:
            yield path
        finally:
            self._held.pop(path).set()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.split("?")[0]
        self.requests.append((request.headers.get("Host", ""), path))
        if held := self._held.get(path):
            held.wait(600)
        if path in self.pages:
            html, headers = self.pages[path]
            self._send(request, 200, html.encode(), TYPES[".html"], dict(headers))
            return
        file = self.files.get(path, self.folder / path.lstrip("/"))
        if not file.is_file():
            self._send(request, 404, b"nothing here", "text/plain", {})
            return
        body, kind = file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream")
        headers = {"Accept-Ranges": "bytes"}
        if request.path.endswith("?cors"):
            headers["Access-Control-Allow-Origin"] = "*"
        wanted = request.headers.get("Range", "")
        if wanted.startswith("bytes="):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) if last else len(body) - 1, len(body) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
            self._send(request, 206, body[start : end + 1], kind, headers)
        else:
            self._send(request, 200, body, kind, headers)

    @staticmethod
    def _send(
        request: BaseHTTPRequestHandler, status: int, body: bytes, kind: str, more: dict[str, str]
    ) -> None:
        try:
            request.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": len(body), **more}.items():
                request.send_header(name, str(value))
            request.end_headers()
            request.wfile.write(body)
        except ConnectionError:
            pass  # the browser has seen enough of the file

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def video_page(clip: str, style: str = "", more: str = "") -> str:
    """A page with one playing, muted, looping video."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>clip</title>
<style>body{{margin:0;background:#fff;font:16px sans-serif}} video{{display:block;{style}}}</style>
</head><body><video id="v" src="{clip}" autoplay muted loop playsinline></video>{more}</body></html>
"""


def mse_page(clip: str) -> str:
    """A page that plays a fragmented MP4 through Media Source Extensions, as video sites do."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>blob</title></head>
<body><video id="v" autoplay muted playsinline width="640" height="360"></video><script>
const source = new MediaSource();
document.getElementById("v").src = URL.createObjectURL(source);
source.addEventListener("sourceopen", async () => {{
  const buffer = source.addSourceBuffer('video/mp4; codecs="avc1.640016"');
  buffer.appendBuffer(await (await fetch("{clip}")).arrayBuffer());
  buffer.addEventListener("updateend", () => source.endOfStream(), {{ once: true }});
}}, {{ once: true }});
</script></body></html>
"""
