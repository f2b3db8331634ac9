"""Scans as jobs of the server: uploads, the queue, and what is kept."""
