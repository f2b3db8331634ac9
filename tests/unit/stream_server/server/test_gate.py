"""Who may talk to the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_server.server.app import create_app
from tests.support.in_process import BEARER, EXTENSION, TOKEN, services_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    services = services_in(tmp_path_factory.mktemp("server"), allowed_hosts="probe.example")
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.fixture
def client(server: TestClient) -> TestClient:
    """Of one server for all, which nobody here changes; it knows no cookie yet."""
    server.cookies.clear()
    return server


@pytest.mark.parametrize(
    "path", ["/", "/scan", "/monitor", "/healthz", "/readyz", "/static/sample.mp4"]
)
def test_open_to_anyone(client: Any, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/metrics", "/v1/info", "/v1/streams", "/openapi.json", "/v1/scans", "/nowhere"]
)
def test_everything_else_needs_the_token(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get(path, headers={"Authorization": f"Basic {TOKEN}"}).status_code == 401
    assert client.get(path, headers=BEARER).status_code != 401


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "", "[::1].evil", "evil.test:8765"]
)
def test_a_foreign_host_is_refused_whatever_the_token(client: Any, host: str) -> None:
    answer = client.get("/healthz", headers={**BEARER, "Host": host})
    assert answer.status_code == 421
    assert answer.json()["status"] == 421 and "FAKELIGHT_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765", "probe.example"]
)
def test_our_hosts_are_accepted(client: Any, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "http://127.0.0.1:9999",
        "http://localhost:8765",
        "null",
        "chrome-extension://short",
        "file://",
    ],
)
def test_a_foreign_origin_is_refused_whatever_the_token(client: Any, origin: str) -> None:
    answer = client.get("/v1/info", headers={**BEARER, "Origin": origin})
    assert answer.status_code == 403 and origin in answer.json()["detail"]


def test_another_port_of_this_machine_cannot_use_the_cookie(client: Any) -> None:
    client.post("/v1/session", json={"token": TOKEN})
    assert client.get("/v1/info").status_code == 200
    for site in ("same-site", "cross-site"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert client.get("/v1/info", headers=headers).status_code == 403


def test_an_extension_may_read_answers_with_its_token(client: Any) -> None:
    answer = client.get("/v1/info", headers={**BEARER, "Origin": EXTENSION})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == EXTENSION
    preflight = client.options("/v1/info", headers={"Origin": EXTENSION})
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("path", "status"), [("/metrics", 200), ("/v1/info", 403), ("/v1/streams", 403), ("/whip", 403)]
)
def test_a_scraper_s_token_opens_the_metrics_alone(tmp_path: Path, path: str, status: int) -> None:
    services = services_in(tmp_path, metrics_token="opens-the-metrics-alone")
    bearer = {"Authorization": "Bearer opens-the-metrics-alone"}
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        assert client.get(path, headers=bearer).status_code == status
