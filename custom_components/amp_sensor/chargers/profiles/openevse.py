"""OpenEVSE, through Home Assistant's own integration."""

from typing import Final

from ...control import ChargingState
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="openevse",
    title="OpenEVSE",
    integration="openevse",
    source="Home Assistant 2026.10: components/openevse/number.py, select.py, sensor.py; python-openevse-http 1.5.0",
    current=Find(domain="number", key="charge_rate"),
    # "auto" would drop the current as well; both write the same claim, and keep the other's part of it
    pause=Pause(
        pause=Find(domain="select", key="override_state"),
        pause_state="disabled",
        resume_state="active",
    ),
    state=Find(domain="sensor", key="status"),
    states={
        "not_connected": ChargingState.DISCONNECTED,
        "connected": ChargingState.STOPPED,
        "charging": ChargingState.CHARGING,
        "sleeping": ChargingState.STOPPED,
        "disabled": ChargingState.STOPPED,
        "vent_required": ChargingState.NO_POWER,
        "diode_check_failed": ChargingState.NO_POWER,
        "gfci_fault": ChargingState.NO_POWER,
        "gfci_self_test_failure": ChargingState.NO_POWER,
        "no_ground": ChargingState.NO_POWER,
        "over_temperature": ChargingState.NO_POWER,
        "stuck_relay": ChargingState.UNKNOWN,  # it may draw
    },
    plugged=Find(domain="binary_sensor", key="vehicle"),
    currents=(Find(domain="sensor", key="charging_current"),),
    power=Find(domain="sensor", key="charging_power"),
    voltage=Find(domain="sensor", key="charging_voltage"),
    refresh_s=10.0,  # it pushes; the poll every five minutes is only what is left without
    traps=(
        "Its current shaper, its solar divert and its own schedule set the current too: turn them off. "
        "Needs firmware 4.0.1. The number shows the limit that holds, which may not be the one that was set."
    ),
)
