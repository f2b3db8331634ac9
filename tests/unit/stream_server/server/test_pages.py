"""What browsers are told about the pages."""

from __future__ import annotations

from typing import Any

from tests.support.in_process import BEARER


def test_pages_run_no_foreign_script_and_are_never_framed(client: Any) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_static_files_cannot_be_left(client: Any) -> None:
    for path in ("/static/../../settings.py", "/static/%2e%2e/%2e%2e/settings.py"):
        assert client.get(path, headers=BEARER).status_code in (400, 404)
