"""The server's own log: as lines for people, or as JSON for machines.

What a line is about (a stream, a scan, a monitor) comes along by itself, so that no message has to
name it, and none needs what a client sent to be understood. Other libraries speak up from warnings
on, whatever the level: what they tell below that holds headers, messages and addresses.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from stream_server import tracing

Format = Literal["text", "json"]
_OURS = "stream_server"
_about: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("about", default=())


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Have every line that is logged meanwhile, here and in what is started from here, carry
    ``ids``: ids of ours, never what a client sent."""
    token = _about.set((*_about.get(), *ids.items()))
    try:
        yield
    finally:
        _about.reset(token)


def configure(level: str, form: Format) -> None:
    """Log to standard error from now on, ours from ``level`` on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else _TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger(_OURS).setLevel(level.upper())


def is_json() -> bool:
    """Whether this process logs JSON, and nothing else may stand between its lines."""
    return any(isinstance(one.formatter, JsonFormatter) for one in logging.getLogger().handlers)


def tell(log: logging.Logger, message: str, *arguments: object) -> None:
    """Log what somebody waits for, as a warning and whatever the level."""
    record = log.makeRecord(log.name, logging.WARNING, "", 0, message, arguments, None)
    logging.getLogger().handle(record)


class JsonFormatter(logging.Formatter):
    """One object a line: ``time`` (UTC), ``level``, ``logger``, ``message``, what it is about, the
    ``trace`` where one is on, and ``error`` with where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **dict(_about.get()),
        }
        if trace := tracing.trace_id():
            line["trace"] = trace
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        ids = " ".join(f"{kind}={value}" for kind, value in _about.get())
        line = super().formatMessage(record)
        return f"{line} [{ids}]" if ids else line
