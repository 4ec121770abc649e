"""Teslas, through Home Assistant's own Teslemetry integration."""

from dataclasses import replace
from typing import Final

from ..profile import Find
from . import tessie

PROFILE: Final = replace(
    tessie.PROFILE,
    key="teslemetry",
    title="Tesla, through Teslemetry",
    integration="teslemetry",
    source="Home Assistant 2026.10: components/teslemetry/number.py, switch.py, sensor.py, binary_sensor.py, button.py",
    phases=Find(domain="binary_sensor", key="charge_state_charger_phases"),
    phases_states={"off": 1, "on": 3},  # whether there are more than one; a Tesla says 2 for three too
    refresh_s=60.0,  # coordinator.py; less where the car streams
    traps=(
        "What was sent is shown at once, whether the car obeys or not. "
        "The entities for the schedule and the phases are off by default: enable them."
    ),
)
