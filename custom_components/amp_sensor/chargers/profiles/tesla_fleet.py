"""Teslas, through Home Assistant's own Tesla Fleet integration."""

from dataclasses import replace
from typing import Final

from . import teslemetry

PROFILE: Final = replace(
    teslemetry.PROFILE,
    key="tesla_fleet",
    title="Tesla, through Tesla Fleet",
    integration="tesla_fleet",
    source="Home Assistant 2026.10: components/tesla_fleet/number.py, switch.py, sensor.py, binary_sensor.py",
    refresh_s=600.0,  # coordinator.py
    traps=(
        "It looks at the car every ten minutes only: what the car does in between, the meter has to tell. "
        "The entities for the schedule and the phases are off by default: enable them."
    ),
)
