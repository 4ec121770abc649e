"""What a car would have got in a house whose current is known: the same controller, an ideal plant. Pure.

The meter is exact, the cloud always answers after its usual time, and the car follows at its usual speed: what comes
out is what the house allows, not what a bad day at the cloud leaves of it. `simulation/` is for the latter.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
import math
from typing import Final

from ..control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargingState,
    Command,
    Controller,
    Mode,
    Outcome,
    Protection,
    ProtectionKind,
    Reading,
    Reason,
    SiteSettings,
)
from ..control.meter import USUAL_INTERVAL_S
from ..control.prices import OVER_A
from ..control.profile import TESSIE
from ..control.protection import PhaseLoad

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
CAR: Final = "car"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What might be."""

    max_amps: float
    """The budget, A per phase; the breaker is taken to be rated at it."""
    max_amps_car: int
    mode: Mode
    """With OFF the car draws all it can."""


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


class House:
    """What a house drew, without its car: one current after another, each held until the next.

    Time without readings is left out: it begins at 0, and has no gaps.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._held = array("d")
        self._amps = array("d")

    def add(self, amps: float, held_s: float) -> None:
        """Let it draw `amps` for `held_s`."""
        self._held.append(held_s)
        self._amps.append(amps)
        self.seconds += held_s

    def __iter__(self) -> Iterator[tuple[float, float]]:
        """Tell each current, A, and for how long it was drawn, s."""
        return zip(self._amps, self._held, strict=True)

    def to_bytes(self) -> bytes:
        """Return it as another process of this machine can read it."""
        return self._held.tobytes() + self._amps.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> House:
        """Make one of what `to_bytes` gave."""
        both = array("d", data)
        house = cls()
        for held_s, amps in zip(both[: len(both) // 2], both[len(both) // 2 :], strict=True):
            house.add(amps, held_s)
        return house

    @classmethod
    def of(cls, states: Iterable[tuple[float, float | None]], end: float) -> House:
        """Make one of states and their times, s; None is a time without readings. The last one holds until `end`."""
        house = cls()
        since, amps = -math.inf, None
        for at, state in (*states, (end, None)):
            if amps is not None and at > since:
                house.add(amps, min(at - since, HELD_S))
            since, amps = at, state
        return house


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


def rehearse(
    house: House,
    plan: Plan,
    *,
    volts: float,
    kind: ProtectionKind = ProtectionKind.MCB_C,
    progress: Callable[[float], None] = lambda _: None,
) -> Outlook:
    """Let the controller have a house; `volts` are those of a phase.

    `progress` is told the part that is done, 0 to 1, every few milliseconds.
    """
    protection = Protection(kind=kind, rating_amps=plan.max_amps)
    controller = Controller(SiteSettings(max_amps=plan.max_amps, mode=plan.mode, protection=protection), now=0.0)
    settings = ChargerSettings(max_amps=plan.max_amps_car)
    controller.set_charger(CAR, settings, now=0.0)
    car, breaker = _Car(plan.max_amps_car), PhaseLoad(protection)
    charge_as = best_as = over_s = house_over_s = 0.0
    trips = commands = 0
    answered: Command | None = None
    now = next_post = next_report = next_told = 0.0
    next_tick, posted = math.inf, -math.inf

    for amps, held_s in house:
        until = now + held_s
        right = min(math.floor(plan.max_amps - amps + 1e-9), plan.max_amps_car)
        best_as += right * held_s if right >= settings.min_amps else 0.0
        while now < until:
            total = amps + car.amps
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
                controller.add_reading(Reading(at=now, amps=(total,), volts=(volts,), watts=total * volts))
            if news:
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
    )
