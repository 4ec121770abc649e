"""Which phases a charger loads, learned from where its steps appear on the meter."""

from collections.abc import Sequence

from .belief import Change

LEAST_A = 3.0
"""A smaller step is not told from the house's own, A."""
MOVED, STILL = (0.7, 1.3), 0.3
"""The parts of a step between which a phase moved with it, and below which it did not; in between nobody knows."""


def phases_moved(change: Change, read: Sequence[float]) -> tuple[int, ...] | None:
    """Return the phases, from 0, on which a step shows that has ended; None where that is not clear."""
    step = change.to - change.start
    if abs(step) < LEAST_A or len(change.before) != len(read):
        return None
    parts = [(after - before) / step for after, before in zip(read, change.before, strict=True)]
    moved = tuple(phase for phase, part in enumerate(parts) if MOVED[0] <= part <= MOVED[1])
    still = sum(abs(part) < STILL for part in parts)
    return moved if moved and len(moved) + still == len(parts) else None
