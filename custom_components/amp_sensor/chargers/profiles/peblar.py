"""Peblar's chargers, through Home Assistant's own integration."""

from typing import Final

from ...control import ChargingState
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="peblar",
    title="Peblar",
    integration="peblar",
    source="Home Assistant 2026.10: components/peblar/number.py, switch.py, sensor.py",
    current=Find(domain="number", key="charge_current_limit"),
    pause=Pause(pause=Find(domain="switch", key="charge")),  # off writes 0 A, on what was there before
    state=Find(domain="sensor", key="cp_state"),
    states={
        "no_ev_connected": ChargingState.DISCONNECTED,
        "suspended": ChargingState.STOPPED,  # full, or paused: it does not tell
        "charging": ChargingState.CHARGING,
        "error": ChargingState.NO_POWER,
        "fault": ChargingState.NO_POWER,
        "invalid": ChargingState.UNKNOWN,
    },
    power=Find(domain="sensor", key="power_total"),
    currents=tuple(Find(domain="sensor", key=f"current_phase_{phase}") for phase in (1, 2, 3)),
    voltage=Find(domain="sensor", key="voltage_phase_1"),
    phases=Find(domain="switch", key="force_single_phase"),
    phases_states={"on": 1},  # off is as many as it is connected to
    refresh_s=10.0,  # coordinator.py
    traps=(
        "A current that is set while it is paused holds from the next start on. "
        "The entities for the current of each phase are off by default: enable them."
    ),
)
