from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from starlette.testclient import TestClient

from stream_server.database import Database
from stream_server.monitors.alerts import webhooks
from stream_server.monitors.alerts.signature import new_secret
from stream_server.server.app import create_app
from tests.support.alerts import add_message
from tests.support.in_process import BEARER, services_in
from tests.support.receiver import answers, receiver

URL = "http://127.0.0.1:9/hook"


def made(client: Any, url: str = URL, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/webhooks/{found['id']}"
    return found


def wait_for(client: Any, state: str, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 60
    while True:
        found: list[dict[str, Any]] = client.get(f"/v1/webhooks/deliveries?state={state}").json()
        if len(found) >= count:
            return found
        assert time.monotonic() < end, f"{len(found)} of {count} are {state}"
        time.sleep(0.05)


def test_the_secret_is_made_and_shown_once(client: Any) -> None:
    hook = made(client)
    assert hook["secret"].startswith("whsec_")
    assert (hook["kind"], hook["enabled"], hook["events"]) == ("standard", True, [])
    one = client.get(f"/v1/webhooks/{hook['id']}").json()
    assert one == {key: value for key, value in hook.items() if key != "secret"}
    assert client.get("/v1/webhooks").json() == [one]


def test_a_secret_may_be_given(client: Any) -> None:
    secret = new_secret()
    assert made(client, secret=secret)["secret"] == secret


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "url"),
        ({"url": 5}, "url"),
        ({"url": URL, "colour": "red"}, "colour"),
        ({"url": URL, "secret": "hidden-value"}, "whsec_ and base64"),
        ({"url": URL, "secret": "whsec_c2VjcmV0"}, "24 to 64 bytes, not 6"),
        ({"url": URL, "kind": "fax"}, "standard"),
        ({"url": URL, "kind": "email"}, "mailto:"),
        ({"url": "mailto:a@example.org", "kind": "slack"}, "mailto:"),
        ({"url": "mailto:a@example.org?bcc=b@example.org"}, "one e-mail address"),
        ({"url": URL, "events": ["monitor"]}, "incident.opened"),
        ({"url": URL, "name": "x" * 121}, "120"),
        ({"url": "ftp://127.0.0.1/"}, "no http, https or mailto"),
        ({"url": "file:///etc/passwd"}, "no http, https or mailto"),
        ({"url": "http://"}, "no http, https or mailto"),
        ({"url": "http://127.0.0.1:99999/"}, "cannot be read"),
        ({"url": "http://[::1/"}, "cannot be read"),
        ({"url": "http://exämple.org/"}, "punycode"),
        ({"url": "http://127.0.0.1/a b"}, "percent-encoded"),
        ({"url": "http://127.0.0.1/\r\nX: y"}, "percent-encoded"),
        ({"url": "http://127.0.0.1/" + "x" * 2048}, "2048"),
        ({"url": "http://169.254.169.254/latest"}, "link-local or metadata"),
        ({"url": "http://10.0.0.1/"}, "private"),
        ({"url": "http://[::1]/"}, "loopback"),
        ({"url": "https://me:hidden@192.168.0.1/"}, "private"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused(
    refusing: Any, fields: dict[str, Any], why: str
) -> None:
    answer = refusing.post("/v1/webhooks", json=fields)
    assert answer.status_code == 400
    assert why in answer.json()["detail"]
    assert "hidden" not in answer.text
    assert refusing.get("/v1/webhooks").json() == []


def test_what_is_no_json_is_refused(refusing: Any) -> None:
    for body in (b"", b"[]", b"{", b"\xff", b'{"url": NaN}'):
        assert refusing.post("/v1/webhooks", content=body).status_code == 400


def test_a_name_that_is_not_found_just_now_is_good(client: Any) -> None:
    made(client, "https://no-such-name.invalid/hook")


def test_there_is_a_limit(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "LIMIT", 2)
    for _ in range(2):
        made(client)
    answer = client.post("/v1/webhooks", json={"url": URL})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("there are 2 webhooks")


def test_all_of_it_needs_the_token(client: Any) -> None:
    del client.headers["Authorization"]
    for method, path in (
        ("GET", "/v1/webhooks"),
        ("POST", "/v1/webhooks"),
        ("GET", "/v1/webhooks/deliveries"),
        ("POST", "/v1/webhooks/deliveries/replay"),
        ("PATCH", "/v1/webhooks/x"),
        ("DELETE", "/v1/webhooks/x"),
    ):
        assert client.request(method, path).status_code == 401


@pytest.mark.parametrize(
    ("url", "kind", "shown"),
    [
        ("http://me:hidden@127.0.0.1/a?t=hidden", None, "http://***@127.0.0.1/a?t=***"),
        ("http://127.0.0.1/services/hidden", "slack", "http://127.0.0.1/***"),
        ("http://127.0.0.1/hooks/hidden", "mattermost", "http://127.0.0.1/***"),
        ("http://u:hidden@127.0.0.1:9/api/hidden?x=hidden", "discord", "http://127.0.0.1:9/***"),
    ],
)
def test_a_url_is_shown_without_its_secrets(
    client: Any, caplog: pytest.LogCaptureFixture, url: str, kind: str | None, shown: str
) -> None:
    caplog.set_level(logging.DEBUG)
    hook = made(client, url, **({"kind": kind} if kind else {}))
    assert hook["url"] == shown
    texts = [client.get(f"/v1/webhooks/{hook['id']}").text, client.get("/v1/webhooks").text]
    texts.append(client.post(f"/v1/webhooks/{hook['id']}/test").text)
    assert not [text for text in [*texts, caplog.text] if "hidden" in text]


def test_it_is_changed_switched_and_removed(client: Any) -> None:
    path = f"/v1/webhooks/{made(client)['id']}"
    changes = {"name": " desk ", "events": ["incident.closed"], "url": URL + "/2"}
    changed = client.patch(path, json={**changes, "enabled": False}).json()
    assert (changed["name"], changed["events"]) == ("desk", ["incident.closed"])
    assert (changed["url"], changed["enabled"]) == (URL + "/2", False)
    assert client.patch(path, json={"enabled": True}).json()["enabled"]
    assert client.patch(path, json={}).json() == client.get(path).json()
    assert client.patch(path, json={"url": "http://10.0.0.1/"}).status_code == 400
    assert client.patch(path, json={"url": "mailto:a@example.org"}).status_code == 400
    assert client.patch(path, json={"secret": "x"}).status_code == 400
    assert client.get(path).json()["url"] == URL + "/2"
    assert client.delete(path).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = client.request(method, path, json={"enabled": True})
        assert answer.status_code == 404
        assert "there is no webhook" in answer.json()["detail"]
    assert client.post(f"{path}/rotate").status_code == 404
    assert client.post(f"{path}/test").status_code == 404


def test_a_test_is_sent_at_once_and_signed(client: Any) -> None:
    with receiver(answers(200, 500)) as one:
        hook = made(client, one.url)
        path = f"/v1/webhooks/{hook['id']}/test"
        assert client.post(path).json() == {"delivered": True, "status": 200, "error": ""}
        failed = client.post(path).json()
    assert failed == {"delivered": False, "status": 500, "error": "the receiver answered 500"}
    came, again = one.received
    told = Verifier(hook["secret"]).verify(came.body, came.headers)
    assert told["type"] == "webhook.test"
    assert came.id != again.id
    assert client.get("/v1/webhooks/deliveries").json() == []


def test_while_a_secret_is_changed_both_are_good(client: Any) -> None:
    with receiver() as one:
        hook = made(client, one.url)
        path = f"/v1/webhooks/{hook['id']}"
        turned = client.post(f"{path}/rotate").json()
        assert turned["old_secret_until"] > time.time() + 3600
        client.post(f"{path}/test")
        last = client.post(f"{path}/rotate", json={"keep_s": 0}).json()
        assert last["old_secret_until"] is None
        client.post(f"{path}/test")
        assert "secret" not in client.get(path).json()
    both, alone = one.received
    for secret in (hook["secret"], turned["secret"]):
        Verifier(secret).verify(both.body, both.headers)
    Verifier(last["secret"]).verify(alone.body, alone.headers)
    assert len(alone.headers["webhook-signature"].split()) == 1


@pytest.mark.parametrize("fields", [{"keep_s": -1}, {"keep_s": 1e9}, {"secret": "x"}])
def test_a_bad_rotation_changes_nothing(client: Any, fields: dict[str, Any]) -> None:
    path = f"/v1/webhooks/{made(client)['id']}"
    assert client.post(f"{path}/rotate", json=fields).status_code == 400
    assert client.get(path).json()["old_secret_until"] is None


def test_what_is_dead_is_listed_and_replayed(client: Any, tmp_path: Path) -> None:
    both = threading.Event()  # once the first is answered, nothing more is written for it

    def gone(handler: Any) -> None:
        assert both.wait(60)
        answers(410)(handler)

    with receiver(gone) as one:
        hook = made(client, one.url)
        database = Database(f"sqlite:///{tmp_path / 'monitors.sqlite'}")
        add_message(database, "i1")
        add_message(database, "i2")
        both.set()
        wait_for(client, "dead", 2)
        dead = client.get(f"/v1/webhooks/{hook['id']}").json()
        assert (dead["enabled"], dead["pending"], dead["dead"]) == (False, 0, 2)
        newest, oldest = client.get("/v1/webhooks/deliveries?state=dead").json()
        assert newest["id"] > oldest["id"]
        assert (oldest["attempts"], oldest["last_status"]) == (1, 410)
        assert len(client.get("/v1/webhooks/deliveries?state=dead&limit=1").json()) == 1
        assert client.get("/v1/webhooks/deliveries?webhook=another").json() == []
        whole = client.get(f"/v1/webhooks/deliveries/{oldest['id']}").json()
        assert json.loads(whole["payload"])["data"]["id"] == "i1"

        one.behave = answers(200)
        client.patch(f"/v1/webhooks/{hook['id']}", json={"enabled": True})
        replayed = client.post(f"/v1/webhooks/deliveries/{oldest['id']}/replay")
        assert (replayed.status_code, replayed.json()) == (202, {"replayed": 1})
        wait_for(client, "delivered", 1)
        again = client.post(f"/v1/webhooks/deliveries/{oldest['id']}/replay")
        assert again.status_code == 409
        assert "delivered" in again.json()["detail"]
        rest = client.post("/v1/webhooks/deliveries/replay", json={"webhook": hook["id"]})
        assert (rest.status_code, rest.json()) == (202, {"replayed": 1})
        wait_for(client, "delivered", 2)
        assert client.post("/v1/webhooks/deliveries/replay").json() == {"replayed": 0}
        database.close()
    assert one.ids[0] == one.ids[1]


@pytest.mark.parametrize(
    "query", ["state=lost", "limit=0", "limit=1001", "limit=x", "limit=²", "limit=" + "9" * 5000]
)
def test_a_bad_question_about_deliveries(refusing: Any, query: str) -> None:
    answer = refusing.get(f"/v1/webhooks/deliveries?{query}")
    assert answer.status_code == 400
    assert len(answer.text) < 500


@pytest.mark.parametrize("number", ["1", "x", "-1", "9" * 50, "²"])
def test_a_delivery_that_is_not_there(refusing: Any, number: str) -> None:
    assert refusing.get(f"/v1/webhooks/deliveries/{number}").status_code == 404
    assert refusing.post(f"/v1/webhooks/deliveries/{number}/replay").status_code == 404


def test_e_mail_needs_a_mail_server(refusing: Any) -> None:
    answer = refusing.post("/v1/webhooks", json={"url": "mailto:desk@example.org"})
    assert answer.status_code == 409
    assert "FAKELIGHT_SMTP_HOST" in answer.json()["detail"]


def test_e_mail_is_told_by_its_url_and_has_no_secret(tmp_path: Path) -> None:
    services = services_in(tmp_path, smtp_host="127.0.0.1", smtp_port=9, smtp_sender="a@b.example")
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        client.headers.update(BEARER)
        hook = made(client, "mailto:desk@example.org")
        assert (hook["kind"], hook["url"]) == ("email", "mailto:desk@example.org")
        assert "secret" not in hook
        assert client.post(f"/v1/webhooks/{hook['id']}/rotate").status_code == 409
        test = client.post(f"/v1/webhooks/{hook['id']}/test").json()
        assert test["error"] == "the mail server refuses connections"


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    address = f"postgresql://me:hidden@/x?host={tmp_path}"
    services = services_in(tmp_path, database=address)
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        answer = client.get("/v1/webhooks", headers=BEARER)
        assert answer.status_code == 503
        assert "hidden" not in answer.text
