"""Any charger that speaks OCPP, through the custom integration."""

from dataclasses import replace
from typing import Final

from ...control import ChargingState
from ...control.profile import LOCAL
from ..profile import ChargerProfile, Find

PROFILE: Final = ChargerProfile(
    key="ocpp",
    title="Any charger with OCPP",
    integration="ocpp",
    source="lbbrhzn/ocpp of August 2026: custom_components/ocpp/number.py, const.py; docs/Charge_automation.md",
    current=Find(domain="number", key="maximum_current"),
    pause=None,  # its switch ends the transaction
    state=Find(domain="sensor", key="status_connector.sensor"),
    states={
        "Available": ChargingState.DISCONNECTED,
        "Preparing": ChargingState.STOPPED,
        "Charging": ChargingState.CHARGING,
        "SuspendedEVSE": ChargingState.STOPPED,
        "SuspendedEV": ChargingState.STOPPED,  # full or asleep; with some paused as well
        "Finishing": ChargingState.STOPPED,
        "Reserved": ChargingState.NO_POWER,
        "Unavailable": ChargingState.NO_POWER,
        "Faulted": ChargingState.NO_POWER,
        "Occupied": ChargingState.UNKNOWN,  # OCPP 2.0.1 says no more than that
    },
    # What it is offered is no measurement
    currents=(Find(domain="sensor", key="current_import.sensor"),),
    power=Find(domain="sensor", key="power_active_import.sensor"),
    voltage=Find(domain="sensor", key="voltage.sensor"),
    behaviour=replace(
        LOCAL,
        answer_s=5.0,  # a profile, and the charger's own controller behind it; nobody measured it
        write_every_s=60.0,  # it tells its current every 60 s: nothing would be known sooner
        writes_per_day=10,  # it keeps each in a memory that wears: "no problem at all", says Charge_automation.md
    ),
    refresh_s=60.0,  # const.py: the interval of its meter values
    traps=(
        "Each limit is kept in the charger's memory, which wears: some ten a day, and beyond that it is lowered only. "
        "An action of your own that calls `ocpp.set_charge_rate` with a *TxProfile* spares it. "
        "The number shows what was sent. With some chargers 0 A does not stop: try it in the rehearsal."
    ),
)
