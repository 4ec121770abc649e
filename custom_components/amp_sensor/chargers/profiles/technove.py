"""TechnoVE, through Home Assistant's own integration."""

from dataclasses import replace
from typing import Final

from ...control import ChargingState
from ...control.profile import LOCAL
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="technove",
    title="TechnoVE",
    integration="technove",
    source="Home Assistant 2026.10: components/technove/number.py, switch.py, sensor.py; python-technove 2.1.3",
    current=Find(domain="number", key="max_current"),
    pause=Pause(pause=Find(domain="switch", key="session_active")),
    state=Find(domain="sensor", key="status"),
    states={
        "unplugged": ChargingState.DISCONNECTED,
        "plugged_waiting": ChargingState.STOPPED,
        "plugged_charging": ChargingState.CHARGING,
        "out_of_activation_period": ChargingState.STOPPED,
        "high_tariff_period": ChargingState.STOPPED,
        "ventilation_required": ChargingState.NO_POWER,
        "evse_fault": ChargingState.NO_POWER,
        "ground_fault": ChargingState.NO_POWER,
        "pilot_fault": ChargingState.NO_POWER,
    },
    scheduled_states=frozenset({"out_of_activation_period", "high_tariff_period"}),
    currents=(Find(domain="sensor", key="current"),),
    voltage=Find(domain="sensor", key="voltage_out"),
    behaviour=replace(LOCAL, floor_amps=8),  # python-technove: MIN_CURRENT
    refresh_s=5.0,  # const.py
    traps="Turn off *Auto-charge*, or it refuses the pause, and power sharing, or it refuses the current.",
)
