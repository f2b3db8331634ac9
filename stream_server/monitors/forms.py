"""What clients send: the fields of each request and their limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from stream_server.forms import Form

_Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
_Rate = Annotated[float, Field(ge=1, le=30, allow_inf_nan=False)]


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
