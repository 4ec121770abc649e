"""What is shown of a site: all of one moment, and rarely enough for a database.

A reading that is a step is shown as it is, at once. What changes without one is shown as the mean of the time since
the last state, after ten seconds if it went as far as a step, and otherwise after half a minute. A decision that does
something is shown at once, and one that only says what is being waited for once it has lasted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from math import inf
from typing import Final, Self

from ..control import Decision, Reading, Reason

NOISE_PART: Final = 0.03
"""Three times the noise of a 1 % sensor: where much flows, smaller changes are no steps, A per A."""
LOAD_STEP: Final = 0.02
"""A change of the protection's load that is shown at once: only what it does not bear for good moves it."""
SOON_S: Final = 10.0
"""How long a change waits that went as far as a step without being one, s: two posts of the project's firmware."""

COMES_AND_GOES: Final = frozenset(
    {
        Reason.ADOPTING,
        Reason.OVER_BUDGET,
        Reason.VERIFYING,
        Reason.HOUSE_OVER_BUDGET,
        Reason.MINIMUM,
        Reason.PAUSED,
        Reason.SHARED,
        Reason.WAITING_FOR_TURN,
        Reason.SURPLUS,
        Reason.WAITING_FOR_SURPLUS,
        Reason.PEAK_LIMIT,
        Reason.OUTSIDE_LIMIT,
        Reason.SCHEDULED_LIMIT,
        Reason.HOUSE_OVER_LIMIT,
        Reason.SETTLING,
        Reason.WAITING,
        Reason.NO_HEADROOM,
        Reason.STARTED,
        Reason.STARTS_EXHAUSTED,
        Reason.WRITE_TOO_SOON,
        Reason.WRITES_EXHAUSTED,
        Reason.RAISED,
        Reason.NOT_USED,
        Reason.AT_MAXIMUM,
    }
)
"""Reasons that follow from what the house draws: between two of them, with nothing done, only what lasts is shown."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What flows at a site: of one reading, or the mean over one time. All of it adds up, to 0.01 A."""

    at: float
    """When the reading arrived, or the last one of that time, s on the controller's clock."""
    read_at: datetime
    """The same on the clock of the wall."""
    amps: tuple[float | None, ...]
    """By phase, negative while exporting; None where one was not told."""
    volts: tuple[float, ...]
    """By phase; of one that was not told, those of the first."""
    watts: float
    drawn: Mapping[str, tuple[float, ...]]
    """What each charger draws of it, A by phase. Those whose phases nobody knows are in the house's part."""
    protection_load: float
    """How near the protection is to opening, 0 to 1; in a mean, at its end."""

    @classmethod
    def of(
        cls,
        reading: Reading,
        *,
        phases: int,
        read_at: datetime,
        drawn: Mapping[str, Iterable[float]],
        protection_load: float,
    ) -> Self:
        """Take a reading at a site of so many phases, and what the chargers draw of it."""
        missing = (None,) * (phases - len(reading.amps))
        return cls(
            at=reading.at,
            read_at=read_at,
            amps=(*[None if amps is None else round(amps, 2) for amps in reading.amps], *missing),
            volts=(*reading.volts, *reading.volts[:1] * len(missing)),
            watts=reading.watts,
            drawn={
                charger_id: tuple([round(amps, 2) for amps, _ in zip_longest(by_phase, range(phases), fillvalue=0.0)])
                for charger_id, by_phase in drawn.items()
            },
            protection_load=protection_load,
        )

    @property
    def house(self) -> tuple[float | None, ...]:
        """What is drawn beside the chargers, A by phase."""
        return tuple(
            None if amps is None else round(amps - sum(by_phase[phase] for by_phase in self.drawn.values()), 2)
            for phase, amps in enumerate(self.amps)
        )

    @property
    def phase(self) -> int:
        """The phase with the least room, from 0."""
        return max(range(len(self.amps)), key=lambda phase: -inf if (amps := self.amps[phase]) is None else amps)

    @property
    def current(self) -> float:
        """What flows there, A; negative where all phases export."""
        return self.amps[self.phase] or 0.0

    @property
    def house_current(self) -> float:
        """The house's part of that, A."""
        return self.house[self.phase] or 0.0

    def watts_of(self, drawn: Iterable[float]) -> float:
        """Return the power of what is drawn, A by phase, at the voltages that were read."""
        return sum(amps * volts for amps, volts in zip(drawn, self.volts, strict=True))

    def numbers(self) -> list[float]:
        """Return all that is measured, currents first."""
        return [*self.currents(), *self.volts, self.watts]

    def currents(self) -> list[float]:
        """Return what is told of each phase, and of each charger on it, A."""
        told = [phase for phase, amps in enumerate(self.amps) if amps is not None]
        return [amps for amps in self.amps if amps is not None] + [
            by_phase[phase] for by_phase in self.drawn.values() for phase in told
        ]

    def like(self, other: Moment) -> bool:
        """Whether it tells of the same phases and chargers."""
        told, others = [amps is None for amps in self.amps], [amps is None for amps in other.amps]
        return told == others and self.drawn.keys() == other.drawn.keys()

    def with_numbers(self, numbers: Iterable[float]) -> Moment:
        """Return it with other numbers, in the order of `numbers`."""
        rest = iter(numbers)
        amps = tuple(None if each is None else round(next(rest), 2) for each in self.amps)
        drawn = {
            charger_id: tuple(0.0 if each is None else round(next(rest), 2) for each in amps)
            for charger_id in self.drawn
        }
        volts = tuple(next(rest) for _ in self.volts)
        return replace(self, amps=amps, drawn=drawn, volts=volts, watts=next(rest))


