"""Carries one message to one webhook, of whatever kind."""

from __future__ import annotations

import time

from stream_server.monitors.alerts import signature
from stream_server.monitors.alerts.bodies import chat_body
from stream_server.monitors.alerts.http_sender import HttpSender
from stream_server.monitors.alerts.mail import MailSender
from stream_server.monitors.alerts.message import words
from stream_server.monitors.alerts.outcome import Outcome
from stream_server.monitors.alerts.webhooks import mail_address
from stream_server.monitors.store.webhook_tables import Webhook


class Courier:
    """``base`` is the address that people reach the server at."""

    def __init__(self, http: HttpSender, mail: MailSender, base: str) -> None:
        self._http = http
        self._mail = mail
        self._base = base

    async def carry(self, webhook: Webhook, message: str, payload: str) -> Outcome:
        """One attempt; never raises because of the receiver."""
        if webhook.kind == "email":
            told = words(payload, self._base)
            return await self._mail.send(mail_address(webhook.url), told, message)
        if webhook.kind == "standard":
            body = payload.encode()
        else:
            body = chat_body(webhook.kind, words(payload, self._base))
        now = int(time.time())
        headers = signature.headers(message, now, body, _keys(webhook, now))
        return await self._http.post(webhook.url, headers, body)

    async def close(self) -> None:
        """Close what is open."""
        await self._http.close()


def _keys(webhook: Webhook, now: float) -> list[bytes]:
    secrets = [webhook.secret]
    if webhook.old_secret and now < (webhook.old_secret_until or 0):
        secrets.append(webhook.old_secret)
    return [signature.key_of(one) for one in secrets]
