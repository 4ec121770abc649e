"""SmartEVSE, which announces itself through MQTT."""

from typing import Final

from ...control import ChargingState
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="smartevse",
    title="SmartEVSE",
    integration="mqtt",
    source="dingo35/SmartEVSE-3.5 of June 2026: SmartEVSE-3/src/esp32.cpp, network_common.cpp",
    current=Find(domain="number", key="ChargeCurrentOverride"),  # 0 would take the limit away
    pause=Pause(pause=Find(domain="select", key="Mode"), pause_state="Pause", resume_state="Normal"),
    state=Find(domain="sensor", key="State"),
    states={
        "Ready to Charge": ChargingState.STOPPED,  # also with a car that was plugged in while it was paused
        "Connected to EV": ChargingState.STOPPED,
        "Charging": ChargingState.CHARGING,
        "D": ChargingState.CHARGING,  # with ventilation
        "Request State B": ChargingState.STOPPED,
        "State B OK": ChargingState.STOPPED,
        "Request State C": ChargingState.STARTING,
        "State C OK": ChargingState.STARTING,
        "Activate": ChargingState.STARTING,
        "Charging Stopped": ChargingState.STOPPED,
        "Stop Charging": ChargingState.CHARGING,  # about to stop
        "Modem Setup": ChargingState.STOPPED,
        "Modem Request": ChargingState.STOPPED,
        "Modem Done": ChargingState.STOPPED,
        "Modem Denied": ChargingState.NO_POWER,
    },
    plugged=Find(domain="sensor", key="EVPlugState"),
    plugged_state="Connected",
    currents=tuple(Find(domain="sensor", key=f"EVCurrentL{phase}") for phase in (1, 2, 3)),
    power=Find(domain="sensor", key="EVChargePower"),
    phases=Find(domain="sensor", key="NrOfPhases"),
    refresh_s=10.0,  # it pushes what changes, and all every ten seconds
    traps=(
        "In its mode *Smart* or *Solar* it balances by itself: leave it in *Normal*. "
        "The limit is taken in *Normal* and *Smart* only, and not from a slave. "
        "Its current is measured only where it has a meter of its own."
    ),
)
