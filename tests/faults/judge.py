"""What came of a fault: for how long the house was over its budget, and whether a trip could have been avoided."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from simulation.plant import Breaker
from simulation.replay import Watch

BUDGET_A: Final = 25.0
REPEATED_S: Final = 10.0
"""How often a cut is repeated that does not get through: nobody can know when the cloud is back."""
LOWERED_S: Final = 20.0
"""Within what a car can be lowered: a reading after 5 s, a command of 8 s, a car that takes 3 s, and falls."""
WARM_S: Final = 600
"""After so long a breaker is as warm as it gets, s: five of its time constants."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a judge has to know of a fault."""

    name: str
    deaf: bool = False
    """Whether no command can arrive meanwhile."""
    blind_s: float = 0.0
    """For how long of it nobody could know what flows."""
    lasts: bool = False
    """Whether what it brings about stays, because somebody wants it so: nothing is to resume."""
    twin: str = "nothing wrong"
    """The evening that it is held against."""


@dataclass(kw_only=True)
class Row:
    """What came of an evening."""

    name: str
    over_s: int = 0
    longest_s: int = 0
    trips: int = 0
    avoidable: int = 0
    """Of these trips."""
    ended: int = 0
    """When the fault was over, s."""
    away: int = 0
    """Commands to a car that was known to be away."""
    away_at: list[int] = field(default_factory=list)
    """When, s after it left."""
    unknown_at: list[int] = field(default_factory=list)
    """The same of those of which the cloud showed nothing yet, or so shortly that nobody had asked again."""
    asleep: int = 0
    told: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    """For how long each was shown in the fault, s."""
    errors: list[str] = field(default_factory=list)

    def tell(self, text: str) -> None:
        """Note what people are told, once."""
        if text not in self.told:
            self.told.append(text)


class Judge:
    """Looks at an evening, second by second."""

    def __init__(self, fault: Judged, *, phases: int) -> None:
        """Take what goes wrong in a house of so many phases."""
        self.row = Row(name=fault.name)
        self.drawn: list[float] = []
        """What the car drew, second by second, A."""
        self._fault = fault
        self._watch = Watch(BUDGET_A, phases)
        self._ideals = [Breaker(BUDGET_A) for _ in range(phases)]
        self._reals = [Breaker(BUDGET_A) for _ in range(phases)]
        self._over_s = [0.0] * phases

    def warm(self, house: Iterable[float], car: float) -> None:
        """Take it that house and car have drawn so much for long, A, which is within the budget."""
        for phase, amps in enumerate(house):
            for breaker in (self._ideals[phase], self._reals[phase]):
                for _ in range(WARM_S):
                    breaker.tick(amps + car)

    def tick(self, second: int, house: Iterable[float], car: float, *, helpless: bool) -> None:
        """Take what house and car draw on each phase for a second, A, and whether nobody could do anything about it."""
        totals = tuple(amps + car for amps in house)
        self._watch.tick(second, totals, [car] * len(totals))
        self.drawn.append(car)
        # What is called avoidable: that it would not have opened if the car had been gone as soon as it can be
        for phase, total in enumerate(totals):
            over = total > BUDGET_A * Breaker.HOLDS
            if not over:
                self._over_s[phase] = 0.0
            elif helpless:
                self._over_s[phase] = -REPEATED_S if self._fault.deaf else 0.0
            else:
                self._over_s[phase] += 1
            late = self._over_s[phase] > LOWERED_S
            held = not self._ideals[phase].tick(total - car if late else total)
            if self._reals[phase].tick(total) and car > 0:
                self.row.trips += 1
                self.row.avoidable += held
        self.row.over_s, self.row.longest_s = self._watch.over_s, self._watch.longest_s
