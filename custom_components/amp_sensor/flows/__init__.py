"""The steps of the flows, and what they ask for."""
