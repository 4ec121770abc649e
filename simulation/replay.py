"""A recorded house, a simulated plant and a controller, second by second; and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace as changed
from random import Random

import numpy as np
from numpy.typing import NDArray

from custom_components.amp_sensor.control import Action, Mode, Reason

from .baselines import CAR, CONTROLLERS, Foresight, Rule, Site
from .car import Car
from .house import House
from .plant import NORMAL, Breaker, Cloud, Conditions, Sensor

MIN_AMPS = 5
"""The least the clairvoyant draws: the floor of Tesla's own app."""
TOLERANCE_AMPS = 0.3
"""Over budget by no more than this does not count."""
HOUR_S = 3600
DAY_S = 86400


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a replay came to. Over budget is only what the car added, of the worst phase."""

    days: float
    energy_pct: float
    """Charge taken, of a clairvoyant that always draws the right whole amps (5 or more, else none), %."""
    over_amp_s_per_day: float
    over_s_per_day: float
    longest_over_s: int
    commands_per_h: float
    starts: int
    stops: int
    trips: int
    """Openings of a breaker rated at the budget while the car drew current."""


@dataclass(kw_only=True)
class Record:
    """Second by second, for a plot."""

    house: list[float] = field(default_factory=list)
    car: list[float] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    reason: list[Reason | None] = field(default_factory=list)
    commands: list[tuple[int, Action]] = field(default_factory=list)


def replay(
    house: House,
    controller: str | Callable[[Site], Rule],
    *,
    budget: float,
    car_max: int,
    mode: Mode = Mode.BALANCED,
    conditions: Conditions = NORMAL,
    report_delta: float = 0.0,
    seed: int = 1,
    record: Record | None = None,
) -> Result:
    """Let a controller (by name, or what makes one) have a house for as long as its recording goes.

    `budget` and `car_max` in A per phase; `report_delta` in A, 0 for posts at the interval only. The same seed gives
    the same luck. Raises RuntimeError where a controller sends a second command while one is in flight.
    """
    site = Site(budget=budget, car_max=car_max, mode=mode, house=house)
    rule = (CONTROLLERS[controller] if isinstance(controller, str) else controller)(site)
    if isinstance(rule, Foresight):
        conditions = changed(conditions, failing=0.0, silently_lost=0.0)
    car = Car.endless(rng=Random(f"{seed} car"), max_amps=car_max, phases=len(house.phases))
    sensor = Sensor(conditions, report_delta=report_delta, seed=seed)
    cloud = Cloud(car, conditions, seed=seed)
    breakers = [Breaker(budget) for _ in house.phases]
    charge = over_amp_s = 0.0
    over_s = run_s = longest_s = commands = starts = stops = trips = 0
    target, reason = car_max, None

    for now, amps in enumerate(zip(*house.phases.tolist(), strict=True)):
        cloud.tick(now)
        car.tick(now)
        drawn = car.amps
        charge += drawn
        totals = tuple([each + drawn for each in amps])

        excess = min(max(totals) - budget, drawn)
        if max(totals) - budget > TOLERANCE_AMPS and drawn > 0:
            over_amp_s += excess
            over_s += 1
            run_s += 1
            longest_s = max(longest_s, run_s)
        else:
            run_s = 0
        for breaker, total in zip(breakers, totals, strict=True):
            if breaker.tick(total) and drawn > 0:
                trips += 1

        answer = cloud.answer(now)
        if answer is not None:
            rule.acknowledge(*answer, now=now)
        report = cloud.report(now)
        if report is not None:
            rule.add_report(CAR, report, now=now)
        reading = sensor.sample(now, totals)
        if reading is not None:
            rule.add_reading(reading)
        for decision in rule.decide(now=now):
            target, reason = decision.target, decision.reason
            command = decision.command
            if command is not None:
                cloud.send(command, now)
                commands += 1
                starts += command.action is Action.START
                stops += command.action is Action.STOP
                if record is not None:
                    record.commands.append((now, command.action))
        if record is not None:
            record.house.append(max(amps))
            record.car.append(drawn)
            record.target.append(target)
            record.reason.append(reason)

    days = house.seconds / DAY_S
    best = clairvoyant(house, budget=budget, car_max=car_max)
    return Result(
        days=days,
        energy_pct=100 * charge / best if best else 0.0,
        over_amp_s_per_day=over_amp_s / days,
        over_s_per_day=over_s / days,
        longest_over_s=longest_s,
        commands_per_h=commands * HOUR_S / house.seconds,
        starts=starts,
        stops=stops,
        trips=trips,
    )


def ideal(house: House, *, budget: float, car_max: int) -> NDArray[np.float64]:
    """Return the right whole amps of each second: 5 or more, else none."""
    whole: NDArray[np.float64] = np.minimum(np.floor(budget - house.peak + 1e-9), car_max)
    return np.where(whole >= MIN_AMPS, whole, 0.0)


def clairvoyant(house: House, *, budget: float, car_max: int) -> float:
    """Return the charge, A·s per phase, of always drawing the right whole amps."""
    return float(ideal(house, budget=budget, car_max=car_max).sum())
