"""What many viewers ask of many servers: ``python -m benchmarks.fleet``."""
