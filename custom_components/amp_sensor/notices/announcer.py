"""Decisions that matter, told on Home Assistant's event bus: rarely enough to be read in the logbook."""

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Final

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, ATTR_NAME, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..control import Decision, Reason

EVENT_DECISION: Final = f"{DOMAIN}_decision"
ATTR_KIND: Final = "kind"

MATTERS_A: Final = 5
"""More than 1 kW at 230 V: who waits for the car notices. Smaller changes are in the graphs."""
SPACING_S: Final = 1800.0
"""Between two changes of the current that are told. Pauses and starts always are: the controller bounds those itself.

Measured on the shipped recording with a car that charges around the clock, a budget of 25 A and the mode balanced: 22
entries a day of 189 commands."""
RISE_S: Final = 60.0
"""How far back a rise of the house is looked for: whatever was switched on earlier was borne until now."""
RISE_A: Final = 1.0
"""Less than that is no appliance."""

CAUSES: Final = {
    Reason.LIMIT_TOO_LOW: ("lowered", "paused_limit_too_low"),
    Reason.METER_WRONG: ("lowered_meter_wrong", "paused_meter_wrong"),
    Reason.PHASE_SILENT: ("lowered_phase_silent", "paused_phase_silent"),
    Reason.SHARED: ("lowered_shared", "paused_shared"),
    Reason.WAITING_FOR_TURN: ("lowered_shared", "paused_shared"),
}
"""Reasons that say it all, whatever the house does meanwhile: what to tell of a charger that is lowered, and paused."""


@dataclass
class _Told:
    """What was told of one charger."""

    amps: int
    """What whoever reads believes it has, A."""
    at: float = -inf
    house: deque[tuple[float, float]] = field(default_factory=deque)
    """The house in the last minute: when, s, and A."""

    def rise_amps(self, decision: Decision) -> float:
        """Return by how much the house rose within the last minute."""
        if "house_amps" not in decision.numbers:
            return 0.0
        amps = decision.numbers["house_amps"]
        self.house.append((decision.at, amps))
        while self.house[0][0] < decision.at - RISE_S:
            self.house.popleft()
        return amps - min(earlier for _, earlier in self.house)


class Announcer:
    """Tells what was decided for the chargers of a site, where it matters."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._told: dict[str, _Told] = {}

    @callback
    def add(self, decision: Decision, *, name: str) -> None:
        """Take every decision as it is made, with the charger's name; tell those that are worth it."""
        charger_id = decision.charger_id
        if not decision.cap:
            self._told.pop(charger_id, None)
            return
        told = self._told.setdefault(charger_id, _Told(decision.target))
        rise_amps = told.rise_amps(decision)
        if decision.command is None or not _matters(decision, told):
            return
        kind = _kind(decision, told.amps, rise_amps)
        told.amps = decision.target
        told.at = decision.at
        registry = er.async_get(self._hass)
        entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, f"{charger_id}_charging_control")
        entry = registry.async_get(entity_id) if entity_id is not None else None
        numbers = {key: round(amps) for key, amps in decision.numbers.items() if key.endswith("_amps")}
        self._hass.bus.async_fire(
            EVENT_DECISION,
            {
                ATTR_DEVICE_ID: entry and entry.device_id,
                ATTR_ENTITY_ID: entity_id,
                ATTR_NAME: name,
                ATTR_KIND: kind,
                "reason": decision.reason,
                "amps": decision.target,
                "rise_amps": round(rise_amps),
                **numbers,
            },
        )


def _matters(decision: Decision, told: _Told) -> bool:
    if (decision.target == 0) != (told.amps == 0):
        return True
    return abs(decision.target - told.amps) >= MATTERS_A and decision.at - told.at >= SPACING_S


def _kind(decision: Decision, before: int, rise_amps: float) -> str:
    """Return what happened: the key of its text."""
    if decision.target > before:
        return "raised" if before else "started"
    if decision.reason in CAUSES:
        lowered, paused = CAUSES[decision.reason]
        return lowered if decision.target else paused
    change = "lowered" if decision.target else "paused"
    if "silence_s" in decision.numbers:
        return f"{change}_no_readings"
    if rise_amps >= RISE_A:
        return f"{change}_house_rose"
    return f"{change}_over_budget" if decision.numbers.get("over_amps", 0) > 0 or not decision.target else change
