"""All controllers in all houses that are there, each with the same luck; and what that comes to."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace as changed
from enum import StrEnum
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import numpy as np
from tqdm import tqdm

from custom_components.amp_sensor.control import Mode, Priority

from .car import Pace
from .house import House, load, load_sun
from .plant import CONDITIONS, Charger
from .replay import Record, Result, replay

RATINGS = (10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 125)
"""Breakers that houses have, A."""
SHIPPED = Path(__file__).parent / "traces"
SUN = "pv_serf_east_2022mar_1min.csv.gz"
EVERYBODY = (
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
SOME = (("amp_sensor", Mode.BALANCED), ("upstream", Mode.BALANCED), ("foresight", Mode.BALANCED))


class Group(StrEnum):
    """What cases are about, in the order in which they are told."""

    UNSEEN = "Houses that no constant was chosen on"
    CHOSEN = "Houses that constants were chosen on"
    PHASES = "Cars on one, two and three phases"
    SEVERAL = "Several cars"
    SUN = "Sun on the roof"
    LOCAL = "A charger that is told directly"
    PLANT = "Cars and clouds that are not as assumed"
    GUESSED = "Other houses, with the breaker that they might have"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One house, what is set there, and what charges there."""

    path: Path
    group: Group = Group.UNSEEN
    budget: float
    chargers: tuple[Charger, ...]
    about: str = ""
    """What is special of it."""
    start_h: float = 0.0
    hours: float = 96.0
    phases: int = 1
    at_once: tuple[float, ...] = ()
    """Hours of a recording of one phase at which the phases of a house begin that is made from it."""
    sun: float = 0.0
    """So many times what the recorded roof gave."""

    @property
    def name(self) -> str:
        """Name of the trace."""
        return self.path.name.split(".")[0]

    @property
    def title(self) -> str:
        """What a table calls it."""
        most = "+".join(str(charger.max_amps) for charger in self.chargers)
        begin = f", from day {self.start_h / 24 + 1:g}" if self.start_h else ""
        return f"{self.name}{begin}, {self.budget:g}/{most} A{self.about and f', {self.about}'}"

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that it is replayed under."""
        return tuple(CONDITIONS) if self.is_house else ("normal",)

    @property
    def contenders(self) -> tuple[tuple[str, Mode], ...]:
        """Whom it is put to."""
        return EVERYBODY if self.is_house else SOME

    @property
    def is_house(self) -> bool:
        """Whether it is about the house, with one usual car."""
        return self.group in (Group.UNSEEN, Group.CHOSEN, Group.GUESSED)

    def house(self) -> House:
        """Return its load, of the hours that are set."""
        whole = _loaded(self.path)
        house = whole.window(start_h=self.start_h, hours=self.hours)
        if self.at_once:
            parts = [whole.window(start_h=start_h, hours=self.hours).phases for start_h in self.at_once]
            house = changed(house, phases=np.vstack(parts))
        return house.under_sun(self.sun * load_sun(SHIPPED / SUN)) if self.sun else house


def _one(max_amps: int) -> tuple[Charger, ...]:
    return (Charger(max_amps=max_amps),)


BELLENDEN, UKDALE, UCI, NL, NL_SHORT = (
    Path(f"{name}.csv.gz")
    for name in (
        "bellenden_2012mar_6s",
        "ukdale_h1_2013apr_6s",
        "uci_sceaux_2007jan_1min",
        "nl_dsmr_2017sep_3ph_10s",
        "nl_dsmr5_2019mar_3ph_1s",
    )
)
# The constants were chosen on the first four days of three houses; of two of them, there are three more.
LATER_BELLENDEN = Case(path=BELLENDEN, start_h=96, hours=72, budget=15, chargers=_one(13))
LATER_UCI = Case(path=UCI, start_h=96, hours=72, budget=25, chargers=_one(16))
# Its first four days come every 20 s only.
NL_HOUSE = Case(path=NL, start_h=96, hours=48, budget=16, chargers=_one(16), phases=3)
# Three times two days of a lively house, each a phase.
UCI_THREE = Case(path=UCI, hours=48, budget=25, chargers=_one(16), phases=3, at_once=(0, 48, 96))
FIRST, NORMAL_CAR, LAST = (Charger(max_amps=16, priority=priority) for priority in Priority)
ON_PHASES = {"L1": (1,), "L2": (2,), "L3": (3,), "L1 and L2": (1, 2), "all phases": (1, 2, 3)}
ODD = {
    "a car that moves half as fast": Charger(max_amps=16, pace=Pace(rise_a_per_s=0.5, fall_a_per_s=1.5)),
    "a car that moves twice as fast": Charger(max_amps=16, pace=Pace(rise_a_per_s=2.0, fall_a_per_s=6.0)),
    "a car that starts after 90 s": Charger(max_amps=16, pace=Pace(first_amp_s=(90.0, 90.0))),
    "a cloud that answers in 1 s": Charger(max_amps=16, latency_s=1.0),
    "a cloud that answers in 20 s": Charger(max_amps=16, latency_s=20.0),
}
KNOWN = (
    LATER_BELLENDEN,
    changed(LATER_BELLENDEN, budget=20, chargers=_one(16)),
    LATER_UCI,
    changed(LATER_UCI, budget=20),
    Case(path=UKDALE, budget=20, chargers=_one(16)),
    NL_HOUSE,
    Case(path=NL_SHORT, budget=16, chargers=_one(16), phases=3),
    Case(path=BELLENDEN, group=Group.CHOSEN, budget=15, chargers=_one(13)),
    Case(path=UKDALE, group=Group.CHOSEN, budget=15, chargers=_one(13)),
    Case(path=UCI, group=Group.CHOSEN, budget=25, chargers=_one(16)),
    *(
        changed(
            case,
            group=Group.PHASES,
            budget=budget,
            chargers=(Charger(max_amps=min(16, budget), phases=phases),),
            about=f"{kind}, car on {name}",
        )
        for case, kind, budget in (
            (NL_HOUSE, "three phases", 16),
            (NL_HOUSE, "three phases", 10),
            (UCI_THREE, "three phases made of one", 25),
        )
        for name, phases in ON_PHASES.items()
        if case is not NL_HOUSE or budget == 10 or len(phases) == 1
    ),
    *(
        changed(case, group=Group.SEVERAL, budget=budget, chargers=chargers, about=about)
        for case, budget, chargers, about in (
            (LATER_UCI, 20, (NORMAL_CAR, NORMAL_CAR), "two equal cars"),
            (LATER_BELLENDEN, 20, (NORMAL_CAR, NORMAL_CAR), "two equal cars"),
            (LATER_UCI, 20, (FIRST, NORMAL_CAR), "one car first"),
            (LATER_BELLENDEN, 20, (NORMAL_CAR, LAST), "one car last"),
            (LATER_UCI, 25, (NORMAL_CAR,) * 3, "three equal cars"),
            (LATER_UCI, 32, (FIRST, NORMAL_CAR, LAST), "three cars: first, normal, last"),
            (
                NL_HOUSE,
                16,
                (Charger(max_amps=16, phases=(1,)), Charger(max_amps=16)),
                "three phases, one car on L1, one on all",
            ),
            (
                UCI_THREE,
                25,
                (Charger(max_amps=16, phases=(2,)), Charger(max_amps=16, phases=(3,))),
                "three phases made of one, a car on L2, one on L3",
            ),
        )
    ),
    *(
        changed(case, group=Group.SUN, budget=budget, sun=sun, chargers=(charger,), about=about)
        for case, budget, sun, charger, about in (
            (LATER_UCI, 20, 1.0, Charger(max_amps=16), "roof of 4.6 kW"),
            (LATER_BELLENDEN, 15, 0.75, Charger(max_amps=13), "roof of 3.5 kW"),
            (NL_HOUSE, 16, 2.0, Charger(max_amps=16, phases=(1,)), "three phases, car on L1, roof of 9.3 kW"),
            (UCI_THREE, 20, 2.0, Charger(max_amps=16, phases=(2,)), "three phases made of one, car on L2, 9.3 kW"),
        )
    ),
    *(
        changed(
            case,
            group=Group.LOCAL,
            chargers=(Charger(max_amps=case.chargers[0].max_amps, min_amps=floor, local=True),),
            about=f"from {floor} A",
        )
        for case in (LATER_BELLENDEN, LATER_UCI)
        for floor in (5, 6)
    ),
    *(
        changed(case, group=Group.PLANT, chargers=(changed(odd, max_amps=case.chargers[0].max_amps),), about=about)
        for case in (LATER_BELLENDEN, LATER_UCI)
        for about, odd in ODD.items()
    ),
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

    @property
    def chargers(self) -> tuple[Charger, ...]:
        """What it has to do with: upstream's rule knows no way but the cloud."""
        if self.controller != "upstream":
            return self.case.chargers
        return tuple(changed(charger, local=False) for charger in self.case.chargers)

    def result(self, record: Record | None = None) -> Result:
        """Do it."""
        return replay(
            self.case.house(),
            self.controller,
            budget=self.case.budget,
            chargers=self.chargers,
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
    files.pop(SUN, None)
    absent = [*dict.fromkeys(case.name for case in KNOWN if case.path.name not in files)]
    found = [changed(case, path=files[case.path.name]) for case in KNOWN if case.path.name in files]
    known = {case.path for case in found}
    for path in files.values():
        if path in known:
            continue
        house = _loaded(path)
        busy = float(np.quantile(house.peak, 0.99))
        budget = next((rating for rating in RATINGS if rating > busy), RATINGS[-1])
        phases = len(house.phases)
        chargers = _one(min(16, budget))
        found.append(Case(path=path, group=Group.GUESSED, budget=budget, chargers=chargers, phases=phases))
    if hours is not None:
        found = [changed(case, hours=min(hours, case.hours)) for case in found]
    return found, absent


def run(houses: Sequence[Case], *, seeds: int, report_delta: float) -> dict[Run, Result]:
    """Replay each case under its conditions with its contenders and the seeds from 1 to `seeds`, on all cores."""
    runs = [
        Run(case=case, conditions=conditions, controller=controller, mode=mode, seed=seed, report_delta=report_delta)
        for case in houses
        for conditions, (controller, mode), seed in product(case.conditions, case.contenders, range(1, seeds + 1))
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


def single_phase(results: dict[Run, Result], group: Group, conditions: str) -> dict[Run, Result]:
    """Return what counts for a summary: houses of one phase."""
    return {
        run: result
        for run, result in results.items()
        if run.case.group is group and run.case.phases == 1 and run.conditions == conditions
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
                over_pct=Spread.of(fmean(share(mine, theirs) for mine, theirs in each) for each in pairs),
                energy_pct=Spread.of(fmean(mine.energy_pct for mine, _ in each) for each in pairs),
                commands_per_h=Spread.of(fmean(mine.commands_per_h for mine, _ in each) for each in pairs),
                trips=Spread.of(sum(mine.trips for mine, _ in each) for each in pairs),
            )
        )
    return lines


def share(mine: Result, theirs: Result) -> float:
    """Return what one put over the budget, of another's, %."""
    if not theirs.over_amp_s_per_day:
        return 100.0 if not mine.over_amp_s_per_day else float("inf")
    return 100 * mine.over_amp_s_per_day / theirs.over_amp_s_per_day
