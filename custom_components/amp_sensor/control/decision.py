"""What the controller decided for one charger, and why: data first, text in the user's language later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .charging import Command


class Mode(StrEnum):
    """How a site is controlled: off and monitor send nothing, the others differ in the price of being over budget."""

    OFF = "off"
    MONITOR = "monitor"
    STRICT = "strict"
    BALANCED = "balanced"
    EAGER = "eager"


class Reason(StrEnum):
    """Why a decision is as it is. Each has a text in every language, and its numbers in `Decision.numbers`."""

    # Not ours to command
    OFF = "off"
    NOT_MANAGED = "not_managed"
    NO_REPORT = "no_report"
    AWAY = "away"
    UNPLUGGED = "unplugged"
    COMPLETE = "complete"
    SCHEDULED = "scheduled"
    STOPPED_BY_USER = "stopped_by_user"
    NO_POWER = "no_power"
    ASLEEP = "asleep"
    PLACE_UNKNOWN = "place_unknown"  # nobody knows where the car is, so nothing is sent
    BLOCKED = "blocked"  # the cloud refuses us: token, subscription, key, too many calls
    # Failing safe
    ADOPTING = "adopting"  # just started: nothing is raised until the house is known
    METER_SILENT = "meter_silent"
    METER_FROZEN = "meter_frozen"
    METER_WRONG = "meter_wrong"  # it shows less than the car says it draws
    BEYOND_RANGE = "beyond_range"  # more flows than its sensor can show: nobody knows how much
    PHASE_SILENT = "phase_silent"  # one phase of several is not told any more
    REPORT_STALE = "report_stale"
    # Lowering
    OVER_BUDGET = "over_budget"
    VERIFYING = "verifying"  # lowered, and the meter has not shown it yet
    RESENT = "resent"  # the drop did not come: told again
    HOUSE_OVER_BUDGET = "house_over_budget"  # the car obeys; the house alone is over
    MINIMUM = "minimum"  # held at the least the car takes, while the protection allows
    PAUSED = "paused"  # not even the minimum fits
    WRITE_TOO_SOON = "write_too_soon"  # it was told just now, and may not be told so often
    LIMIT_TOO_LOW = "limit_too_low"  # it may have less than it can charge with
    SHARED = "shared"  # lowered, so that another charger gets its part
    WAITING_FOR_TURN = "waiting_for_turn"  # the minima do not all fit: another charger's turn
    PLANNED = "planned"  # its planned time is another
    WANTED_REACHED = "wanted_reached"  # it has what its owner wanted by the time that it is to be ready
    # Charging with surplus
    SURPLUS = "surplus"  # it has what the surplus gives, and its minimum where that is to be kept
    WAITING_FOR_SURPLUS = "waiting_for_surplus"
    SURPLUS_UNKNOWN = "surplus_unknown"  # the meter or a home battery says nothing
    NO_SIGN = "no_sign"  # the meter has never shown that power flows out
    # Another limit of the supply than its budget is the one that binds
    PEAK_LIMIT = "peak_limit"  # what is left of a window of the clock
    OUTSIDE_LIMIT = "outside_limit"  # what an entity says: a schedule, a grid operator's box
    SCHEDULED_LIMIT = "scheduled_limit"  # the contract's power of this hour
    HOUSE_OVER_LIMIT = "house_over_limit"  # the car obeys; the house alone exceeds one of them
    # Raising
    SETTLING = "settling"  # a change is on its way
    WAITING = "waiting"  # headroom is there, but not for long enough yet
    NO_HEADROOM = "no_headroom"
    STARTED = "started"
    STARTS_EXHAUSTED = "starts_exhausted"
    RAISED = "raised"
    WRITES_EXHAUSTED = "writes_exhausted"  # it was told as often today as is good for it
    WOKEN = "woken"  # there is room for a car that fell asleep while it was paused
    NOT_USED = "not_used"  # the car takes less than it may: raising would be a latent surge
    USER_LIMIT = "user_limit"  # its user set less in the car's app
    AT_MAXIMUM = "at_maximum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one charger should do now."""

    at: float
    charger_id: str
    target: int
    """Amps per phase that it is meant to have; 0 while paused, or while it is not ours to command."""
    reason: Reason
    cap: int = 0
    """The most that it may have, A per phase: by its settings, the budget, itself and its user; 0 while not ours."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """The quantities behind the reason (amps, seconds), named as in its text."""
    command: Command | None = None
    """What to send now; None where nothing is to be sent (always in the modes off and monitor)."""
