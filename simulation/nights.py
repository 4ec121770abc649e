"""Nights in which a car is to be ready by seven, at prices that differ: who makes it, and at what cost.

The houses are recorded, the prices are not: no real ones are at hand. Each night has a made-up day-ahead curve of
quarters of an hour, cheap at night, dear in the evening and the morning, with chance on top, the same for everybody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, cos, floor, pi
from pathlib import Path
from random import Random
from statistics import fmean

from tqdm import tqdm

from custom_components.amp_sensor.control import Controller, Plan, Reason, SiteSettings, Slot, Usual, When, make_plan
from custom_components.amp_sensor.control.plan import AHEAD_S, REPLAN_S

from .benchmark import SHIPPED
from .hindsight import allocation
from .house import DAY_S, House, load
from .plant import NORMAL, Charger, Cloud, Sensor

STEP_S = 5
"""How often anything happens, s: as often as the meter posts."""
READY_H, ARRIVES_H = 7, (17.0, 21.0)
"""When the car is to be ready, and between when it comes."""
NEEDS_KWH = (5.0, 30.0)
"""Between what it needs."""
SURELY = 0.8
"""It never needs more of what could be had with hindsight: nobody can promise what is not there."""
QUARTER_S = 900
HOUR_S = 3600


def price(quarter: int, night: int, seed: int) -> float:
    """Return what a kWh costs in a quarter of a day (0 to 95), EUR, of a made-up night."""
    hour = quarter / 4
    evening = max(0.0, cos((hour - 19) / 5 * pi / 2)) if 14 < hour < 24 else 0.0
    morning = max(0.0, cos((hour - 8) / 3 * pi / 2)) if 5 < hour < 11 else 0.0
    luck = Random(f"{seed} {night} {quarter // 4}").gauss(0, 0.02) + Random(f"{seed} {night} q{quarter}").gauss(0, 0.01)
    return max(0.01, 0.16 + 0.14 * evening + 0.06 * morning + luck)


@dataclass(frozen=True, kw_only=True)
class Night:
    """One house, one night, one car."""

    path: Path
    budget: float
    charger: Charger
    day: int
    """Of the recording, from 0: the evening of it."""
    seed: int

    def arrives_h(self) -> float:
        """Return when the car comes."""
        return Random(f"{self.seed} {self.day} arrives").uniform(*ARRIVES_H)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a night came to."""

    needed_wh: float
    got_wh: float
    cost: float
    best_cost: float
    starts: int

    @property
    def is_made(self) -> bool:
        """Whether it had what it needed: but for what a battery's own display does not show."""
        return self.got_wh >= 0.99 * self.needed_wh


type Planner = Callable[[list[Slot], float, bool, Plan | None], Plan | None]
"""Plans from what is left, what is needed, Wh, whether it charges, and the plan before; None charges at once."""


def ours(when: When) -> Planner:
    """Return the project's own plan."""

    def planned(slots: list[Slot], needed_wh: float, is_charging: bool, last: Plan | None) -> Plan | None:
        was_pressed = last is not None and last.is_pressed
        return make_plan(when, slots, needed_wh, is_charging=is_charging, was_pressed=was_pressed)

    return planned


def at_once(slots: list[Slot], needed_wh: float, is_charging: bool, last: Plan | None) -> Plan | None:
    """Charge as soon as the car is there."""
    return None


def by_rating(watts: float) -> Planner:
    """Return a plan of fixed times: as late as a charger that always had its `watts` would need."""

    def planned(slots: list[Slot], needed_wh: float, is_charging: bool, last: Plan | None) -> Plan | None:
        if last is not None:
            return last
        begin = slots[-1].end - needed_wh / watts * HOUR_S
        return Plan(
            slots=tuple(slot for slot in slots if slot.end > begin),
            expected_wh=needed_wh,
            cost=0.0,
            makes_it=True,
            is_pressed=False,
        )

    return planned


