"""Measurements that are run by hand. Some import ONNX Runtime before ``stream_server``."""

from stream_server import no_telemetry

no_telemetry.forbid()
