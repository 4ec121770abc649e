"""A meter that Home Assistant already knows: the states of its sensors become Readings."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import inf, isfinite
import time
from typing import Any, Final, override

from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfPower,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
    async_track_state_report_event,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    PowerConverter,
)

from ..control import Reading
from ..control.meter import SLOWEST_S, usual_interval_s
from ..control.reading import MAX_AMPS, signed
from .posts import PostLog, Sender
from .webhook import MAX_PHASE_WATTS, MAX_VOLTS, MAX_WATTS, MIN_VOLTS

GATHER_S: Final = 1.0
"""How long a reading waits for those of its sensors that have not reported yet, s."""
APART_S: Final = 0.25
"""Readings are no closer than the posts that a webhook takes, s."""
FRESH_S: Final = 15.0
"""How old what a sensor says may be at least, s: as the last reading of a meter from which nothing is raised."""
FRESH_INTERVALS: Final = 3
"""The same in intervals of a slower sensor, of up to a minute each."""
POWER_FACTOR: Final = 0.9
"""What real power is of apparent power at least: what VDE-AR-N 4100 demands of a house as a whole. Cars and heating
have 0.99 and more."""
ROUNDED_A, CUT_OFF_A = 0.5, 1.0
"""By how much the current may exceed one in whole amps, A: where it was rounded, and where its fraction was cut off."""
FIT_A: Final = 1.0
"""By how much the size of a current may differ from what power of the same moment makes of it, A: two meters' tolerance
on a household's current, and whole amps."""
CUT_OFF_TIMES: Final = 3
"""How often power has to show a larger current than any rounding explains before the fraction counts as cut off."""

CURRENT: Final = "current"
POWER: Final = "power"
POWER_EXPORT: Final = "power_export"
VOLTAGE: Final = "voltage"
PHASES: Final = "phases"


class Kind(StrEnum):
    """What a sensor measures."""

    CURRENT = "current"
    POWER = "power"
    VOLTAGE = "voltage"


@dataclass(frozen=True, slots=True)
class _Quantity:
    """How the states of one kind are read."""

    converter: type[BaseUnitConverter]
    unit: str
    least: float
    most: float


_QUANTITIES: Final[Mapping[Kind, _Quantity]] = {
    Kind.CURRENT: _Quantity(ElectricCurrentConverter, UnitOfElectricCurrent.AMPERE, -MAX_AMPS, MAX_AMPS),
    Kind.POWER: _Quantity(PowerConverter, UnitOfPower.WATT, -MAX_WATTS, MAX_WATTS),
    Kind.VOLTAGE: _Quantity(ElectricPotentialConverter, UnitOfElectricPotential.VOLT, MIN_VOLTS, MAX_VOLTS),
}
UNITS: Final[Mapping[Kind, list[str]]] = {
    kind: sorted(str(unit) for unit in quantity.converter.VALID_UNITS if unit is not None)
    for kind, quantity in _QUANTITIES.items()
}
"""The units of measurement that are understood."""
KINDS: Final[Mapping[str, Kind]] = {
    CURRENT: Kind.CURRENT,
    POWER: Kind.POWER,
    POWER_EXPORT: Kind.POWER,
    VOLTAGE: Kind.VOLTAGE,
}
"""What the sensor in each place of the settings measures."""


class Left(StrEnum):
    """Why what a sensor says is left out."""

    MISSING = "missing"
    UNAVAILABLE = "unavailable"
    NO_NUMBER = "no number"
    UNIT = "no unit that is understood"
    RANGE = "out of range"
    OLD = "too old"


@dataclass(frozen=True, slots=True)
class Value:
    """What a sensor says."""

    number: float
    """A, W or V."""
    is_whole: bool
    """Whether it is a whole number in amps."""


