"""Alerts by e-mail, handed to one SMTP server (RFC 5321) that the settings name."""

from __future__ import annotations

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

import aiosmtplib

from stream_server.monitors.alerts.message import Words
from stream_server.monitors.alerts.outcome import Outcome
from stream_server.settings import Settings

SECONDS = 30.0


def is_address(text: str) -> bool:
    """Whether ``text`` is one plain e-mail address, and nothing that becomes two."""
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    odd = any(not c.isprintable() or c in ' ,;:<>()[]"\\' for c in text)
    return not odd and not name and address == text and bool(local and domain.strip("."))


class MailSender:
    """Sends over a connection of its own each time.

    With ``starttls`` (port 587) and ``tls`` (465) the server's certificate has to be good, and
    nothing is sent in the clear if it is not.
    """

    def __init__(
        self, settings: Settings, *, seconds: float = SECONDS, trust: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._seconds = seconds
        self._trust = trust

    @property
    def usable(self) -> bool:
        """Whether the settings name a server."""
        return bool(self._settings.smtp_host)

    async def send(self, to: str, words: Words, message: str) -> Outcome:
        """Hand it over; ``message`` is the id that a repeated one has too. Never raises."""
        settings = self._settings
        if not self.usable:
            return Outcome("no mail server is set: FAKELIGHT_SMTP_HOST")
        try:
            async with asyncio.timeout(self._seconds):
                await aiosmtplib.send(
                    self._mail(to, words, message),
                    hostname=settings.smtp_host,
                    port=settings.smtp_port,
                    username=settings.smtp_user or None,
                    password=settings.smtp_password or None,
                    use_tls=settings.smtp_security == "tls",
                    start_tls=settings.smtp_security == "starttls",
                    tls_context=self._trust,
                    timeout=self._seconds,
                    local_hostname="localhost",  # whose machine it is concerns no server
                )
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            return Outcome(f"the mail server gave no answer within {self._seconds:g} s")
        except aiosmtplib.SMTPAuthenticationError as error:
            return Outcome(f"the mail server does not take user and password ({error.code})")
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code
            return Outcome(f"the mail server refuses the recipient ({code})", code)
        except aiosmtplib.SMTPResponseException as error:
            return Outcome(f"the mail server answered {error.code}", error.code)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Outcome(_why(error))
        return Outcome(status=250)

    def _mail(self, to: str, words: Words, message: str) -> EmailMessage:
        sender = self._settings.smtp_sender or self._settings.smtp_user
        mail = EmailMessage()
        mail["From"] = f"Fakelight <{sender}>"
        mail["To"] = to
        mail["Subject"] = words.title
        mail["Date"] = formatdate()
        # A mail program shows one message only once, and no answering machine answers it.
        mail["Message-ID"] = f"<{message}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{words.text}\n\n{words.link}\n")
        return mail


def _why(error: BaseException) -> str:
    if type(error) is aiosmtplib.SMTPException:  # what it raises where a server lacks something
        return "the mail server does not offer what FAKELIGHT_SMTP_SECURITY or a login asks for"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the mail server's certificate is not good: {cause.verify_message}"
        if isinstance(cause, ConnectionRefusedError):
            return "the mail server refuses connections"
        cause = cause.__cause__ or cause.__context__
    return f"the mail server cannot be used ({type(error).__name__})"
