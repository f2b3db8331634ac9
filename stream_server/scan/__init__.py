"""The creator's check: whole files and pictures through the live pipeline, at full speed."""
