"""Easee, through the custom integration."""

from typing import Final

from ...control import ChargingState
from ...control.profile import CLOUD
from ..profile import ActionCall, ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="easee",
    title="Easee",
    integration="easee",
    source="nordicopen/easee_hass 0.9.74: custom_components/easee/services.yaml, const.py, entity.py",
    # The dynamic limit: others are kept in a memory that wears. With a time to live it would rise again by itself
    current=ActionCall(
        action="easee.set_charger_dynamic_limit",
        data={"device_id": "{{ device_id }}", "current": "{{ amps }}", "time_to_live": 0},
    ),
    pause=Pause(
        pause=ActionCall(
            action="easee.action_command", data={"device_id": "{{ device_id }}", "action_command": "pause"}
        ),
        resume=ActionCall(
            action="easee.action_command", data={"device_id": "{{ device_id }}", "action_command": "resume"}
        ),
    ),
    state=Find(domain="sensor", key="easee_status"),
    states={
        "disconnected": ChargingState.DISCONNECTED,
        "awaiting_start": ChargingState.STOPPED,
        "ready_to_charge": ChargingState.STOPPED,
        "charging": ChargingState.CHARGING,
        "completed": ChargingState.COMPLETE,
        "start_charging": ChargingState.STARTING,
        "stop_charging": ChargingState.UNKNOWN,  # it may still draw
        "awaiting_load_balancing": ChargingState.STOPPED,
        "paused_due_to_equalizer": ChargingState.STOPPED,
        "awaiting_smart_start": ChargingState.STOPPED,
        "awaiting_scheduled_start": ChargingState.STOPPED,
        "awaiting_authorization": ChargingState.NO_POWER,
        "awaiting_authentication": ChargingState.NO_POWER,
        "authenticating": ChargingState.NO_POWER,
        "de_authorizing": ChargingState.NO_POWER,
        "offline": ChargingState.UNKNOWN,
        "searching_for_master": ChargingState.UNKNOWN,
        "erratic_ev": ChargingState.NO_POWER,
        "error": ChargingState.NO_POWER,
        "error_dead_powerboard": ChargingState.NO_POWER,
        "error_overcurrent": ChargingState.NO_POWER,
        "error_pen_fault": ChargingState.NO_POWER,
        "error_temperature_too_high": ChargingState.NO_POWER,
    },
    scheduled_states=frozenset({"awaiting_smart_start", "awaiting_scheduled_start"}),
    currents=(Find(domain="sensor", key="current"),),  # of the phase that draws most
    power=Find(domain="sensor", key="power"),
    voltage=Find(domain="sensor", key="voltage"),
    behaviour=CLOUD,
    refresh_s=60.0,  # changes are pushed; nothing tells how often while it draws the same
    traps=(
        "Tibber, an Equalizer and Easee's smart charging set the same limit: one of you only. "
        "The entities for current and voltage are off by default: enable them."
    ),
)
