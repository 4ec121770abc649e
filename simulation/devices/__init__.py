"""Chargers and meters as others make them, played on 127.0.0.1 for Home Assistant's own integrations of them."""
