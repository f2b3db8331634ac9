"""What clients send: the fields of each request and their limits."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request

from stream_server.problem import ProblemError

_Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
_Rate = Annotated[float, Field(ge=1, le=30, allow_inf_nan=False)]


class Form(BaseModel):
    """A JSON object; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewMonitor(Form):
    """``POST /v1/monitors``."""

    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]
    name: _Name = ""
    sample_hz: _Rate | None = None
    evidence: bool = False


class MonitorChange(Form):
    """``PATCH /v1/monitors/{id}``."""

    paused: bool | None = None
    name: Annotated[_Name, Field(min_length=1)] | None = None


class Mark(Form):
    """``PATCH /v1/incidents/{id}``. ``by`` is who says so, where several people share a token."""

    acknowledged: bool | None = None
    wrong: bool | None = None
    note: Annotated[str, StringConstraints(max_length=4000)] | None = None
    by: _Name = ""


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
        raise ProblemError(400, f"{where or 'the body'}: {first['msg']}") from None
