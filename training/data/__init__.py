"""Data sets: their layouts, face extraction, splits and the manifest."""
