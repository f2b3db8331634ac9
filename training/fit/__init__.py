"""Fitting members: encoders on single crops, heads on windows."""
