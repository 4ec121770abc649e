"""What others do, as rules: each behind the same small interface as the project's own controller.

The rules are those of the projects named, written anew; where one leaves a thing open, the kinder reading is taken.
None of them knows phases: of a reading, each sees the phase with the least room. Of several cars each has a rule of its
own, for which the others are the house.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import math
from typing import Protocol

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    Command,
    Controller,
    Decision,
    Mode,
    Outcome,
    Reading,
    Reason,
    SiteSettings,
)

from .hindsight import allocation
from .house import House
from .plant import Charger


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a controller is set up with."""

    budget: float
    """A per phase."""
    chargers: tuple[Charger, ...]
    mode: Mode = Mode.BALANCED
    house: House
    """The true load, for those who may see it; its first second is time 0."""

    @property
    def ids(self) -> tuple[str, ...]:
        """What the chargers are called, in their order."""
        return ("car", *(f"car {number}" for number in range(2, len(self.chargers) + 1)))


class Rule(Protocol):
    """The part of the controller's facade that a replay drives."""

    def add_reading(self, reading: Reading) -> None:
        """Take a reading."""

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a car says."""

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Take the end of a command in flight."""

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Decide; nothing returned means that the last decision stands."""


class Baseline(ABC):
    """What all rules share: one car, the last reading and report, and that one command is in flight at most."""

    def __init__(self, site: Site, number: int = 0) -> None:
        """Take the site, and which of its chargers is meant."""
        self._site = site
        self._number = number
        self._car_max = site.chargers[number].max_amps
        self._charger_id = site.ids[number]
        self._reading: Reading | None = None
        self._fresh = False
        self._report: ChargerReport | None = None
        self._queue: list[Command] = []
        self._in_flight = False
        self._target = self._car_max
        self._report_of = -math.inf
        self._answered_at = -math.inf

    def add_reading(self, reading: Reading) -> None:
        """Keep it."""
        self._reading = reading
        self._fresh = True

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Keep it."""
        self._report = report
        self._report_of = now - report.age_s

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Be free for the next command, whatever became of this one."""
        self._in_flight = False
        self._answered_at = now

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Apply the rule, unless a command is under way."""
        if self._in_flight:
            return ()
        if not self._queue:
            self._queue = self._rule(now)
        if not self._queue:
            return ()
        command = self._queue.pop(0)
        self._in_flight = True
        old = self._target
        if command.action is not Action.START:
            self._target = command.amps
        reason = Reason.OVER_BUDGET if self._target < old else Reason.RAISED
        charger_id = self._charger_id
        return (Decision(at=now, charger_id=charger_id, target=self._target, reason=reason, command=command),)

    @abstractmethod
    def _rule(self, now: float) -> list[Command]:
        """Return what to send now, in this order."""

    def _set(self, amps: int) -> Command:
        return Command(charger_id=self._charger_id, action=Action.SET_AMPS, amps=amps)

    def _pause_or_set(self, old: int, new: int) -> list[Command]:
        """Return what brings a car from one limit to another where the rule pauses it at 0, as a wallbox would."""
        if not new:
            return [Command(charger_id=self._charger_id, action=Action.STOP)]
        start = [] if old else [Command(charger_id=self._charger_id, action=Action.START)]
        return [self._set(new), *start]

    def _news(self) -> ChargerReport | None:
        """Return the last report if its data is younger than the last command: an older one says nothing new."""
        return self._report if self._report is not None and self._report_of > self._answered_at else None


class Full(Baseline):
    """No control at all: the car draws its maximum."""

    def _rule(self, now: float) -> list[Command]:
        return []


