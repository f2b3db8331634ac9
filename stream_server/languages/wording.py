"""Texts that can be told in another language.

What programs read stays English whoever looks: reports, messages, what is kept. So a text that
comes up while a file is looked at is ``worded``: it is its English self to whatever keeps or sends
it, and knows what it was made of; ``tell`` words it anew for a person. Where the person is known
already, ``_`` does both.

Gaps are filled as by ``str.format``, by name; ``{what!c}`` begins with a capital, and a figure has
the point or the comma of the language.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from stream_server.languages.catalogue import catalogue
from stream_server.languages.choice import DEFAULT, spoken

_COMMA = frozenset({"de", "es"})


class Worded(str):
    """English text that knows what it was made of: ``message``, or for another number than one
    ``many``, with ``values`` in its gaps, in which there may be texts of this kind again."""

    __slots__ = ("many", "message", "number", "values")

    message: str
    many: str
    number: int
    values: Mapping[str, Any]

    @classmethod
    def made(cls, message: str, many: str, number: int, values: Mapping[str, Any]) -> Worded:
        """``many`` is empty for a text that counts nothing."""
        text = super().__new__(cls, _filled(_chosen(DEFAULT, message, many, number), values))
        text.message, text.many, text.number, text.values = message, many, number, values
        return text

    def told(self, language: str) -> str:
        """The text in ``language``."""
        if language == DEFAULT:
            return str(self)
        with_values = {name: _told(value, language) for name, value in self.values.items()}
        return _filled(
            _chosen(language, self.message, self.many, self.number), with_values, language
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Worded.made, (self.message, self.many, self.number, dict(self.values))


def worded(message: str, /, **values: Any) -> Worded:
    """The text ``message``, to be told later."""
    return Worded.made(message, "", 1, values)


def marked(message: str) -> str:
    """The text ``message`` with its gaps as they are, in the catalogues all the same: to be told
    later by ``worded`` or ``_``."""
    return message


def worded_n(one: str, many: str, count: int, /, **values: Any) -> Worded:
    """The text for so many, which is ``{count}`` in it, to be told later."""
    return Worded.made(one, many, count, {"count": count, **values})


def together(texts: Sequence[str], by: str = " ") -> Worded:
    """Several texts as one."""
    names = [f"part{number}" for number in range(len(texts))]
    pattern = by.join(f"{{{name}}}" for name in names)
    return Worded.made(pattern, "", 1, dict(zip(names, texts, strict=True)))


def tell(text: str) -> str:
    """``text`` in the language that is spoken, as far as it is worded."""
    return text.told(spoken()) if isinstance(text, Worded) else text


def _(message: str, /, **values: Any) -> str:
    """The text ``message`` in the language that is spoken."""
    return worded(message, **values).told(spoken())


def _n(one: str, many: str, count: int, /, **values: Any) -> str:
    """The text for so many in the language that is spoken."""
    return worded_n(one, many, count, **values).told(spoken())


def figure(value: float, digits: int) -> str:
    """A figure in the language that is spoken."""
    return _filled(f"{{value:.{digits}f}}", {"value": float(value)}, spoken())


def _chosen(language: str, message: str, many: str, count: int) -> str:
    words = catalogue(language)
    if many:
        return words.ngettext(message, many, count)
    return words.gettext(message) if message else message


def _told(value: Any, language: str) -> Any:
    return value.told(language) if isinstance(value, Worded) else value


class _Formatter(string.Formatter):
    """``str.format`` with a language's own figures, and with ``!c``."""

    def __init__(self, comma: bool) -> None:
        self._comma = comma

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion == "c":
            text = str(value)
            return text[:1].upper() + text[1:]
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        text = str(super().format_field(value, format_spec))
        return text.replace(".", ",") if self._comma and isinstance(value, float) else text


_POINTS, _COMMAS = _Formatter(False), _Formatter(True)


def _filled(message: str, values: Mapping[str, Any], language: str = DEFAULT) -> str:
    formatter = _COMMAS if language in _COMMA else _POINTS
    return formatter.vformat(message, (), values)
