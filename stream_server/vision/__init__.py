"""Faces in live video: detection, tracking, aligned crops and their quality."""