class ShownMoment:
    """What was shown last, and what was read since."""

    def __init__(self, *, dead_band_amps: float, interval_s: float) -> None:
        """Take the least change of a current that is a step, A, and the longest that smaller ones wait, s."""
        self._dead_band_amps = dead_band_amps
        self._interval_s = interval_s
        self._read: Moment | None = None
        self._shown_at = 0.0
        self._flowed: list[float] = []
        """What was read since, each number times the s for which it was the last one."""
        self.moment: Moment | None = None

    def clear(self) -> None:
        """Show nothing, until something is read again."""
        self.moment = None

    def add(self, read: Moment) -> None:
        """Take a reading, and show it, or the mean of those before it, if it is time."""
        last, shown, self._read = self._read, self.moment, read
        if shown is None or last is None or not (read.like(shown) and read.like(last)):
            self._show(read, read.at)
            return
        held_s = read.at - last.at
        self._flowed = [sum_ + held_s * number for sum_, number in zip(self._flowed, last.numbers(), strict=True)]
        since_s = read.at - self._shown_at
        is_off = self._differ(read, shown)
        is_warmer = abs(read.protection_load - shown.protection_load) >= LOAD_STEP
        if is_warmer or (is_off and self._differ(read, last)):
            self._show(read, read.at)
        elif since_s >= (min(SOON_S, self._interval_s) if is_off else self._interval_s):
            self._show(read.with_numbers(sum_ / since_s for sum_ in self._flowed), read.at)

    def _show(self, moment: Moment, at: float) -> None:
        self.moment, self._shown_at = moment, at
        self._flowed = [0.0] * len(moment.numbers())

    def _differ(self, one: Moment, other: Moment) -> bool:
        return any(
            abs(amps - others) >= max(self._dead_band_amps, NOISE_PART * abs(amps))
            for amps, others in zip(one.currents(), other.currents(), strict=True)
        )


class ChargingControl(StrEnum):
    """What a site does to a charger: what `reason` comes to for those who automate."""

    INACTIVE = "inactive"  # not ours to command
    FREE = "free"  # it may have all it takes
    LIMITED = "limited"
    PAUSED = "paused"


def control_of(decision: Decision) -> ChargingControl:
    """Return what a decision does to its charger."""
    match decision:
        case Decision(cap=0):
            return ChargingControl.INACTIVE
        case Decision(target=0):
            return ChargingControl.PAUSED
        case Decision(reason=Reason.SURPLUS):
            return ChargingControl.LIMITED
        case Decision(target=target, cap=cap):
            return ChargingControl.LIMITED if target < cap else ChargingControl.FREE


class ShownDecision:
    """What is shown of what was decided for one charger."""

    def __init__(self, *, lasts_s: float) -> None:
        """Take for how long a reason has to last that comes and goes, s."""
        self._lasts_s = lasts_s
        self._reason: Reason | None = None
        self._since = 0.0
        self.decision: Decision | None = None

    def add(self, decision: Decision) -> None:
        """Take what was decided, and show it if it does something, or has lasted."""
        if decision.reason is not self._reason:
            self._reason, self._since = decision.reason, decision.at
        if self._is_news(decision) or decision.at - self._since >= self._lasts_s:
            self.decision = decision

    def _is_news(self, decision: Decision) -> bool:
        last = self.decision
        return (
            last is None
            or decision.command is not None
            or decision.reason is last.reason
            or (decision.target, control_of(decision)) != (last.target, control_of(last))
            or not {decision.reason, last.reason} <= COMES_AND_GOES
        )
