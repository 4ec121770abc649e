"""Teslas, through Home Assistant's own Tessie integration."""

from typing import Final

from ...control import ChargingState
from ...control.profile import TESSIE
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="tessie",
    title="Tesla, through Home Assistant's Tessie",
    integration="tessie",
    source="Home Assistant 2026.10: components/tessie/number.py, switch.py, sensor.py, binary_sensor.py, button.py",
    current=Find(domain="number", key="charge_state_charge_current_request"),  # of 0 to what the cable allows
    pause=Pause(pause=Find(domain="switch", key="charge_state_charging_state")),
    state=Find(domain="sensor", key="charge_state_charging_state"),
    states={
        "disconnected": ChargingState.DISCONNECTED,
        "no_power": ChargingState.NO_POWER,
        "starting": ChargingState.STARTING,
        "charging": ChargingState.CHARGING,
        "complete": ChargingState.COMPLETE,
        "stopped": ChargingState.STOPPED,
    },
    plugged=Find(domain="binary_sensor", key="charge_state_conn_charge_cable"),
    currents=(Find(domain="sensor", key="charge_state_charger_actual_current"),),
    power=Find(domain="sensor", key="charge_state_charger_power"),
    voltage=Find(domain="sensor", key="charge_state_charger_voltage"),
    place=Find(domain="device_tracker", key="location"),
    scheduled=Find(domain="binary_sensor", key="charge_state_scheduled_charging_pending"),
    asleep=Find(domain="binary_sensor", key="state"),
    asleep_state="off",  # it is on while the car is online
    wake=Find(domain="button", key="wake"),
    behaviour=TESSIE,
    late_s=15.0,  # Tessie's own copy of the car
    refresh_s=10.0,  # coordinator.py
    traps=(
        "What was sent is shown at once, whether the car obeys or not. "
        "Adding the car as *Tesla through Tessie* knows more: why a command was refused, and how old the data is."
    ),
)
