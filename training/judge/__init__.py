"""Judging members and their vote: figures, calibration, cards."""
