"""What the same house would have come to with other settings."""
