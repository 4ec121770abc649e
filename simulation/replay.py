"""A recorded house, a simulated plant and a controller, second by second; and what came of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace as changed
from random import Random

from custom_components.amp_sensor.control import Action, Command, Mode, Reason

from .baselines import CONTROLLERS, Rule, Site
from .hindsight import allocation
from .house import DAY_S, House
from .plant import NORMAL, Breaker, Charger, Cloud, Conditions, Sensor

TOLERANCE_AMPS = 0.3
"""Over budget by no more than this does not count."""
LATELY_S = 60
"""A limit is lowered for what was over within so many seconds."""
HOUR_S = 3600


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a replay came to. Over budget is only what the cars added to a phase, of the worst phase; import only."""

    days: float
    energy_pct: float
    """Energy taken, of the best allocation with hindsight (whole amps; the minimum or more, else none), %."""
    over_amp_s_per_day: float
    over_s_per_day: float
    longest_over_s: int
    commands_per_h: float
    starts: int
    stops: int
    trips: int
    """Openings of a breaker rated at the budget, one per phase, while a car drew current from it."""
    share_off_pct: float
    """How far the cars' shares of the energy are from those of that allocation, of the worst car, percentage points."""
    needless: int
    """Limits lowered while only phases were over the budget that the car does not load."""


@dataclass(kw_only=True)
class Record:
    """Second by second, for a plot: of the phase with the least room among those that a car may load."""

    house: list[float] = field(default_factory=list)
    car: list[float] = field(default_factory=list)
    """What all cars there draw."""
    target: list[int] = field(default_factory=list)
    """Of the first car, as the reasons are."""
    reason: list[Reason | None] = field(default_factory=list)
    commands: list[tuple[int, Action]] = field(default_factory=list)


class Watch:
    """What the breakers' owner would write down: how far over, for how long, whose fault, and what opened."""

    def __init__(self, budget: float, phases: int) -> None:
        self.over_amp_s = 0.0
        self.over_s = self.longest_s = self.trips = self.needless = 0
        self._run_s = 0
        self._budget = budget
        self._breakers = [Breaker(budget) for _ in range(phases)]
        self._over_at = [-LATELY_S] * phases

    def tick(self, now: int, totals: Iterable[float], added: Iterable[float]) -> None:
        """Take what flows on each phase for a second, and what of it the cars draw."""
        excess = 0.0
        for phase, (total, cars) in enumerate(zip(totals, added, strict=True)):
            over = total - self._budget
            if over > 0:
                self._over_at[phase] = now
            if over > TOLERANCE_AMPS and cars > 0:
                excess = max(excess, min(over, cars))
            if self._breakers[phase].tick(total) and cars > 0:
                self.trips += 1
        if excess:
            self.over_amp_s += excess
            self.over_s += 1
            self._run_s += 1
            self.longest_s = max(self.longest_s, self._run_s)
        else:
            self._run_s = 0

    def lowered(self, now: int, phases: Iterable[int]) -> None:
        """Take that the limit of a car on these phases (from 1) is lowered."""
        lately = {phase for phase, at in enumerate(self._over_at, start=1) if at > now - LATELY_S}
        self.needless += bool(lately) and lately.isdisjoint(phases)


