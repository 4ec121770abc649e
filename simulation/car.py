"""A Tesla that charges, as its owner and its breaker would see it: the truth behind what the cloud tells."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
import math
from random import Random
from typing import Final, Self

STEP_S: Final = 1.0  # longest internal step
ZERO_RECOVERY_S: Final = (30.0, 120.0)  # after 0 A, where the car recovers at all; owners report "slow"
ZERO_STUCK_PROBABILITY: Final = 0.25  # owners report "no recovery" too; how often is our assumption
LOW_AMPS: Final = 5  # floor of Tesla's app: a lower request is taken only when it is repeated
STOPS_BEFORE_SULKING: Final = 10  # owners' reports: after so many stops in a row a car refuses to start
STOPS_WINDOW_S: Final = 3600.0
SLEEP_AFTER_S: Final = 900.0  # of idling; owners see 10 to 20 minutes
MAINS_OHM: Final = 0.4  # IEC 60725 reference impedance, resistive part of phase and neutral
CHARGER_EFFICIENCY: Final = 0.92  # typical of on-board chargers
TAPER_FROM_SOC: Final = 97.0  # above it a full battery takes less and less, even from AC


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a car follows what it is told; as it is, a Tesla."""

    reaction_s: tuple[float, float] = (0.5, 3.0)
    """From a command that arrived to the first change of the current, least and most."""
    rise_a_per_s: float = 1.0
    fall_a_per_s: float = 3.0
    first_amp_s: tuple[float, float] = (10.0, 40.0)
    """From "Starting" to the first amp."""


TESLA: Final = Pace()


class CarState(StrEnum):
    """`charging_state` in Tesla's words."""

    DISCONNECTED = "Disconnected"
    NO_POWER = "NoPower"
    STARTING = "Starting"
    CHARGING = "Charging"
    COMPLETE = "Complete"
    STOPPED = "Stopped"


