"""Addresses without what is secret in them: the one place that decides what may be told.

What may open a door: user and password, every value of the query, ``key=value`` in the path, long
random parts of the path, and the fragment. The name of a monitor tells streams apart; its address
need not.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

HIDDEN = "***"
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*:(?://|%2f%2f)[^\s\"'<>]+", re.IGNORECASE)
_ENCODED = re.compile(r"\b[a-z][a-z0-9+.-]*%3a(?:%2f%2f|//)[^\s\"'<>]+", re.IGNORECASE)
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{20,}")
_LEAST = 4  # characters: replacing shorter ones everywhere would only garble the text


def without_secrets(url: str) -> str:
    """``url`` as it may be shown."""
    head, separator, rest = url.partition("://")
    if not separator:
        decoded = unquote(url)
        if "://" in decoded and decoded != url:
            return without_secrets(decoded)
        scheme, colon, address = url.partition(":")
        if scheme.lower() == "mailto":
            return scheme + colon + address.partition("?")[0]
        if colon:
            return scheme + colon + HIDDEN if scheme.isalnum() else HIDDEN
        head, rest = "", "/" + url
    authority, slash, tail = _split(rest)
    if authority.count("[") != authority.count("]"):
        return HIDDEN
    path, _, query = tail.partition("#")[0].partition("?")
    parts = "/".join(_shown(part) for part in path.split("/"))
    shown = f"{head}{separator}{_host_alone(authority)}{slash if head else ''}{parts}"
    return shown + ("?" + _shown_query(query) if query else "")


def redact(text: str, *urls: str) -> str:
    """``text`` with every address in it as it may be shown, and nothing left of what is secret in
    the known ``urls``, wherever and however it stands there."""
    for url in urls:
        text = text.replace(url, without_secrets(url))
        for secret in sorted(secrets_of(url), key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
    text = _ENCODED.sub(lambda found: without_secrets(unquote(found[0])), text)
    return _URL.sub(lambda found: without_secrets(found[0]), text)


def secrets_of(url: str) -> set[str]:
    """What opens a door in ``url``, as it stands and decoded, but for what is very short."""
    rest = url.partition("://")[2]
    authority, _, tail = _split(rest)
    found = set()
    for user_info in (authority.rpartition("@")[0], _unwrapped(authority).rpartition("@")[0]):
        found |= {user_info, *user_info.split(":", 1)}
    query = tail.partition("#")[0].partition("?")[2]
    found |= {part.partition("=")[2] or part for part in query.split("&")}
    found |= {value for _, value in parse_qsl(query)}
    found |= {unquote(value) for value in found}
    return {value for value in found if len(value) >= _LEAST}


def without_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """``url`` without its user and password, and those two decoded, if it has them."""
    head, separator, rest = url.partition("://")
    authority, slash, tail = _split(rest)
    user_info, at, host = authority.rpartition("@")
    if not at:
        return url, None
    user, _, password = user_info.partition(":")
    return f"{head}{separator}{host}{slash}{tail}", (unquote(user), unquote(password))


def _split(rest: str) -> tuple[str, str, str]:
    """The authority, the slash after it, and what follows.

    A password may hold what ends an authority; what comes before the last at sign of the first part
    is never shown.
    """
    end = re.search(r"[/?#]", rest)
    cut = len(rest) if end is None else end.start()
    at = rest.rfind("@")
    if at > cut and not re.search(r"[/?#].*[/?#]", rest[:at]):
        end = re.search(r"[/?#]", rest[at:])
        cut = len(rest) if end is None else at + end.start()
    slash = rest[cut : cut + 1] if rest[cut : cut + 1] == "/" else ""
    return rest[:cut], slash, rest[cut + len(slash) :]


def _unwrapped(authority: str) -> str:
    """With the at sign and the colon that somebody encoded too much."""
    return re.sub("%3a", ":", re.sub("%40", "@", authority, flags=re.IGNORECASE), flags=re.I)


def _host_alone(authority: str) -> str:
    user_info, at, host = _unwrapped(authority).rpartition("@")
    return f"{HIDDEN}@{host}" if at and user_info else host


def _shown(part: str) -> str:
    if "=" in unquote(part):
        return HIDDEN
    return HIDDEN if _RANDOM.fullmatch(part) else part


def _shown_query(query: str) -> str:
    names = [part.partition("=")[::2] for part in query.split("&") if part]
    return "&".join(f"{name}={HIDDEN}" if value else HIDDEN for name, value in names)