def refs_of(meter: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the place (L1, or empty for totals), the role and the reference of each sensor of a meter."""
    for number, phase in enumerate(meter[PHASES], 1):
        for role in KINDS:
            if ref := phase.get(role):
                yield f"L{number}", role, ref
    for role in (POWER, POWER_EXPORT):
        if ref := meter.get(role):
            yield "", role, ref


def read_state(hass: HomeAssistant, ref: str | None, kind: Kind) -> Value | Left | None:
    """Return what the sensor of a reference says now, in A, W or V, or why it says nothing; None without a sensor."""
    if not ref:
        return None
    entity_id = er.async_resolve_entity_id(er.async_get(hass), ref)
    state = None if entity_id is None else hass.states.get(entity_id)
    if state is None:
        return Left.MISSING
    if state.state in ("unavailable", "unknown"):
        return Left.UNAVAILABLE
    try:
        number = float(state.state)
    except ValueError:
        return Left.NO_NUMBER
    if not isfinite(number):
        return Left.NO_NUMBER
    quantity = _QUANTITIES[kind]
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit is None or unit not in quantity.converter.VALID_UNITS:
        return Left.UNIT
    try:
        number = quantity.converter.convert(number, unit, quantity.unit)
    except HomeAssistantError:
        return Left.UNIT
    if not quantity.least <= number <= quantity.most:
        return Left.RANGE
    return Value(number, number == round(number))


type Look = Callable[[str | None, Kind], float | None]
"""Tells what a sensor says that is of use, in A, W or V."""


def _power(look: Look, place: Mapping[str, Any]) -> float | None:
    """Return the signed power of a phase, or of all; None where a part of it is missing."""
    power, export = place.get(POWER), place.get(POWER_EXPORT)
    watts = look(power, Kind.POWER)
    if watts is None or not export:
        return watts
    exported = look(export, Kind.POWER)
    return None if exported is None else watts - exported


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRead:
    """What the sensors of one phase say together."""

    amps: float | None
    """Signed, A; None where nothing is known, which is silence and never zero."""
    watts: float | None
    volts: float
    is_measured: bool
    """Whether the current was measured: otherwise it is power divided by voltage."""

    @property
    def fits(self) -> bool:
        """Whether current and power may be of one moment."""
        if self.amps is None or self.watts is None:
            return False
        least = abs(self.watts) / self.volts
        return least - FIT_A <= abs(self.amps) <= least / POWER_FACTOR + FIT_A


def read_phases(meter: Mapping[str, Any], look: Look, *, nominal_volts: float) -> tuple[list[PhaseRead], float | None]:
    """Return what the sensors say of each phase, and of the power of all.

    A current has the sign of its own phase's power, which the total is where there is one phase. Where several share
    one total, nobody knows which of them exports: all count as import. Power alone is divided by the voltage, so the
    current is at least that; `doubts` says by how much it may be more.
    """
    total = _power(look, meter)
    phases = []
    for phase in meter[PHASES]:
        volts = look(phase.get(VOLTAGE), Kind.VOLTAGE) or nominal_volts
        watts = _power(look, phase)
        if watts is None and len(meter[PHASES]) == 1:
            watts = total
        if watts is not None and abs(watts) > MAX_PHASE_WATTS:
            watts = None
        is_measured = bool(phase.get(CURRENT))
        if is_measured:
            amps = look(phase[CURRENT], Kind.CURRENT)
            amps = None if amps is None else signed(amps, watts)
        else:
            amps = None if watts is None or abs(watts) > MAX_AMPS * volts else watts / volts
        phases.append(PhaseRead(amps=amps, watts=watts, volts=volts, is_measured=is_measured))
    return phases, total


def tells_sign(meter: Mapping[str, Any]) -> bool:
    """Whether the sensors of a meter tell which way the power of each phase flows, or of all together."""
    return POWER in meter or all(POWER in phase for phase in meter[PHASES])


def power_of(phases: list[PhaseRead], total: float | None) -> float:
    """Return the power of all phases, W; of one whose power nobody measures, its current times its voltage."""
    if total is not None:
        return total
    return sum(
        (phase.amps * phase.volts if phase.watts is None else phase.watts) for phase in phases if phase.amps is not None
    )


def fraction_is_unknown(state: Value | Left | None) -> bool:
    """Whether a current may be one in whole amps."""
    return isinstance(state, Value) and state.is_whole


class _Rounding:
    """What is learned of a current's fraction from the values that occur."""

    def __init__(self) -> None:
        self._is_whole = True
        self._cut_off = 0

    def doubt_amps(self, value: Value, phase: PhaseRead) -> float:
        """Return by how much a phase may draw more than its current says, A.

        A current is taken for one in whole amps until it shows a fraction. Power that needs more than that, and half an
        amp, shows that the fraction is cut off.
        """
        self._is_whole = self._is_whole and value.is_whole
        if not self._is_whole:
            return 0.0
        if phase.watts is not None and abs(phase.watts) / phase.volts - abs(value.number) > 1.1 * ROUNDED_A:
            self._cut_off += 1
        return CUT_OFF_A if self._cut_off >= CUT_OFF_TIMES else ROUNDED_A


@dataclass(kw_only=True)
class _Source:
    """One sensor of the meter."""

    place: str
    role: str
    ref: str
    entity_id: str | None = None
    """The last one that it was known by."""
    reported_at: float | None = None
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=20))
    left: Left | None = None
    """Why what it said last was left out."""
    read: float | None = None

    @property
    def name(self) -> str:
        """What to call it to a person."""
        return self.entity_id or f"{self.place} {self.role}".strip()

    @property
    def fresh_s(self) -> float:
        """How old what it says may be, s."""
        return max(FRESH_S, FRESH_INTERVALS * min(usual_interval_s(self.gaps), SLOWEST_S))