class Car:
    """One car. Nothing in it waits or looks at a clock: `tick` moves it to a time, commands act at the last tick.

    Commands answer like Tesla: None for done, or the reason for not doing it. They stand for a command that has arrived
    in the car, whether the cloud or the owner's app sent it; the first tick sets the origin of time.
    """

    amps: float
    """True current per phase, A."""
    limit: int
    """The most the car accepts now, A per phase (`charge_current_request_max`)."""
    state: CarState
    soc: float
    """State of charge, %."""
    energy_added_kwh: float
    """Into the battery since it was plugged in, kWh."""
    asleep: bool
    at_home: bool
    driving: bool
    parked_at: float
    """When it last stopped moving: the time of its last position."""
    closings: int
    """How often the contactor closed: what wears."""

    def __init__(
        self,
        *,
        rng: Random,
        max_amps: int = 16,
        voltage: float = 230.0,
        phases: int = 1,
        battery_kwh: float = 75.0,
        soc: float = 20.0,
        charge_limit_soc: float = 80.0,
        plugged_in: bool = True,
        charging: bool = False,
        at_home: bool = True,
        takes_low_amps: bool = True,
        sleep_after_s: float = SLEEP_AFTER_S,
        zero_sticks: float = ZERO_STUCK_PROBABILITY,
        pace: Pace = TESLA,
    ) -> None:
        """Make a car with its request at its maximum; plugged in, it starts by itself.

        `max_amps` is that of cable and charger, A per phase. `charging`: it has been drawing its maximum for a while.
        `takes_low_amps`: whether 1–4 A can be had at all.
        """
        self._zero_sticks = zero_sticks
        self._pace = pace
        self._rng = rng
        self._nominal_v = voltage
        self.phases = phases
        self.battery_kwh = battery_kwh
        self.charge_limit_soc = charge_limit_soc
        self._takes_low_amps = takes_low_amps
        self._sleep_after_s = sleep_after_s

        self.max_amps = max_amps
        self.limit = max_amps
        self.amps = 0.0
        self.soc = soc
        self.energy_added_kwh = 0.0
        self.asleep = False
        self.at_home = at_home
        self.driving = False
        self.closings = 0
        self.state = CarState.DISCONNECTED

        self._now = 0.0
        self._ticked = False
        self.parked_at = 0.0
        self._timers: dict[Callable[[], None], float] = {}
        self._next_timer = math.inf
        self._requests = {True: max_amps, False: max_amps}  # the car remembers amps per location
        self._goal = 0.0  # what the current moves towards
        self._low_asked: int | None = None
        self._zeroed = False
        self._heating = 0.0
        self._mains = True
        self._scheduled_at: float | None = None
        self._stops: list[float] = []

        self._stay_awake()
        if charging:
            self.state = CarState.CHARGING
            self.amps = self._goal = float(max_amps)
            self.closings = 1
        elif plugged_in:
            self.plug()

    @classmethod
    def endless(
        cls, *, rng: Random, max_amps: int = 16, voltage: float = 230.0, phases: int = 1, pace: Pace = TESLA
    ) -> Self:
        """Return a car that has long been charging with its maximum, and whose battery never fills: for replays."""
        return cls(
            rng=rng,
            max_amps=max_amps,
            voltage=voltage,
            phases=phases,
            pace=pace,
            battery_kwh=1e9,
            charging=True,
            zero_sticks=0.0,  # hearsay that would stop the baselines which pause with 0 A, and flatter us
        )

    @property
    def now(self) -> float:
        """Time of the last tick, s."""
        return self._now

    @property
    def request(self) -> int:
        """The amps that the car was told to take where it is, A per phase (`charge_current_request`)."""
        return self._requests[self.at_home]

    @property
    def plugged_in(self) -> bool:
        """Whether a cable is in the port."""
        return self.state is not CarState.DISCONNECTED

    @property
    def active(self) -> bool:
        """Whether it does anything that keeps it awake."""
        return self.driving or self._heating > 0 or self.state in (CarState.STARTING, CarState.CHARGING)

    @property
    def scheduled(self) -> bool:
        """Whether it waits for the time set by its owner (`scheduled_charging_pending`)."""
        return self._scheduled_at is not None and self.state is CarState.STOPPED

    @property
    def voltage(self) -> float:
        """At the charge port, V; it sags under load."""
        return self._nominal_v - MAINS_OHM * self.amps

    @property
    def power_w(self) -> float:
        """Drawn from the mains, all phases together, W."""
        return self.amps * self.voltage * self.phases

    def tick(self, now: float) -> None:
        """Move on to `now`, s on any clock; the first call only sets where time begins. The past is ignored."""
        if not self._ticked:
            self._ticked = True
            self._timers = {timer: at + now for timer, at in self._timers.items()}
            self._next_timer += now
            self._now = self.parked_at = now
            return
        while self._now < now:
            until = min(now, self._now + STEP_S, self._next_timer)
            self._draw(until - self._now)
            self._now = until
            if until >= self._next_timer:
                self._ring()

    def set_amps(self, amps: int) -> str | None:
        """Take a new request, A per phase: more than the limit is clamped silently, 1–4 A must be said twice."""
        self._stay_awake()
        if 0 < amps < LOW_AMPS:
            repeated = self._low_asked == amps
            self._low_asked = amps
            if not (repeated and self._takes_low_amps):
                amps = LOW_AMPS
        else:
            self._low_asked = None
        self._requests[self.at_home] = max(0, min(amps, self.limit))
        if self.request == 0:
            self._zeroed = True
            self._after(self._rng.uniform(*self._pace.reaction_s), self._move)
        elif not self._zeroed:
            self._after(self._rng.uniform(*self._pace.reaction_s), self._move)
        elif self._rng.random() >= self._zero_sticks:
            self._after(self._rng.uniform(*ZERO_RECOVERY_S), self._move)
        return None

    def start(self) -> str | None:
        """Start charging; overrides a schedule."""
        self._stay_awake()
        match self.state:
            case CarState.DISCONNECTED:
                return "disconnected"
            case CarState.COMPLETE:
                return "complete"
            case CarState.CHARGING:
                return "is_charging"
            case CarState.STARTING:
                return "requested"
            case CarState.NO_POWER:
                return "no_power"
            case CarState.STOPPED:
                self._scheduled_at = None
                self._cancel(self._begin_scheduled)
                self._begin()
                return None

    def stop(self) -> str | None:
        """Stop charging; the request is kept."""
        self._stay_awake()
        if self.state is CarState.DISCONNECTED:
            return "disconnected"
        if self.state not in (CarState.STARTING, CarState.CHARGING):
            return "not_charging"
        self.state = CarState.STOPPED
        self._stops = [at for at in self._stops if at > self._now - STOPS_WINDOW_S] + [self._now]
        self._cancel(self._first_amp)
        self._after(self._rng.uniform(*self._pace.reaction_s), self._move)
        return None

    def plug(self) -> None:
        """Put the cable in: charging begins by itself unless a schedule, a full battery or dead mains forbid it."""
        self._stay_awake()
        self.driving = False
        self.energy_added_kwh = 0.0
        self._low_asked = None
        self._stops = []
        self.state = CarState.STOPPED
        if not self._mains:
            self.state = CarState.NO_POWER
        elif self.soc >= self.charge_limit_soc:
            self.state = CarState.COMPLETE
        elif self._scheduled_at is None:
            self._begin()

    def unplug(self) -> None:
        """Pull the cable: the current is gone at once."""
        self._stay_awake()
        self._open(CarState.DISCONNECTED)
        self.limit = self.max_amps

    def schedule(self, at: float | None) -> None:
        """Let the owner set a time to start at, which stops a session; None: no schedule.

        `at` is in s on the clock of `tick`, which must have been called before.
        """
        self._stay_awake()
        self._scheduled_at = at
        if at is None:
            self._cancel(self._begin_scheduled)
            return
        if self.active:
            self.stop()
        self._after(at - self._now, self._begin_scheduled)

    def set_limit(self, amps: int) -> None:
        """Change what the car accepts: heat or unstable mains lower it in mid-session, and it may come back."""
        self.limit = amps
        self._requests[self.at_home] = min(self.request, amps)
        self._after(self._rng.uniform(*self._pace.reaction_s), self._move)

    def heat(self, amps: float) -> None:
        """Take so much for the cabin while plugged in, A per phase, up to the request and whether it charges or not."""
        self._stay_awake()
        self._heating = amps if self.plugged_in else 0.0
        self._after(self._rng.uniform(*self._pace.reaction_s), self._move)

    def set_mains(self, *, on: bool) -> None:
        """Cut or restore the supply of the charger, as a breaker does."""
        self._mains = on
        if not on and self.plugged_in:
            self._open(CarState.NO_POWER)
        elif on and self.state is CarState.NO_POWER:
            self.state = CarState.STOPPED
            self._stay_awake()
            self._begin()

    def wake(self) -> None:
        """End its sleep."""
        self._stay_awake()

    def drive_away(self) -> None:
        """Unplug and leave."""
        self.unplug()
        self.driving = True
        self.at_home = False

    def park(self, *, at_home: bool, used_kwh: float = 0.0) -> None:
        """Arrive, at home or elsewhere, having used some energy on the way."""
        self._stay_awake()
        self.driving = False
        self.at_home = at_home
        self.parked_at = self._now
        self.soc = max(0.0, self.soc - 100 * used_kwh / self.battery_kwh)

    def _draw(self, seconds: float) -> None:
        """Let the current flow, and move towards its goal, for a short while."""
        amps = self.amps
        if (charging := max(0.0, amps - self._heating)) > 0:
            power_w = charging * self.voltage * self.phases
            self.energy_added_kwh += (added := power_w * CHARGER_EFFICIENCY * seconds / 3.6e6)
            self.soc += 100 * added / self.battery_kwh
            if self.soc >= self.charge_limit_soc and self.state is CarState.CHARGING:
                self.state = CarState.COMPLETE
                self._goal = self._heating_goal
                self._stay_awake()
        goal = self._goal
        if self.soc > TAPER_FROM_SOC and self.state is CarState.CHARGING:
            goal = min(goal, max(1.0, self.max_amps * (100 - self.soc) / (100 - TAPER_FROM_SOC)))
        if amps < goal:
            self.amps = min(goal, amps + self._pace.rise_a_per_s * seconds)
        elif amps > goal:
            self.amps = max(goal, amps - self._pace.fall_a_per_s * seconds)

    def _begin(self) -> None:
        """Close the contactor; the first amp takes its time."""
        self.state = CarState.STARTING
        self._after(self._rng.uniform(*self._pace.first_amp_s), self._first_amp)

    def _first_amp(self) -> None:
        if len([at for at in self._stops if at > self._now - STOPS_WINDOW_S]) >= STOPS_BEFORE_SULKING:
            self.state = CarState.STOPPED
            return
        self.state = CarState.CHARGING
        self.closings += 1
        self._zeroed = self.request == 0
        self._move()

    def _begin_scheduled(self) -> None:
        pending = self.scheduled
        self._scheduled_at = None
        if pending:
            self._stay_awake()
            self._begin()

    def _move(self) -> None:
        """Follow the request from now on."""
        self._cancel(self._move)
        charging = self.state is CarState.CHARGING
        self._goal = float(min(self.request, self.limit)) if charging else self._heating_goal
        if self._goal:
            self._zeroed = False

    @property
    def _heating_goal(self) -> float:
        """What it takes while it does not charge, A."""
        return min(self._heating, self.request, self.limit)

    def _open(self, state: CarState) -> None:
        """Open the contactor at once."""
        self.state = state
        self.amps = self._goal = self._heating = 0.0
        self._zeroed = False
        self._cancel(self._first_amp)
        self._cancel(self._move)

    def _stay_awake(self) -> None:
        self.asleep = False
        self._after(self._sleep_after_s, self._fall_asleep)

    def _fall_asleep(self) -> None:
        if self.active:
            self._stay_awake()
        else:
            self.asleep = True

    def _after(self, seconds: float, timer: Callable[[], None]) -> None:
        """Ring `timer` once, later; a second call replaces the first."""
        self._timers[timer] = self._now + max(0.0, seconds)
        self._next_timer = min(self._timers.values())

    def _cancel(self, timer: Callable[[], None]) -> None:
        self._timers.pop(timer, None)
        self._next_timer = min(self._timers.values(), default=math.inf)

    def _ring(self) -> None:
        for timer in [timer for timer, at in self._timers.items() if at <= self._now]:
            self._cancel(timer)
            timer()
