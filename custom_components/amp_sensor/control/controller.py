"""The controller of one site: readings, reports and acknowledgements in, decisions out."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import math
from typing import TypedDict

from .belief import DOWN_A_PER_S
from .charger import SUSPECT_S, ChargerSettings, ManagedCharger
from .charging import Action, ChargerReport, Command, Outcome
from .decision import Decision, Mode, Reason
from .house import HouseMemory, Record, Risk
from .meter import Meter
from .prices import MOVING_S, OVER_A, PRICES, best_raise
from .protection import PhaseLoad, Protection
from .reading import Reading

QUIET_S, SAFE_S, STOP_S = 15.0, 30.0, 120.0
"""Age of the last reading from which nothing is raised (or three intervals), from which a safe current is held, and
from which charging stops, s. The first is three of the firmware's intervals; SmartEVSE stops after 11 s, but is wired
to its meter."""
ADOPT_S = 60.0
"""For how long after the start nothing is raised, s: a minute shows whether the house is calm."""
BRIDGE_S = 60.0
"""After a longer silence the house may have done anything meanwhile, s."""
NOISE, SMOOTHING = 0.03, 0.25
"""A change of the house by less than this part of a reading may be the noise of a 1 % sensor: of it, only this part is
believed at each reading. More is a step, and believed at once."""
SMALL_PART = 0.06
"""Over the budget by no more than this part of it, a cut waits until it is worth its command: every breaker carries
twice as much for an hour (IEC 60898: 1.13 times its rating)."""
FROZEN_AMPS = 2.0
"""A change of the car by this much must move even a meter that rounds to whole amps, A."""
PEAK_MINUTES = 60
"""How far back the house's peak is looked for when a safe current is needed, minutes: appliances run for an hour."""
PROTECT_AT, PROTECT_S = 0.5, 10.0
"""The minimum is held only while the protection's load stays below this for as many seconds more: half of its tolerance
is left for what comes, and a stop takes up to ten seconds."""


