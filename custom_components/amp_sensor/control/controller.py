"""The controller of one site: readings, reports and acknowledgements in, decisions out."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
import math

from .belief import DOWN_A_PER_S
from .charging import Action, ChargerReport, Command, Outcome
from .decision import Decision, Mode, Reason
from .house import HouseMemory
from .managed import SUSPECT_S, ChargerSettings, ManagedCharger
from .meter import Meter
from .protection import PhaseLoad, Protection
from .reading import Reading

QUIET_S, SAFE_S, STOP_S = 15.0, 30.0, 120.0
"""Age of the last reading from which nothing is raised (or three intervals), from which a safe current is
held, and from which charging stops, s. The first is three of the firmware's intervals; SmartEVSE stops after 11 s, but
is wired to its meter."""
ADOPT_S = 60.0
"""For how long after the start nothing is raised, s: a minute shows whether the house is calm."""
BRIDGE_S = 60.0
"""After a longer silence the house may have done anything meanwhile, s."""
STEADY_S = 10.0
"""Headroom counts only once it was there for this long, s: two usual readings."""
OVER_A = 0.1
"""A reading is over the budget from here, A: less is the sensor's noise."""
PROTECT_AT = 0.5
"""Load of the protection at which the minimum is no longer held: half of its tolerance is left for what comes."""
START_PRICE_AS = 600.0
"""What a stop and the start after it cost, A·s of charge: half a minute without 10 A, and as much for the contactor."""
PEAK_MINUTES = 60
"""How far back the house's peak is looked for when a safe current is needed, minutes: appliances run for an hour."""
DEBT_HOLD_S = 20.0
"""Where holding the minimum would be dearer than a stop within this time, it is stopped at once, s."""
SEEING_S = 1.0
"""From a step of the house to the reading that shows it, s: the firmware posts at once on a step."""
MOVING_S = 1.75
"""From the cloud's answer to the car's first movement, s: the middle of 0.5 to 3 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a mode thinks things are worth, all in A·s of charge."""

    over: float
    """Of one A·s over the budget."""
    command: float
    """Of one command: providers pay for each, and each is one more thing that can go wrong."""
    margin_amps: float
    """Kept free below the budget, A."""
    uses_tolerance: bool
    """Whether the minimum may be held above the budget while the protection allows."""


