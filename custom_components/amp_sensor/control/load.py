"""One load as the controller sees it: whether it is off because of us, what it draws, and what a person said to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import math
from typing import Any, TypedDict

from .limits import Claim, Limit
from .settings import Priority

SHOWN_S = 15.0
"""How long after a load was switched off the meter has to show it, s: a contactor, a slow hub, two usual posts."""
SHOWN_POSTS = 2
"""The same in posts of a slower meter."""
SEEN_PART, SEEN_A = 0.5, 1.0
"""A fall counts from this part of what a load draws, or from so many A where nobody knows that: a meter's noise is
less."""
LASTS_S, LASTS_MOST_S = 120.0, 1800.0
"""How long there must have been room until a load comes back, s: most kettles have boiled by then. Twice that after it
had to go again soon, up to half an hour; not for a window of the clock, whose room begins anew with each."""
SOON_S = 600.0
"""A load that has to go again within this came back too early, s."""
SETTLE_S = 30.0
"""How long a switch may take until Home Assistant shows that it did as told, s: many are asked every 30 s."""
RETRY_S = 60.0
"""How long a load is left alone that did not do as told, s."""
OVER_S = 60.0
"""What was not needed for so long is over, s: a cooker's thermostat comes and goes."""
PASSED_S = 60.0
"""For how long one need passes a load over that made no difference, s: nothing else has ended it by then, and of what
the protection tolerates half is left."""
DECLINED_S = 3600.0
"""For how long a person's no holds, s, to switching off as to switching on."""


class Restore(StrEnum):
    """Whether a load is switched on again by itself."""

    YES = "yes"
    ASK = "ask"
    NEVER = "never"


class LoadAction(StrEnum):
    """What is done to a load."""

    SHED = "shed"
    RESTORE = "restore"


