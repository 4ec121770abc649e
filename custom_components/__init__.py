"""Home Assistant loads integrations of its users from here."""
