"""How several chargers share what is left: who has which part, and when one gives up what another waits for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
import math

from .allocation import Demand, allocate
from .charger import ManagedCharger
from .settings import Priority

RANKS = {Priority.FIRST: 0, Priority.NORMAL: 1, Priority.LAST: 2}
TURN_S = 900.0
"""How long a turn lasts where the minima do not all fit, s: contactors and cars do not like more than four an hour."""
CLAIM_START_S, CLAIM_RAISE_S = 120.0, 60.0
"""How long another's part must have been worth taking, to start and to raise, before it is taken, s: a minute in which
the house shows whether it stays, and two for a start, which brings no energy and wears a contactor."""
CLAIM_A = 2
"""Two that are apart by less than this are equal, A: a command each is dearer than the difference."""


@dataclass(frozen=True, slots=True)
class Share:
    """One charger's part."""

    amps: int
    """The most that it may have, A; 0 while it is another's turn."""
    must_share: bool = False
    """Whether somebody waits for what it has above that."""
    may_turn: bool = False
    """Whether it would have more if the others had nothing."""
    slack: int = 0
    """By how much it may be off its part, A: none of its equals would claim that, and one command less is sent."""


class Sharing:
    """Remembers who waits for what since when."""

    def __init__(self) -> None:
        self._claimed_at: dict[str, float] = {}

    def shares(
        self,
        chargers: Sequence[ManagedCharger],
        caps: Mapping[str, int],
        phases: Mapping[str, tuple[int, ...]],
        room: Sequence[float],
        *,
        whole: float = math.inf,
        wants: Callable[[ManagedCharger, int, Mapping[str, int]], bool],
        now: float,
    ) -> dict[str, Share]:
        """Return everybody's part.

        `room` is what they may draw from each phase together, A, and `whole` from all phases together; `wants` tells
        whether a raise of one to so many amps would be worth it, were each at its part.
        """
        demands = {charger.charger_id: self._demand(charger, caps, phases, now) for charger in chargers}
        parts = allocate(room, list(demands.values()), whole=whole)
        claimed: set[int] = set()
        for charger in chargers:
            charger_id, target, part = charger.charger_id, charger.target, parts[charger.charger_id]
            gap = part - target
            blocked = self._is_blocked(charger, part, chargers, phases, [*room, whole])
            if (not target or gap >= CLAIM_A) and gap > 0 and blocked and wants(charger, part, parts):
                since = self._claimed_at.setdefault(charger_id, now)
                if now - since >= (CLAIM_RAISE_S if target else CLAIM_START_S):
                    claimed |= set(phases[charger_id])
            else:
                self._claimed_at.pop(charger_id, None)
        return {
            charger.charger_id: Share(
                parts[charger.charger_id],
                must_share=bool(claimed & set(phases[charger.charger_id])),
                may_turn=all(room[phase] >= demands[charger.charger_id].minimum for phase in phases[charger.charger_id])
                and whole >= demands[charger.charger_id].minimum * len(phases[charger.charger_id]),
                slack=self._slack(charger, chargers, phases, parts),
            )
            for charger in chargers
        }

    @staticmethod
    def _slack(
        charger: ManagedCharger,
        chargers: Iterable[ManagedCharger],
        phases: Mapping[str, tuple[int, ...]],
        parts: Mapping[str, int],
    ) -> int:
        """Return by how much it may be off its part, A: nothing beside one that stands, waits, or ranks otherwise."""
        loads, rank = set(phases[charger.charger_id]), charger.settings.priority
        beside = [each for each in chargers if each is not charger and loads.intersection(phases[each.charger_id])]
        are_equal = all(
            each.target and each.settings.priority is rank and parts[each.charger_id] - each.target < CLAIM_A
            for each in beside
        )
        return CLAIM_A - 1 if beside and are_equal else 0

    @staticmethod
    def _is_blocked(
        charger: ManagedCharger,
        part: int,
        chargers: Iterable[ManagedCharger],
        phases: Mapping[str, tuple[int, ...]],
        room: Sequence[float],
    ) -> bool:
        """Whether its part is not free, because others have more than theirs; the last room is of all together."""
        together = sum(
            other.committed_amps * len(phases[other.charger_id]) for other in chargers if other is not charger
        )
        if room[-1] - together < part * len(phases[charger.charger_id]):
            return True
        for phase in phases[charger.charger_id]:
            others = sum(
                other.committed_amps for other in chargers if other is not charger and phase in phases[other.charger_id]
            )
            if room[phase] - others < part:
                return True
        return False

    @staticmethod
    def _demand(
        charger: ManagedCharger, caps: Mapping[str, int], phases: Mapping[str, tuple[int, ...]], now: float
    ) -> Demand:
        cap = caps[charger.charger_id]
        has_turn = charger.running or charger.target > 0
        if has_turn and not charger.has_turn:
            charger.turn_at = now
        elif charger.has_turn and not has_turn and charger.settled_at > charger.turn_at:
            charger.waiting_at = now  # a turn in which nothing flowed, as a start was lost, was none
        charger.has_turn = has_turn
        is_over = has_turn and now - charger.turn_at >= TURN_S - CLAIM_START_S
        return Demand(
            charger_id=charger.charger_id,
            phases=phases[charger.charger_id],
            minimum=charger.least(cap),
            cap=charger.usable_amps(cap, now) if has_turn or charger.starts_left(now) >= 1 else 0,
            rank=RANKS[charger.settings.priority],
            # First whose turn is not over, then who has waited for longest
            turn=(2, charger.turn_at) if is_over else (0, charger.turn_at) if has_turn else (1, charger.waiting_at),
        )