@dataclass(kw_only=True)
class SensorLog(PostLog):
    """The readings of a meter that Home Assistant knows, and what its sensors said."""

    sources: list[_Source] = field(default_factory=list)

    @override
    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | {
            "sensors": [
                {
                    "place": source.place,
                    "role": source.role,
                    "entity_id": source.entity_id,
                    "interval_s": round(usual_interval_s(source.gaps), 1),
                    "read": source.read,
                    "left_out": source.left and str(source.left),
                }
                for source in self.sources
            ]
        }


class EntityMeter:
    """Listens to the sensors of a meter, and hands their readings on.

    A reading is taken when all of them have reported since the last one, or a second after the first did, with what is
    not older by then than each one's own habit allows. It takes a report of what tells the current: power that is only
    there for the sign makes no reading by itself.

    A current in whole amps may be half an amp higher, or a whole one where the meter cuts off what it should round;
    one that follows from power, by what the power factor allows. One that power called export a while ago, and that
    does not fit to that power any more, may be import. This is the reading's doubt, which control takes off the room,
    and which nobody is shown.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        meter: Mapping[str, Any],
        take: Callable[[Reading], bool],
        *,
        nominal_volts: float,
    ) -> None:
        """`take` gets each reading."""
        self._hass = hass
        self._meter = meter
        self._take = take
        self._nominal_volts = nominal_volts
        self._sources = [_Source(place=place, role=role, ref=ref) for place, role, ref in refs_of(meter)]
        self.posts = SensorLog(sources=self._sources)
        self._by_ref = {source.ref: source for source in self._sources}
        self._waited_for = {ref for place, role, ref in refs_of(meter) if role != VOLTAGE}
        self._decisive = {
            ref for number, phase in enumerate(meter[PHASES]) for ref in self._tells_current(number, phase)
        }
        self._reported: set[str] = set()
        self._rounding: list[_Rounding] = [_Rounding() for _ in meter[PHASES]]
        self._read_at: float | None = None
        self._gather: CALLBACK_TYPE | None = None
        self._unlisten: CALLBACK_TYPE | None = None
        self._followed: dict[str, str] = {}

    def _tells_current(self, number: int, phase: Mapping[str, Any]) -> list[str]:
        if phase.get(CURRENT):
            return [phase[CURRENT]]
        refs = [phase[role] for role in (POWER, POWER_EXPORT) if phase.get(role)]
        return refs or [self._meter[role] for role in (POWER, POWER_EXPORT) if self._meter.get(role)]

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen from now on; return how to stop that."""
        stop = self._hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_registry_updated)
        self._follow()

        @callback
        def async_stop() -> None:
            stop()
            self._stop_following()

        return async_stop

    @property
    def missing(self) -> list[str]:
        """What to call the sensors that Home Assistant does not have, or that were disabled."""
        return sorted({source.name for source in self._sources if self._state_of(source) is Left.MISSING})

    def _state_of(self, source: _Source) -> Value | Left | None:
        return read_state(self._hass, source.ref, KINDS[source.role])

    @callback
    def _async_registry_updated(self, _event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if self._resolved() != self._followed:
            self._stop_following()
            self._follow()

    def _resolved(self) -> dict[str, str]:
        """Return which of the sensors each entity is, whatever it is called today."""
        registry = er.async_get(self._hass)
        found = {source.ref: er.async_resolve_entity_id(registry, source.ref) for source in self._sources}
        return {entity_id: ref for ref, entity_id in found.items() if entity_id is not None}

    def _follow(self) -> None:
        self._followed = self._resolved()
        for entity_id, ref in self._followed.items():
            self._by_ref[ref].entity_id = entity_id
        stop = [
            async_track_state_change_event(self._hass, self._followed, self._async_changed),
            async_track_state_report_event(self._hass, self._followed, self._async_reported),
        ]

        @callback
        def async_unlisten() -> None:
            for each in stop:
                each()

        self._unlisten = async_unlisten

    def _stop_following(self) -> None:
        for stop in (self._unlisten, self._gather):
            if stop is not None:
                stop()
        self._unlisten = self._gather = None

    @callback
    def _async_changed(self, event: Event[EventStateChangedData]) -> None:
        if event.data["new_state"] is not None:
            self._note(event.data["entity_id"])

    @callback
    def _async_reported(self, event: Event[EventStateReportedData]) -> None:
        self._note(event.data["entity_id"])

    def _note(self, entity_id: str) -> None:
        """Take note that a sensor said something, whatever it was."""
        now = time.monotonic()
        ref = self._followed[entity_id]
        source = self._by_ref[ref]
        if isinstance(self._state_of(source), Value):
            if source.reported_at is not None:
                source.gaps.append(now - source.reported_at)
            source.reported_at = now
        if ref not in self._waited_for:
            return
        self._reported.add(ref)
        if self._reported >= self._waited_for and (self._read_at is None or now - self._read_at >= APART_S):
            self._read()
        elif self._gather is None:
            self._gather = async_call_later(self._hass, GATHER_S, self._async_gathered)

    @callback
    def _async_gathered(self, _now: datetime) -> None:
        self._gather = None
        self._read()

    def _read(self) -> None:
        """Hand on what all of them say, unless nobody told of a current."""
        if self._gather is not None:
            self._gather()
            self._gather = None
        is_told = bool(self._reported & self._decisive)
        self._reported.clear()
        if not is_told:
            return
        now = time.monotonic()
        phases, total = read_phases(self._meter, self._look, nominal_volts=self._nominal_volts)
        if all(phase.amps is None for phase in phases):
            return
        reading = Reading(
            at=now,
            amps=tuple(phase.amps for phase in phases),
            volts=tuple(phase.volts for phase in phases),
            watts=power_of(phases, total),
            doubt_amps=tuple(self._doubt(number, phase) for number, phase in enumerate(phases)),
        )
        if self._take(reading):
            self._read_at = now
            self.posts.accept(Sender(address=None, user_agent="Home Assistant"), reading, at=dt_util.utcnow())

    def _look(self, ref: str | None, kind: Kind) -> float | None:
        """Return what a sensor says, unless that is too old to be of use."""
        found = read_state(self._hass, ref, kind)
        if ref is None or found is None:
            return None
        source = self._by_ref[ref]
        if isinstance(found, Value) and self._age_s(source) > source.fresh_s:
            found = Left.OLD
        source.left = found if isinstance(found, Left) else None
        source.read = found.number if isinstance(found, Value) else None
        return source.read

    def _age_s(self, source: _Source) -> float:
        state = self._hass.states.get(source.entity_id or "")
        return 0.0 if state is None else (dt_util.utcnow() - state.last_reported).total_seconds()

    def _doubt(self, number: int, phase: PhaseRead) -> float:
        if phase.amps is None:
            return 0.0
        if not phase.is_measured:
            return max(0.0, phase.amps) * (1 / POWER_FACTOR - 1)
        value = read_state(self._hass, self._meter[PHASES][number][CURRENT], Kind.CURRENT)
        if not isinstance(value, Value):
            return 0.0
        doubt = self._rounding[number].doubt_amps(value, phase)
        if phase.amps < 0 <= value.number and self._sign_is_old(number) and not phase.fits:
            doubt -= 2 * phase.amps  # it may be import by now
        return min(doubt, MAX_AMPS)

    def _sign_is_old(self, number: int) -> bool:
        """Whether the power that tells which way a current flows was told before that current."""
        place = self._meter[PHASES][number]
        refs = [each[role] for each in (place, self._meter) for role in (POWER, POWER_EXPORT) if each.get(role)]
        told_at = max((self._by_ref[ref].reported_at or -inf for ref in refs), default=-inf)
        return (self._by_ref[place[CURRENT]].reported_at or -inf) - told_at > GATHER_S
