"""Anything whose charging current can be set."""
