"""What deciding costs: processor time of a decision and of a reading, and how many trivial loops that is."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
import time

import numpy as np

from custom_components.amp_sensor.control import ChargerReport, Command, Decision, Mode, Outcome, Reading

from .baselines import Rule, Site, amp_sensor
from .house import House
from .plant import Charger
from .replay import replay

MANY = tuple(Charger(max_amps=16, phases=((1,), (2,), (3,), (1, 2, 3))[number % 4]) for number in range(10))
BUDGET_A = 63.0
"""A per phase: what ten cars at a time can share, and have to."""
LOOP = range(10_000)
"""A trivial loop: so many additions. Its time tells one machine, and one busy moment, from another."""
LOOPS = 50


class Stopwatch:
    """The project's own controller, whose calls are timed."""

    def __init__(self, site: Site) -> None:
        self.decisions_s: list[float] = []
        self.readings_s: list[float] = []
        self._rule: Rule = amp_sensor(site)

    def add_reading(self, reading: Reading) -> None:
        """Take a reading."""
        began = time.thread_time()
        self._rule.add_reading(reading)
        self.readings_s.append(time.thread_time() - began)

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a car says."""
        self._rule.add_report(charger_id, report, now=now)

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Take the end of a command in flight."""
        self._rule.acknowledge(command, outcome, now=now)

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Decide."""
        began = time.thread_time()
        decisions = self._rule.decide(now=now)
        self.decisions_s.append(time.thread_time() - began)
        return decisions


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Times of many calls."""

    title: str
    usual_s: float
    """Median."""
    slow_s: float
    """99th percentile."""
    loops: float
    """The median, in trivial loops."""

    @classmethod
    def of(cls, title: str, times_s: list[float], loop_s: float) -> Cost:
        """Sum up."""
        usual_s = median(times_s)
        return cls(title=title, usual_s=usual_s, slow_s=quantiles(times_s, n=100)[-1], loops=usual_s / loop_s)


def measure(house: House) -> list[Cost]:
    """Let ten chargers share three phases that are made from a recorded house, and one have the house itself."""
    watches: list[Stopwatch] = []

    def timed(site: Site) -> Rule:
        watches.append(Stopwatch(site))
        return watches[-1]

    three = House(name=house.name, start_s=house.start_s, phases=np.vstack([house.peak, house.peak[::-1], house.peak]))
    replay(three, timed, budget=BUDGET_A, chargers=MANY, mode=Mode.BALANCED, report_delta=1.0)
    replay(house, timed, budget=25.0, chargers=(Charger(max_amps=16),), mode=Mode.BALANCED, report_delta=1.0)
    many, one = watches
    loop_s = trivial_loop_s()
    return [
        Cost.of("a decision for ten chargers on three phases", many.decisions_s, loop_s),
        Cost.of("a reading with ten chargers on three phases", many.readings_s, loop_s),
        Cost.of("a decision for one charger", one.decisions_s, loop_s),
        Cost.of("a reading with one charger", one.readings_s, loop_s),
    ]


def trivial_loop_s() -> float:
    """Return what a trivial loop takes here and now: what work is held against, rather than against a clock."""
    return min(_timed(lambda: sum(number for number in LOOP)) for _ in range(LOOPS))


def _timed(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return time.thread_time() - began


def report(costs: list[Cost]) -> str:
    """Return a table."""
    head = f"| | usual, µs | 1 in 100 takes, µs | loops of {len(LOOP):,} additions |\n|---|--:|--:|--:|"
    rows = [
        f"| {cost.title} | {cost.usual_s * 1e6:,.0f} | {cost.slow_s * 1e6:,.0f} | {cost.loops:.2f} |" for cost in costs
    ]
    return "\n".join([head, *rows])
