"""What one charger should have now, and why: everything that bears on it at one moment in, a target out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import math

from .charger import SUSPECT_S, ManagedCharger
from .decision import Reason
from .memory import Risk
from .prices import OVER_A, Prices, best_raise

QUIET_S, SAFE_S, STOP_S = 15.0, 30.0, 120.0
"""Age of the last reading from which nothing is raised (or three intervals), from which a safe current is held, and
from which charging stops, s. The first is three of the firmware's intervals; SmartEVSE stops after 11 s, but is wired
to its meter. A meter that is slower by its own habit moves the second to two and a half of its intervals of up to a
minute, and the last to four."""
STOP_PART = 1.6
"""How much longer than its patience the silence of a slow meter is until charging stops: four of its intervals."""
SMALL_PART = 0.06
"""Over the budget by no more than this part of it, a cut waits until it is worth its command: every breaker carries
twice as much for an hour (IEC 60898: 1.13 times its rating)."""
AVERAGED_A = 2.0
"""Over what is left of a window by no more than this, A, a cut waits: most of that ends by itself, and otherwise a
smaller part of the window makes it more."""
TEACHING_A = 4
"""The least that is taken from a charger whose phases nobody knows, A: so much shows on which phase it is
(`learning.LEAST_A`). Small steps would go on for whatever a phase does that it does not even load."""
PROTECT_S = 10.0
"""The minimum is held only while the protection would bear it for so many seconds more: a stop takes up to ten."""

SHORT = (Reason.OVER_BUDGET, Reason.NO_HEADROOM, Reason.PAUSED, Reason.HOUSE_OVER_BUDGET)
"""Reasons that say that the supply is short."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A target, and why."""

    target: int
    reason: Reason
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What bears on one charger at one moment. Rooms are of the least of its phases, A."""

    now: float
    charger: ManagedCharger
    prices: Prices
    budget_amps: float
    house_amps: float
    """What flows beside it, of the phase with the least room within the budget, A."""
    cap: int
    """The most that it may have, A."""
    rationed_by: Reason | None
    """Why that is less than it could have; None where only the supply, itself or its user bounds it."""
    bound_by: Reason | None
    """What leaves it the least, where that is not the budget."""
    bound_numbers: Mapping[str, float]
    """The quantities behind that."""
    momentary_room: float
    """What is left within the limits that hold at each moment, not on average over a window, A."""
    bearable_room: float
    """The same where what is drawn now can be made up for until the end of a window, A."""
    share: int
    """The most that it may have beside the others' parts, A."""
    slack: int
    """By how much it may be off that, A, because nobody would claim it."""
    has_phases: bool
    """Whether it is known which phases it loads."""
    is_hidden: bool
    """Whether it is not seen yet what flows, or others move, who would hide on which phases this one is."""
    kept: int
    """What it keeps although too much flows, as others have more than their parts and give that up, A."""
    must_share: bool
    """Whether what it has above its share is waited for."""
    may_turn: bool
    """Whether it has nothing only because others have their turn."""
    room: float
    """What is left for it once everything that the others were told has happened, A."""
    free: float
    """What it may be raised to: as if the others drew all that they may, A."""
    safe_room: Callable[[], float]
    """What is left beside the house's highest minute of the last hour, A."""
    house_is_over: Callable[[], bool]
    """Whether the house alone exceeds a budget, so that nothing of this charger's would help."""
    is_adopting: bool
    patience_s: float
    """How long the meter may say nothing by its own habit, s."""
    silence_s: float
    """For how long the meter has said nothing that can be believed of its phases, s."""
    beyond_s: float | None
    """For how long more has flowed on its phases than their sensor can show, s; None where it shows all."""
    silent: Reason
    """What is wrong with the meter, where anything is."""
    is_quiet: bool
    """Whether too little is known for a raise, of any phase."""
    is_known: bool
    """Whether anything is known of the house on its phases."""
    tolerated_s: Callable[[float], float]
    """For how long the protection bears it if it draws so many amps, s."""
    returns: Callable[[float], int]
    """How often the house went so high lately that so much of the room is missing, A."""
    risk: Callable[[float, float], Risk | None]
    """What the house threatens from a time on while it draws so many amps."""

    @property
    def least(self) -> int:
        """The least that it charges with, A."""
        return self.charger.least(self.cap)

    @property
    def fit(self) -> int:
        """The most whole amps that it may be raised to."""
        return min(self.cap, self.share + self.slack, math.floor(self.free - self.prices.margin_amps))

    @property
    def numbers(self) -> dict[str, float]:
        """The quantities behind most reasons."""
        return {"house_amps": self.house_amps, "budget_amps": self.budget_amps}


