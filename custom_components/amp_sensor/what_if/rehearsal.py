"""What a car would have got in a house whose current is known: the same controller, an ideal plant. Pure.

The meter is exact, the cloud always answers after its usual time, and the car follows at its usual speed: what comes
out is what the house allows, not what a bad day at the cloud leaves of it. `simulation/` is for the latter.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Final, NamedTuple

from ..control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargeWith,
    ChargingState,
    Clock,
    Command,
    Controller,
    LimitSettings,
    Mode,
    Outcome,
    Plan as Schedule,
    Protection,
    ProtectionKind,
    Reading,
    Reason,
    SiteSettings,
    Slot,
    Surplus,
    When,
    make_plan,
)
from ..control.meter import USUAL_INTERVAL_S
from ..control.peak import Window
from ..control.plan import AHEAD_S, QUARTER_S as SLOT_S, REPLAN_S
from ..control.prices import OVER_A
from ..control.profile import TESSIE
from ..control.protection import PhaseLoad
from ..control.reading import signed

REPORT_S: Final = 20.0
"""How often a charging car is asked how it is, s: as often as through Tessie."""
TICKED: Final = {
    Reason.OVER_BUDGET,
    Reason.MINIMUM,
    Reason.VERIFYING,
    Reason.RESENT,
    Reason.SETTLING,
    Reason.WAITING,
}
"""While the controller counts seconds it decides at each tick; otherwise only when it is told something."""
CHANGE_A: Final = 1.0
"""A change at which a reading is taken at once, A: as in docs/benchmark.md."""
TICK_S: Final = 1.0
"""How finely a car that moves is followed, s, and the coordinator's tick."""
TOLD_S: Final = 300.0
"""How often whoever waits is told how far it is, simulated s: some milliseconds of work."""
HELD_S: Final = 3600.0
"""How long the last state of a house is believed, s: an idle house on a coarse meter stays the same for a while."""
QUARTER_S: Final = 900.0
"""Over which windows of the clock power is averaged, s: zones differ by whole quarters of an hour."""
MONTH_S: Final = 30 * 86400.0
CAR: Final = "car"
LIMIT: Final = "limit"
KNOWN_PART: Final = 0.95
"""A night counts where at least this part of it is known."""
SEEN_S: Final = 60.0
"""The longest time between two looks of which is learned what is usual, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What might be."""

    max_amps: float
    """The budget, A per phase; the breaker is taken to be rated at it."""
    max_amps_car: int
    mode: Mode
    """With OFF the car draws all it can."""
    charge_with: ChargeWith = ChargeWith.GRID
    reserve_w: float = 0.0
    """What of the surplus is left to the grid, W."""
    peak_limit_kw: float | None = None
    """The most on average over each quarter of an hour, kW; None where that is not limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What would have come of a plan. Over budget is only what the car added."""

    charge_ah: float
    """What the car would have taken, A·h per phase."""
    best_ah: float
    """What a clairvoyant would have taken that always draws the right whole amps: the least it charges with, or more,
    or none."""
    over_s: float
    """For how long the budget was exceeded while the car drew current, s."""
    house_over_s: float
    """For how long the house alone exceeded it, s: no control of a car can help there."""
    trips: int
    """How often the breaker might have opened while the car drew current; it is closed again at once."""
    commands: int
    surplus_wh: float
    """What of its charge came from what would have flowed out, Wh."""
    imported_wh: float
    """What house and car would have imported, Wh."""
    highest_watts: float
    """The highest mean import of house and car over a quarter of an hour by the clock, W."""
    house_highest_watts: float
    """The same of the house alone."""
    nights: int
    """How many there were in which something was wanted, and that are known."""
    nights_ready: int
    """In how many of them it was there in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a car is to get each night: it is there in these nights only."""

    wh: float
    nights: Sequence[tuple[float, float]]
    """When it is plugged in, and when it is to be ready, s since 1970; one after another."""
    offset_s: float = 0.0
    """By how much the wall's clock is ahead of UTC, s."""

    def hour(self, at: float) -> int:
        """Return the hour of the week by the wall's clock, from Monday 0:00; 1970 began on a Thursday."""
        return (int((at + self.offset_s) // 3600) + 72) % 168


class Held(NamedTuple):
    """What a house drew for a while."""

    amps: float
    """On its highest phase, A."""
    watts: float
    """On all phases together, W, negative while exporting; NaN where nobody knows."""
    seconds: float
    at: float
    """When that began, s since 1970."""


class House:
    """What a house drew, without its car: one thing after another, each held until the next.

    Time without readings is left out: it begins at 0, and has no gaps.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._held: tuple[array[float], ...] = tuple(array("d") for _ in Held._fields)

    def add(self, amps: float, seconds: float, *, watts: float = math.nan, at: float | None = None) -> None:
        """Let it draw `amps` and `watts` for some seconds, from the end of what it has unless told otherwise."""
        held = Held(amps, watts, seconds, self.seconds if at is None else at)
        for column, value in zip(self._held, held, strict=True):
            column.append(value)
        self.seconds += seconds

    def __iter__(self) -> Iterator[Held]:
        """Tell what it drew, in its order."""
        return map(Held._make, zip(*self._held, strict=True))

    def to_bytes(self) -> bytes:
        """Return it as another process of this machine can read it."""
        return b"".join(column.tobytes() for column in self._held)

    @classmethod
    def from_bytes(cls, data: bytes) -> House:
        """Make one of what `to_bytes` gave."""
        together, columns = array("d", data), len(Held._fields)
        length = len(together) // columns
        house = cls()
        house._held = tuple(together[number * length : (number + 1) * length] for number in range(columns))
        house.seconds = math.fsum(house._held[Held._fields.index("seconds")])
        return house

    @classmethod
    def of(cls, states: Iterable[tuple[float, float | None, float | None]], end: float) -> House:
        """Make one of times, s, and what it drew, A and W; without A it is a time without readings.

        The last one holds until `end`.
        """
        house = cls()
        since, amps, watts = -math.inf, None, None
        for at, *drawn in (*states, (end, None, None)):
            if amps is not None and at > since:
                house.add(amps, min(at - since, HELD_S), watts=math.nan if watts is None else watts, at=since)
            since, (amps, watts) = at, drawn
        return house


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """How house and car are fed."""

    volts: float
    """Of a phase."""
    phases: int = 1
    """How many the house has."""
    car_phases: int = 1
    """How many of them the car draws from: the highest first."""

    def flowing(self, held: Held) -> tuple[tuple[float, ...], float]:
        """Return what a house drew on each phase, A, the highest first, and in all, W; signed both.

        What lies beside the highest phase is spread over the others; where only that is known, all are as high.
        """
        amps, watts = held.amps, held.watts
        if math.isnan(watts):
            return (amps,) * self.phases, amps * self.volts * self.phases
        if self.phases == 1:
            return (signed(amps, watts),), watts
        other = min(amps, (watts / self.volts - amps) / (self.phases - 1))
        return (amps, *[other] * (self.phases - 1)), watts


class _Meter:
    """The windows of a meter of energy."""

    def __init__(self) -> None:
        self._window: Window | None = None
        self.highest_watts = 0.0

    def add(self, watts: float, now: float, seconds: float, wall_s: float) -> None:
        """Let `watts` flow for some seconds; `wall_s` is the wall's time at 0."""
        began_at = now - (now + wall_s) % QUARTER_S
        if self._window is None:
            self._window = Window(QUARTER_S, began_at, now)
        self._window.align(began_at, now)
        self._window.add(watts, watts, now, holds_s=seconds)
        self._window.integrate(now + seconds)
        self.highest_watts = max(self.highest_watts, self._window.highest_watts)


class _Car:
    """A car that does what it is told, and as much as it may."""

    def __init__(self, amps: int) -> None:
        self.amps = self._goal = float(amps)
        self.request = amps
        self.is_charging = True
        self.command: Command | None = None
        """On its way."""
        self._answers_at = self._moves_at = math.inf

    def send(self, command: Command, now: float) -> None:
        self.command = command
        self._answers_at = now + TESSIE.latency_s

    def next_at(self, now: float) -> float:
        """Return when it does something next."""
        ramps = now + TICK_S if self.amps != self._goal else math.inf
        return min(self._answers_at, self._moves_at, ramps)

    def advance(self, now: float, elapsed_s: float) -> Command | None:
        """Let time pass; return the command that was carried out meanwhile."""
        if self.amps < self._goal:
            self.amps = min(self._goal, self.amps + TESSIE.up_a_per_s * elapsed_s)
        else:
            self.amps = max(self._goal, self.amps - TESSIE.down_a_per_s * elapsed_s)
        if now >= self._moves_at:
            self._moves_at = math.inf
            self._goal = float(self.request) if self.is_charging else 0.0
        if now < self._answers_at:
            return None
        self._answers_at = math.inf
        command, self.command = self.command, None
        match command:
            case Command(action=Action.SET_AMPS, amps=amps):
                self.request = amps
                if self.is_charging and not self.amps:
                    return command  # it is starting, which is not any quicker for that
            case Command(action=Action.START):
                self.is_charging = True
                self._moves_at = now + TESSIE.start_lead_s
                return command
            case _:
                self.is_charging = False
        self._moves_at = now + TESSIE.moving_s
        return command

    def report(self) -> ChargerReport:
        starting = self.is_charging and not self.amps
        state = ChargingState.STARTING if starting else ChargingState.CHARGING
        return ChargerReport(
            age_s=0.0,
            state=state if self.is_charging else ChargingState.STOPPED,
            requested_amps=self.request,
            measured_amps=round(self.amps),
            plugged_in=True,
            at_home=True,
        )


class _Nights:
    """Plans for what is wanted as the site does, but without prices: as late as is safe."""

    def __init__(self, wanted: Wanted, controller: Controller, watts_per_amp: float) -> None:
        self.known = self.ready = 0
        self._wanted = wanted
        self._nights = list(reversed(wanted.nights))
        self._controller = controller
        self._charger = controller.chargers[CAR]
        self._watts_per_amp = watts_per_amp
        self._plan: Schedule | None = None
        self._plan_at = self._looked_at = -math.inf
        self._from_wh: float | None = None
        self._known_s = 0.0

    def look(self, now: float, at: float, charged_wh: float) -> Mapping[Reason, int]:
        """Return what it may have; it was charged with so much until now."""
        seconds, self._looked_at = now - self._looked_at, now
        fits = self._controller.fits(CAR, now=now)
        if fits is not None and seconds <= SEEN_S:
            self._charger.usual.add(self._wanted.hour(at), *fits, seconds)
        while self._nights and at >= self._nights[-1][1]:
            self._end(charged_wh)
        if not self._nights or at < self._nights[-1][0]:
            return {Reason.PLANNED: 0}
        if self._from_wh is None:
            self._from_wh = charged_wh
        elif seconds <= SEEN_S:
            self._known_s += seconds
        needed = self._wanted.wh - (charged_wh - self._from_wh)
        if needed <= 0:
            return {Reason.WANTED_REACHED: 0}
        if now >= self._plan_at:
            self._plan_at = now + REPLAN_S
            was_pressed = self._plan is not None and self._plan.is_pressed
            slots = self._slots(at)
            running = self._charger.running
            self._plan = make_plan(When.LATE, slots, needed, is_charging=running, was_pressed=was_pressed)
        # In the last minutes before its time nothing is left to plan
        is_due = self._plan is None or not self._plan.slots
        return {} if is_due or (self._plan is not None and self._plan.charges_at(at)) else {Reason.PLANNED: 0}

    def _end(self, charged_wh: float) -> None:
        begins, ends = self._nights.pop()
        if self._from_wh is not None and self._known_s >= KNOWN_PART * (ends - begins):
            self.known += 1
            self.ready += charged_wh - self._from_wh >= self._wanted.wh
        self._from_wh, self._known_s, self._plan, self._plan_at = None, 0.0, None, -math.inf

    def _slots(self, at: float) -> list[Slot]:
        until = self._nights[-1][1] - AHEAD_S
        most = self._charger.most(int(self._controller.settings.max_amps))
        slots = []
        for quarter in range(int(at // SLOT_S), math.ceil(until / SLOT_S)):
            start, end = max(at, quarter * SLOT_S), min(until, (quarter + 1) * SLOT_S)
            usual, safe = self._charger.usual.expect(self._wanted.hour(start), start - at)
            usual_watts, safe_watts = [self._watts_per_amp * min(most, amps) for amps in (usual, safe)]
            slots.append(Slot(start=start, end=end, price=0.0, usual_watts=usual_watts, safe_watts=safe_watts))
        return slots


def rehearse(
    house: House,
    plan: Plan,
    wiring: Wiring,
    *,
    kind: ProtectionKind = ProtectionKind.MCB_C,
    wanted: Wanted | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Outlook:
    """Let the controller have a house.

    `progress` is told the part that is done, 0 to 1, every few milliseconds.
    """
    protection = Protection(kind=kind, rating_amps=plan.max_amps)
    controller = Controller(SiteSettings(max_amps=plan.max_amps, mode=plan.mode, protection=protection), now=0.0)
    settings = ChargerSettings(
        max_amps=plan.max_amps_car,
        phases=tuple(range(1, wiring.car_phases + 1)) if wiring.phases > 1 else None,
        charge_with=plan.charge_with,
        reserve_w=plan.reserve_w,
    )
    controller.set_charger(CAR, settings, now=0.0)
    limits = {} if plan.peak_limit_kw is None else {LIMIT: _limit(plan.peak_limit_kw)}
    surplus = None if plan.charge_with is ChargeWith.GRID else Surplus(knows_sign=True)
    nights = None if wanted is None else _Nights(wanted, controller, wiring.volts * wiring.car_phases)
    car, breaker = _Car(plan.max_amps_car), PhaseLoad(protection)
    meter, house_meter = _Meter(), _Meter()
    volts, car_volts = (wiring.volts,) * wiring.phases, wiring.volts * wiring.car_phases
    charge_as = best_as = over_s = house_over_s = surplus_ws = imported_ws = 0.0
    trips = commands = 0
    answered: Command | None = None
    now = next_post = next_report = next_told = 0.0
    next_tick, posted = math.inf, -math.inf

    for held in house:
        until, wall_s = now + held.seconds, held.at - now
        flowing, watts = wiring.flowing(held)
        amps = flowing[0]
        right = min(math.floor(plan.max_amps - amps + 1e-9), plan.max_amps_car)
        best_as += right * held.seconds if right >= settings.min_amps else 0.0
        house_meter.add(watts, now, held.seconds, wall_s)
        while now < until:
            total = amps + car.amps
            car_watts = car.amps * car_volts
            news = False
            if now >= next_report:
                next_report, news = now + REPORT_S, True
                controller.add_report(CAR, car.report(), now=now)
            if answered is not None:
                controller.acknowledge(answered, Outcome.ACCEPTED, now=now)
                answered, news = None, True
            if now >= next_tick:
                next_tick, news = math.inf, True
            if now >= next_post or abs(total - posted) >= CHANGE_A:
                next_post, posted, news = now + USUAL_INTERVAL_S, total, True
                on = (car.amps,) * wiring.car_phases + (0.0,) * (wiring.phases - wiring.car_phases)
                read = tuple([each + more for each, more in zip(flowing, on, strict=True)])
                controller.add_reading(Reading(at=now, amps=read, volts=volts, watts=watts + car_watts))
            if news:
                if limits:
                    month = str((now + wall_s) // MONTH_S)
                    controller.limit(limits, Clock(wall_s=wall_s, month=month), now=now)
                if surplus is not None:
                    controller.ration(CAR, surplus.look(controller, now=now)[CAR])
                if nights is not None:
                    planned = nights.look(now, now + wall_s, charge_as * car_volts / 3600)
                    if surplus is None or Reason.WANTED_REACHED not in planned:
                        controller.ration(CAR, planned)
                [decision] = controller.decide(now=now)
                if decision.command is not None:
                    car.send(decision.command, now)
                    commands += 1
                if decision.reason in TICKED or total - plan.max_amps > OVER_A:
                    next_tick = now + TICK_S
            # Nothing changes until then
            then = min(until, next_tick, next_post, next_report, car.next_at(now))
            elapsed_s = then - now
            charge_as += car.amps * elapsed_s
            surplus_ws += min(car_watts, max(0.0, -watts)) * elapsed_s
            imported_ws += max(0.0, watts + car_watts) * elapsed_s
            meter.add(watts + car_watts, now, elapsed_s, wall_s)
            if car.amps and total - plan.max_amps > OVER_A:
                over_s += elapsed_s
            if amps - plan.max_amps > OVER_A:
                house_over_s += elapsed_s
            breaker.integrate(total, elapsed_s)
            if breaker.load >= 1:
                trips += bool(car.amps)
                breaker = PhaseLoad(protection)
            now = then
            answered = car.advance(now, elapsed_s) or answered
            if now >= next_told:
                next_told += TOLD_S
                progress(now / house.seconds)
    return Outlook(
        charge_ah=charge_as / 3600,
        best_ah=best_as / 3600,
        over_s=over_s,
        house_over_s=house_over_s,
        trips=trips,
        commands=commands,
        surplus_wh=surplus_ws / 3600,
        imported_wh=imported_ws / 3600,
        highest_watts=meter.highest_watts,
        house_highest_watts=house_meter.highest_watts,
        nights=0 if nights is None else nights.known,
        nights_ready=0 if nights is None else nights.ready,
    )


def _limit(limit_kw: float) -> LimitSettings:
    return LimitSettings(reason=Reason.PEAK_LIMIT, max_watts=1000 * limit_kw, window_s=QUARTER_S)
