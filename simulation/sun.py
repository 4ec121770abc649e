"""Charging with surplus: on recorded houses under the recorded sun, against who knew both, and evcc's rule."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace as changed
from itertools import product
import math
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargeWith,
    Command,
    Controller,
    Decision,
    Outcome,
    Reading,
    Surplus,
)

from .baselines import Baseline, Rule, Site, amp_sensor
from .benchmark import BELLENDEN, NL, SHIPPED, SUN, UCI, UKDALE
from .house import VOLTS, House, load, load_sun
from .plant import NORMAL, Charger
from .replay import Record, replay

ROOF_W = 6000.0
"""The most that the roof gives, W."""
MOST_IMPORT = 0.03
"""The part of its charge that who knew everything may take from the grid, as everybody should."""
STEP_S = 10
"""Who knew everything decides so often, s: the recordings change every 6 s to a minute."""
SHADOW_S, SHADOW = (60.0, 600.0), (0.2, 0.4)
"""How long a cloud's shadow lies on the roof, and the sun between two of them, s; and the part that it leaves."""
HOURS = 40.0
"""Of each house, from five in the morning: two days, and the night between them."""
SURPLUS_ONLY, PLUS = ChargeWith.SURPLUS_ONLY, ChargeWith.MINIMUM_PLUS_SURPLUS


@dataclass(frozen=True, kw_only=True)
class Case:
    """A house under a roof of 6 kW, and the car that charges there."""

    path: Path
    budget: float
    charger: Charger
    about: str
    start_h: float = 5.0
    hours: float = HOURS
    clouds: int | None = None
    """The seed of the clouds that pass; None where the sky is as it was recorded."""

    def house(self) -> House:
        """Return its load under its sun."""
        sun = load_sun(SHIPPED / SUN)
        if self.clouds is not None:
            sun = under_clouds(sun, seed=self.clouds)
        house = load(self.path).window(start_h=self.start_h, hours=self.hours)
        return house.under_sun(sun * (ROOF_W / sun.max()))


def cases(folders: Iterable[Path], *, hours: float = HOURS) -> list[Case]:
    """Return those whose recording is in one of the folders, each for `hours` at most."""
    usual, local = Charger(max_amps=16), Charger(max_amps=16, min_amps=6, local=True)
    known = (
        Case(path=UCI, budget=25, charger=usual, about="Tesla on one phase", start_h=101),
        Case(path=UCI, budget=25, charger=local, about="local charger, one phase", start_h=101),
        Case(path=BELLENDEN, budget=20, charger=usual, about="Tesla on one phase", start_h=101),
        Case(path=BELLENDEN, budget=20, charger=local, about="local charger, one phase", start_h=101),
        Case(path=UKDALE, budget=20, charger=usual, about="Tesla on one phase"),
        Case(path=NL, budget=16, charger=usual, about="three phases, Tesla on all", start_h=101),
        Case(
            path=NL,
            budget=25,
            charger=changed(usual, phases=(1,)),
            about="three phases, Tesla on L1",
            start_h=101,
        ),
        Case(path=NL, budget=16, charger=usual, about="three phases, Tesla on all, made clouds", start_h=101, clouds=1),
        Case(
            path=NL,
            budget=25,
            charger=changed(usual, phases=(1,)),
            about="three phases, Tesla on L1, made clouds",
            start_h=101,
            clouds=1,
        ),
    )
    files = {path.name: path for folder in reversed([*folders]) for path in folder.glob("*.csv*")}
    return [changed(case, path=files[case.path.name], hours=hours) for case in known if case.path.name in files]


def under_clouds(watts: NDArray[np.float64], *, seed: int) -> NDArray[np.float64]:
    """Return what a roof would have given had clouds passed all day: made, not recorded, the same for one seed."""
    luck, shaded, at = Random(seed), watts.copy(), 0
    while at < len(shaded):
        at += round(luck.uniform(*SHADOW_S))
        end = at + round(luck.uniform(*SHADOW_S))
        shaded[at:end] *= luck.uniform(*SHADOW)
        at = end
    return shaded


