"""What bounds the supply at one moment: its budget, what loads are to have, and whatever else was told."""

from collections.abc import Mapping, Sequence
import math

from .charger import ManagedCharger
from .decision import Reason
from .known import Known
from .limits import Budget, Claim, Clock, Limit, LimitSettings, Reserved, SupplyLimit, power_of
from .reading import Reading


class Bounds:
    """The limits of one site's supply."""

    def __init__(self, known: Known) -> None:
        self._known, self._house = known, known.house
        self.budget = Budget(max_amps=known.settings.max_amps)
        self.all: tuple[Limit, ...] = (self.budget,)
        """What bounds the supply at this moment."""
        self.momentary: tuple[Limit, ...] = self.all
        """Those of them that hold at each moment, not on average."""
        self.reserved: Sequence[float] = ()
        """What chargers keep free on each phase, A, for loads that are to come back."""
        self.others: dict[str, SupplyLimit] = {}
        """What else than the budget may bound it, by an id."""

    def configure(self, now: float) -> None:
        """Take the budget from the site's settings."""
        self.budget = Budget(max_amps=self._known.settings.max_amps)
        self.look(now)

    def set(self, limits: Mapping[str, LimitSettings], clock: Clock, now: float) -> None:
        """Let the supply be bounded by these, by an id of each, beside its budget, until told otherwise."""
        for limit_id in self.others.keys() - limits.keys():
            del self.others[limit_id]
        for limit_id, settings in limits.items():
            if (known := self.others.get(limit_id)) is None:
                self.others[limit_id] = SupplyLimit(limit_id, settings, clock, now)
            else:
                known.set(settings, clock, now)

    def add(self, reading: Reading) -> None:
        """Let the limits have what a reading tells of all phases together."""
        if self.others and self._house.is_complete and not self._house.is_beyond_range:
            watts, house = power_of(reading), self._known.power(self._house.amps) + self._known.beside_watts
            for limit in self.others.values():
                limit.add(watts, house, reading.at, holds_s=self._known.quiet_s)

    def look(self, now: float) -> None:
        """See what bounds the supply at this moment."""
        own: tuple[Limit, ...] = (self.budget,)
        if len(self.reserved) >= len(self._house.phases):
            own = (self.budget, Reserved(max_amps=self.budget.max_amps, amps=self.reserved))
        if not self.others:
            self.all = self.momentary = own
            return
        volts, beside = self._known.volts, self._known.beside_watts
        others = [limit.bound(volts, beside, now) for limit in self.others.values()]
        self.all = (*own, *(limit for limit in others if limit is not None))
        self.momentary = tuple(limit for limit in self.all if not limit.is_averaged)

    def claims(self, now: float) -> list[Claim]:
        """Return what loads are switched off for, beside the budget."""
        if not self.others:
            return []
        volts, beside = self._known.volts, self._known.beside_watts
        claims = [limit.claim(limit_id, volts, beside, now) for limit_id, limit in self.others.items()]
        return [claim for claim in claims if claim is not None]

    def outside_most(self, charger: ManagedCharger) -> tuple[float, Reason] | None:
        """Return the most that a limit of each charger lets this one have, A, and what to call that."""
        volts = [self._known.volts[phase] for phase in self._known.loads(charger.charger_id)] if self.others else []
        told = [(limit.most_amps(volts), limit.settings.reason) for limit in self.others.values()]
        return min((each for each in told if each[0] < math.inf), default=None)
