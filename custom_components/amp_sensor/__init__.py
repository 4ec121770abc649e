"""Amp Sensor: what the house draws, and a car that charges with whatever is left."""