class WithSurplus:
    """The project's own controller, told to charge with surplus."""

    def __init__(self, charge_with: ChargeWith, site: Site) -> None:
        self._controller: Controller = amp_sensor(site)
        self._surplus = Surplus()
        for charger_id, charger in zip(site.ids, site.chargers, strict=True):
            settings = changed(charger.settings(), charge_with=charge_with)
            self._controller.set_charger(charger_id, settings, now=0.0)

    def add_reading(self, reading: Reading) -> None:
        """Take a reading, and what it leaves over."""
        self._controller.add_reading(reading)
        for charger_id, rations in self._surplus.look(self._controller, now=reading.at).items():
            self._controller.ration(charger_id, rations)

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a car says."""
        self._controller.add_report(charger_id, report, now=now)

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Take the end of a command in flight."""
        self._controller.acknowledge(command, outcome, now=now)

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Decide."""
        return self._controller.decide(now=now)


class EvccSurplus(Baseline):
    """evcc's modes "pv" and "minpv": each 30 s, what is drawn and the power that flows out, as a current.

    Written anew from its documentation, with its circuit as load management. In "pv" it enables after a minute of
    enough for the minimum, disables after three minutes of power from the grid at the minimum (thresholds of 0 W), and
    leaves five minutes between both; no residual power. In "minpv" it never disables.
    """

    INTERVAL_S = 30.0
    ENABLE_S, DISABLE_S, GUARD_S = 60.0, 180.0, 300.0

    def __init__(self, charge_with: ChargeWith, site: Site) -> None:
        super().__init__(site)
        charger = site.chargers[0]
        self._is_pv = charge_with is SURPLUS_ONLY
        self._least = max(charger.min_amps, 6) if charger.local else charger.min_amps
        self._amp_w = VOLTS * len(charger.phases_in(len(site.house.phases)))
        self._offered, self._enabled = self._car_max, True
        self._next = 0.0
        self._since: float | None = None
        self._switched_at = -math.inf

    def _rule(self, now: float) -> list[Command]:
        if now < self._next or self._reading is None:
            return []
        self._next = now + self.INTERVAL_S
        if (news := self._news()) is not None:
            self._enabled = news.state.draws
            self._offered = int(news.requested_amps or self._offered)
        drawn = self._report.measured_amps or 0.0 if self._report is not None and self._enabled else 0.0
        target = max(0.0, drawn - self._reading.watts / self._amp_w)
        # Its circuit, too, leaves no more than the budget
        room = self._site.budget - self._reading.current + drawn
        amps = min(self._car_max, max(self._least, int(target)), int(room))
        if not self._is_pv or amps < self._least:
            return self._go(amps if amps >= self._least else 0, now)
        is_wrong = self._reading.watts >= 0 and target < self._least if self._enabled else target >= self._least
        if not is_wrong:
            self._since = None
        elif self._since is None:
            self._since = now
        waits_s = self.DISABLE_S if self._enabled else self.ENABLE_S
        is_due = self._since is not None and now - self._since >= waits_s
        if is_due and now - self._switched_at >= self.GUARD_S:
            self._since, self._switched_at = None, now
            return self._go(0 if self._enabled else self._least, now)
        return self._go(amps, now) if self._enabled else []

    def _go(self, amps: int, now: float) -> list[Command]:
        old = self._offered if self._enabled else 0
        return self._pause_or_set(old, amps) if amps != old else []

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Believe what was accepted; what failed is tried again at the next tick."""
        super().acknowledge(command, outcome, now=now)
        if outcome is not Outcome.ACCEPTED:
            self._queue = []
        elif command.action is Action.SET_AMPS:
            self._offered = command.amps
        else:
            self._enabled = command.action is Action.START


CONTENDERS: dict[str, Callable[[ChargeWith, Site], Rule]] = {"amp_sensor": WithSurplus, "evcc": EvccSurplus}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One replay."""

    case: Case
    charge_with: ChargeWith
    contender: str
    seed: int

    def result(self) -> Result:
        """Do it."""
        case = self.case
        house, record = case.house(), Record()
        came = replay(
            house,
            lambda site: CONTENDERS[self.contender](self.charge_with, site),
            budget=case.budget,
            chargers=(case.charger,),
            conditions=NORMAL,
            report_delta=1.0,
            seed=self.seed,
            record=record,
        )
        phases = len(case.charger.phases_in(len(house.phases)))
        drawn_w = np.array(record.car) * phases * VOLTS
        left_w = -house.phases.sum(axis=0) * VOLTS
        best_wh, taken_wh, imported_wh = judge(
            drawn_w, left_w, case.charger, amp_w=phases * VOLTS, charge_with=self.charge_with, starts=came.starts
        )
        return Result(
            taken_pct=100 * taken_wh / best_wh,
            of_whole_pct=100 * taken_wh / whole_wh(left_w, case.charger, amp_w=phases * VOLTS),
            imported_pct=100 * imported_wh / (float(drawn_w.sum()) / 3600),
            starts_per_day=came.starts / came.days,
            commands_per_h=came.commands_per_h,
            taken_kwh_per_day=taken_wh / 1000 / came.days,
            trips=came.trips,
        )


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of it."""

    taken_pct: float
    """Surplus charged, of what could have been with as many starts and 3 % from the grid, %."""
    of_whole_pct: float
    """Of what whole amps there were, the minimum or more, whatever the starts, %."""
    imported_pct: float
    """What was charged from the grid, beyond the minimum where that is to be kept, of all that was charged, %."""
    starts_per_day: float
    commands_per_h: float
    taken_kwh_per_day: float
    trips: int


