"""What the config flows ask for."""
