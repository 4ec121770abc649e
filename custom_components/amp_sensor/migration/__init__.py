"""From the original service."""