def judge(
    drawn_w: NDArray[np.float64],
    left_w: NDArray[np.float64],
    charger: Charger,
    *,
    amp_w: float,
    charge_with: ChargeWith,
    starts: int,
) -> tuple[float, float, float]:
    """Return the most of the surplus that could have been charged, what was, and what was imported for it, Wh."""
    sun_w = np.maximum(0.0, left_w)
    least_w, most_w = charger.min_amps * amp_w, charger.max_amps * amp_w
    right_w = np.clip(np.floor(left_w / amp_w) * amp_w, least_w, most_w)
    taken_wh = float(np.minimum(drawn_w, sun_w).sum()) / 3600
    if charge_with is PLUS:
        beyond = np.maximum(0.0, drawn_w - np.maximum(sun_w, least_w))
        return float(np.minimum(right_w, sun_w).sum()) / 3600, taken_wh, float(beyond.sum()) / 3600
    imported_wh = float(np.maximum(0.0, drawn_w - sun_w).sum()) / 3600
    return clairvoyant_wh(right_w, sun_w, max(1, starts)), taken_wh, imported_wh


def whole_wh(left_w: NDArray[np.float64], charger: Charger, *, amp_w: float) -> float:
    """Return what there is in whole amps, the minimum or more, Wh."""
    amps = np.minimum(np.floor(left_w / amp_w), charger.max_amps)
    return float((amps[amps >= charger.min_amps] * amp_w).sum()) / 3600


def clairvoyant_wh(right_w: NDArray[np.float64], sun_w: NDArray[np.float64], starts: int) -> float:
    """Return what could be charged of the sun with so many starts, and little enough from the grid, Wh.

    The price of what is imported is raised until it is.
    """
    gain = np.minimum(right_w, sun_w)[::STEP_S] * STEP_S / 3600
    cost = np.maximum(0.0, right_w - sun_w)[::STEP_S] * STEP_S / 3600
    low, high, best = 0.0, 64.0, 0.0
    for _ in range(12):
        price = (low + high) / 2
        on = _best_on(gain - price * cost, starts)
        if cost[on].sum() <= MOST_IMPORT * (gain[on].sum() + cost[on].sum()):
            best, high = max(best, float(gain[on].sum())), price
        else:
            low = price
    return best


def _best_on(worth: NDArray[np.float64], starts: int) -> NDArray[np.bool_]:
    """Return when to be on, so that it is worth most with so many starts."""
    off = np.zeros(starts + 1)
    on = np.full(starts + 1, -np.inf)
    kept, ended = [], []
    for step in worth:
        begun = np.concatenate(([-np.inf], off[:-1]))
        stays = on >= begun
        ends = on > off
        off = np.where(ends, on, off)
        on = np.where(stays, on, begun) + step
        kept.append(stays)
        ended.append(ends)
    state = np.zeros(len(worth), dtype=bool)
    is_on = bool(on.max() > off.max())
    used = int(np.argmax(on if is_on else off))
    for step in range(len(worth) - 1, -1, -1):
        # What was known before this step: `ended` moved on to off, `kept` says where on came from
        if is_on:
            state[step] = True
            if not kept[step][used]:
                is_on, used = False, used - 1
        elif ended[step][used]:
            is_on = True
            state[step] = False
    return state


def run(houses: Sequence[Case], *, seeds: int) -> dict[Run, Result]:
    """Replay all cases with all contenders and both wishes, on all cores."""
    runs = [
        Run(case=case, charge_with=charge_with, contender=contender, seed=seed)
        for case, charge_with, contender, seed in product(houses, (SURPLUS_ONLY, PLUS), CONTENDERS, range(1, seeds + 1))
    ]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return dict(zip(runs, pool.map(Run.result, runs), strict=True))


HEAD = """\
| house | charges with | controller | of the clairvoyant's surplus, % | of all whole amps, % | kWh/day \
| imported, % | starts/day | commands/h | trips |
|---|---|---|--:|--:|--:|--:|--:|--:|--:|"""


def table(results: dict[Run, Result]) -> str:
    """Return the results as a table of means over the seeds."""
    rows = [HEAD]
    keys = dict.fromkeys((run.case, run.charge_with, run.contender) for run in results)
    for case, charge_with, contender in keys:
        each = [
            result
            for run, result in results.items()
            if (run.case, run.charge_with, run.contender) == (case, charge_with, contender)
        ]
        name = case.path.name.split(".")[0]
        rows.append(
            f"| {name}, {case.about} | {charge_with.replace('_', ' ')} | {contender} "
            f"| {fmean(r.taken_pct for r in each):.1f} | {fmean(r.of_whole_pct for r in each):.1f} "
            f"| {fmean(r.taken_kwh_per_day for r in each):.1f} "
            f"| {fmean(r.imported_pct for r in each):.1f} | {fmean(r.starts_per_day for r in each):.1f} "
            f"| {fmean(r.commands_per_h for r in each):.1f} | {sum(r.trips for r in each)} |"
        )
    return "\n".join(rows)
