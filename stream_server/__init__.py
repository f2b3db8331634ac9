"""Fakelight's stream server: live face-manipulation warnings on any web video."""

__version__ = "0.1.0"
