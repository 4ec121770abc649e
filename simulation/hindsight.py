"""What would have been right: the best split of what the house left, by somebody who knew it.

It is not `control/allocation.py` on purpose: the judge is not to be the judged.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from custom_components.amp_sensor.control import Priority

from .house import House
from .plant import Charger

TURN_S = 900
"""How long one of equals goes first where there is not enough for all, s."""
RANKS = [*Priority]


def allocation(house: House, *, budget: float, chargers: Sequence[Charger]) -> NDArray[np.float64]:
    """Return the right whole amps per phase of each charger (row) in each second (column): its minimum or more, or 0.

    Minima come first, by priority; then what is left fills the highest priority evenly, then the next. Equals take
    turns at the ampere, or the minimum, that there is only once.
    """
    most = sum(charger.max_amps for charger in chargers)
    rooms = np.clip(np.floor(budget - house.phases + 1e-9), 0, most).astype(np.int64)
    turns = np.arange(house.seconds) // TURN_S % len(chargers)
    # One number for each combination: few of them occur, and each is to be shared out only once.
    base = most + 1
    keys = turns
    for room in rooms:
        keys = keys * base + room
    _, firsts, which = np.unique(keys, return_index=True, return_inverse=True)
    shared = [_share(rooms[:, first].tolist(), chargers, int(turns[first])) for first in firsts]
    return np.array(shared, dtype=np.float64).T[:, which]


def _share(left: list[int], chargers: Sequence[Charger], turn: int) -> list[int]:
    """Share out what is left on each phase; of equals, the one whose turn it is goes first."""
    given = [0] * len(chargers)

    def take(number: int, amps: int) -> bool:
        phases = [phase - 1 for phase in chargers[number].phases_in(len(left))]
        if given[number] + amps > chargers[number].max_amps or any(left[phase] < amps for phase in phases):
            return False
        for phase in phases:
            left[phase] -= amps
        given[number] += amps
        return True

    def rank(number: int) -> int:
        return RANKS.index(chargers[number].priority)

    order = sorted(range(len(chargers)), key=lambda number: (rank(number), (number - turn) % len(chargers)))
    running = [number for number in order if take(number, chargers[number].min_amps)]
    for _, equals in groupby(running, key=rank):
        growing = list(equals)
        while growing:
            lowest = min(growing, key=given.__getitem__)
            if not take(lowest, 1):
                growing.remove(lowest)
    return given
