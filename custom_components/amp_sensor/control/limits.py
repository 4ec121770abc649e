"""What bounds the current of a site: each limit answers how much room there is for a consumer, and the least counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import math
from typing import Any, Protocol

from .decision import Reason
from .peak import Window, WindowState
from .reading import Reading

EXCEEDED_S = 60.0
"""For how long a limit that holds at each moment is exceeded before a load is switched off for it, s: that is what the
protection is given too, and most of what a thermostat or a motor starts with is over by then."""
EXCEEDED_PART = 1 / 12
"""The same of a window, as a part of the time that it has left: at its end each step counts. Chosen on recorded houses:
with a sixth one more of 285 windows was over, and as much was switched."""
MAKE_UP_S = 60.0
"""A load is switched off for a window so much before it would be too late, s: it is told, the meter has to show it, and
where it did nothing another has to go, which takes 15 s each; and the house may rise."""
TOO_LATE_S = 15.0
"""At the end of a window nothing is switched off any more, s: the meter would not show it in time."""
LEAST_FACTOR = 0.5
"""Real power is taken to be at least this part of volts times amps: where it is less, the meter does not tell it."""


class Limit(Protocol):
    """Something that must not be exceeded."""

    @property
    def reason(self) -> Reason | None:
        """What to call it where it is the one that binds; None of the budget."""

    @property
    def numbers(self) -> Mapping[str, float]:
        """The quantities behind that."""

    @property
    def is_averaged(self) -> bool:
        """Whether it may be exceeded for a while, as long as that is made up for."""

    def room(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what a consumer may draw from each of its `phases` (from 0) beside what is flowing there, A.

        `flowing` is signed: import is positive, so that what is exported leaves more room.
        """

    def bearable(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what it may draw for now, if it gives up all of it in time, A: no less than its room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that the site may import on each phase, A."""

    max_amps: float
    reason: Reason | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    is_averaged: bool = False

    def room(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what is left on the phase with the least."""
        return self.max_amps - max([flowing[phase] for phase in phases])

    bearable = room


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """The budget of a site that keeps something free for loads that are to come back."""

    max_amps: float
    amps: Sequence[float]
    """What is kept free on each phase, A."""
    reason: Reason | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    is_averaged: bool = False

    def room(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what is left on the phase with the least."""
        return self.max_amps - max([flowing[phase] + self.amps[phase] for phase in phases])

    bearable = room


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """The most that the site may import on all phases together, W."""

    max_watts: float
    bearable_watts: float | None = None
    """What may flow for now, W, where that is made up for later; None where each moment counts."""
    volts: tuple[float, ...]
    """Of each phase, V."""
    beside_watts: float = 0.0
    """What the meter counts beside amps times volts, W: negative where real power is less."""
    reason: Reason | None
    numbers: Mapping[str, float] = field(default_factory=dict)

    def room(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what is left for each of the phases, which all draw alike."""
        return self._left(self.max_watts, flowing, phases)

    def bearable(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what is left of what may flow for now."""
        most = self.max_watts if self.bearable_watts is None else max(self.max_watts, self.bearable_watts)
        return self._left(most, flowing, phases)

    def _left(self, watts: float, flowing: Sequence[float], phases: Iterable[int]) -> float:
        flows = sum(amps * volts for amps, volts in zip(flowing, self.volts, strict=True)) + self.beside_watts
        return (watts - flows) / sum(self.volts[phase] for phase in phases)

    @property
    def is_averaged(self) -> bool:
        """Whether it holds on average over a window."""
        return self.bearable_watts is not None


def room(limits: Iterable[Limit], flowing: Sequence[float], phases: Sequence[int]) -> float:
    """Return the least of what all limits leave, A; negative where one is exceeded already."""
    return min([limit.room(flowing, phases) for limit in limits])


def binding(limits: Iterable[Limit], flowing: Sequence[float], phases: Sequence[int]) -> Limit:
    """Return the limit that leaves the least."""
    return min(limits, key=lambda limit: limit.room(flowing, phases))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A limit that loads are switched off for, as it is at this moment."""

    limit_id: str
    limit: Limit
    """What may flow; of a window, from now until its end."""
    left_s: float | None = None
    """How long its window lasts, s; None where each moment counts."""

    def over(self, flowing: Sequence[float], *, by_amps: float = 0.0) -> tuple[int, ...]:
        """Return the phases, from 0, on which more flows than may, by more than so much."""
        return tuple(phase for phase in range(len(flowing)) if self.limit.room(flowing, (phase,)) < -by_amps)

    @property
    def patience_s(self) -> float:
        """For how long it is exceeded before a load is switched off, s."""
        return EXCEEDED_S if self.left_s is None else EXCEEDED_PART * self.left_s

    def can_wait(self, flowing: Sequence[float], off: Sequence[float], ask_s: float) -> bool:
        """Whether a load can still be switched off later, which takes `off` from each phase, A, once it was asked."""
        if self.left_s is None:
            return False
        if self.left_s < TOO_LATE_S:
            return True
        part = max(0.0, 1 - (MAKE_UP_S + ask_s) / self.left_s)
        return not self.over([amps - part * each for amps, each in zip(flowing, off, strict=True)])


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What bounds the supply beside its budget, as it is now. Raises ValueError where a number is out of range."""

    reason: Reason
    max_watts: float | None = None
    """Of all phases together, W; None where nothing is bounded now."""
    max_amps: float | None = None
    """Of each phase, A, instead."""
    window_s: float = 0.0
    """Over how much time of the clock the power is averaged, s; 0 holds at each moment."""
    follows_peak: bool = False
    """Whether more is allowed once the month had a window that was higher."""
    each_charger: bool = False
    """Whether it bounds what each charger draws, not what the supply does."""
    sheds: bool = False
    """Whether loads are switched off for it too."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        for name in ("max_watts", "max_amps", "window_s"):
            if (value := getattr(self, name)) is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be 0 or more, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the wall's clock says, in s of the controller's."""

    wall_s: float
    """Local time of the wall at 0 of the controller's clock, s since 1970."""
    month: str
    """Which month that is: peaks are counted from its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """How a limit stands."""

    max_watts: float | None
    """What is in force, W of all phases together; None where nothing is, or where it is in A."""
    max_amps: float | None
    window: WindowState | None
    peak_watts: float
    """The highest window of this month, W."""


class SupplyLimit:
    """One limit of a supply beside its budget, and what it remembers."""

    def __init__(self, limit_id: str, settings: LimitSettings, clock: Clock, now: float) -> None:
        self.settings = settings
        self.peak_watts = 0.0
        """The highest window that ended this month, W."""
        self._clock = clock
        self._spread_s = 20.0 + sum(limit_id.encode()) % 41
        """No two sites raise at the same second of a window: 20 to 60 s after it began."""
        self._window = self._new_window(now) if settings.window_s else None

    def _new_window(self, now: float) -> Window:
        return Window(self.settings.window_s, self._began_at(now), now, spread_s=self._spread_s)

    def _began_at(self, now: float) -> float:
        return now - (now + self._clock.wall_s) % self.settings.window_s

    def set(self, settings: LimitSettings, clock: Clock, now: float) -> None:
        """Take what it is now, and the clock."""
        self._look(now)
        before, self.settings = self.settings, settings
        if clock.month != self._clock.month:
            self.peak_watts = 0.0
        self._clock = clock
        if settings.window_s != before.window_s:
            self._window = self._new_window(now) if settings.window_s else None
        elif self._window is not None:
            self._window.align(self._began_at(now), now)

    def add(self, watts: float, house_watts: float, now: float, *, holds_s: float) -> None:
        """Take what flows from now on, W: in all, and without the chargers."""
        if self._window is not None:
            self._window.add(watts, house_watts, now, holds_s=holds_s)

    def tell(self, average_watts: float, now: float) -> None:
        """Take the meter's own average of its window under way, W."""
        if self._window is not None:
            self._window.tell(average_watts, now)

    def _look(self, now: float) -> None:
        if self._window is not None:
            self._window.integrate(now)
            self.peak_watts = max(self.peak_watts, self._window.highest_watts)
            self._window.highest_watts = 0.0

    @property
    def max_watts(self) -> float | None:
        """What is in force, W of all phases together."""
        limit = self.settings.max_watts
        return limit if limit is None or not self.settings.follows_peak else max(limit, self.peak_watts)

    def bound(self, volts: tuple[float, ...], beside_watts: float, now: float) -> Limit | None:
        """Return what it comes to at this moment; None where it bounds nothing of the supply now."""
        self._look(now)
        reason, limit = self.settings.reason, self.max_watts
        if self.settings.each_charger:
            return None
        if self.settings.max_amps is not None:
            return Budget(
                max_amps=self.settings.max_amps, reason=reason, numbers={"limit_amps": self.settings.max_amps}
            )
        if limit is None:
            return None
        numbers, allowed, bearable = {"limit_watts": limit}, limit, None
        if (window := self._window) is not None:
            allowed, bearable = window.allowed_watts(limit, now), window.bearable_watts(limit, now)
            expected = window.state(limit, now).expected_watts
            numbers |= {"expected_watts": expected, "window_min": window.length_s / 60}
            if window.is_house_alone(limit, now):
                reason = Reason.HOUSE_OVER_LIMIT
        return Power(
            max_watts=allowed,
            volts=volts,
            beside_watts=beside_watts,
            reason=reason,
            numbers=numbers,
            bearable_watts=bearable,
        )

    def claim(self, limit_id: str, volts: tuple[float, ...], beside_watts: float, now: float) -> Claim | None:
        """Return what loads are switched off for; None where that is nothing now."""
        settings, limit = self.settings, self.max_watts
        if not settings.sheds:
            return None
        if self._window is None or limit is None:
            bound = self.bound(volts, beside_watts, now)
            return None if bound is None else Claim(limit_id=limit_id, limit=bound)
        watts = self._window.left_watts(limit, now)
        return Claim(
            limit_id=limit_id,
            limit=Power(max_watts=watts, volts=volts, beside_watts=beside_watts, reason=settings.reason),
            left_s=self._window.ends_at - now,
        )

    def most_amps(self, volts: Sequence[float]) -> float:
        """Return what each charger may draw that is fed with these voltages, A per phase."""
        if not self.settings.each_charger:
            return math.inf
        if self.settings.max_amps is not None:
            return self.settings.max_amps
        return math.inf if self.settings.max_watts is None else self.settings.max_watts / sum(volts)

    def state(self, now: float) -> LimitState:
        """Return how it stands."""
        self._look(now)
        limit = self.max_watts
        shown = self._window.state(limit, now) if self._window is not None and limit is not None else None
        return LimitState(max_watts=limit, max_amps=self.settings.max_amps, window=shown, peak_watts=self.peak_watts)

    def record(self) -> dict[str, Any]:
        """Return what has to survive a restart, as JSON holds it."""
        window = None if self._window is None else self._window.record(self._clock.wall_s)
        return {"month": self._clock.month, "peak_watts": round(self.peak_watts, 1), "window": window}

    def restore(self, record: Mapping[str, Any]) -> None:
        """Go on from a record, as far as it is of this month and window; raise ValueError where it is none."""
        peak = record.get("peak_watts")
        if not isinstance(peak, int | float) or not 0 <= peak < math.inf:
            raise ValueError("not the record of a limit")
        if record.get("month") == self._clock.month:
            self.peak_watts = float(peak)
        if self._window is not None and record.get("window") is not None:
            self._window.restore(record["window"], self._clock.wall_s)


def power_of(reading: Reading) -> float:
    """Return what all phases of a reading import together, W: what it says, and in doubt what its amps can be."""
    apparent = sum(amps * volts for amps, volts in zip(reading.amps, reading.volts, strict=True) if amps is not None)
    return max(reading.watts, apparent * LEAST_FACTOR if apparent > 0 else apparent)
