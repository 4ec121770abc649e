"""What bears on each charger at one moment, and who of several has which part."""

from collections.abc import Iterable, Mapping, Sequence
import math

from .bounds import Bounds
from .charger import ManagedCharger
from .choice import View
from .decision import Reason
from .flows import Flows
from .known import PROTECT_AT, Known
from .limits import Power, binding, room
from .memory import Risk, together
from .prices import OVER_A, PRICES, Prices, best_raise
from .sharing import RANKS, Share, Sharing

ADOPT_S = 60.0
"""For how long after the start nothing is raised, s: a minute shows whether the house is calm."""


class Bearing:
    """Tells of each charger of one site what it may have, and what has to be weighed for it."""

    def __init__(self, known: Known, bounds: Bounds) -> None:
        self._known, self._bounds = known, bounds
        self._house, self._chargers, self._doubt = known.house, known.chargers, known.doubt
        self._sharing = Sharing()

    def view(self, charger: ManagedCharger, flows: Flows, shares: Mapping[str, Share], now: float) -> View:
        """Return all that bears on a charger."""
        loads = self._known.loads(charger.charger_id)
        flowing, lasting = flows.beside(charger), flows.beside(charger, committed=True)
        phases = self._house.phases
        cap = self.cap(charger)
        bound = binding(self._bounds.all, flowing, loads)
        share = shares.get(charger.charger_id, Share(cap))
        silence_s, quietest_s = self._known.silence_s(loads, now), self._known.silence_s(self._known.all_phases, now)
        return View(
            now=now,
            charger=charger,
            prices=self.prices.of(charger.settings.profile),
            budget_amps=self._known.settings.max_amps,
            house_amps=self._known.settings.max_amps - self._bounds.budget.room(flowing, loads),
            cap=cap,
            rationed_by=self._rationed_by(charger),
            bound_by=bound.reason,
            bound_numbers=bound.numbers,
            momentary_room=room(self._bounds.momentary, flowing, loads),
            bearable_room=min(limit.bearable(flowing, loads) for limit in self._bounds.all),
            share=share.amps,
            slack=share.slack,
            has_phases=self._known.phases_of(charger) is not None,
            is_hidden=self._known.is_unread
            or (self._known.phases_of(charger) is None and self._others_move(charger, now)),
            kept=self._kept(charger, share) if charger.charger_id in shares else 0,
            must_share=share.must_share,
            may_turn=share.may_turn,
            room=room(self._bounds.all, flowing, loads),
            free=room(self._bounds.all, lasting, loads),
            safe_room=lambda: room(self._bounds.all, self._highest(flowing), loads),
            house_is_over=lambda: room(self._bounds.all, self._house.amps, loads) < 0,
            is_adopting=now - self._known.started_at < ADOPT_S,
            patience_s=self._known.meter.patience_s,
            silence_s=silence_s,
            beyond_s=self._known.beyond_s(loads, now),
            silent=self._known.silent_reason(quietest_s, now),
            is_quiet=quietest_s > self._known.quiet_s or not self._house.is_complete or self._doubt.is_low,
            is_known=all(phases[phase].read is not None for phase in loads),
            tolerated_s=lambda amps: min(
                [phases[phase].load.tolerated_s(flowing[phase] + amps, PROTECT_AT) for phase in loads]
            ),
            returns=lambda excess: self._returns(loads, flowing, excess, now),
            risk=lambda amps, at: self._risk(loads, lasting, amps, at),
        )

    def _others_move(self, charger: ManagedCharger, now: float) -> bool:
        """Whether another is about to: not one that cannot be told, or does nothing of it, maybe for a whole night."""
        others = (other for other in self._chargers.values() if other is not charger)
        return any(other.belief.change and other.is_waited_for(now) for other in others)

    def _kept(self, charger: ManagedCharger, share: Share) -> int:
        """Return what it keeps although too much flows, A: its part, but its least beside one that gives up no more."""
        loads = set(self._known.loads(charger.charger_id))
        held = [each.charger_id for each in self._chargers.values() if each.is_held and each.running]
        if any(loads.intersection(self._known.loads(charger_id)) for charger_id in held):
            return min(share.amps, charger.least(self.cap(charger)))
        return share.amps

    def _highest(self, flowing: Iterable[float]) -> list[float]:
        """Return what flows on each phase if the house draws what it did in its highest minute of the last hour, A."""
        return [
            amps - min(amps, phase.amps) + max(phase.peaks)
            for amps, phase in zip(flowing, self._house.phases, strict=True)
        ]

    def _returns(self, loads: Sequence[int], flowing: Sequence[float], excess: float, now: float) -> int:
        """Return how often the phase with the least room went lately where `excess` would be missing, A."""
        phase = self._house.phases[min(loads, key=lambda number: self._bounds.budget.room(flowing, (number,)))]
        return phase.memory.returns(phase.amps - excess, now)

    def _risk(self, loads: Sequence[int], flowing: Sequence[float], amps: float, at: float) -> Risk | None:
        """Return what the house threatens beside what flows and `amps` more; None while it does not even fit.

        A window of the clock is threatened by no step: what it takes is made up for until its end.
        """
        taken = amps + self.prices.margin_amps

        def beside(number: int) -> list[float]:
            return [each + taken if phase in loads and phase != number else each for phase, each in enumerate(flowing)]

        return together(
            phase.memory.risk(phase.amps + room(self._bounds.momentary, beside(number), (number,)) - taken, at)
            for number, phase in enumerate(self._house.phases)
            if number in loads
        )

    def flows(self, now: float) -> Flows:
        """Return what flows once everything that was told has happened."""
        return Flows(self._house, self._chargers.values(), self._known.loaded, self.ours(now), now)

    def ours(self, now: float) -> list[ManagedCharger]:
        """Return the chargers that can be told anything now."""
        return [each for each in self._chargers.values() if each.not_ours(self._known.settings.mode, now) is None]

    def shares(self, flows: Flows, now: float) -> dict[str, Share]:
        """Return the parts of those who can be told anything, where they are several."""
        if len(self._chargers) < 2:
            return {}
        ours = [charger for charger in self.ours(now) if charger.is_waited_for(now)]
        if len(ours) < 2 or not self._house.is_told:
            return {}
        flowing = flows.without(ours)
        free = [room(self._bounds.all, flowing, (phase,)) - self.prices.margin_amps for phase in self._known.all_phases]
        loads = {charger.charger_id: self._known.loads(charger.charger_id) for charger in ours}

        def wants(charger: ManagedCharger, part: int, parts: Mapping[str, int]) -> bool:
            beside = list(flowing)
            for other in ours:
                if other is not charger:
                    for phase in loads[other.charger_id]:
                        beside[phase] += parts[other.charger_id]
            if charger.start_is_due or not self._may_rise(charger, now):
                return False
            first = max(charger.target + 1, charger.least(self.cap(charger)))
            best = best_raise(
                charger.target,
                range(first, part + 1),
                self.prices.of(charger.settings.profile),
                latency_s=charger.latency_s,
                profile=charger.settings.profile,
                request=charger.request,
                risk=lambda amps, at: self._risk(loads[charger.charger_id], beside, amps, at),
                now=now,
            )
            return best > charger.target

        caps = {charger.charger_id: self.cap(charger) for charger in ours}
        summed = [limit for limit in self._bounds.all if isinstance(limit, Power)]
        whole = min((room(summed, flowing, (phase,)) for phase in self._known.all_phases if summed), default=math.inf)
        return self._sharing.shares(ours, caps, loads, free, whole=whole, wants=wants, now=now)

    def _may_rise(self, charger: ManagedCharger, now: float) -> bool:
        """Whether anything but the others stands in the way of a raise."""
        waits = charger.in_flight or now < charger.not_before or not charger.belief.is_settled
        may_write = now >= charger.written_until and charger.writes_left(now) >= 1
        return not waits and may_write and now - self._known.started_at >= ADOPT_S and charger.uses_what_it_has

    def by_turn(self, flows: Flows) -> list[ManagedCharger]:
        """Order the chargers: first those that have to give, the last and the highest before all, then who may take."""
        chargers = list(self._chargers.values())
        if len(chargers) < 2 or not self._house.is_told:
            return chargers

        def place(charger: ManagedCharger) -> tuple[bool, int, int]:
            left = room(self._bounds.all, flows.beside(charger), self._known.loads(charger.charger_id))
            gives = charger.expected_amps - left > OVER_A
            rank = RANKS[charger.settings.priority]
            return (not gives, -rank, -charger.target) if gives else (not gives, rank, charger.target)

        return sorted(chargers, key=place)

    def cap(self, charger: ManagedCharger) -> int:
        """Return the most that a charger may have, whatever else flows, A."""
        cap = charger.cap(int(self._known.settings.max_amps))
        if (most := self._bounds.outside_most(charger)) is not None:
            cap = min(cap, math.floor(most[0]))
        # A meter that was reversed has to show one step the right way round first
        return min(cap, charger.least(cap)) if self._doubt.is_on_trial else cap

    def _rationed_by(self, charger: ManagedCharger) -> Reason | None:
        """Return why a charger may have less than it could, where that is for another reason than the supply."""
        budget = int(self._known.settings.max_amps)
        most = self._bounds.outside_most(charger)
        return charger.rationed_by(budget) if most is None or most[0] >= charger.cap(budget) else most[1]

    @property
    def prices(self) -> Prices:
        """Of the mode."""
        return PRICES[self._known.settings.mode]
