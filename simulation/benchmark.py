"""All controllers in all houses that are there, each with the same luck; and what that comes to."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace as changed
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import numpy as np
from tqdm import tqdm

from custom_components.amp_sensor.control import Mode

from .house import House, load
from .plant import CONDITIONS
from .replay import Record, Result, replay

RATINGS = (10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 125)
"""Breakers that houses have, A."""
CONTENDERS = (
    ("amp_sensor", Mode.STRICT),
    ("amp_sensor", Mode.BALANCED),
    ("amp_sensor", Mode.EAGER),
    ("upstream", Mode.BALANCED),
    ("evcc", Mode.BALANCED),
    ("helb", Mode.BALANCED),
    ("foresight", Mode.BALANCED),
    ("full", Mode.BALANCED),
)
"""Controllers and modes; the mode means something to the first only."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One house, and what is set there."""

    path: Path
    budget: float
    car_max: int
    start_h: float = 0.0
    hours: float = 96.0
    phases: int = 1
    known: bool = True

    @property
    def name(self) -> str:
        """Name of the trace."""
        return self.path.name.split(".")[0]

    def house(self) -> House:
        """Return its load, of the hours that are set."""
        return _loaded(self.path).window(start_h=self.start_h, hours=self.hours)


KNOWN = (
    Case(path=Path("bellenden_2012mar_6s.csv.gz"), budget=15, car_max=13),
    Case(path=Path("ukdale_h1_2013apr_6s.csv.gz"), budget=15, car_max=13),
    Case(path=Path("uci_sceaux_2007jan_1min.csv.gz"), budget=25, car_max=16),
    # Its first four days come every 20 s only.
    Case(path=Path("nl_dsmr_2017sep_3ph_10s.csv.gz"), budget=16, car_max=16, start_h=96.0, phases=3),
    Case(path=Path("nl_dsmr5_2019mar_3ph_1s.csv.gz"), budget=16, car_max=16, phases=3),
)
"""Houses and settings that figures are quoted for."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One replay that is to be done, or was."""

    case: Case
    conditions: str
    controller: str
    mode: Mode
    seed: int
    report_delta: float

    @property
    def label(self) -> str:
        """What a table calls the contender."""
        return f"{self.controller}, {self.mode}" if self.controller == "amp_sensor" else self.controller

    def result(self, record: Record | None = None) -> Result:
        """Do it."""
        return replay(
            self.case.house(),
            self.controller,
            budget=self.case.budget,
            car_max=self.case.car_max,
            mode=self.mode,
            conditions=CONDITIONS[self.conditions],
            report_delta=self.report_delta,
            seed=self.seed,
            record=record,
        )


@cache
def _loaded(path: Path) -> House:
    return load(path)


def cases(folders: Iterable[Path], *, hours: float | None = None) -> tuple[list[Case], list[str]]:
    """Return the houses in the folders, each for `hours` at most, and the names of the known ones that are absent.

    Where two folders have a trace of one name, the first counts. An unknown house is given the smallest breaker that it
    stays below for 99 % of the time, and a car of 16 A.
    """
    files = {path.name: path for folder in reversed([*folders]) for path in sorted(folder.glob("*.csv*"))}
    absent = [case.name for case in KNOWN if case.path.name not in files]
    found = [changed(case, path=files.pop(case.path.name)) for case in KNOWN if case.path.name in files]
    for path in files.values():
        house = _loaded(path)
        busy = float(np.quantile(house.peak, 0.99))
        budget = next((rating for rating in RATINGS if rating > busy), RATINGS[-1])
        phases = len(house.phases)
        found.append(Case(path=path, budget=budget, car_max=min(16, budget), phases=phases, known=False))
    if hours is not None:
        found = [changed(case, hours=min(hours, case.hours)) for case in found]
    return found, absent


def run(houses: Sequence[Case], *, seeds: int, report_delta: float) -> dict[Run, Result]:
    """Replay each house under all conditions with all contenders and the seeds from 1 to `seeds`, on all cores."""
    runs = [
        Run(case=case, conditions=conditions, controller=controller, mode=mode, seed=seed, report_delta=report_delta)
        for case, conditions, (controller, mode), seed in product(houses, CONDITIONS, CONTENDERS, range(1, seeds + 1))
    ]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:  # needs no socket, and is the same everywhere
        results = list(tqdm(pool.map(Run.result, runs), total=len(runs), unit="replay", desc="benchmark"))
    return dict(zip(runs, results, strict=True))


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several seeds."""

    mean: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Spread of at least one value."""
        each = list(values)
        return cls(fmean(each), min(each), max(each))


@dataclass(frozen=True, kw_only=True)
class Line:
    """How a contender did over several houses: means over the houses, spread over the seeds."""

    label: str
    over_pct: Spread
    """Over budget, A·s a day, of upstream's in the same house with the same seed."""
    energy_pct: Spread
    commands_per_h: Spread
    trips: Spread
    """In all houses together."""


def single_phase(results: dict[Run, Result], conditions: str) -> dict[Run, Result]:
    """Return what counts for the summary: single-phase houses with known settings."""
    return {
        run: result
        for run, result in results.items()
        if run.conditions == conditions and run.case.phases == 1 and run.case.known
    }


def summary(results: dict[Run, Result]) -> list[Line]:
    """Compare the contenders over the houses of `results`, which are of the same conditions."""
    upstream = {(run.case, run.seed): result for run, result in results.items() if run.controller == "upstream"}
    lines = []
    for label in dict.fromkeys(run.label for run in results):
        seeds: dict[int, list[tuple[Result, Result]]] = {}
        for one, result in results.items():
            if one.label == label:
                seeds.setdefault(one.seed, []).append((result, upstream[one.case, one.seed]))
        pairs = seeds.values()
        lines.append(
            Line(
                label=label,
                over_pct=Spread.of(fmean(_share(mine, theirs) for mine, theirs in each) for each in pairs),
                energy_pct=Spread.of(fmean(mine.energy_pct for mine, _ in each) for each in pairs),
                commands_per_h=Spread.of(fmean(mine.commands_per_h for mine, _ in each) for each in pairs),
                trips=Spread.of(sum(mine.trips for mine, _ in each) for each in pairs),
            )
        )
    return lines


def _share(mine: Result, theirs: Result) -> float:
    if not theirs.over_amp_s_per_day:
        return 100.0 if not mine.over_amp_s_per_day else float("inf")
    return 100 * mine.over_amp_s_per_day / theirs.over_amp_s_per_day
