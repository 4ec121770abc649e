"""Who of several chargers gets how much of what is left. Pure: rooms and demands in, whole amps out."""

from collections.abc import Sequence
from dataclasses import dataclass
import math

MOST_A = 1000
"""More than any supply carries, A: what is not bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one charger could take, A per phase."""

    charger_id: str
    phases: tuple[int, ...]
    """The phases that it loads, from 0."""
    minimum: int
    """Less than that it cannot take: then it gets nothing."""
    cap: int
    """The most that it may have and would use."""
    rank: int = 1
    """Lower is served first."""
    turn: tuple[int, float] = (0, 0.0)
    """Among equals, the lower gets its minimum first."""


def allocate(room: Sequence[float], demands: Sequence[Demand], *, whole: float = math.inf) -> dict[str, int]:
    """Return what each charger should have, A per phase; 0 where not even its minimum is left.

    `room` is what all of them together may draw from each phase, A, and `whole` from all phases together. First the
    minima, by rank and turn; then one rank after the other is filled like water: level by level, until each has its cap
    or one of its phases is full. What is left of an ampere goes to whose turn is first.
    """
    left = [*room, whole]
    given = dict.fromkeys((demand.charger_id for demand in demands), 0)
    ordered = sorted(demands, key=lambda demand: (demand.rank, demand.turn))
    served = []
    for demand in ordered:
        fits = all(left[phase] >= demand.minimum for phase in demand.phases)
        if demand.minimum <= demand.cap and fits and left[-1] >= demand.minimum * len(demand.phases):
            _give(demand, demand.minimum, given, left)
            served.append(demand)
    for rank in dict.fromkeys(demand.rank for demand in served):
        open_ = [demand for demand in served if demand.rank == rank]
        while open_ := [demand for demand in open_ if _step(demand, given, left) >= 1]:
            # Only those at the lowest level rise, up to the next one, or as far as their phases and caps allow
            level = min(given[demand.charger_id] for demand in open_)
            lowest = [demand for demand in open_ if given[demand.charger_id] == level]
            higher = [amps for demand in open_ if (amps := given[demand.charger_id]) > level]
            step = min([*(_step(demand, given, left) for demand in lowest), *(amps - level for amps in higher)])
            step = min(step, _floor(left[-1], sum(len(demand.phases) for demand in lowest)))
            for phase, free in enumerate(left[:-1]):
                if count := sum(phase in demand.phases for demand in lowest):
                    step = min(step, math.floor(free / count))
            if step < 1:
                _give(lowest[0], 1, given, left)
                continue
            for demand in lowest:
                _give(demand, step, given, left)
    return given


def _step(demand: Demand, given: dict[str, int], left: Sequence[float]) -> int:
    """Return by how much it could rise on its own, A; the last of what is left is that of all phases together."""
    free = [math.floor(left[phase]) for phase in demand.phases]
    return min(demand.cap - given[demand.charger_id], _floor(left[-1], len(demand.phases)), *free)


def _floor(whole: float, parts: int) -> int:
    return math.floor(whole / parts) if whole < math.inf else MOST_A


def _give(demand: Demand, amps: int, given: dict[str, int], left: list[float]) -> None:
    given[demand.charger_id] += amps
    for phase in demand.phases:
        left[phase] -= amps
        left[-1] -= amps