class LoadReason(StrEnum):
    """How it stands with a load, and why. Each has a text in every language."""

    OFF = "off"  # control is off
    NOT_MANAGED = "not_managed"
    UNAVAILABLE = "unavailable"
    STANDBY = "standby"  # it is off, and not because of us
    ON = "on"
    BY_USER = "by_user"  # switched on by hand while it was shed: left alone until tomorrow
    LEAST_ON = "least_on"  # it is needed, but came on just now
    ASKED = "asked"  # may it be switched off?
    DECLINED = "declined"  # no, it may not
    WOULD_SHED = "would_shed"  # monitor only
    SHEDDING = "shedding"  # the meter has not shown it yet
    SHED = "shed"
    SHED_FOR_LIMIT = "shed_for_limit"  # of a contract, not of the protection
    NO_EFFECT = "no_effect"  # switched off, and the meter did not fall
    FAILED = "failed"  # it did not do as told
    WAITING = "waiting"  # there is room, but not for long enough yet
    LEAST_OFF = "least_off"  # there is room, but it was switched off just now
    ASKED_BACK = "asked_back"  # may it be switched on again?
    LEFT_OFF = "left_off"  # it is not to be switched on again by itself
    RESTORING = "restoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """What the owner set for one load. Raises ValueError where a number is out of range."""

    managed: bool = True
    priority: Priority = Priority.NORMAL
    amps: float | None = None
    """What it draws, A per phase; None is to be learned from the meter."""
    phases: tuple[int, ...] | None = None
    """The phases that it loads, by their numbers from 1; None is to be learned."""
    least_on_s: float = 0.0
    least_off_s: float = 0.0
    ask_s: float | None = None
    """For how long a person is asked before it is switched off, s; None asks nobody."""
    restore: Restore = Restore.YES
    respects_user: bool = True
    """Whether it stays on until tomorrow once somebody switched it on against us."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        for name in ("amps", "least_on_s", "least_off_s", "ask_s"):
            if (value := getattr(self, name)) is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name} must be 0 or more, not {value}")
        if self.phases is not None and not (self.phases and set(self.phases) <= {1, 2, 3}):
            raise ValueError(f"phases are numbered 1 to 3, not {self.phases}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What Home Assistant knows of a load."""

    is_on: bool | None
    """Whether it may draw current; None while it is unavailable."""
    draws: bool | None = None
    """Whether it does, where something tells."""
    runs_on_s: float = 0.0
    """How long it may go on drawing once it was switched off, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCommand:
    """Something to be sent to a load."""

    load_id: str
    action: LoadAction


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDecision:
    """What was decided for one load."""

    at: float
    load_id: str
    reason: LoadReason
    numbers: Mapping[str, float] = field(default_factory=dict)
    """The quantities behind the reason (amps, seconds)."""
    command: LoadCommand | None = None
    asks: LoadAction | None = None
    """What a person is asked for as long as this is there."""
    limit_id: str | None = None
    """The limit for which it is off, or should be; None where it is the protection, or nothing is."""


class LoadRecord(TypedDict):
    """What has to survive a restart."""

    shed: int
    """Its place in the order of what is switched off by us, from 1; 0 where it is not."""
    kept_on: bool
    missed: int
    passed_over: bool
    limit_id: str | None
    amps: float | None
    phases: list[int] | None
    today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strain:
    """How much the supply bears at one moment, A by phase."""

    house: Sequence[float]
    """What is drawn beside the chargers, loads included."""
    read: Sequence[float]
    """What the meter said last."""
    kept: Sequence[float]
    """What is left of that once the chargers have given all they can."""
    limits: Sequence[Limit]
    read_at: float
    silence_s: float
    interval_s: float
    """How often the meter tells, s."""
    is_known: bool
    """Whether what it tells is to be believed."""
    bears_s: Callable[[int, float], float]
    """For how long the protection bears so much on a phase (from 0) until nothing more is planned, s."""
    opens_s: Callable[[int, float], float]
    """The same until it may open, s."""
    heat: Sequence[float]
    """The protection's load, 0 to 1."""
    claims: Sequence[Claim] = ()
    """The limits beside the budget that loads are switched off for."""

    @property
    def shown_s(self) -> float:
        """How long after a load was switched off the meter has to show it, s."""
        return max(SHOWN_S, SHOWN_POSTS * self.interval_s)

    def endures(self, phase: int, amps: float, seconds: float) -> bool:
        """Whether so much may be imported on a phase for so long; loads do nothing about what is exported."""
        return amps <= 0 or self.bears_s(phase, amps) >= seconds


class ManagedLoad:
    """What is known, assumed and wanted of one load."""

    def __init__(self, load_id: str, settings: LoadSettings, now: float) -> None:
        self.load_id = load_id
        self.settings = settings
        self.report = LoadReport(is_on=None)
        self.place = 0
        """Its place in the order of what is switched off by us, from 1; 0 where it is not."""
        self.missed = 0
        """How often in a row the meter did not fall."""
        self.passed_over = False
        """Whether it is passed over the next time, as the meter did not fall."""
        self.passed_at: float | None = None
        """Since when it is passed over, s; None before it was needed."""
        self.limit_id: str | None = None
        """The limit that it was switched off for; None of the protection."""
        self.today = 0
        """How often it was switched off today."""
        self.kept_on = False
        """Whether somebody switched it on against us today."""
        self.learned_amps: float | None = None
        self.learned_phases: tuple[int, ...] | None = None
        """From 0."""
        self.fell_amps: float | None = None
        """What it drew at most together with whatever else went off at the time, A."""
        self.in_flight: LoadCommand | None = None
        self.sent_at = self.done_at = self.came_back_at = -math.inf
        self.changed_at = -math.inf
        """When it was last seen to be switched, s."""
        self.no_room_at = now
        """When there was last no room for it, s."""
        self.lasts_s = LASTS_S
        self.not_before = -math.inf
        self.before: tuple[float, ...] | None = None
        """The house before it was switched off, by phase, while the meter has to show that, A."""
        self.is_alone = True
        """Whether nothing else was switched meanwhile."""
        self.seen_off = False
        self._sent: LoadAction | None = None
        """What it was told, until Home Assistant shows that."""
        self.asking: LoadAction | None = None
        self.asked_at = -math.inf
        self.said: LoadAction | None = None
        """What a person said yes to."""
        self.declined_until = -math.inf
        self.wanted_at = -math.inf
        """When it was last needed that it goes off, s."""

    # -- what is known ------------------------------------------------------------------------------------------

    @property
    def is_shed(self) -> bool:
        """Whether it is off because of us, or was told so just now."""
        return self.place > 0

    @property
    def amps(self) -> float | None:
        """What it draws, A per phase; None where nobody knows."""
        return self.learned_amps if self.settings.amps is None else self.settings.amps

    def phases(self, count: int) -> tuple[int, ...]:
        """Return the phases that it loads of so many, from 0: all of them where nobody knows."""
        told = None if self.settings.phases is None else tuple(phase - 1 for phase in self.settings.phases)
        known = [phase for phase in told or self.learned_phases or range(count) if phase < count]
        return tuple(known) or tuple(range(count))

    def obstacle(self, now: float) -> LoadReason | None:
        """Say why it cannot be switched off now, if so."""
        if self.report.is_on is None:
            return LoadReason.UNAVAILABLE
        if not self.report.is_on:
            return LoadReason.STANDBY
        if self.kept_on:
            return LoadReason.BY_USER
        if now < self.declined_until:
            return LoadReason.DECLINED
        if now < self.not_before:
            return LoadReason.FAILED
        return LoadReason.LEAST_ON if now - self.changed_at < self.settings.least_on_s else None

    # -- what comes in ------------------------------------------------------------------------------------------

    def add_report(self, report: LoadReport, now: float) -> None:
        """Take how it is now."""
        was, self.report = self.report, report
        if report.is_on is None:
            return
        if was.is_on is not None and was.is_on != report.is_on:
            self.changed_at = now
        if not report.is_on:
            self.seen_off = self.seen_off or self.is_shed
        elif self.is_shed and self._sent is LoadAction.RESTORE:
            self._came_back(now)
        elif self.is_shed and self.seen_off:
            self.place, self.before, self.kept_on = 0, None, self.settings.respects_user
            self.asking = self.said = None
        elif self.is_shed and self._sent is None:
            self.place = 0  # it was not told any more before a restart, or somebody switched it on since

    def _came_back(self, now: float) -> None:
        self.place, self._sent, self.before = 0, None, None
        self.came_back_at = now

    def acknowledge(self, command: LoadCommand, *, is_done: bool, now: float) -> None:
        """Take the end of its command."""
        if command != self.in_flight:
            return
        self.in_flight, self.done_at = None, now
        if is_done:
            if command.action is LoadAction.RESTORE and self.report.is_on:
                self._came_back(now)
        else:
            self._failed(now)

    def _failed(self, now: float) -> None:
        self.not_before, self.before, self._sent = now + RETRY_S, None, None
        if self.report.is_on and self.is_shed:
            self.place = 0

    def answer(self, action: LoadAction, *, is_yes: bool, now: float) -> None:
        """Take what a person said to a question that may be closed by now."""
        if self.asking is not action:
            return
        self.asking = None
        if is_yes:
            self.said = action
        else:
            self.declined_until = now + DECLINED_S

    def pass_over(self, now: float) -> None:
        """Let a need be without it."""
        self.passed_at = now if self.passed_at is None else self.passed_at

    # -- what goes out ------------------------------------------------------------------------------------------

    def may(self, action: LoadAction, now: float, *, is_urgent: bool = False) -> bool:
        """Whether it may be done without asking, or somebody said so, or nobody can be waited for; else ask."""
        ask_s = self.settings.ask_s if action is LoadAction.SHED else None
        asks = ask_s is not None if action is LoadAction.SHED else self.settings.restore is Restore.ASK
        if not asks or self.said is action or is_urgent:
            return True
        if self.asking is not action:
            self.asking, self.asked_at, self.said = action, now, None
        return ask_s is not None and now - self.asked_at >= ask_s

    def forget_question(self) -> None:
        """Ask nothing, and forget what was said."""
        self.asking = self.said = None

    def send(
        self, action: LoadAction, strain: Strain, now: float, *, place: int = 0, claim: Claim | None = None
    ) -> LoadCommand:
        """Put a command in flight; `claim` is the limit for which it is switched off, if that is not the protection."""
        self.in_flight = LoadCommand(load_id=self.load_id, action=action)
        self._sent, self.sent_at, self.asking, self.said = action, now, None, None
        if action is LoadAction.SHED:
            self.place, self.seen_off, self.today = place, False, self.today + 1
            self.limit_id = None if claim is None else claim.limit_id
            self.before, self.is_alone = tuple(strain.house), True
            came_back_soon = now - self.came_back_at < SOON_S and (claim is None or claim.left_s is None)
            self.lasts_s = min(2 * self.lasts_s, LASTS_MOST_S) if came_back_soon else LASTS_S
            self.no_room_at = now
        return self.in_flight

    def is_awaited(self, strain: Strain, now: float) -> bool:
        """Whether it was switched off and the meter may not show it yet: one that runs on for longer is not awaited."""
        if self.before is None or not self.is_shed:
            return False
        return self.in_flight is not None or now - self.done_at < strain.shown_s or strain.read_at <= self.done_at

    def look(self, strain: Strain, now: float) -> None:
        """See on the meter whether it went off, and in Home Assistant whether it did as told."""
        if self.report.draws and not self.is_shed:
            self.passed_over = False
        if self.passed_at is not None and now - self.passed_at > PASSED_S:
            self.passed_over, self.passed_at = False, None
        if self.in_flight is not None:
            return
        shown_s = strain.shown_s
        settled_s = max(SETTLE_S, shown_s)
        if self._sent is not None and now - self.done_at > settled_s:
            if self.report.is_on is (self._sent is LoadAction.SHED):
                self._failed(now)
            self._sent = None
        if self.before is None or not strain.is_known:
            return
        falls = [before - after for before, after in zip(self.before, strain.house, strict=False)]
        phases = self.phases(len(falls))
        fall = max((falls[phase] for phase in phases if phase < len(falls)), default=0.0)
        if fall >= (SEEN_A if self.amps is None else max(SEEN_A, SEEN_PART * self.amps)):
            self.missed, self.passed_over, self.before, self.fell_amps = 0, False, None, fall
            if self.is_alone:
                self._learn(falls, fall)
        elif now - self.done_at >= shown_s + self.report.runs_on_s and strain.read_at > self.done_at:
            if self.is_alone:
                self.missed, self.passed_over, self.passed_at = self.missed + 1, True, None
            self.before = None

    def _learn(self, falls: Sequence[float], fall: float) -> None:
        self.learned_amps = fall if self.learned_amps is None else (self.learned_amps + fall) / 2
        self.learned_phases = tuple(phase for phase, each in enumerate(falls) if each >= max(SEEN_A, SEEN_PART * fall))

    # -- what is kept -------------------------------------------------------------------------------------------

    def record(self) -> LoadRecord:
        """Return what has to survive a restart, as JSON holds it."""
        return {
            "shed": self.place,
            "kept_on": self.kept_on,
            "missed": self.missed,
            "passed_over": self.passed_over,
            "limit_id": self.limit_id if self.is_shed else None,
            "amps": None if self.learned_amps is None else round(self.learned_amps, 2),
            "phases": None if self.learned_phases is None else list(self.learned_phases),
            "today": self.today,
        }

    def restore(self, record: Mapping[str, Any]) -> None:
        """Go on from a record, as far as it can be believed."""
        place, missed, today = (record.get(name) for name in ("shed", "missed", "today"))
        self.place = place if isinstance(place, int) and place > 0 else 0
        self.missed = missed if isinstance(missed, int) and missed > 0 else 0
        self.today = today if isinstance(today, int) and today > 0 else 0
        self.kept_on = record.get("kept_on") is True
        self.passed_over = record.get("passed_over") is True
        limit_id = record.get("limit_id")
        self.limit_id = limit_id if isinstance(limit_id, str) else None
        amps, phases = record.get("amps"), record.get("phases")
        if isinstance(amps, int | float) and SEEN_A <= amps < math.inf:
            self.learned_amps = float(amps)
        if isinstance(phases, list) and phases and all(phase in (0, 1, 2) for phase in phases):
            self.learned_phases = tuple(phases)
