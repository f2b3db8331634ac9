"""The server: its routes, who may talk to it, and what it says of itself."""
