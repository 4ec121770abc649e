"""Wallbox, through Home Assistant's own integration."""

from dataclasses import replace
from typing import Final

from ...control import ChargingState
from ...control.profile import CLOUD
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="wallbox",
    title="Wallbox",
    integration="wallbox",
    source="Home Assistant 2026.10: components/wallbox/number.py, switch.py, sensor.py, const.py, coordinator.py",
    current=Find(domain="number", key="maximum_charging_current"),
    pause=Pause(pause=Find(domain="switch", key="pause_resume")),  # on while it may charge
    state=Find(domain="sensor", key="status_description"),
    states={
        "Disconnected": ChargingState.UNKNOWN,  # from its cloud; of a car only if that is what it means as well
        "Ready": ChargingState.DISCONNECTED,
        "Charging": ChargingState.CHARGING,
        "Discharging": ChargingState.UNKNOWN,  # it feeds the house
        "Paused": ChargingState.STOPPED,
        "Scheduled": ChargingState.STOPPED,
        "Waiting for car demand": ChargingState.STOPPED,  # full, asleep, or about to begin
        "Waiting": ChargingState.STOPPED,
        "Waiting in queue by Power Sharing": ChargingState.STOPPED,
        "Waiting in queue by Power Boost": ChargingState.STOPPED,
        "Waiting in queue by Eco-Smart": ChargingState.STOPPED,
        "Waiting MID failed": ChargingState.NO_POWER,
        "Waiting MID safety margin exceeded": ChargingState.NO_POWER,
        "Locked": ChargingState.NO_POWER,
        "Locked, car connected": ChargingState.NO_POWER,
        "Error": ChargingState.NO_POWER,
        "Updating": ChargingState.NO_POWER,
        "Unknown": ChargingState.UNKNOWN,
    },
    scheduled_states=frozenset({"Scheduled"}),
    power=Find(domain="sensor", key="charging_power"),
    behaviour=replace(CLOUD, write_every_s=60.0),  # its cloud refuses more than a call a minute (429)
    refresh_s=90.0,  # const.py; times the number of Wallboxes
    traps=(
        "Its cloud takes a command a minute: a cut may come a minute late. Power Boost and Eco-Smart limit it too. "
        "The pause is missing while no car is plugged in or the charger is locked."
    ),
)