PRICES = {
    Mode.STRICT: Prices(over=40.0, command=60.0, margin_amps=0.5, uses_tolerance=False),
    Mode.BALANCED: Prices(over=12.0, command=60.0, margin_amps=0.25, uses_tolerance=True),
    Mode.EAGER: Prices(over=4.0, command=60.0, margin_amps=0.0, uses_tolerance=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What the site's owner set."""

    max_amps: float
    """The budget, A per phase (6–125)."""
    mode: Mode = Mode.BALANCED
    protection: Protection | None = None
    """What opens when the budget is exceeded for long; None is an MCB rated at the budget."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A target, and why."""

    target: int
    reason: Reason
    numbers: Mapping[str, float] = field(default_factory=dict)


def _share(house: tuple[float, ...], reading: Reading, low: float, high: float) -> tuple[float, ...]:
    """Return the house's part of a reading, nearest to what it was, given that all chargers draw `low` to `high` A."""
    return tuple(max(0.0, min(max(was, amps - high), amps - low)) for was, amps in zip(house, reading.amps, strict=True))


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
        self._started_at = self._integrated_at = self._chosen_at = now
        self._debt = 0.0

    # -- what comes in ------------------------------------------------------------------------------------------

    def configure(self, settings: SiteSettings, *, now: float) -> None:
        """Take new settings of the site, at once."""
        if settings.max_amps != self.settings.max_amps:
            self._memory = HouseMemory(settings.max_amps)
        if settings.protection != self.settings.protection or settings.max_amps != self.settings.max_amps:
            self._loads = ()
        self.settings = settings

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
        now, last = reading.at, self.meter.last
        self._integrate(now)
        self.meter.add(reading)
        if last is None or len(last.amps) != len(reading.amps):
            self._house = ()
        low = sum(charger.belief.bounds(now)[0] for charger in self._chargers.values())
        high = sum(charger.belief.bounds(now)[1] for charger in self._chargers.values())
        for charger in self._chargers.values():
            if charger.belief.change and self._house:
                others = sum(max(other.belief.bounds(now)) for other in self._chargers.values() if other is not charger)
                seen = max(amps - house for amps, house in zip(reading.amps, self._house, strict=True)) - others
                change = charger.belief.change
                charger.belief.witness(seen, now)
                if charger.belief.change is None:
                    charger.settled(change)
        # The house is taken to have changed as little as the meter allows.
        before = self._house or tuple(amps - low for amps in reading.amps)
        self._house = _share(before, reading, low, high)
        held_s = 0.0 if last is None else now - last.at
        if held_s > BRIDGE_S:
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
            low = sum(each.belief.bounds(now)[0] for each in self._chargers.values())
            high = sum(each.belief.bounds(now)[1] for each in self._chargers.values())
            self._house = _share(self._house, last, low, high)

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float, retry_after_s: float = 0.0) -> None:
        """Take the end of the command in flight. No command goes to its charger for `retry_after_s` (may be inf)."""
        if charger := self._chargers.get(command.charger_id):
            charger.acknowledge(outcome, now, retry_after_s)

    def _integrate(self, now: float) -> None:
        if last := self.meter.last:
            if len(self._loads) != len(last.amps):
                protection = self.settings.protection or Protection(rating_amps=self.settings.max_amps)
                self._loads = tuple(PhaseLoad(protection) for _ in last.amps)
            for load, amps in zip(self._loads, last.amps, strict=True):
                load.integrate(amps, now - self._integrated_at)
        self._integrated_at = now

    # -- what is known ------------------------------------------------------------------------------------------

    def house_current(self) -> float | None:
        """Current without the managed chargers, A, highest phase; None before the first reading."""
        return max(self._house) if self._house else None

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
        """Return what to send when control ends: the charger's maximum, where that is safe; else nothing."""
        charger = self._chargers[charger_id]
        if charger.in_flight or charger.not_ours(self.settings.mode) or not charger.running or not self._house:
            return None
        cap = self._cap(charger)
        if (
            self._silence_s(now) > QUIET_S
            or max(self._house) + cap > self.settings.max_amps
            or (charger.request or 0) >= cap
        ):
            return None
        return Command(charger_id=charger_id, action=Action.SET_AMPS, amps=cap)

    def _silence_s(self, now: float) -> float:
        return now - (self._started_at if self.meter.last is None else self.meter.last.at)

    def _remember_peak(self, amps: float, now: float) -> None:
        if now - self._peak_since >= 60:
            self._peaks.append(amps)
            self._peak_since = now
        self._peaks[-1] = max(self._peaks[-1], amps)

    def _cap(self, charger: ManagedCharger) -> int:
        return charger.cap(int(self.settings.max_amps))

    def _decide(self, charger: ManagedCharger, now: float) -> Decision:
        monitoring = self.settings.mode is Mode.MONITOR
        if reason := charger.not_ours(self.settings.mode):
            charger.target = 0 if not charger.running else charger.request or charger.target
            return Decision(at=now, charger_id=charger.charger_id, target=0, reason=reason)
        resend = charger.look(now)
        kept = charger.target
        choice = self._choose(charger, now)
        self._chosen_at = now
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
            numbers=choice.numbers,
            command=command,
        )

    def _choose(self, charger: ManagedCharger, now: float) -> Choice:
        """Choose the target of one charger, and say why."""
        prices, budget = PRICES[self.settings.mode], self.settings.max_amps
        cap, least, target = self._cap(charger), charger.settings.min_amps, charger.target
        others = sum(other.expected_amps for other in self._chargers.values() if other is not charger)
        silence_s = self._silence_s(now)
        if silence_s > STOP_S:
            return Choice(0, Reason.METER_SILENT, {"silence_s": silence_s})
        if silence_s > SAFE_S:
            safe = int(budget - prices.margin_amps - max(self._peaks) - others)
            return Choice(min(target, max(least, safe)), Reason.METER_SILENT, {"silence_s": silence_s})
        if not self._house:
            return Choice(min(target, cap), Reason.ADOPTING, {})
        house = max(self._house) + others
        fit = min(cap, math.floor(budget - prices.margin_amps - house))
        numbers = {"house_amps": house, "budget_amps": budget}
        over = house + charger.expected_amps - budget
        if target > cap:
            return Choice(cap if fit >= cap or over <= OVER_A else max(least, fit), Reason.AT_MAXIMUM, numbers)
        if target and over > OVER_A:
            if fit >= least:
                return Choice(min(fit, target), Reason.OVER_BUDGET, numbers | {"over_amps": over})
            return self._below_minimum(charger, house + least - budget, now, numbers)
        self._debt = 0.0
        if silence_s > max(3 * self.meter.interval_s, QUIET_S):
            return Choice(target, Reason.METER_SILENT, {"silence_s": silence_s})
        return self._raise(charger, others, fit, now, numbers)

    def _below_minimum(
        self, charger: ManagedCharger, excess: float, now: float, numbers: Mapping[str, float]
    ) -> Choice:
        """Not even the minimum fits: hold it for as long as that is cheaper than a stop and a start, then stop."""
        prices = PRICES[self.settings.mode]
        least = charger.settings.min_amps
        paused = Choice(0, Reason.PAUSED, numbers)
        if not prices.uses_tolerance or self.protection_load >= PROTECT_AT:
            return paused
        cost_per_s = prices.over * max(0.0, excess)
        self._debt += cost_per_s * min(1.0, now - self._chosen_at)
        if self._debt >= START_PRICE_AS or cost_per_s * DEBT_HOLD_S >= START_PRICE_AS:
            return paused
        return Choice(min(charger.target, least), Reason.MINIMUM, numbers)

    def _raise(
        self, charger: ManagedCharger, others: float, fit: int, now: float, numbers: Mapping[str, float]
    ) -> Choice:
        """Weigh each higher current: what it brings, against what the house's next step would make of it."""
        target = charger.target
        starting = not charger.running
        if charger.in_flight or not charger.belief.is_settled:
            # A start that is under way gives way to the house.
            return Choice(target, Reason.SETTLING, numbers)
        if now - self._started_at < ADOPT_S:
            return Choice(target, Reason.ADOPTING, numbers)
        if target >= self._cap(charger):
            return Choice(target, Reason.USER_LIMIT if charger.user_limit else Reason.AT_MAXIMUM, numbers)
        if not starting and now - charger.measured_at > SUSPECT_S:
            return Choice(target, Reason.REPORT_STALE, numbers)
        if charger.measured_at < charger.report_wanted_at:
            return Choice(target, Reason.SETTLING, numbers)
        if not starting and not charger.uses_what_it_has:
            return Choice(target, Reason.NOT_USED, numbers)
        first = max(target + 1, charger.settings.min_amps)
        if fit < first:
            return Choice(target, Reason.NO_HEADROOM, numbers)
        if starting and charger.starts_left(now) < 1:
            return Choice(target, Reason.STARTS_EXHAUSTED, numbers)
        best, best_worth = target, 0.0
        for amps in range(first, fit + 1):
            worth = self._worth(charger, amps, others, now)
            if worth > best_worth:
                best, best_worth = amps, worth
        if best == target:
            return Choice(target, Reason.WAITING, numbers)
        return Choice(best, Reason.STARTED if starting else Reason.RAISED, numbers)

    def _worth(self, charger: ManagedCharger, amps: int, others: float, now: float) -> float:
        """What drawing `amps` instead of the present target brings, A·s of charge per second."""
        prices = PRICES[self.settings.mode]
        gain = amps - charger.target
        risk = self._memory.risk(self.settings.max_amps - prices.margin_amps - others - amps, now)
        if risk is None or risk.calm_s < STEADY_S:
            return 0.0
        excess = risk.step_amps * -math.expm1(-gain / risk.step_amps)
        over_s = SEEING_S + charger.latency_s + MOVING_S + excess / DOWN_A_PER_S / 2
        change = START_PRICE_AS if charger.target == 0 else 2 * prices.command
        return gain - risk.per_s * (prices.over * over_s * excess + change)
