"""Frames over a WebSocket."""
