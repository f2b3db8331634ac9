"""Telling people outside of an incident: webhooks and e-mail, at least once."""