def from_hour(hour: int) -> Planner:
    """Return a plan of fixed times: from an hour of the night on until it is ready."""

    def planned(slots: list[Slot], needed_wh: float, is_charging: bool, last: Plan | None) -> Plan | None:
        late = [slot for slot in slots if slot.start % DAY_S >= hour * HOUR_S or slot.start % DAY_S < 12 * HOUR_S]
        return Plan(slots=tuple(late), expected_wh=needed_wh, cost=0.0, makes_it=True, is_pressed=False)

    return planned


@cache
def _house(path: Path) -> House:
    return load(path)


def learned(night: Night) -> Usual:
    """Return what the house showed until the car comes, as the site learns it second by second."""
    house, until = _house(night.path), night.day * DAY_S + int(night.arrives_h() * HOUR_S)
    usual = Usual()
    most, least = night.charger.max_amps, night.charger.min_amps
    for hour in range(house.start_s // HOUR_S, until // HOUR_S):
        part = house.window(start_h=hour, hours=1).peak
        fits = [amps if (amps := min(most, floor(night.budget - 0.1 - each))) >= least else 0 for each in part.tolist()]
        mean = sum(fits) / len(fits)
        for _ in range(60):
            usual.add(hour % 168, mean, mean, 60.0)
    return usual


def play(night: Night, planner: Planner) -> Result:
    """Play a night with the project's own controller."""
    begin = night.day * DAY_S + int(night.arrives_h() * HOUR_S)
    ready = (night.day + 1) * DAY_S + READY_H * HOUR_S
    house = _house(night.path).window(start_h=begin / HOUR_S, hours=(ready - begin) / HOUR_S)
    charger = night.charger
    phases = len(charger.phases_in(len(house.phases)))
    volts = 230.0 * phases
    prices = {quarter: price(quarter % 96, night.day, night.seed) for quarter in range(begin // 900, ready // 900 + 1)}
    best = allocation(house, budget=night.budget, chargers=(charger,))[0]
    needed_wh, best_cost = _best(night, best * volts / HOUR_S, begin, prices)

    usual = learned(night)
    controller = Controller(SiteSettings(max_amps=night.budget), now=begin - 120.0)
    controller.set_charger("car", charger.settings(), now=begin - 120.0)
    car = charger.car(Random(f"{night.seed} car"), phases=len(house.phases))
    cloud = Cloud(car, NORMAL, seed=f"{night.seed} {night.day}")
    sensor = Sensor(NORMAL, report_delta=0.0, seed=night.seed)
    got_wh = cost = 0.0
    starts, plan = 0, None
    for second in range(0, house.seconds, STEP_S):
        now, amps = begin + second, house.phases[:, second].tolist()
        cloud.tick(now)
        car.tick(now)
        wh = car.amps * volts * STEP_S / HOUR_S
        counted = min(wh, max(0.0, needed_wh - got_wh))
        got_wh += wh
        cost += counted / 1000 * prices[now // QUARTER_S]
        while (answer := cloud.answer(now)) is not None:
            controller.acknowledge(*answer, now=now)
        if (report := cloud.report(now)) is not None:
            controller.add_report("car", report, now=now)
        loaded = charger.phases_in(len(amps))
        totals = tuple(each + (car.amps if phase in loaded else 0.0) for phase, each in enumerate(amps, 1))
        if (reading := sensor.sample(now, totals)) is not None:
            controller.add_reading(reading)
        if (fits := controller.fits("car", now=now)) is not None:
            usual.add(now // HOUR_S % 168, *fits, float(STEP_S))
        is_met = got_wh >= needed_wh
        if second % REPLAN_S == 60 or (second > 60 and now % QUARTER_S < STEP_S):
            left = needed_wh - got_wh
            slots = _slots(now, ready - int(AHEAD_S), prices, usual=usual, most=charger.max_amps, volts=volts)
            running = controller.chargers["car"].running
            plan = planner(slots, left, running, plan) if slots and left > 0 else None
        waits = second >= 60 and plan is not None and not plan.charges_at(now)
        ration = {Reason.WANTED_REACHED: 0} if is_met else {Reason.PLANNED: 0} if waits or second < 60 else {}
        controller.ration("car", ration)
        for decision in controller.decide(now=now):
            if decision.command is not None:
                starts += decision.command.action == "start"
                cloud.send(decision.command, now)
        if is_met and car.amps == 0:
            break
    return Result(needed_wh=needed_wh, got_wh=got_wh, cost=cost, best_cost=best_cost, starts=starts)


def _slots(now: int, until: int, prices: dict[int, float], *, usual: Usual, most: int, volts: float) -> list[Slot]:
    slots = []
    for quarter in range(now // QUARTER_S, ceil(until / QUARTER_S)):
        start, end = max(now, quarter * QUARTER_S), min(until, (quarter + 1) * QUARTER_S)
        if end <= start:
            continue
        usually, safe = usual.expect(start // HOUR_S % 168, start - now)
        slots.append(
            Slot(
                start=float(start),
                end=float(end),
                price=prices[quarter],
                usual_watts=volts * min(most, usually),
                safe_watts=volts * min(most, safe),
            )
        )
    return slots


def _best(night: Night, wh: object, begin: int, prices: dict[int, float]) -> tuple[float, float]:
    """Return what is needed, Wh, and the least that it can cost for who knows the house second by second."""
    by_quarter: dict[int, float] = {}
    for second, each in enumerate(wh.tolist()):  # type: ignore[attr-defined]
        quarter = (begin + second) // QUARTER_S
        by_quarter[quarter] = by_quarter.get(quarter, 0.0) + each
    wanted_wh = 1000 * Random(f"{night.seed} {night.day} needs").uniform(*NEEDS_KWH)
    needed_wh = min(wanted_wh, SURELY * sum(by_quarter.values()))
    left, cost = needed_wh, 0.0
    for quarter in sorted(by_quarter, key=lambda each: prices[each]):
        taken = min(left, by_quarter[quarter])
        left, cost = left - taken, cost + taken / 1000 * prices[quarter]
    return needed_wh, cost


HOUSES = (
    ("bellenden_2012mar_6s", 15.0, Charger(max_amps=13), 6),
    ("ukdale_h1_2013apr_6s", 20.0, Charger(max_amps=16), 3),
    ("uci_sceaux_2007jan_1min", 25.0, Charger(max_amps=16), 6),
    ("nl_dsmr_2017sep_3ph_10s", 16.0, Charger(max_amps=16), 5),
)
"""Recordings, their budgets, cars, and how many nights each has."""


def nights(traces: Path, seeds: int) -> list[Night]:
    """Return each night of each recording that is there, or in this repository, with so many cars and prices."""
    found = []
    for name, budget, charger, count in HOUSES:
        paths = (folder / f"{name}.csv.gz" for folder in (traces, SHIPPED))
        if (path := next((path for path in paths if path.exists()), None)) is not None:
            found += [
                Night(path=path, budget=budget, charger=charger, day=day, seed=seed)
                for day in range(count)
                for seed in range(1, seeds + 1)
            ]
    return found


def contenders(night: Night) -> dict[str, Planner]:
    """Return who is compared, by name."""
    watts = 230.0 * night.charger.max_amps * len(night.charger.phases_in(len(_house(night.path).phases)))
    return {
        "cheapest hours": ours(When.CHEAPEST),
        "as late as safe": ours(When.LATE),
        "at once": at_once,
        "from 23:00 on": from_hour(23),
        "as late as its rating says": by_rating(watts),
    }


def report(traces: Path, seeds: int) -> str:
    """Play each night with each plan; return a table of what that came to."""
    played: dict[str, list[Result]] = {}
    for night in tqdm(nights(traces, seeds)):
        for name, planner in contenders(night).items():
            played.setdefault(name, []).append(play(night, planner))
    rows = [f"| {name} | {summary(results)} |" for name, results in played.items()]
    return "\n".join(["| plan | ready | cost | starts |", "| --- | --- | --- | --- |", *rows])


def summary(results: Sequence[Result]) -> str:
    """Return what nights came to: those made, cost of what the cheapest possible is (of those), starts a night."""
    made = [result for result in results if result.is_made]
    cost = sum(result.cost for result in made) / (sum(result.best_cost for result in made) or 1.0)
    starts = fmean(result.starts for result in results)
    return f"{len(made)} of {len(results)} | {100 * cost:.1f} % | {starts:.1f}"
