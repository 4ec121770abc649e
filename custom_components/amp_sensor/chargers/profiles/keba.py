"""KEBA, through Home Assistant's own integration, which is set up in YAML."""

from typing import Final

from ..profile import ActionCall, ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="keba",
    title="KEBA (Home Assistant's own, YAML)",
    integration="keba",
    source="Home Assistant 2026.10: components/keba/services.yaml, binary_sensor.py, sensor.py, __init__.py",
    current=ActionCall(action="keba.set_current", data={"current": "{{ amps }}"}),
    pause=Pause(pause=ActionCall(action="keba.disable"), resume=ActionCall(action="keba.enable")),
    plugged=Find(domain="binary_sensor", key="plug_state"),
    charging=Find(domain="binary_sensor", key="charging_state"),
    power=Find(domain="sensor", key="charging_power"),
    refresh_s=5.0,  # __init__.py
    traps=(
        "It has no device in Home Assistant: choose its entities by hand. "
        "Set its failsafe (`keba.set_failsafe`), so that it goes low by itself when Home Assistant is gone."
    ),
)
