"""Fakelight's stream server: live face-manipulation warnings on any web video."""

from stream_server import no_telemetry

__version__ = "0.1.0"

no_telemetry.forbid()
