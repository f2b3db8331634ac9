"""What a client sends of a mistake, and the limits on it."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Annotated, Literal

from PIL import Image, UnidentifiedImageError
from pydantic import Field, field_validator

from stream_server.forms import Form
from stream_server.problem import ProblemError

MOST_NOTE = 2000  # characters
MOST_STILL = 512 * 1024  # bytes
MOST_PIXELS = 1920 * 1920
BODY_BYTES = 1024 * 1024
"""Of a request: a still in base64, and a note that JSON may write in 12 bytes a character."""
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}

_Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
_Short = Annotated[str, Field(max_length=80)]


class NewMistake(Form):
    """``POST /v1/mistakes``."""

    verdict: Literal["likely_fake", "unsure", "likely_real"]
    label: Literal["real", "fake"]
    probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    note: str = ""
    title: Annotated[str, Field(max_length=300)] = ""
    site: Annotated[str, Field(max_length=300)] = ""
    clock: Literal["media", "day"] = "media"
    from_s: _Seconds
    to_s: _Seconds
    seen_at: _Seconds
    extension: _Short = ""
    server: _Short = ""
    models: list[_Short] = Field(default_factory=list, max_length=32)
    still: str | None = None

    @field_validator("note")
    @classmethod
    def _note(cls, value: str) -> str:
        if len(value) > MOST_NOTE:
            raise ValueError(f"it has {len(value)} characters; the limit is {MOST_NOTE}")
        return value


def still_of(form: NewMistake) -> tuple[str, bytes] | None:
    """The media type and the bytes of its still, a JPEG, PNG or WebP in base64.

    Raises ``ProblemError``: 413 for one that is too large, 415 for what is no such picture.
    """
    if form.still is None:
        return None
    try:
        data = base64.b64decode(form.still, validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(400, "still: it is not base64") from None
    if len(data) > MOST_STILL:
        raise ProblemError(413, f"still: it has {len(data)} bytes; the limit is {MOST_STILL}")
    try:
        with Image.open(io.BytesIO(data), formats=list(_TYPES)) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                said = f"still: it is {width} by {height} pixels; the limit is {MOST_PIXELS} in all"
                raise ProblemError(413, said)
            picture.load()
            return _TYPES[picture.format or ""], data
    except Image.DecompressionBombError:
        raise ProblemError(413, f"still: the limit is {MOST_PIXELS} pixels in all") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ProblemError):
            raise
        raise ProblemError(415, f"still: it is none of {', '.join(_TYPES)}") from None