def choose(view: View) -> Choice:
    """Choose the target of one charger, and say why."""
    choice = _named(_choose(view), view)
    if view.beyond_s is None:
        return choice
    # How much flows nobody knows: what can be given up is, and if that does not bring it back in range, all of it
    held = 0 if view.beyond_s > SAFE_S or view.charger.start_is_due else min(view.charger.target, view.least)
    if choice.target < held:
        return choice
    return Choice(held, Reason.BEYOND_RANGE, {"beyond_s": view.beyond_s})


def _named(choice: Choice, view: View) -> Choice:
    """Say what is short, where that is not the budget."""
    if view.bound_by is None or choice.reason not in SHORT:
        return choice
    is_house = choice.reason is Reason.HOUSE_OVER_BUDGET
    reason = Reason.HOUSE_OVER_LIMIT if is_house else view.bound_by
    return Choice(choice.target, reason, {**choice.numbers, **view.bound_numbers})


def _choose(view: View) -> Choice:
    """Choose as if the meter could show whatever flows."""
    charger, target = view.charger, view.charger.target
    silence = {"silence_s": view.silence_s}
    if view.silence_s > max(STOP_S, STOP_PART * view.patience_s):
        return Choice(0, view.silent, silence)
    if view.silence_s > max(SAFE_S, view.patience_s):
        safe = int(view.safe_room() - view.prices.margin_amps)
        held = 0 if charger.start_is_due else min(target, view.cap, max(view.least, safe))
        return Choice(held, view.silent, silence)
    if not view.is_known:
        return Choice(min(target, view.cap), Reason.ADOPTING, {})
    numbers, over = view.numbers, charger.expected_amps - view.room
    if view.cap < charger.floor:
        return Choice(0, view.rationed_by or Reason.LIMIT_TOO_LOW, numbers)
    if target > view.cap:
        left = math.floor(view.room - view.prices.margin_amps)
        lowered = view.cap if over <= OVER_A else min(view.cap, max(view.least, left))
        return Choice(lowered, view.rationed_by or Reason.AT_MAXIMUM, numbers)
    if over > OVER_A and charger.start_is_due:
        return Choice(0, Reason.PAUSED, numbers)
    if target and over > OVER_A:
        return _lower(view, over, numbers)
    charger.debt_as = 0.0
    if view.is_quiet:
        return Choice(0 if charger.start_is_due else target, view.silent, silence)
    if view.must_share and target > view.share:
        # Less than its minimum is nothing: its turn is over
        reason = Reason.SHARED if view.share else Reason.WAITING_FOR_TURN
        return Choice(view.share, reason, numbers)
    return _raise(view, numbers)


def _lower(view: View, over: float, numbers: dict[str, float]) -> Choice:
    """Over the budget: give up what is too much, unless that is so little that it may end by itself."""
    charger, target, least = view.charger, view.charger.target, view.least
    if target > least and over <= AVERAGED_A and charger.expected_amps - view.momentary_room <= OVER_A:
        return Choice(target, Reason.NO_HEADROOM, numbers)  # later in the window it is made up for, or too much
    small = target > least and over <= SMALL_PART * view.budget_amps
    if small and view.tolerated_s(view.room + over) >= PROTECT_S:
        charger.debt_as += over * min(1.0, view.now - charger.chosen_at)
        if not view.prices.pays_for_cut(charger.debt_as):
            return Choice(target, Reason.NO_HEADROOM, numbers)
    # The margin is for raises: kept here too, a wavering house would have an ampere taken and given back. Nobody gives
    # up his part while another has more than his: that one is over as well then
    left = math.floor(view.room)
    if left < max(least, view.kept - view.slack):
        left = max(left, view.kept)
    if left >= least and not view.has_phases:
        left = max(least, min(left, target - TEACHING_A))
    if left >= least:
        return Choice(min(left, target), Reason.OVER_BUDGET, numbers | {"over_amps": over})
    if view.momentary_room > view.room and view.bearable_room >= least:
        return Choice(min(target, least), Reason.NO_HEADROOM, numbers)  # a stop is worth waiting for until it must be
    return _below_minimum(view, least - view.room, numbers)


