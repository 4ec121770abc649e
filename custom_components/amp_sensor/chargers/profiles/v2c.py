"""V2C Trydan, through Home Assistant's own integration."""

from typing import Final

from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="v2c",
    title="V2C Trydan",
    integration="v2c",
    source="Home Assistant 2026.10: components/v2c/number.py, switch.py, binary_sensor.py, sensor.py, select.py",
    current=Find(domain="number", key="intensity"),
    pause=Pause(pause=Find(domain="switch", key="paused"), pause_state="on", resume_state="off"),
    plugged=Find(domain="binary_sensor", key="connected"),
    charging=Find(domain="binary_sensor", key="charging"),
    power=Find(domain="sensor", key="charge_power"),
    phases=Find(domain="select", key="charge_mode"),
    phases_states={"monophasic": 1, "threephasic": 3},  # mixed is either
    refresh_s=5.0,  # coordinator.py
    traps="Its dynamic mode sets the current too: turn off *Dynamic intensity modulation*.",
)
