"""Live streams that are watched without a person: monitors, their incidents, and alerts."""
