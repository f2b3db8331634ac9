"""Jinja's environment for what people read as HTML: the pages and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from stream_server.languages.catalogue import catalogue
from stream_server.languages.choice import LANGUAGES, spoken


def environment(folder: Path) -> Environment:
    """For the templates in ``folder``. In them ``_`` and ``_n`` give texts in the language that is
    spoken; what goes into their gaps is escaped unless it is markup."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"_": _text, "_n": _text_n, "languages": LANGUAGES, "spoken": spoken}
    return made


def _text(message: str, /, **values: Any) -> Markup:
    return escape(catalogue(spoken()).gettext(message)).format(**values)


def _text_n(one: str, many: str, count: int, /, **values: Any) -> Markup:
    text = catalogue(spoken()).ngettext(one, many, count)
    return escape(text).format(count=count, **values)
