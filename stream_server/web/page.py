"""A page as an answer, in the language that is spoken."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from stream_server import resources
from stream_server.languages.catalogue import script_words
from stream_server.languages.choice import speaking, spoken
from stream_server.languages.templates import environment


def page(name: str) -> Response:
    """The page whose template is ``name``."""
    headers = {
        "Cache-Control": "no-cache",
        "Content-Language": spoken(),
        "Vary": "Accept-Language, Cookie",
    }
    return HTMLResponse(_rendered(name, spoken()), headers=headers)


@cache
def _rendered(name: str, language: str) -> str:
    with speaking(language):
        # As a block of data: no script, so the page's policy has nothing against it.
        words = Markup(script_words(language).strip().replace("<", "\\u003c"))
        return _environment().get_template(name).render(script_words=words)


@cache
def _environment() -> Environment:
    return environment(resources.web_dir())
