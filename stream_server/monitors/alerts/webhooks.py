"""The webhooks that people have set up, and what may be one."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from sqlalchemy import func, select

from stream_server.addresses import AllowedHosts, RefusedAddressError, resolve_checked
from stream_server.database import Database
from stream_server.languages import worded
from stream_server.monitors.alerts.mail import is_address
from stream_server.monitors.store.webhook_tables import Webhook
from stream_server.problem import ProblemError
from stream_server.redaction import HIDDEN, without_secrets

Kind = Literal["standard", "slack", "mattermost", "discord", "email"]
KINDS: tuple[str, ...] = get_args(Kind)
LIMIT = 100
_URL_LENGTH = 2048
_RESOLVE_SECONDS = 5.0
_MAILTO = "mailto:"


class WebhookTable:
    """The table. Blocking; called from threads. Raises ``sqlalchemy.exc.SQLAlchemyError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, webhook: Webhook) -> None:
        """Keep a new one. Raises ``ProblemError`` (409) where there are too many."""
        with self._database.write() as session:
            if (session.scalar(select(func.count()).select_from(Webhook)) or 0) >= LIMIT:
                raise ProblemError(
                    409, worded("there are {count} webhooks, the most there may be", count=LIMIT)
                )
            session.add(webhook)

    def all(self) -> Sequence[Webhook]:
        """The oldest first."""
        with self._database.read() as session:
            return session.scalars(select(Webhook).order_by(Webhook.created, Webhook.id)).all()

    def get(self, webhook: str) -> Webhook | None:
        """One by its id."""
        with self._database.read() as session:
            return session.get(Webhook, webhook)

    def change(self, webhook: str, **values: Any) -> Webhook | None:
        """Change some fields; the webhook as it is then, ``None`` if there is none."""
        with self._database.write() as session:
            found = session.get(Webhook, webhook, with_for_update=True)
            if found is not None:
                for name, value in values.items():
                    setattr(found, name, value)
            return found

    def rotate(self, webhook: str, secret: str, keep_seconds: float) -> Webhook | None:
        """Change the secret; the old one signs beside it for that long."""
        with self._database.write() as session:
            found = session.get(Webhook, webhook, with_for_update=True)
            if found is not None:
                found.old_secret = found.secret if keep_seconds else None
                found.old_secret_until = time.time() + keep_seconds if keep_seconds else None
                found.secret = secret
            return found

    def remove(self, webhook: str) -> bool:
        """Forget it and what was to be delivered to it; whether there was one."""
        with self._database.write() as session:
            found = session.get(Webhook, webhook)
            if found is not None:
                session.delete(found)
            return found is not None


def new_id() -> str:
    """An id for a webhook."""
    return secrets.token_urlsafe(9)


def shown_url(webhook: Webhook) -> str:
    """Its URL without what must not be seen: to chat programs the whole path is a password."""
    if webhook.kind in ("standard", "email"):
        return without_secrets(webhook.url)
    parts = urlsplit(webhook.url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{HIDDEN}"


def mail_address(url: str) -> str:
    """The address that a ``mailto:`` URL holds."""
    return url[len(_MAILTO) :]


def kind_of(url: str, kind: str | None) -> str:
    """The kind that is meant. Raises ``ProblemError`` (400) for one that does not fit ``url``."""
    mail = url.lower().startswith(_MAILTO)
    kind = kind or ("email" if mail else "standard")
    if kind not in KINDS:
        raise ProblemError(400, f"kind is {kind[:40]!r}; there are {', '.join(KINDS)}")
    if mail != (kind == "email"):
        raise ProblemError(
            400, worded("a webhook of kind email has a URL like mailto:desk@example.org")
        )
    return kind


async def check_url(url: str, allowed: AllowedHosts) -> None:
    """Raise ``ProblemError`` (400) for a URL that nothing would be delivered to.

    A name that cannot be resolved just now is good: every delivery checks the address anew.
    """
    if len(url) > _URL_LENGTH:
        raise ProblemError(
            400,
            worded(
                "the URL has {count} characters; the limit is {limit}",
                count=len(url),
                limit=_URL_LENGTH,
            ),
        )
    if not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise ProblemError(
            400, worded("the URL holds what must be percent-encoded, or punycode in a host")
        )
    if url.lower().startswith(_MAILTO):
        if not is_address(mail_address(url)):
            raise ProblemError(400, worded("what follows mailto: is not one e-mail address"))
        return
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ProblemError(400, worded("the URL cannot be read")) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProblemError(
            400,
            worded("{url} is no http, https or mailto URL", url=repr(without_secrets(url)[:80])),
        )
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            await resolve_checked(parts.hostname, port, allowed)
    except RefusedAddressError as error:
        raise ProblemError(400, str(error), code="refused_address") from None
    except OSError:  # a timeout is one
        return
