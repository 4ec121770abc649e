"""A record of before, of whatever age and state, put back as far as it can be read."""

from collections.abc import Mapping
from typing import Any

from .charger import ManagedCharger
from .house import House

HOTTEST_A2 = 500.0**2
"""Nothing is hotter than the highest current that a reading may have would make it, A²."""


def restore(record: Mapping[str, Any], house: House, chargers: Mapping[str, ManagedCharger]) -> tuple[str, ...]:
    """Go on from a record; return the names of its parts that could not be read, which are left out."""
    if not isinstance(record, Mapping):
        return ("record",)
    bad = []
    for name, part in (("house", _restore_house), ("heat_a2", _restore_heat)):
        try:
            part(record.get(name, []), house)
        except TypeError, ValueError, KeyError, AttributeError:
            bad.append(name)
    house.exports = record.get("exports") is True
    try:
        for charger_id in record.get("paused", ()):  # as it was kept at first
            if charger_id in chargers:
                chargers[charger_id].paused = True
    except TypeError:
        bad.append("paused")
    usual = record.get("usual", {})
    try:
        for charger_id in usual.keys() & chargers.keys():
            chargers[charger_id].usual.restore(usual[charger_id])
    except ValueError, AttributeError:
        bad.append("usual")
    kept = record.get("chargers", {})
    if not isinstance(kept, Mapping):
        return (*bad, "chargers")
    for charger_id, each in kept.items():
        if charger_id in chargers:
            try:
                chargers[charger_id].restore(each)
            except TypeError, ValueError, AttributeError:
                bad.append("chargers")
    return tuple(dict.fromkeys(bad))


def _restore_house(kept: Any, house: House) -> None:
    """Take what each phase taught. As it was kept at first, it was what the highest of them taught."""
    if kept and isinstance(kept[0], list):
        kept = [kept] * len(house.phases)
    house.expect(len(kept))
    for phase, each in zip(house.phases, kept, strict=False):
        phase.memory.restore(each)


def _restore_heat(kept: Any, house: House) -> None:
    for phase, heat_a2 in zip(house.phases, kept, strict=False):
        if not 0 <= heat_a2 <= HOTTEST_A2:
            raise ValueError("not the heat of a phase")
        phase.load.heat_a2 = float(heat_a2)