def _below_minimum(view: View, excess: float, numbers: Mapping[str, float]) -> Choice:
    """Not even the minimum fits: hold it for as long as that is cheaper than a stop and a start, then stop."""
    charger = view.charger
    charger.debt_as += max(0.0, excess) * min(1.0, view.now - charger.chosen_at)
    held = min(charger.target, view.least)
    bears = _bears_way_down(view, excess, held) and view.tolerated_s(view.room + excess) >= PROTECT_S
    if not bears or not view.prices.holds_minimum(excess, charger.debt_as, view.returns(excess)):
        return Choice(0, Reason.PAUSED, numbers)
    return Choice(held, Reason.MINIMUM, numbers)


def _bears_way_down(view: View, excess: float, held: int) -> bool:
    """Whether the protection bears what flows until a car that was not told yet is down at what is to be held."""
    charger = view.charger
    if charger.belief.change:
        return True
    profile, way = charger.settings.profile, charger.belief.high - held
    way_s = charger.latency_s + profile.moving_s + way / profile.down_a_per_s / 2
    return view.tolerated_s(view.room + excess + way) >= way_s


def _raise(view: View, numbers: Mapping[str, float]) -> Choice:
    """Weigh each higher current: what it brings, against what the house's next step would make of it."""
    charger, target, now = view.charger, view.charger.target, view.now
    starting = not charger.running
    change = charger.belief.change
    if change and change.is_cut:
        return Choice(target, Reason.VERIFYING, numbers)
    if charger.in_flight or not charger.belief.is_settled or now < charger.not_before:
        return Choice(target, Reason.SETTLING, numbers)
    if charger.start_is_due:
        return Choice(target, Reason.STARTED, numbers)
    if view.is_hidden:
        return Choice(target, Reason.SETTLING, numbers)
    if view.is_adopting:
        return Choice(target, Reason.ADOPTING, numbers)
    if target >= view.cap:
        at_most = Reason.USER_LIMIT if charger.user_limit is not None else Reason.AT_MAXIMUM
        return Choice(target, view.rationed_by or at_most, numbers)
    if not starting and now - charger.measured_at > SUSPECT_S:
        return Choice(target, Reason.REPORT_STALE, numbers)
    if charger.measured_at < charger.report_wanted_at and not charger.is_asleep:
        return Choice(target, Reason.SETTLING, numbers)
    if not starting and not charger.uses_what_it_has:
        return Choice(target, Reason.NOT_USED, numbers)
    first = max(target + 1, view.least)
    if view.fit < first:
        return Choice(target, _no_room(view, first), numbers)
    if starting and charger.starts_left(now) < 1:
        return Choice(target, Reason.STARTS_EXHAUSTED, numbers)
    if now < charger.written_until:
        return Choice(target, Reason.WRITE_TOO_SOON, numbers)
    if charger.writes_left(now) < 1:
        return Choice(target, Reason.WRITES_EXHAUSTED, numbers)
    if charger.rehearsed is not None:
        return Choice(first, Reason.STARTED, numbers)  # somebody is waiting to see it, and there is room
    best = best_raise(
        target,
        range(first, view.fit + 1),
        view.prices,
        latency_s=charger.latency_s,
        profile=charger.settings.profile,
        request=charger.request,
        risk=view.risk,
        now=now,
    )
    if best == target:
        return Choice(target, Reason.WAITING, numbers)
    return Choice(best, Reason.STARTED if starting else Reason.RAISED, numbers)


def _no_room(view: View, first: int) -> Reason:
    """Say what is in the way of the next step."""
    if view.share < first <= view.free - view.prices.margin_amps:
        return Reason.SHARED if view.charger.target else Reason.WAITING_FOR_TURN
    if view.charger.target:
        return Reason.NO_HEADROOM
    if view.may_turn:
        return Reason.WAITING_FOR_TURN
    return Reason.HOUSE_OVER_BUDGET if view.house_is_over() else Reason.PAUSED
