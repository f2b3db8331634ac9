"""Where frames come from. Every way in yields the same frames to ``stream_server.stream``."""
