"""go-e, through the custom integration of syssi, which listens to MQTT."""

from typing import Final

from ...control import ChargingState
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="goe_mqtt",
    title="go-e (goecharger_mqtt)",
    integration="goecharger_mqtt",
    source="syssi/homeassistant-goecharger-mqtt 0.26.0: custom_components/goecharger_mqtt/definitions/, entity.py",
    current=Find(domain="number", key="amp-0"),
    pause=Pause(pause=Find(domain="select", key="frc-frc"), pause_state="Don't charge", resume_state="Charge"),
    state=Find(domain="sensor", key="car-car"),
    states={
        "Idle": ChargingState.DISCONNECTED,
        "Charging": ChargingState.CHARGING,
        "Wait for car": ChargingState.STOPPED,
        "Complete": ChargingState.STOPPED,  # full, or paused: it does not tell
        "Error": ChargingState.NO_POWER,
    },
    plugged=Find(domain="binary_sensor", key="car-1"),
    currents=tuple(Find(domain="sensor", key=f"nrg-{place}") for place in (4, 5, 6)),
    power=Find(domain="sensor", key="nrg-11"),
    voltage=Find(domain="sensor", key="nrg-0"),
    phases=Find(domain="select", key="psm-psm"),
    phases_states={"Force single phase": 1, "Force three phases": 3},
    refresh_s=10.0,  # it pushes what changes
    traps=(
        "Charging with surplus in go-e's app sets the current too: turn it off. "
        "A pause ends when the car is unplugged. Below 6 A there is only the pause."
    ),
)
