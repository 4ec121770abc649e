"""What flows on each phase once everything that the chargers were told has happened, at one moment."""

from collections.abc import Iterable, Mapping

from .charger import ManagedCharger
from .house import House


class Flows:
    """The house's part of each phase and the chargers' on top of it, from which each can be left out."""

    def __init__(
        self,
        house: House,
        chargers: Iterable[ManagedCharger],
        loads: Mapping[str, tuple[int, ...] | None],
        ours: Iterable[ManagedCharger],
        now: float,
    ) -> None:
        """`loads` tells each charger's phases, from 0, None where nobody knows; `ours` may be told to draw more."""
        self._house = house
        self._loads = loads
        self._ours = {charger.charger_id for charger in ours}
        self._now = now
        nothing = [0.0] * len(house.phases)
        self._sums = {committed: list(nothing) for committed in (False, True)}
        self._parts = {charger.charger_id: {False: nothing, True: nothing} for charger in chargers}
        for charger in chargers:
            self.renew(charger)

    def renew(self, charger: ManagedCharger) -> None:
        """Take what a charger was told since."""
        expected = charger.expected_by_others(self._now)
        may = max(expected, charger.committed_amps) if charger.charger_id in self._ours else expected
        parts = self._parts[charger.charger_id]
        shown = self._by_phase(charger, expected)
        for committed, after in ((False, shown), (True, shown if may == expected else self._by_phase(charger, may))):
            sums, before = self._sums[committed], parts[committed]
            parts[committed] = after
            for phase, (new, old) in enumerate(zip(after, before, strict=True)):
                sums[phase] += new - old

    def _by_phase(self, charger: ManagedCharger, amps: float) -> list[float]:
        """Return by how much each phase has more than the house's part while a charger draws `amps`.

        Of unknown phases it counts on each, but for what it draws already: that is in the house's part.
        """
        loads = self._loads[charger.charger_id]
        if loads is None:
            return [max(0.0, amps - charger.belief.bounds(self._now)[0])] * len(self._house.phases)
        return [amps if phase in loads else 0.0 for phase in range(len(self._house.phases))]

    def beside(self, charger: ManagedCharger, *, committed: bool = False) -> list[float]:
        """Return what flows on each phase beside a charger, A; `committed`: what may, of those that can be told more.

        Where its own phases are unknown, its current is in the house's part of some: for itself, it is its own.
        """
        own = self._parts[charger.charger_id][committed]
        return [
            phase.beside.get(charger.charger_id, phase.amps) + total - mine
            for phase, total, mine in zip(self._house.phases, self._sums[committed], own, strict=True)
        ]

    def without(self, chargers: Iterable[ManagedCharger]) -> list[float]:
        """Return what flows on each phase without some of the chargers, A."""
        flowing = [
            min([phase.amps, *phase.beside.values()]) + total
            for phase, total in zip(self._house.phases, self._sums[False], strict=True)
        ]
        for charger in chargers:
            for phase, amps in enumerate(self._parts[charger.charger_id][False]):
                flowing[phase] -= amps
        return flowing
