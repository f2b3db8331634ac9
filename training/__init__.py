"""Training for Fakelight: from raw videos to calibrated members in the model repository."""

from stream_server import no_telemetry

no_telemetry.forbid()
