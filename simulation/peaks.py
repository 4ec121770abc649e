"""A limit on the energy of each quarter of an hour: what a car gets within it, against somebody who knew the house."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from custom_components.amp_sensor.control import (
    ChargerReport,
    Clock,
    Command,
    Controller,
    Decision,
    LimitSettings,
    Outcome,
    Reading,
    Reason,
)

from .baselines import CONTROLLERS, Site
from .house import DAY_S, VOLTS, House, load
from .plant import CONDITIONS, Charger
from .replay import Record, replay

WINDOW_S = 900
TOLERANCE_PART = 0.01
"""A window above the limit by no more than this part counts as within it."""


class WithLimit:
    """The project's controller, with a limit beside the budget."""

    def __init__(self, site: Site, limit: LimitSettings) -> None:
        """Take the house's own clock: its windows are those of the recording."""
        self._rule: Controller = CONTROLLERS["amp_sensor"](site)  # type: ignore[assignment]
        self._limits: Mapping[str, LimitSettings] = {"limit": limit}
        self._start_s = site.house.start_s

    def add_reading(self, reading: Reading) -> None:
        """Take a reading."""
        self._rule.add_reading(reading)

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a car says."""
        self._rule.add_report(charger_id, report, now=now)

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        """Take the end of a command in flight."""
        self._rule.acknowledge(command, outcome, now=now)

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Tell the clock, as the site does each second, and decide."""
        day = int((now + self._start_s) // DAY_S)
        self._rule.limit(self._limits, Clock(wall_s=self._start_s, month=str(day // 30)), now=now)
        return self._rule.decide(now=now)


@dataclass(frozen=True, kw_only=True)
class Windows:
    """What came of one house."""

    charge_pct: float
    """Of what somebody charges who knows each window's house: its mean room, its minimum or more, or nothing, %."""
    over: int
    """Windows above the limit by more than the tolerance that the house alone did not exceed."""
    worst_pct: float
    """By how much the worst of these, or of those within the tolerance, was above the limit, %."""
    house_over: int
    """Windows that the house alone exceeded."""
    windows: int
    commands_per_h: float
    starts: int


def best_ws(house: House, charger: Charger, *, budget: float, limit_watts: float) -> np.ndarray:
    """Return what somebody charges in each window, W·s, who knows it: one current for all of it."""
    seconds = house.seconds // WINDOW_S * WINDOW_S
    phases = charger.phases_in(len(house.phases))
    watts = np.maximum(house.phases.sum(axis=0) * VOLTS, 0.0)[:seconds].reshape(-1, WINDOW_S)
    room = (limit_watts - watts.mean(axis=1)) / VOLTS / len(phases)
    rows = house.phases[[phase - 1 for phase in phases], :seconds]
    breaker = (budget - rows.max(axis=0)).reshape(-1, WINDOW_S).mean(axis=1)
    amps = np.minimum(np.minimum(room, breaker), charger.max_amps)
    return np.where(amps >= charger.min_amps, amps, 0.0) * VOLTS * len(phases) * WINDOW_S


def measure(
    house: House, charger: Charger, *, budget: float, limit_watts: float, conditions: str, seed: int, delta: float = 1.0
) -> Windows:
    """Replay a house with a limit on its quarters of an hour."""
    offset = -house.start_s % WINDOW_S
    house = house.window(start_h=(house.start_s + offset) / 3600)
    limit = LimitSettings(reason=Reason.PEAK_LIMIT, max_watts=limit_watts, window_s=WINDOW_S)
    record = Record()
    result = replay(
        house,
        lambda site: WithLimit(site, limit),
        budget=budget,
        chargers=(charger,),
        conditions=CONDITIONS[conditions],
        report_delta=delta,
        seed=seed,
        record=record,
    )
    seconds = house.seconds // WINDOW_S * WINDOW_S
    phases = len(charger.phases_in(len(house.phases)))
    alone = house.phases.sum(axis=0)[:seconds] * VOLTS
    car = np.array(record.car[:seconds]) * VOLTS * phases
    both = np.maximum(alone + car, 0.0).reshape(-1, WINDOW_S).mean(axis=1)
    house_mean = np.maximum(alone, 0.0).reshape(-1, WINDOW_S).mean(axis=1)
    best = best_ws(house, charger, budget=budget, limit_watts=limit_watts)
    ours = house_mean <= limit_watts
    return Windows(
        charge_pct=100 * car.sum() / best.sum() if best.sum() else 0.0,
        over=int((ours & (both > limit_watts * (1 + TOLERANCE_PART))).sum()),
        worst_pct=100 * float((both[ours] / limit_watts).max() - 1),
        house_over=int((~ours).sum()),
        windows=len(both),
        commands_per_h=result.commands_per_h,
        starts=result.starts,
    )


LIMITS_KW = (2.5, 4.0, 5.0)
CASES = (
    ("bellenden_2012mar_6s", 25.0, None),
    ("ukdale_h1_2013apr_6s", 25.0, None),
    ("uci_sceaux_2007jan_1min", 30.0, None),
    ("nl_dsmr_2017sep_3ph_10s", 25.0, (1,)),
    ("nl_dsmr5_2019mar_3ph_1s", 25.0, (1,)),
)
"""Houses, their budget in A, and the phases of a car of 16 A there."""


def tables(folders: Iterable[Path], *, start_h: float, hours: float, seed: int) -> Iterator[str]:
    """Yield the lines of a table: each house that is there with each limit."""
    yield "| house | kW | charge, % | over | worst, % | the house alone | windows | commands/h | starts |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    files = {path.name.split(".")[0]: path for folder in folders for path in folder.glob("*.csv.gz")}
    for name, budget, phases in CASES:
        if name not in files:
            continue
        whole = load(files[name])
        day_h = whole.start_s // DAY_S * 24
        house = whole.window(start_h=day_h + start_h, hours=hours)
        for kilowatts in LIMITS_KW:
            car = Charger(max_amps=16, phases=phases)
            came = measure(house, car, budget=budget, limit_watts=1000 * kilowatts, conditions="normal", seed=seed)
            numbers = (f"{came.charge_pct:.1f}", came.over, f"{came.worst_pct:+.1f}", came.house_over, came.windows)
            rest = (f"{came.commands_per_h:.1f}", came.starts)
            yield f"| {name} | {kilowatts:g} | {' | '.join(map(str, (*numbers, *rest)))} |"
