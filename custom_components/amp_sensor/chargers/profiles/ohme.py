"""Ohme, through Home Assistant's own integration."""

from typing import Final

from ...control import ChargingState
from ...control.profile import CLOUD
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="ohme",
    title="Ohme",
    integration="ohme",
    source="Home Assistant 2026.10: components/ohme/select.py, sensor.py, coordinator.py",
    current=None,
    pause=Pause(pause=Find(domain="select", key="charge_mode"), pause_state="paused", resume_state="max_charge"),
    state=Find(domain="sensor", key="status"),
    states={
        "unplugged": ChargingState.DISCONNECTED,
        "pending_approval": ChargingState.NO_POWER,
        "plugged_in": ChargingState.STOPPED,
        "paused": ChargingState.STOPPED,
        "charging": ChargingState.CHARGING,
        "finished": ChargingState.COMPLETE,
    },
    currents=(Find(domain="sensor", key="current"),),
    power=Find(domain="sensor", key="power"),
    voltage=Find(domain="sensor", key="voltage"),
    behaviour=CLOUD,
    refresh_s=30.0,  # coordinator.py
    traps=(
        "Only on and off: it draws its maximum or nothing, so that there must be room for all of it. "
        "Resuming sets *max charge*, which leaves Ohme's own plan aside."
    ),
)