class Upstream(Baseline):
    """amp-sensor-backend: on each post, what is left of the budget over a mean of 30 s, less 5 %.

    The car's own setting counts as what it draws, from a state up to 30 s old; lower at once, raise every 30 s at most.
    """

    WINDOW_S = 30.0
    SHARE = 0.95

    def __init__(self, site: Site, number: int = 0) -> None:
        super().__init__(site, number)
        self._window: deque[tuple[float, float]] = deque()
        self._state: ChargerReport | None = None
        self._fetched_at = -math.inf
        self._requested = 0
        self._requested_at = -math.inf

    def add_reading(self, reading: Reading) -> None:
        """Keep it for half a minute."""
        super().add_reading(reading)
        self._window.append((reading.at, reading.current))

    def _rule(self, now: float) -> list[Command]:
        if not self._fresh or self._report is None:
            return []
        self._fresh = False
        if self._state is None or now - self._fetched_at >= self.WINDOW_S:
            self._state, self._fetched_at = self._report, now
            seen = int(self._state.requested_amps or 0)
            if seen != self._requested:  # a change that has not shown yet passes for somebody else's
                self._requested, self._requested_at = seen, now - self.WINDOW_S
        if not self._state.state.draws:
            return []
        while self._window[0][0] <= now - self.WINDOW_S:
            self._window.popleft()
        mean = sum(amps for _, amps in self._window) / len(self._window)
        house = max(0.0, mean - (self._state.requested_amps or 0))
        amps = min(self._car_max, max(0, int((self._site.budget - house) * self.SHARE)))
        if amps == self._requested or (amps > self._requested and now - self._requested_at <= self.WINDOW_S):
            return []
        self._requested, self._requested_at = amps, now
        return [self._set(amps)]


