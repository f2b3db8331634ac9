"""``make audit`` against a stand-in for the database of vulnerabilities."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts import audit

KNOWN = {
    "id": "MADE-2026-1",
    "schema_version": "1.6.0",
    "summary": "a hole that a test made",
    "affected": [
        {
            "package": {"name": "made-vulnerable", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class _Database(BaseHTTPRequestHandler):
    asked: list[Any]

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((query["package"]["name"], query["version"]))
        found = [KNOWN] if self.asked[-1] == ("made-vulnerable", "1.0") else []
        body = json.dumps({"vulns": found} if found else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def database() -> Iterator[Any]:
    _Database.asked = []
    with HTTPServer(("127.0.0.1", 0), _Database) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def audited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, requirements: str) -> int:
    file = tmp_path / "requirements.txt"
    file.write_text(requirements)
    monkeypatch.setattr("sys.argv", ["audit", "--requirement", str(file), "--osv-url", url])
    return audit.main()


def test_a_vulnerable_requirement_is_found(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    wanted = "made-vulnerable==1.0\nharmless==2.0\n"
    assert audited(monkeypatch, tmp_path, database, wanted) == 1
    assert sorted(_Database.asked) == [("harmless", "2.0"), ("made-vulnerable", "1.0")]
    told = capsys.readouterr().out
    assert "made-vulnerable 1.0: MADE-2026-1, mended in 1.1: a hole that a test made" in told
    assert "2 distributions, VULNERABLE" in told
    assert audited(monkeypatch, tmp_path, database, "made-vulnerable==1.1\n") == 0
    assert "1 distributions, nothing known" in capsys.readouterr().out


def test_a_check_that_could_not_be_made_is_no_good_one(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    nobody = "http://127.0.0.1:9/v1/query"
    assert audited(monkeypatch, tmp_path, nobody, "harmless==2.0\n") == 2
    assert f"nothing was checked: {nobody} gave no answer" in capsys.readouterr().out
    # A list that cannot be read is none either.
    assert audited(monkeypatch, tmp_path, database, "harmless>=2\n") == 2
