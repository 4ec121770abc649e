"""Which entities and actions of Home Assistant make up a charger, and what they say now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, Final, Self

from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfPower,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    PowerConverter,
)

from ..control import ChargingState
from .profile import ChargerProfile

_ENTITIES: Final = (
    *("current", "pause", "resume", "state", "plugged", "charging", "power", "voltage", "phases", "limit"),
    *("place", "scheduled", "asleep", "wake", "battery", "switch_phases"),
)
"""Roles that one entity has."""
NEEDED: Final = ("current", "pause", "resume", "state", "plugged", "charging", "place")
"""Roles without whose entity a charger is not controlled: the others only tell more."""
_TELLING: Final = ("state", "plugged", "charging", "power")
"""Roles whose entity tells what the charger does, beside `currents`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What does what. Entities are named by the id of their registry entry, or by their own id where they have none."""

    entities: Mapping[str, str] = field(default_factory=dict)
    """By role."""
    currents: tuple[str, ...] = ()
    set_current: Sequence[Mapping[str, Any]] = ()
    pause_action: Sequence[Mapping[str, Any]] = ()
    resume_action: Sequence[Mapping[str, Any]] = ()
    pause_state: str = STATE_OFF
    resume_state: str = STATE_ON
    one_phase_state: str = STATE_OFF
    all_phases_state: str = STATE_ON
    states: Mapping[str, ChargingState] = field(default_factory=dict)
    phases_states: Mapping[str, int] = field(default_factory=dict)
    scheduled_states: frozenset[str] = frozenset()
    """States of `state` in which it waits for a schedule."""
    yes: Mapping[str, str] = field(default_factory=dict)
    """Which state of a role that tells whether something is so says that it is, where that is not "on"."""

    @classmethod
    def of(cls, told: Mapping[str, Any], profile: ChargerProfile | None) -> Self:
        """Take what the flow kept, and what is known of the integration."""
        states = dict(profile.states) if profile else {}
        if "states" in told:
            states = {word: ChargingState(state) for state, words in told["states"].items() for word in words}
        pause_state = told.get("pause_state", STATE_OFF)
        return cls(
            entities={role: told[role] for role in _ENTITIES if told.get(role)},
            currents=tuple(ref for ref in told.get("currents", ()) if ref != told.get("current")),
            set_current=told.get("set_current", ()),
            pause_action=told.get("pause_action", ()),
            resume_action=told.get("resume_action", ()),
            pause_state=pause_state,
            resume_state=told.get("resume_state", STATE_OFF if pause_state == STATE_ON else STATE_ON),
            one_phase_state=told.get("one_phase_state", STATE_OFF),
            all_phases_state=told.get("all_phases_state", STATE_ON),
            states={word.casefold(): state for word, state in states.items()},
            phases_states=dict(profile.phases_states) if profile else {},
            scheduled_states=profile.scheduled_states if profile else frozenset(),
            yes={"plugged": profile.plugged_state, "asleep": profile.asleep_state} if profile else {},
        )

    @property
    def sets_current(self) -> bool:
        """Whether there is a current to set: else it can only be switched on and off."""
        return "current" in self.entities or bool(self.set_current)

    @property
    def zero_pauses(self) -> bool:
        """Whether there is nothing but 0 A to pause it with."""
        return self.sets_current and "pause" not in self.entities and not self.pause_action

    def refs(self) -> Iterator[str]:
        """Give all entities."""
        yield from self.entities.values()
        yield from self.currents

    def telling(self) -> tuple[str, ...]:
        """Return the entities that tell what it does; where there are none, those that it is told by."""
        telling = (*(self.entities[role] for role in _TELLING if role in self.entities), *self.currents)
        return telling or tuple(self.entities[role] for role in ("current", "pause") if role in self.entities)


class Seen:
    """What the entities of a charger say at this moment. Unknown, unavailable and textual numbers are nothing."""

    def __init__(self, hass: HomeAssistant, roles: Roles) -> None:
        self._hass = hass
        self._registry = er.async_get(hass)
        self.roles = roles

    def entity_id(self, ref: str) -> str | None:
        """Return what an entity is called now; None where there is none any more, or it was disabled."""
        entity_id = er.async_resolve_entity_id(self._registry, ref)
        entry = None if entity_id is None else self._registry.async_get(entity_id)
        return None if entry is not None and entry.disabled_by is not None else entity_id

    def is_gone(self, ref: str) -> bool:
        """Whether there is no such entity; one whose integration is not loaded yet is only late."""
        entity_id = self.entity_id(ref)
        if entity_id is None:
            return True
        return self._hass.states.get(entity_id) is None and self._registry.async_get(entity_id) is None

    def gone(self) -> dict[str, str]:
        """Return the entities that are gone, and the name by which people know each."""
        names = {}
        for ref in self.roles.refs():
            if self.is_gone(ref):
                former = (each.entity_id for each in self._registry.deleted_entities.values() if each.id == ref)
                entity_id = er.async_resolve_entity_id(self._registry, ref) or next(former, None)
                names[ref] = entity_id or next(
                    (role for role, each in self.roles.entities.items() if each == ref), "currents"
                )
        return names

    def entity_ids(self) -> set[str]:
        """Return all entities that are there, by what they are called now."""
        return {entity_id for ref in self.roles.refs() if (entity_id := self.entity_id(ref)) is not None}

    def state(self, ref: str | None) -> State | None:
        """Return the state of an entity, whatever it is; None where it has none."""
        entity_id = None if ref is None else self.entity_id(ref)
        return None if entity_id is None else self._hass.states.get(entity_id)

    def of(self, role: str) -> State | None:
        """Return the state of the entity in a role, where it says anything."""
        state = self.state(self.roles.entities.get(role))
        return None if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN) else state

    def is_available(self) -> bool:
        """Whether any of them that tells what the charger does is there."""
        states = [self.state(ref) for ref in self.roles.telling()]
        return any(state is not None and state.state != STATE_UNAVAILABLE for state in states) or not states

    def newest(self) -> datetime | None:
        """Return when the newest of what tells what the charger does was said."""
        states = [self.state(ref) for ref in self.roles.telling()]
        told = [each.last_reported for each in states if each is not None and each.state != STATE_UNAVAILABLE]
        return max(told, default=None)

    def word(self, role: str) -> str | None:
        """Return a text."""
        state = self.of(role)
        return None if state is None else state.state

    def flag(self, role: str) -> bool | None:
        """Return whether something is so; of texts that nobody told of, none says anything."""
        word, yes = self.word(role), self.roles.yes.get(role, STATE_ON)
        is_told = word in (STATE_ON, STATE_OFF) if yes in (STATE_ON, STATE_OFF) else bool(word)
        return word == yes if is_told else None

    def amps(self, role: str) -> float | None:
        """Return a current, A."""
        return _number(self.of(role), ElectricCurrentConverter, UnitOfElectricCurrent.AMPERE)

    def watts(self) -> float | None:
        """Return the power, W."""
        return _number(self.of("power"), PowerConverter, UnitOfPower.WATT)

    def volts(self) -> float | None:
        """Return the voltage, V."""
        return _number(self.of("voltage"), ElectricPotentialConverter, UnitOfElectricPotential.VOLT)

    def percent(self, role: str) -> float | None:
        """Return a level, 0 to 100 %."""
        value = None if (word := self.word(role)) is None else _finite(word)
        return value if value is not None and 0 <= value <= 100 else None

    def phases(self) -> int | None:
        """Return how many phases it says that it draws from."""
        if (word := self.word("switch_phases")) in (self.roles.one_phase_state, self.roles.all_phases_state):
            return 1 if word == self.roles.one_phase_state else 3
        word = self.word("phases")
        if word is None:
            return None
        if word in self.roles.phases_states:
            return self.roles.phases_states[word]
        count = _finite(word)
        return int(count) if count in (1, 2, 3) else None

    def currents(self) -> tuple[float, ...] | None:
        """Return what it draws, A of each phase that is measured; None where one of them is missing."""
        states = [self.state(ref) for ref in self.roles.currents]
        amps = [_number(each, ElectricCurrentConverter, UnitOfElectricCurrent.AMPERE) for each in states]
        known = tuple(each for each in amps if each is not None)
        return known if known and len(known) == len(amps) else None


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _number(state: State | None, converter: type[BaseUnitConverter], unit: str) -> float | None:
    value = None if state is None else _finite(state.state)
    if state is None or value is None:
        return None
    return factor(state, converter, unit) * value


def factor(state: State, converter: type[BaseUnitConverter], unit: str) -> float:
    """Return what a number of a state is to be multiplied with; one without a known unit has the usual one."""
    own = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    return converter.convert(1.0, own, unit) if own in converter.VALID_UNITS else 1.0
