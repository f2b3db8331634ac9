"""What the server tells of itself in figures: ``catalogue`` says which, ``collector`` counts."""

from stream_server.server.metrics.collector import Metrics

__all__ = ["Metrics"]