class Supply(StrEnum):
    """How a house is fed."""

    SINGLE = "single"
    SPLIT = "split"
    """Two legs, as in North America: what lies between them is twice what each has."""
    THREE = "three"

    @property
    def phases(self) -> int:
        """How many phases, or legs, that are."""
        return {Supply.SINGLE: 1, Supply.SPLIT: 2, Supply.THREE: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What the site's owner set."""

    max_amps: float
    """The budget, A per phase (6–125)."""
    mode: Mode = Mode.BALANCED
    protection: Protection | None = None
    """What is in the fuse box; None is an MCB rated at the highest budget that there was."""
    supply: Supply | None = None
    """None learns the number of phases from the readings."""


class ControlRecord(TypedDict):
    """What has to survive a restart."""

    house: Record
    paused: list[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A target, and why."""

    target: int
    reason: Reason
    numbers: Mapping[str, float] = field(default_factory=dict)


def _smoothed(before: float, after: float, total: float) -> float:
    """Average what may be the sensor's noise, and let a step pass."""
    change = after - before
    return before + change * SMOOTHING if abs(change) < NOISE * total else after


class Controller:
    """Decides for all chargers of one site. Every method is quick, never blocks, and takes the time from outside.

    Times are seconds on one monotonic clock of the caller's choice.
    """

    def __init__(self, settings: SiteSettings, *, now: float) -> None:
        self.settings = settings
        self.meter = Meter()
        self._chargers: dict[str, ManagedCharger] = {}
        self._house: tuple[float, ...] = ()
        self._memory = HouseMemory(settings.max_amps)
        self._loads: tuple[PhaseLoad, ...] = ()
        self._peaks: deque[float] = deque([0.0], maxlen=PEAK_MINUTES)
        self._peak_since = now
        self._started_at = self._integrated_at = self._moved_at = now
        self._frozen_at: float | None = None

    # -- what comes in ------------------------------------------------------------------------------------------

    def configure(self, settings: SiteSettings, *, now: float) -> None:
        """Take new settings of the site, at once."""
        was = self._protection
        self.settings = settings
        self._memory.reach(settings.max_amps)
        if self._protection != was:
            self._loads = ()

    def set_charger(self, charger_id: str, settings: ChargerSettings, *, now: float) -> None:
        """Add a charger, or take new settings for one."""
        if charger := self._chargers.get(charger_id):
            charger.settings = settings
        else:
            self._chargers[charger_id] = ManagedCharger(charger_id, settings)

    def remove_charger(self, charger_id: str) -> None:
        """Forget a charger."""
        self._chargers.pop(charger_id, None)

    def add_reading(self, reading: Reading) -> None:
        """Take a reading; call `decide` right after."""
        now, last, was_frozen = reading.at, self.meter.last, self._frozen_at is not None
        self._integrate(now)
        self.meter.add(reading)
        if last is None or len(last.known) != len(reading.known):
            self._house = ()
        if last is None or (last.known, last.watts) != (reading.known, reading.watts):
            self._moved_at, self._frozen_at = now, None
        for charger in self._chargers.values():
            if (change := charger.belief.change) and self._house:
                others = sum(max(other.belief.bounds(now)) for other in self._chargers.values() if other is not charger)
                seen = max(amps - house for amps, house in zip(reading.known, self._house, strict=True)) - others
                charger.belief.witness(change, seen, now)
                if charger.belief.change is None:
                    charger.settled(change)
        self._share(reading, now)
        held_s = 0.0 if last is None else now - last.at
        if held_s > BRIDGE_S or (was_frozen and self._frozen_at is None):
            self._memory.interrupt(now)
        self._remember_peak(max(self._house), now)
        self._memory.add(max(self._house), now, min(held_s, BRIDGE_S))

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a charger says of itself."""
        charger = self._chargers[charger_id]
        was_running = charger.running
        charger.add_report(report, now)
        if charger.running and not was_running and self._house and (last := self.meter.last):
            # Until now, all that it draws was taken for the house's.
            self._share(last, now)
            self._peaks[-1] = max(self._house)

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float, retry_after_s: float = 0.0) -> None:
        """Take the end of the command in flight. No command goes to its charger for `retry_after_s` (may be inf)."""
        if charger := self._chargers.get(command.charger_id):
            charger.acknowledge(outcome, now, retry_after_s)

    def record(self) -> ControlRecord:
        """Return what has to survive a restart, as JSON holds it: what the house taught, and whose pauses are ours."""
        return {
            "house": self._memory.record(),
            "paused": self.paused,
        }

    def restore(self, record: ControlRecord) -> None:
        """Go on from a record; call it after the chargers are set and before their first reports."""
        self._memory.restore(record["house"])
        for charger_id in record["paused"]:
            if charger := self._chargers.get(charger_id):
                charger.paused = True

    def _share(self, reading: Reading, now: float) -> None:
        """Tell the house's part of a reading: it is taken to have changed as little as the meter allows."""
        bounds = [charger.belief.bounds(now) for charger in self._chargers.values()]
        low, high = sum(each[0] for each in bounds), sum(each[1] for each in bounds)
        before = self._house or tuple(amps - low for amps in reading.known)
        self._house = tuple(
            _smoothed(house, max(0.0, min(max(house, amps - high), amps - low)), amps)
            for house, amps in zip(before, reading.known, strict=True)
        )

    def _integrate(self, now: float) -> None:
        if last := self.meter.last:
            if len(self._loads) != len(last.known):
                self._loads = tuple(PhaseLoad(self._protection) for _ in last.known)
            for load, amps in zip(self._loads, last.known, strict=True):
                load.integrate(amps, now - self._integrated_at)
        self._integrated_at = now

    @property
    def _protection(self) -> Protection:
        return self.settings.protection or Protection(rating_amps=self.settings.max_amps)

    # -- what is known ------------------------------------------------------------------------------------------

    def house_current(self) -> float | None:
        """Current without the managed chargers, A, highest phase; None before the first reading."""
        return max(self._house) if self._house else None

    @property
    def chargers(self) -> Mapping[str, ManagedCharger]:
        """The chargers by their id, to look at only."""
        return self._chargers

    @property
    def frozen_at(self) -> float | None:
        """Since when the meter shows nothing of what it must show, s; None while it shows what it should."""
        return self._frozen_at

    @property
    def paused(self) -> list[str]:
        """The chargers that stand still because of us."""
        return [charger_id for charger_id, charger in self._chargers.items() if charger.paused]

    @property
    def protection_load(self) -> float:
        """How near the protection is to opening, 0 (cold) to 1 (opens), of the worst phase."""
        return max((load.load for load in self._loads), default=0.0)

    # -- what goes out ------------------------------------------------------------------------------------------

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Decide for every charger. A decision with a command puts that command in flight until `acknowledge`."""
        self._integrate(now)
        return tuple(self._decide(charger, now) for charger in self._chargers.values())

    def release(self, charger_id: str, *, now: float) -> Command | None:
        """Return the next command that gives a charger back as it was, where that is safe; else nothing.

        For when control of it has ended, whatever the mode says by then: its maximum, and what we paused runs again
        with what fits. A command is in flight until `acknowledge`; then ask again.
        """
        charger = self._chargers[charger_id]
        room = self._room(charger, now)
        if charger.out_of_reach(now) or room is None:
            return None
        request, cap = charger.request or 0, self._cap(charger)
        command: Command | None = None
        if charger.running:
            if request < cap <= room:
                command = Command(charger_id=charger_id, action=Action.SET_AMPS, amps=cap)
        elif (fit := min(cap, math.floor(room))) >= charger.settings.min_amps:
            # One below what fits is as good: a house that wavers would have it told again and again.
            if fit - 1 <= request <= fit:
                command = Command(charger_id=charger_id, action=Action.START)
            else:
                command = Command(charger_id=charger_id, action=Action.SET_AMPS, amps=fit)
        if command:
            charger.send(command, now)
        return command

    def _room(self, charger: ManagedCharger, now: float) -> float | None:
        """What a charger may be given for good, A; None where nobody knows that now, or where a command is to wait."""
        waits = charger.in_flight or now < charger.not_before or not charger.belief.is_settled
        if waits or not self._house or self._silence_s(now) > QUIET_S:
            return None
        return self.settings.max_amps - max(self._house) - self._others(charger)

    def _silence_s(self, now: float) -> float:
        """For how long the meter has said nothing that can be believed."""
        if self._frozen_at is not None:
            return now - self._frozen_at
        return now - (self._started_at if self.meter.last is None else self.meter.last.at)

    def _remember_peak(self, amps: float, now: float) -> None:
        if now - self._peak_since >= 60:
            self._peaks.append(amps)
            self._peak_since = now
        self._peaks[-1] = max(self._peaks[-1], amps)

    def _cap(self, charger: ManagedCharger) -> int:
        return charger.cap(int(self.settings.max_amps))

    def _others(self, charger: ManagedCharger) -> float:
        return sum(other.expected_amps for other in self._chargers.values() if other is not charger)

    def _decide(self, charger: ManagedCharger, now: float) -> Decision:
        monitoring = self.settings.mode is Mode.MONITOR
        if reason := charger.not_ours(self.settings.mode, now):
            charger.target = 0 if not charger.running else charger.request or charger.target
            return Decision(at=now, charger_id=charger.charger_id, target=0, reason=reason)
        change, read_at = charger.belief.change, self.meter.last.at if self.meter.last else -math.inf
        if (
            change
            and charger.belief.is_overdue(read_at)
            and change.amps >= FROZEN_AMPS
            and self._moved_at < change.sent_at
            and self._frozen_at is None
        ):
            self._frozen_at = change.sent_at
        resend = charger.look(now, read_at)
        kept = charger.target
        choice = self._choose(charger, now)
        charger.chosen_at = now
        if resend and choice.target <= kept:
            choice = Choice(choice.target, Reason.RESENT, choice.numbers)
        charger.target = choice.target
        command = None if monitoring else charger.next_command(now)
        if command:
            charger.send(command, now)
        elif monitoring:
            charger.target = kept
        return Decision(
            at=now,
            charger_id=charger.charger_id,
            target=choice.target,
            reason=choice.reason,
            cap=self._cap(charger),
            numbers=choice.numbers,
            command=command,
        )

    def _choose(self, charger: ManagedCharger, now: float) -> Choice:
        """Choose the target of one charger, and say why."""
        prices, budget = PRICES[self.settings.mode], self.settings.max_amps
        cap, least, target = self._cap(charger), charger.settings.min_amps, charger.target
        others = self._others(charger)
        silence_s, silent = (
            self._silence_s(now),
            Reason.METER_SILENT if self._frozen_at is None else Reason.METER_FROZEN,
        )
        if silence_s > STOP_S:
            return Choice(0, silent, {"silence_s": silence_s})
        if silence_s > SAFE_S:
            safe = int(budget - prices.margin_amps - max(self._peaks) - others)
            held = 0 if charger.start_is_due else min(target, cap, max(least, safe))
            return Choice(held, silent, {"silence_s": silence_s})
        if not self._house:
            return Choice(min(target, cap), Reason.ADOPTING, {})
        house = max(self._house) + others
        fit = min(cap, math.floor(budget - prices.margin_amps - house))
        numbers = {"house_amps": house, "budget_amps": budget}
        over = house + charger.expected_amps - budget
        if target > cap:
            lowered = cap if fit >= cap or over <= OVER_A else min(cap, max(least, fit))
            return Choice(lowered, Reason.AT_MAXIMUM, numbers)
        if over > OVER_A and charger.start_is_due:
            return Choice(0, Reason.PAUSED, numbers)
        if target and over > OVER_A:
            small = target > least and over <= SMALL_PART * budget
            if small and self._tolerated_s(budget + over) >= PROTECT_S:
                charger.debt_as += over * min(1.0, now - charger.chosen_at)
                if not prices.pays_for_cut(charger.debt_as):
                    return Choice(target, Reason.NO_HEADROOM, numbers)
            # The margin is for raises: kept here too, a wavering house would have an ampere taken and given back.
            left = math.floor(budget - house)
            if left >= least:
                return Choice(min(left, target), Reason.OVER_BUDGET, numbers | {"over_amps": over})
            return self._below_minimum(charger, house + least - budget, now, numbers)
        charger.debt_as = 0.0
        if silence_s > max(3 * self.meter.interval_s, QUIET_S):
            return Choice(0 if charger.start_is_due else target, silent, {"silence_s": silence_s})
        return self._raise(charger, others, fit, now, numbers)

    def _below_minimum(
        self, charger: ManagedCharger, excess: float, now: float, numbers: Mapping[str, float]
    ) -> Choice:
        """Not even the minimum fits: hold it for as long as that is cheaper than a stop and a start, then stop."""
        prices, budget = PRICES[self.settings.mode], self.settings.max_amps
        charger.debt_as += max(0.0, excess) * min(1.0, now - charger.chosen_at)
        held = min(charger.target, charger.settings.min_amps)
        returns = self._memory.returns(max(self._house) - excess, now)
        bears = self._bears_way_down(charger, excess, held) and self._tolerated_s(budget + excess) >= PROTECT_S
        if not bears or not prices.holds_minimum(excess, charger.debt_as, returns):
            return Choice(0, Reason.PAUSED, numbers)
        return Choice(held, Reason.MINIMUM, numbers)

    def _bears_way_down(self, charger: ManagedCharger, excess: float, held: int) -> bool:
        """Whether the protection bears what flows until a car that was not told yet is down at what is to be held."""
        if charger.belief.change:
            return True
        way = charger.belief.high - held
        way_s = charger.latency_s + MOVING_S + way / DOWN_A_PER_S / 2
        return self._tolerated_s(self.settings.max_amps + excess + way) >= way_s

    def _tolerated_s(self, amps: float) -> float:
        """How long the protection of every phase bears `amps` from now, up to half of its tolerance, s."""
        return min(load.tolerated_s(amps, PROTECT_AT) for load in self._loads)

    def _raise(
        self, charger: ManagedCharger, others: float, fit: int, now: float, numbers: Mapping[str, float]
    ) -> Choice:
        """Weigh each higher current: what it brings, against what the house's next step would make of it."""
        target = charger.target
        starting = not charger.running
        change = charger.belief.change
        if change and change.is_cut:
            return Choice(target, Reason.VERIFYING, numbers)
        if charger.in_flight or not charger.belief.is_settled or now < charger.not_before:
            return Choice(target, Reason.SETTLING, numbers)
        if charger.start_is_due:
            return Choice(target, Reason.STARTED, numbers)
        if now - self._started_at < ADOPT_S:
            return Choice(target, Reason.ADOPTING, numbers)
        if target >= self._cap(charger):
            return Choice(target, Reason.USER_LIMIT if charger.user_limit is not None else Reason.AT_MAXIMUM, numbers)
        if not starting and now - charger.measured_at > SUSPECT_S:
            return Choice(target, Reason.REPORT_STALE, numbers)
        if charger.measured_at < charger.report_wanted_at:
            return Choice(target, Reason.SETTLING, numbers)
        if not starting and not charger.uses_what_it_has:
            return Choice(target, Reason.NOT_USED, numbers)
        first = max(target + 1, charger.settings.min_amps)
        if fit < first:
            paused = Reason.HOUSE_OVER_BUDGET if max(self._house) > self.settings.max_amps else Reason.PAUSED
            return Choice(target, Reason.NO_HEADROOM if target else paused, numbers)
        if starting and charger.starts_left(now) < 1:
            return Choice(target, Reason.STARTS_EXHAUSTED, numbers)
        best = best_raise(
            target,
            range(first, fit + 1),
            PRICES[self.settings.mode],
            latency_s=charger.latency_s,
            risk=lambda amps, at: self._risk(amps, others, at),
            now=now,
        )
        if best == target:
            return Choice(target, Reason.WAITING, numbers)
        return Choice(best, Reason.STARTED if starting else Reason.RAISED, numbers)

    def _risk(self, amps: int, others: float, at: float) -> Risk | None:
        """Return what the house threatens while a charger draws `amps`; None while it does not even fit."""
        margin = PRICES[self.settings.mode].margin_amps
        return self._memory.risk(self.settings.max_amps - margin - others - amps, at)
