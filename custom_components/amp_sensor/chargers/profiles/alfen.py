"""Alfen, through the custom integration."""

from dataclasses import replace
from typing import Final

from ...control import ChargingState
from ...control.profile import LOCAL
from ..profile import ChargerProfile, Find

PROFILE: Final = ChargerProfile(
    key="alfen",
    title="Alfen",
    integration="alfen_wallbox",
    source="leeyuentuen/alfen_wallbox 2.10.6: custom_components/alfen_wallbox/number.py, sensor.py, const.py",
    current=Find(domain="number", key="main_normal_max_current_socket_1"),
    pause=None,  # below 6 A it pauses
    state=Find(domain="sensor", key="mode_3_state_socket_1"),
    # IEC 61851: 2 is with a pilot, so that C1 wants but may not
    states={
        "STATE_A": ChargingState.DISCONNECTED,
        "STATE_A1": ChargingState.DISCONNECTED,
        "STATE_B1": ChargingState.STOPPED,
        "STATE_B2": ChargingState.STOPPED,
        "STATE_C1": ChargingState.STOPPED,
        "STATE_C2": ChargingState.CHARGING,
        "STATE_D1": ChargingState.STOPPED,
        "STATE_D2": ChargingState.CHARGING,
        "STATE_E": ChargingState.NO_POWER,
        "STATE_F": ChargingState.NO_POWER,
        "Unknown": ChargingState.UNKNOWN,
    },
    currents=tuple(Find(domain="sensor", key=f"current_l{phase}_socket_1") for phase in (1, 2, 3)),
    power=Find(domain="sensor", key="active_power_total_socket_1"),
    voltage=Find(domain="sensor", key="voltage_l1_socket_1"),
    behaviour=replace(
        LOCAL,
        answer_s=5.0,  # over HTTPS into its settings; nobody measured it
        write_every_s=60.0,  # a setting of the charger: nothing tells whether its memory wears, so not more often
    ),
    refresh_s=20.0,  # const.py
    traps=(
        "It takes one session at a time: Alfen's app logs the integration out. "
        "Its entities keep their last values when it is out of reach. Socket 2 is mapped by hand."
    ),
)
