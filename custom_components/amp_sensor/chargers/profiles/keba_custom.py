"""KEBA, through the custom integration of dannerph."""

from typing import Final

from ..profile import ActionCall, ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="keba_custom",
    title="KEBA (dannerph's custom integration)",
    integration="keba",
    source="dannerph/homeassistant-keba 4.3.2: custom_components/keba/; keba-kecontact 4.3.0: charging_station.py",
    # Its number sends the command whose value is kept for good; this one is forgotten
    current=ActionCall(action="keba.set_current", data={"device_id": "{{ device_id }}", "current": "{{ amps }}"}),
    pause=Pause(pause=Find(domain="button", key="disable"), resume=Find(domain="button", key="enable")),
    plugged=Find(domain="binary_sensor", key="Plug_EV"),
    charging=Find(domain="binary_sensor", key="State_on"),
    currents=tuple(Find(domain="sensor", key=f"I{phase}") for phase in (1, 2, 3)),
    power=Find(domain="sensor", key="P"),
    voltage=Find(domain="sensor", key="U1"),
    refresh_s=5.0,  # keba-kecontact asks every five seconds
    traps=(
        "Set its failsafe (`keba.set_failsafe`), so that it goes low by itself when Home Assistant is gone. "
        "A P20 keeps each limit in its memory."
    ),
)