class Evcc(Baseline):
    """evcc's circuits, charging at full speed: each 30 s, old + (budget − total); below 6 A it is disabled.

    Of several chargers, it looks at one each 30 s.
    """

    INTERVAL_S = 30.0
    MIN_AMPS = 6

    def __init__(self, site: Site, number: int = 0) -> None:
        super().__init__(site, number)
        self._offered = self._car_max
        self._enabled = True
        self._next = number * self.INTERVAL_S

    def _rule(self, now: float) -> list[Command]:
        if now < self._next or self._reading is None:
            return []
        self._next = now + self.INTERVAL_S * len(self._site.chargers)
        if (news := self._news()) is not None:  # evcc, too, asks its charger before it decides
            self._enabled = news.state.draws
            self._offered = int(news.requested_amps or self._offered)
        old = self._offered if self._enabled else 0
        amps = int(min(self._car_max, max(0.0, old + self._site.budget - self._reading.current)))
        if amps >= self.MIN_AMPS:
            return self._pause_or_set(old, amps) if amps != old else []
        return self._pause_or_set(old, 0) if self._enabled else []

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Believe what was accepted; what failed is tried again at the next tick."""
        super().acknowledge(command, outcome, now=now)
        if outcome is not Outcome.ACCEPTED:
            self._queue = []
        elif command.action is Action.SET_AMPS:
            self._offered = command.amps
        else:
            self._enabled = command.action is Action.START


class Helb(Baseline):
    """hass-evse-load-balancer: overload earns risk points each second; at 60 the limit falls by the deficit.

    A phase's points per second follow its overload: 1 up to 13 %, 2 up to 40 %, 6 up to 100 %, 60 above; they decay by
    one a second. Commands keep 20 s apart, raises 15 minutes. That it takes a late report of the car for a change by
    its user, and then never raises above it, is left out: with a cloud this slow it would hardly charge at all. A limit
    below the car's minimum pauses it, as a wallbox would.
    """

    MIN_AMPS = 5
    TRIPS_AT = 60.0
    POINTS = ((0.13, 1.0), (0.40, 2.0), (1.00, 6.0), (math.inf, 60.0))
    APART_S = 20.0
    RAISE_APART_S = 15 * 60.0

    def __init__(self, site: Site, number: int = 0) -> None:
        super().__init__(site, number)
        phases = len(site.house.phases)
        self._risk = [0.0] * phases
        self._allowed = [math.floor(site.budget)] * phases
        self._limit = self._car_max
        self._changed_at: float | None = None

    def _rule(self, now: float) -> list[Command]:
        if self._reading is None:
            return []
        budget = self._site.budget
        for phase, amps in enumerate(self._reading.known):
            available = min(math.floor(budget), math.floor(budget - amps))
            if available >= 0:
                self._risk[phase] = max(0.0, self._risk[phase] - 1.0)
                self._allowed[phase] = available
                continue
            share = -available / budget
            self._risk[phase] += next(points for limit, points in self.POINTS if share <= limit)
            if self._risk[phase] >= self.TRIPS_AT:
                self._risk[phase] = 0.0
                self._allowed[phase] = available
        if (news := self._news()) is not None:
            self._limit = int(news.requested_amps or 0) if news.state.draws else 0
        limit = max(0, min(self._car_max, self._limit + min(self._allowed)))
        if limit < self.MIN_AMPS:
            limit = 0
        since = math.inf if self._changed_at is None else now - self._changed_at
        if limit == self._limit or since <= (self.APART_S if limit < self._limit else self.RAISE_APART_S):
            return []
        old, self._limit, self._changed_at = self._limit, limit, now
        return self._pause_or_set(old, limit)


class Foresight(Baseline):
    """The line that nobody crosses by reacting: knows the true load, and the next 60 s of it before it raises.

    It does not act before a step, only in the second in which it happens; its commands take as long as everybody's.
    Of several cars, each takes its part of the allocation with hindsight.
    """

    AHEAD_S = 60

    def __init__(self, site: Site, number: int = 0) -> None:
        super().__init__(site, number)
        parts = allocation(site.house, budget=site.budget, chargers=site.chargers)
        self._now = [int(amps) for amps in parts[number].tolist()]
        self._ahead = list(self._now)
        window: deque[int] = deque()
        for second in range(len(self._now) - 1, -1, -1):
            while window and self._now[window[-1]] >= self._now[second]:
                window.pop()
            window.append(second)
            if window[0] > second + self.AHEAD_S:
                window.popleft()
            self._ahead[second] = self._now[window[0]]
        self._limit = self._car_max

    def _rule(self, now: float) -> list[Command]:
        second = int(now)
        old = self._limit
        if self._now[second] < old:
            self._limit = self._now[second]
        elif self._ahead[second] > old:
            self._limit = self._ahead[second]
        return self._pause_or_set(old, self._limit) if self._limit != old else []


class Apart:
    """Several cars, each with a rule of its own."""

    def __init__(self, make: Callable[[Site, int], Rule], site: Site) -> None:
        self._rules = {charger_id: make(site, number) for number, charger_id in enumerate(site.ids)}

    def add_reading(self, reading: Reading) -> None:
        """Let all have it."""
        for rule in self._rules.values():
            rule.add_reading(reading)

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Let its own rule have it."""
        self._rules[charger_id].add_report(charger_id, report, now=now)

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Let the one that sent it have it."""
        self._rules[command.charger_id].acknowledge(command, outcome, now=now)

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Return what all decide."""
        return tuple(decision for rule in self._rules.values() for decision in rule.decide(now=now))


def amp_sensor(site: Site) -> Controller:
    """Return the project's own controller, set up for a site."""
    controller = Controller(SiteSettings(max_amps=site.budget, mode=site.mode), now=0.0)
    for charger_id, charger in zip(site.ids, site.chargers, strict=True):
        controller.set_charger(charger_id, charger.settings(), now=0.0)
    return controller


CONTROLLERS: dict[str, Callable[[Site], Rule]] = {
    "amp_sensor": amp_sensor,
    "upstream": partial(Apart, Upstream),
    "evcc": partial(Apart, Evcc),
    "helb": partial(Apart, Helb),
    "foresight": partial(Apart, Foresight),
    "full": partial(Apart, Full),
}
