"""How browsers get in: pairing by six digits, and tickets, in the database that servers share."""
