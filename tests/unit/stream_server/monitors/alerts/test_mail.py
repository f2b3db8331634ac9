from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from stream_server.monitors.alerts.mail import MailSender, is_address
from stream_server.monitors.alerts.message import Words
from stream_server.monitors.alerts.outcome import Outcome
from stream_server.settings import load
from tests.support.certificates import certificate
from tests.support.mail_server import Inbox, login, mail_server
from tests.support.server import free_port

TO = "desk@example.org"
WORDS = Words("Suspicious face in Café", "A face looks manipulated.", "https://f.example/monitor#i")


def sender(
    port: int, trust: ssl.SSLContext | None = None, seconds: float = 60, **settings: Any
) -> MailSender:
    chosen = {"smtp_sender": "fakelight@example.org", "smtp_security": "none", **settings}
    made = load(smtp_host="127.0.0.1", smtp_port=port, **chosen)
    return MailSender(made, seconds=seconds, trust=trust)


async def test_a_mail_in_plain_words_by_starttls_and_login(tmp_path: Path) -> None:
    inbox, made = Inbox(), certificate(tmp_path, "127.0.0.1")
    options = {
        "tls_context": made.server,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": login,
    }
    with mail_server(inbox, **options) as port:
        mail = sender(
            port,
            made.client,
            smtp_security="starttls",
            smtp_user="me",
            smtp_password="secret-password",
        )
        assert await mail.send(TO, WORDS, "msg_1") == Outcome(status=250)
    ((envelope, text, encrypted),) = inbox.mails
    assert encrypted
    assert envelope.rcpt_tos == [TO]
    assert envelope.mail_from == "fakelight@example.org"
    assert text["To"] == TO
    assert text["Subject"] == "Suspicious face in Café"
    assert text["Message-ID"] == "<msg_1@example.org>"
    assert text["Auto-Submitted"] == "auto-generated"
    assert text.get_content_type() == "text/plain"
    assert text.get_content().splitlines() == [WORDS.text, "", WORDS.link]


async def test_nothing_is_sent_where_the_encryption_is_not_good(tmp_path: Path) -> None:
    inbox, made = Inbox(), certificate(tmp_path, "127.0.0.1")
    with mail_server(inbox, tls_context=made.server) as port:
        outcome = await sender(port, smtp_security="starttls").send(TO, WORDS, "msg_1")
    assert "certificate is not good: " in outcome.error
    with mail_server(inbox) as port:
        outcome = await sender(port, smtp_security="starttls").send(TO, WORDS, "msg_1")
    assert "does not offer what FAKELIGHT_SMTP_SECURITY" in outcome.error
    assert inbox.mails == []


async def test_a_wrong_password_is_said_and_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inbox, made = Inbox(), certificate(tmp_path, "127.0.0.1")
    options = {"tls_context": made.server, "auth_required": True, "authenticator": login}
    with mail_server(inbox, **options) as port:
        mail = sender(
            port,
            made.client,
            smtp_security="starttls",
            smtp_user="me",
            smtp_password="wrong-password",
        )
        outcome = await mail.send(TO, WORDS, "msg_1")
    assert outcome == Outcome("the mail server does not take user and password (535)")
    assert "wrong-password" not in caplog.text


async def test_a_refused_recipient() -> None:
    with mail_server(Inbox(refuse="550 no such user <secret>")) as port:
        outcome = await sender(port).send(TO, WORDS, "msg_1")
    assert outcome == Outcome("the mail server refuses the recipient (550)", 550)
    assert outcome.turned_down


@pytest.mark.patient
async def test_a_server_that_is_away_slow_or_not_set() -> None:
    assert (await sender(free_port()).send(TO, WORDS, "msg_1")) == Outcome(
        "the mail server refuses connections"
    )
    with mail_server(Inbox(slow=True)) as port:
        mail = sender(port, seconds=1)
        assert "no answer within 1 s" in (await mail.send(TO, WORDS, "msg_1")).error
    assert "FAKELIGHT_SMTP_HOST" in (await MailSender(load()).send(TO, WORDS, "msg_1")).error


@pytest.mark.parametrize(
    "text",
    ["a@example.org", "a.b+c@mail.example.org", "a@localhost"],
)
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@example.org",
        "a@",
        "a@.",
        "a@x,b@x",
        "a@x b@x",
        "A <a@x>",
        "<a@x>",
        "a@x?cc=b@x",
        "a@x\r\nBcc: b@x",
        '"a"@x',
    ],
)
def test_what_is_not_one_address(text: str) -> None:
    assert not is_address(text)
