"""What bounds the current of a site: each limit answers how much room there is for a consumer, and the least counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Limit(Protocol):
    """Something that must not be exceeded."""

    def room(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what a consumer may draw from each of its `phases` (from 0) beside what is flowing there, A.

        `flowing` is signed: import is positive, so that what is exported leaves more room.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that the site may import on each phase, A."""

    max_amps: float

    def room(self, flowing: Sequence[float], phases: Iterable[int]) -> float:
        """Return what is left on the phase with the least."""
        return self.max_amps - max([flowing[phase] for phase in phases])


def room(limits: Iterable[Limit], flowing: Sequence[float], phases: Sequence[int]) -> float:
    """Return the least of what all limits leave, A; negative where one is exceeded already."""
    return min([limit.room(flowing, phases) for limit in limits])
