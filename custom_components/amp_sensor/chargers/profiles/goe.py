"""go-e, through the custom integration of marq24."""

from typing import Final

from ...control import ChargingState
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="goe",
    title="go-e (goecharger_api2)",
    integration="goecharger_api2",
    source="marq24/ha-goecharger-api2 2026.8.4: custom_components/goecharger_api2/const.py, pygoecharger_ha/const.py",
    current=Find(domain="number", key="amp"),
    pause=Pause(pause=Find(domain="select", key="frc"), pause_state="1", resume_state="2"),
    state=Find(domain="sensor", key="car_value"),
    # Texts in the language of Home Assistant, of which there are two; the code is in an entity that is off by default
    states={
        "Idle": ChargingState.DISCONNECTED,
        "Inaktiv/Frei": ChargingState.DISCONNECTED,
        "Charging": ChargingState.CHARGING,
        "Laden": ChargingState.CHARGING,
        "Wait for car": ChargingState.STOPPED,
        "Warte auf Fahrzeug": ChargingState.STOPPED,
        "Complete": ChargingState.STOPPED,  # full, or paused: it does not tell
        "Abgeschlossen": ChargingState.STOPPED,
        "Error": ChargingState.NO_POWER,
        "Fehler": ChargingState.NO_POWER,
        "Unknown/Error": ChargingState.UNKNOWN,
        "Unbekannt/Fehler": ChargingState.UNKNOWN,
    },
    plugged=Find(domain="binary_sensor", key="car_0"),
    currents=tuple(Find(domain="sensor", key=f"nrg_{place}") for place in (4, 5, 6)),
    power=Find(domain="sensor", key="nrg_11"),
    voltage=Find(domain="sensor", key="nrg_0"),
    phases=Find(domain="select", key="psm"),
    phases_states={"1": 1, "2": 3},  # 0 leaves it to the charger
    refresh_s=5.0,  # its scan interval, unless its owner set another
    traps=(
        "Charging with surplus in go-e's app sets the current too: turn it off. "
        "A pause ends when the car is unplugged. Below 6 A there is only the pause."
    ),
)