def replay(
    house: House,
    controller: str | Callable[[Site], Rule],
    *,
    budget: float,
    chargers: tuple[Charger, ...],
    mode: Mode = Mode.BALANCED,
    conditions: Conditions = NORMAL,
    report_delta: float = 0.0,
    seed: int = 1,
    record: Record | None = None,
) -> Result:
    """Let a controller (by name, or what makes one) have a house for as long as its recording goes.

    `budget` in A per phase; `report_delta` in A, 0 for posts at the interval only. The same seed gives the same luck;
    each car has its own.
    """
    site = Site(budget=budget, chargers=chargers, mode=mode, house=house)
    rule = (CONTROLLERS[controller] if isinstance(controller, str) else controller)(site)
    if controller == "foresight":
        conditions = changed(conditions, failing=0.0, silently_lost=0.0)
    count = len(house.phases)
    cars = [each.car(Random(f"{seed} {name}"), phases=count) for name, each in zip(site.ids, chargers, strict=True)]
    clouds = {
        name: Cloud(car, each.conditions(conditions), seed=seed if car is cars[0] else f"{seed} {name}")
        for name, car, each in zip(site.ids, cars, chargers, strict=True)
    }
    loaded = {name: each.phases_in(count) for name, each in zip(site.ids, chargers, strict=True)}
    on_phase = [
        [car for car, phases in zip(cars, loaded.values(), strict=True) if phase in phases]
        for phase in range(1, count + 1)
    ]
    used = sorted({phase - 1 for phases in loaded.values() for phase in phases})
    sensor = Sensor(conditions, report_delta=report_delta, seed=seed)
    watch = Watch(budget, count)
    charges = [0.0] * len(cars)
    targets = {name: each.max_amps for name, each in zip(site.ids, chargers, strict=True)}
    first, reason = site.ids[0], None
    sent: list[tuple[int, Command]] = []

    for now, amps in enumerate(zip(*house.phases.tolist(), strict=True)):
        for number, (car, cloud) in enumerate(zip(cars, clouds.values(), strict=True)):
            cloud.tick(now)
            car.tick(now)
            charges[number] += car.amps
        added = [sum([car.amps for car in there]) for there in on_phase]
        totals = tuple([each + drawn for each, drawn in zip(amps, added, strict=True)])
        watch.tick(now, totals, added)

        for name, cloud in clouds.items():
            while (answer := cloud.answer(now)) is not None:
                rule.acknowledge(*answer, now=now)
            if (report := cloud.report(now)) is not None:
                rule.add_report(name, report, now=now)
        reading = sensor.sample(now, totals)
        if reading is not None:
            rule.add_reading(reading)
        for decision in rule.decide(now=now):
            name, command = decision.charger_id, decision.command
            if name == first:
                reason = decision.reason
            if command is not None:
                clouds[name].send(command, now)
                sent.append((now, command))
                if command.action is Action.STOP or 0 < command.amps < targets[name]:
                    watch.lowered(now, loaded[name])
            targets[name] = decision.target
        if record is not None:
            worst = max(used, key=totals.__getitem__)
            record.house.append(amps[worst])
            record.car.append(added[worst])
            record.target.append(targets[first])
            record.reason.append(reason)

    if record is not None:
        record.commands += [(at, command.action) for at, command in sent if command.charger_id == first]
    # Per phase is what is counted, so a car weighs as much as the phases that it loads.
    weights = [len(phases) / max(map(len, loaded.values())) for phases in loaded.values()]
    best = allocation(house, budget=budget, chargers=chargers).sum(axis=1).tolist()
    taken = [charge * weight for charge, weight in zip(charges, weights, strict=True)]
    right = [charge * weight for charge, weight in zip(best, weights, strict=True)]
    days = house.seconds / DAY_S
    return Result(
        days=days,
        energy_pct=100 * sum(taken) / sum(right) if sum(right) else 0.0,
        over_amp_s_per_day=watch.over_amp_s / days,
        over_s_per_day=watch.over_s / days,
        longest_over_s=watch.longest_s,
        commands_per_h=len(sent) * HOUR_S / house.seconds,
        starts=sum(command.action is Action.START for _, command in sent),
        stops=sum(command.action is Action.STOP for _, command in sent),
        trips=watch.trips,
        share_off_pct=100 * max(abs(a - b) for a, b in zip(_shares(taken), _shares(right), strict=True)),
        needless=watch.needless,
    )


def _shares(charges: list[float]) -> list[float]:
    whole = sum(charges)
    return [charge / whole if whole else 0.0 for charge in charges]
