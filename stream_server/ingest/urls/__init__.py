"""Frames out of live addresses, read in a process of their own."""
