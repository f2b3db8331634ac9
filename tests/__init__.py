"""The tests. Some modules import ONNX Runtime and Ray before ``stream_server``."""

from stream_server import no_telemetry

no_telemetry.forbid()
