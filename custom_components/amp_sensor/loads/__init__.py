"""Loads that can be switched off, and how each kind is told."""
