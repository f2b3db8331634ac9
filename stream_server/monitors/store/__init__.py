"""What outlives a run of the server: monitors, incidents and what hangs on them."""
