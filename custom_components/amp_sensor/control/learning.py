"""Which phases a charger loads: told, reported, or learned from where its steps appear on the meter."""

from collections.abc import Sequence

from .belief import Change
from .charger import ManagedCharger
from .reading import Reading

LEAST_A = 3.0
"""A smaller step is not told from the house's own, A."""
REVERSED_A = 5.0
"""A smaller step that shows the wrong way round may be the house's own, A: a car starts with so much at least."""
MOVED, STILL = (0.7, 1.3), 0.3
"""The parts of a step between which a phase moved with it, and below which it did not; in between nobody knows."""

FULL_LEGS = 1.5
"""What is fed with more than so many times the voltage of a leg hangs between two of them."""


def known_phases(
    charger: ManagedCharger, phases: int, *, is_split: bool, last: Reading | None
) -> tuple[int, ...] | None:
    """Return which of so many phases a charger loads, from 0; None where nobody knows."""
    if phases <= 1:
        return (0,)
    report = charger.report
    reported = None if report is None else report.phases
    told = charger.settings.phases
    # Which one is left of those that it was connected to, only the meter can show
    is_switched = charger.settings.switches_phases and told is not None and (reported or len(told)) < len(told)
    if told and not is_switched:
        return tuple(number - 1 for number in told if number <= phases) or None
    if reported is not None and reported >= phases:
        return tuple(range(phases))
    volts = None if report is None else report.volts
    if is_split and last is not None and volts is not None and volts > FULL_LEGS * max(last.volts):
        return tuple(range(phases))
    learned = charger.learned
    return learned if learned and max(learned) < phases and reported in (None, len(learned)) else None


def phases_moved(change: Change, read: Sequence[float]) -> tuple[int, ...] | None:
    """Return the phases, from 0, on which a step shows that has ended; None where that is not clear."""
    parts = _parts(change, read, LEAST_A)
    moved = tuple(phase for phase, part in enumerate(parts) if MOVED[0] <= part <= MOVED[1])
    still = sum(abs(part) < STILL for part in parts)
    return moved if moved and len(moved) + still == len(parts) else None


def shows_reversed(change: Change, read: Sequence[float], loads: Sequence[int] | None) -> bool:
    """Whether a step that has ended shows the wrong way round on a phase, and is clear on the others: a clamp is.

    Of `loads`, from 0, where these are known: on another phase it was the house, or its sun.
    """
    parts = _parts(change, read, REVERSED_A)
    is_clear = all(abs(part) < STILL or MOVED[0] <= abs(part) <= MOVED[1] for part in parts)
    on_loaded = [part for phase, part in enumerate(parts) if loads is None or phase in loads]
    return is_clear and min(on_loaded, default=0.0) <= -MOVED[0]


def leans_right(change: Change, read: Sequence[float]) -> bool:
    """Whether a step that has ended shows the right way round on some phase at least in part, and nowhere the wrong."""
    parts = _parts(change, read, REVERSED_A)
    return max(parts, default=0.0) >= STILL and min(parts) > -STILL


def _parts(change: Change, read: Sequence[float], least_amps: float) -> list[float]:
    """Return which part of a step each phase shows; nothing of one that is too small to tell."""
    step = change.to - change.start
    if abs(step) < least_amps or len(change.before) != len(read):
        return []
    return [(after - before) / step for after, before in zip(read, change.before, strict=True)]
