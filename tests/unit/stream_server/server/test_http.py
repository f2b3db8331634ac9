"""The gate and the small HTTP answers, in process."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from stream_server import resources
from stream_server.engine import open_engine
from stream_server.server.app import create_app
from stream_server.server.services import Services
from stream_server.settings import load
from tests.support.tiny_repository import tiny_repository

TOKEN = "a-token-for-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
EXTENSION = "chrome-extension://" + "a" * 32


@pytest.fixture
def services(tmp_path):
    models = tiny_repository(tmp_path / "models")
    settings = load(state_dir=tmp_path, models=models, allowed_hosts="probe.example")
    return Services(settings, TOKEN, open_engine("embedded", models))


@pytest.fixture
def client(services):
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/static/sample.mp4"])
def test_open_to_anyone(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/metrics", "/v1/info", "/v1/streams", "/openapi.json", "/v1/scans", "/nowhere"]
)
def test_everything_else_needs_the_token(client, path):
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
def test_a_foreign_host_is_refused_whatever_the_token(client, host):
    answer = client.get("/healthz", headers={**BEARER, "Host": host})
    assert answer.status_code == 421
    assert answer.json()["status"] == 421 and "FAKELIGHT_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765", "probe.example"]
)
def test_our_hosts_are_accepted(client, host):
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
def test_a_foreign_origin_is_refused_whatever_the_token(client, origin):
    answer = client.get("/v1/info", headers={**BEARER, "Origin": origin})
    assert answer.status_code == 403 and origin in answer.json()["detail"]


def test_another_port_of_this_machine_cannot_use_the_cookie(client):
    client.post("/v1/session", json={"token": TOKEN})
    assert client.get("/v1/info").status_code == 200
    for site in ("same-site", "cross-site"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert client.get("/v1/info", headers=headers).status_code == 403


def test_an_extension_may_read_answers_with_its_token(client):
    answer = client.get("/v1/info", headers={**BEARER, "Origin": EXTENSION})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == EXTENSION
    preflight = client.options("/v1/info", headers={"Origin": EXTENSION})
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"]


def test_the_printed_link_becomes_a_cookie_that_scripts_cannot_read(client):
    answer = client.post("/v1/session", json={"token": TOKEN})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    assert client.get("/v1/info").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"token":"wrong"}', 403),
        (b'{"token":5}', 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"token":"' + b"x" * 20000 + b'"}', 400),
    ],
)
def test_bad_sessions(client, body, status):
    answer = client.post("/v1/session", content=body)
    assert answer.status_code == status and "set-cookie" not in answer.headers


def test_pairing_over_http(client, services, monkeypatch):
    shown = []
    monkeypatch.setattr(services.pairings, "_show", lambda code, origin: shown.append(code))
    headers = {"Origin": EXTENSION}
    started = client.post("/v1/pairings", headers=headers)
    assert started.status_code == 201 and started.json()["expires_s"] == 120
    number = started.json()["id"]
    wrong = client.post(f"/v1/pairings/{number}", json={"code": "x"}, headers=headers)
    assert (wrong.status_code, wrong.json()["tries_left"]) == (403, 4)
    spaced = f"{shown[0][:3]} {shown[0][3:]}"
    token = client.post(f"/v1/pairings/{number}", json={"code": spaced}, headers=headers).json()[
        "token"
    ]
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/v1/info", headers={**bearer, **headers}).status_code == 200
    assert client.get("/v1/info", headers=bearer).status_code == 401
    assert client.delete("/v1/pairings", headers={**bearer, **headers}).status_code == 204
    assert client.delete("/v1/pairings", headers={**bearer, **headers}).status_code == 404
    assert client.get("/v1/info", headers={**bearer, **headers}).status_code == 401
    assert client.post(f"/v1/pairings/{number}", content=b"", headers=headers).status_code == 400
    gone = client.post(f"/v1/pairings/{number}", json={"code": "x"}, headers=headers)
    assert gone.status_code == 410


def test_errors_are_problem_documents(client):
    for method, path, status in (("GET", "/nowhere", 404), ("DELETE", "/v1/info", 405)):
        answer = client.request(method, path, headers=BEARER)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) >= {"type", "title", "status", "detail"}


def test_info_and_metrics(client):
    info = client.get("/v1/info", headers=BEARER).json()
    assert info["engine"] == "embedded" and info["models"] == ["tiny"]
    assert "wholly generated" in info["scope"]
    text = client.get("/metrics", headers=BEARER).text
    assert 'fakelight_frames_total{result="received"} 0.0' in text
    assert "fakelight_engine_fallback 0.0" in text


def test_ready_means_a_real_inference(client, services, monkeypatch):
    async def broken():
        raise RuntimeError("the model file is gone")

    monkeypatch.setattr(services.engine, "probe", broken)
    services._probed = (-1e9, "")
    answer = client.get("/readyz")
    assert answer.status_code == 503 and "the model file is gone" in answer.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_pages_run_no_foreign_script_and_are_never_framed(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_static_files_cannot_be_left(client):
    for path in ("/static/../../settings.py", "/static/%2e%2e/%2e%2e/settings.py"):
        assert client.get(path, headers=BEARER).status_code in (400, 404)


def test_every_route_is_described(client, services):
    described = client.get("/openapi.json", headers=BEARER).json()
    assert described["openapi"].startswith("3.")
    app = create_app(services)
    paths = {route.path for route in app.routes if hasattr(route, "methods")}
    assert set(described["paths"]) >= paths
    assert json.loads((resources.web_dir() / "openapi.json").read_text()) == described
