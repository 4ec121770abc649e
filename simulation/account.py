"""Where the charge that a controller did not take went, and what put the house over the budget."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from .hindsight import allocation
from .house import DAY_S, House
from .plant import Charger
from .replay import TOLERANCE_AMPS, Record

ON_ITS_WAY = "on its way"
"""Told, and not there yet: the cloud's latency, the car's start and its ramp."""
TOO_MUCH = "too much"
"""What it took above the clairvoyant's amps, most of it over the budget."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Each by its cause: the reason given at that second, or that a command was on its way."""

    lost_pct: Counter[str]
    """Charge not taken, of the clairvoyant's, %. What was taken beyond it is negative, so that all sums up."""
    over_amp_s_per_day: Counter[str]


def account(record: Record, house: House, *, budget: float, charger: Charger) -> Account:
    """Share out what a replay of `house` with one car lost, and what it put over the budget (A per phase)."""
    (best,) = allocation(house, budget=budget, chargers=(charger,))
    lost: Counter[str] = Counter()
    over: Counter[str] = Counter()
    total = np.array(record.house) + np.array(record.car)
    for right, car, target, why, drawn in zip(
        best.tolist(), record.car, record.target, record.reason, total.tolist(), strict=True
    ):
        reason = "" if why is None else why.replace("_", " ")
        coming = max(0.0, min(right, target) - car)
        lost[ON_ITS_WAY] += coming
        lost[f"{reason}, stopped" if not target else reason] += max(0.0, right - car) - coming
        lost[TOO_MUCH] -= max(0.0, car - right)
        if car > 0 and drawn - budget > TOLERANCE_AMPS:
            over[ON_ITS_WAY if car > target + TOLERANCE_AMPS else reason] += min(drawn - budget, car)
    days = house.seconds / DAY_S
    return Account(
        lost_pct=Counter({cause: 100 * charge / float(best.sum()) for cause, charge in lost.items() if charge}),
        over_amp_s_per_day=Counter({cause: amp_s / days for cause, amp_s in over.items()}),
    )
