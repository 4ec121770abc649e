"""Lektri.co, through Home Assistant's own integration."""

from typing import Final

from ...control import ChargingState
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="lektrico",
    title="Lektri.co",
    integration="lektrico",
    source="Home Assistant 2026.10: components/lektrico/number.py, button.py, sensor.py, switch.py, coordinator.py",
    current=Find(domain="number", key="dynamic_limit"),
    pause=Pause(
        pause=Find(domain="button", key="charge_stop"),
        resume=Find(domain="button", key="charge_start"),
    ),
    state=Find(domain="sensor", key="state"),
    states={
        "available": ChargingState.DISCONNECTED,
        "connected": ChargingState.STOPPED,
        "charging": ChargingState.CHARGING,
        "paused": ChargingState.STOPPED,
        "paused_by_scheduler": ChargingState.STOPPED,
        "need_auth": ChargingState.NO_POWER,
        "locked": ChargingState.NO_POWER,
        "error": ChargingState.NO_POWER,
        "updating_firmware": ChargingState.NO_POWER,
    },
    scheduled_states=frozenset({"paused_by_scheduler"}),
    # Of three phases, or of one
    currents=tuple(Find(domain="sensor", key=key) for key in ("current_l1", "current_l2", "current_l3", "current")),
    power=Find(domain="sensor", key="power"),
    voltage=Find(domain="sensor", key="voltage_l1"),
    phases=Find(domain="switch", key="force_single_phase"),
    phases_states={"on": 1},
    limit=Find(domain="sensor", key="installation_current"),
    refresh_s=10.0,  # coordinator.py
    traps="Its energy meter and its schedule limit it too: its sensor *Limit reason* tells who does.",
)
