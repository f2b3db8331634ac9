"""What clients send as JSON: how a body becomes a form, and what is said of one that does not."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from starlette.requests import Request

from stream_server.problem import ProblemError


class Form(BaseModel):
    """A JSON object; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @field_validator("*")
    @classmethod
    def _no_nul(cls, value: object) -> object:
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("it holds a NUL character, which PostgreSQL does not take")
        return value


_Form = TypeVar("_Form", bound=Form)


async def parsed(request: Request, form: type[_Form]) -> _Form:
    """The request's body. Raises ``ProblemError`` (400), which shows no value: a URL that is
    refused may hold a password."""
    body = await request.body()
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise ProblemError(400, f"{where or 'the body'}: {said}") from None
