from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from stream_server.monitors.alerts import signature

BODY = '{"type":"incident.opened","data":{"name":"Zoë"}}'.encode()


def signed(*secrets: str) -> dict[str, str]:
    keys = [signature.key_of(one) for one in secrets]
    return signature.headers("msg_1", int(time.time()), BODY, keys)


def test_the_specifications_own_library_takes_the_signature() -> None:
    secret = signature.new_secret()
    assert Webhook(secret).verify(BODY, signed(secret))["data"] == {"name": "Zoë"}


def test_the_specifications_example() -> None:
    key = signature.key_of("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    body = b'{"email":"test@example.com","username":"test_user"}'
    made = signature.headers("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553, body, [key])
    assert made["webhook-timestamp"] == "1649367553"
    assert made["webhook-signature"] == "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="


@pytest.mark.parametrize("change", ["secret", "body", "id", "timestamp"])
def test_a_change_of_anything_is_refused(change: str) -> None:
    secret = signature.new_secret()
    headers, body = signed(secret), BODY
    if change == "secret":
        secret = signature.new_secret()
    elif change == "body":
        body += b" "
    elif change == "id":
        headers["webhook-id"] = "msg_2"
    else:
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 1)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(secret).verify(body, headers)


def test_two_secrets_sign_beside_each_other() -> None:
    new, old = signature.new_secret(), signature.new_secret()
    headers = signed(new, old)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        Webhook(secret).verify(BODY, headers)


def test_a_new_secret_is_new_and_long_enough() -> None:
    one, other = signature.new_secret(), signature.new_secret()
    assert one != other
    assert one.startswith("whsec_")
    assert len(signature.key_of(one)) == 32


def test_a_secret_may_come_without_padding_or_prefix() -> None:
    encoded = base64.b64encode(b"k" * 25).decode()
    for secret in (f"whsec_{encoded.rstrip('=')}", encoded):
        assert signature.key_of(secret) == b"k" * 25
        Webhook(secret).verify(BODY, signed(secret))


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("c2VjcmV0", "24 to 64 bytes, not 6"),
        ("hidden-hidden-hidden-hidden-hidden", "whsec_ and base64"),
        ("whsec_not base64 at all!", "base64"),
        ("whsec_" + "ä" * 40, "base64"),
        ("whsec_" + base64.b64encode(b"k" * 23).decode(), "24 to 64 bytes, not 23"),
        ("whsec_" + base64.b64encode(b"k" * 65).decode(), "24 to 64 bytes, not 65"),
        ("whsec_", "not 0"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(secret: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        signature.key_of(secret)
    assert secret.removeprefix("whsec_")[:6] not in str(refused.value) or secret == "whsec_"
