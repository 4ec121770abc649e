"""Zaptec, through the custom integration."""

from dataclasses import replace
from typing import Final

from ...control import ChargingState
from ...control.profile import CLOUD
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="zaptec",
    title="Zaptec",
    integration="zaptec",
    source="custom-components/zaptec 0.8.7: custom_components/zaptec/number.py, button.py, sensor.py, const.py",
    current=Find(domain="number", key="charger_max_current"),
    pause=Pause(
        pause=Find(domain="button", key="stop_charging"),
        resume=Find(domain="button", key="resume_charging"),
    ),
    state=Find(domain="sensor", key="charger_operation_mode"),
    states={
        "disconnected": ChargingState.DISCONNECTED,
        "connected_requesting": ChargingState.STOPPED,
        "connected_charging": ChargingState.CHARGING,
        "connected_finished": ChargingState.STOPPED,  # full, or paused: it does not tell
        "unknown": ChargingState.UNKNOWN,
    },
    currents=tuple(Find(domain="sensor", key=f"current_phase{phase}") for phase in (1, 2, 3)),
    power=Find(domain="sensor", key="total_charge_power"),
    voltage=Find(domain="sensor", key="voltage_phase1"),
    behaviour=replace(CLOUD, write_every_s=900.0),  # Zaptec asks for not more than one a quarter of an hour
    refresh_s=60.0,  # const.py, while it charges
    traps=(
        "Zaptec wants its limits left alone for a quarter of an hour: too slow to protect a fuse with little room. "
        "Setting them needs an owner's or a service account. Zaptec Sense sets the same limit."
    ),
)
