"""Frames out of files: the only reader of videos and pictures there is, training's too."""
