"""NRGkick, through Home Assistant's own integration."""

from typing import Final

from ...control import ChargingState
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="nrgkick",
    title="NRGkick",
    integration="nrgkick",
    source="Home Assistant 2026.10: components/nrgkick/number.py, switch.py, sensor.py, const.py",
    current=Find(domain="number", key="current_set"),
    pause=Pause(pause=Find(domain="switch", key="charging_enabled")),
    state=Find(domain="sensor", key="status"),
    states={
        "standby": ChargingState.DISCONNECTED,
        "connected": ChargingState.STOPPED,
        "charging": ChargingState.CHARGING,
        "wakeup": ChargingState.STARTING,
        "error": ChargingState.NO_POWER,
    },
    currents=tuple(Find(domain="sensor", key=f"l{phase}_current") for phase in (1, 2, 3)),
    power=Find(domain="sensor", key="total_active_power"),
    voltage=Find(domain="sensor", key="charging_voltage"),
    phases=Find(domain="number", key="phase_count"),
    refresh_s=30.0,  # const.py; it looks again after each command
    traps="Home Assistant looks at it every 30 s only: what the car does in between, the meter has to tell.",
)
