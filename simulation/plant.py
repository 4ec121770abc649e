"""What lies between a decision and the breaker: a noisy meter, a slow and unreliable cloud, a car, and the breaker."""

from dataclasses import dataclass, replace as changed
import math
from operator import itemgetter
from random import Random

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargingState,
    Command,
    Outcome,
    Priority,
    Reading,
)
from custom_components.amp_sensor.control.profile import LOCAL, TESSIE

from .car import TESLA, Car, CarState, Pace
from .house import VOLTS

STATES = {
    CarState.DISCONNECTED: ChargingState.DISCONNECTED,
    CarState.NO_POWER: ChargingState.NO_POWER,
    CarState.STARTING: ChargingState.STARTING,
    CarState.CHARGING: ChargingState.CHARGING,
    CarState.COMPLETE: ChargingState.COMPLETE,
    CarState.STOPPED: ChargingState.STOPPED,
}


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How good the meter, the network and the cloud are. Shares are probabilities from 0 to 1."""

    post_s: float = 5.0
    """Interval of the meter's posts."""
    noise: float = 0.01
    """Standard deviation of the meter's reading, relative."""
    lost_posts: float = 0.01
    latency_median_s: float = 2.5
    """From a command to its answer, lognormal."""
    latency_p95_s: float = 8.0
    failing: float = 0.03
    """Commands that are answered with an error; one in `TIMEOUTS` of them is a timeout."""
    silently_lost: float = 0.01
    """Commands that are accepted and never reach the car."""
    telemetry_s: float = 15.0
    """Interval at which the cloud renews its copy of the car."""
    telemetry_delay_s: tuple[float, float] = (1.0, 5.0)
    """How old that copy is when it arrives, least and most."""


NORMAL = Conditions()
STRESS = Conditions(
    post_s=10.0,
    lost_posts=0.05,
    latency_median_s=5.0,
    latency_p95_s=16.0,
    failing=0.15,
    silently_lost=0.05,
    telemetry_s=60.0,
)
CONDITIONS = {"normal": NORMAL, "stress": STRESS}

P95_OVER_MEDIAN = 3.2
"""Of a cloud's latency: as in both of the conditions."""
BEHIND_PILOT = Pace(reaction_s=(0.1, 1.0), rise_a_per_s=4.0, fall_a_per_s=8.0, first_amp_s=(4.0, 20.0))
"""A car at a charger that tells it by its pilot signal: IEC 61851 grants it 5 s, most need one. The controller's own
assumptions differ from these on purpose."""


@dataclass(frozen=True, kw_only=True)
class Charger:
    """A car at its charger: what both truly are, and what their owner tells of them. Amps per phase."""

    max_amps: int
    min_amps: int = 5
    phases: tuple[int, ...] | None = None
    """Those that the car loads, by their numbers from 1; None is all that there are."""
    told: bool = False
    """Whether the owner says which these are; else it is to be found out."""
    priority: Priority = Priority.NORMAL
    pace: Pace = TESLA
    latency_s: float | None = None
    """Median from a command to its answer; None is what the conditions say."""
    local: bool = False
    """Whether it is told directly, without a cloud: answers in 0.4 s, tells of itself each second."""

    def phases_in(self, count: int) -> tuple[int, ...]:
        """Return the phases that it loads in a house that has so many."""
        return self.phases or tuple(range(1, count + 1))

    def conditions(self, site: Conditions) -> Conditions:
        """Return what its own way to the controller makes of the site's conditions."""
        if self.local:
            return changed(
                site,
                latency_median_s=0.4,
                latency_p95_s=1.0,
                failing=site.failing / 3,
                silently_lost=0.0,
                telemetry_s=1.0,
                telemetry_delay_s=(0.0, 0.0),
            )
        if self.latency_s is None:
            return site
        return changed(site, latency_median_s=self.latency_s, latency_p95_s=P95_OVER_MEDIAN * self.latency_s)

    def car(self, luck: Random, *, phases: int) -> Car:
        """Return its car in a house with so many phases, long since charging with its maximum."""
        pace = BEHIND_PILOT if self.local else self.pace
        return Car.endless(rng=luck, max_amps=self.max_amps, phases=len(self.phases_in(phases)), pace=pace)

    def settings(self) -> ChargerSettings:
        """Return what its owner sets."""
        return ChargerSettings(
            max_amps=self.max_amps,
            min_amps=self.min_amps,
            priority=self.priority,
            phases=self.phases if self.told else None,
            profile=LOCAL if self.local else TESSIE,
        )


TIMEOUTS = 5
"""One in so many failing commands ends as a timeout, whose outcome nobody knows. Our assumption."""
TIMEOUT_S = 10.0
"""How long the client waits for a command before it gives up."""
NORMAL_P95 = 1.6449
"""The 95th percentile of the standard normal distribution."""


class Sensor:
    """The meter of the house: samples each second from time 0, posts at an interval and, if asked to, on a change."""

    def __init__(self, conditions: Conditions, *, report_delta: float, seed: int) -> None:
        """Post at once where a phase moved by `report_delta` A since the last post; 0 never does."""
        self._conditions = conditions
        self._report_delta = report_delta
        self._noise = Random(f"{seed} noise")
        self._losses = Random(f"{seed} posts")
        self._next_post = 0.0
        self._posted: tuple[float, ...] = ()

    def sample(self, now: float, amps: tuple[float, ...]) -> Reading | None:
        """Return the post that arrives at this second, if one does; its luck is that of the second.

        `amps` are signed: noise changes the size of what is exported, never its direction.
        """
        gauss = self._noise.gauss
        noise = self._conditions.noise
        measured = tuple([each * max(0.0, gauss(1.0, noise)) for each in amps])
        lost = self._losses.random() < self._conditions.lost_posts
        due = now >= self._next_post
        if due:
            self._next_post += self._conditions.post_s
        delta = self._report_delta
        if not (due or (delta and any(abs(a - b) >= delta for a, b in zip(measured, self._posted, strict=True)))):
            return None
        self._posted = measured
        if lost:
            return None
        return Reading(at=now, amps=measured, volts=(VOLTS,) * len(measured), watts=sum(measured) * VOLTS)


class Cloud:
    """Carries commands to the car, each with its own luck, and shows a late copy of it."""

    def __init__(self, car: Car, conditions: Conditions, *, seed: int | str) -> None:
        self._car = car
        self._conditions = conditions
        self._luck = Random(f"{seed} commands")
        self._delays = Random(f"{seed} telemetry")
        self._sigma = math.log(conditions.latency_p95_s / conditions.latency_median_s) / NORMAL_P95
        self._arrivals: list[tuple[float, Command]] = []
        self._answers: list[tuple[float, Command, Outcome]] = []
        self._next_copy = -math.inf
        self._copy: tuple[float, float, ChargerReport] | None = None

    def send(self, command: Command, now: float) -> None:
        """Put a command on its way, beside those that are."""
        # Always the same number of draws, so that the n-th command meets the same luck whoever sends it.
        luck = self._luck
        latency_s = luck.lognormvariate(math.log(self._conditions.latency_median_s), self._sigma)
        fate, timeout, applied_late = luck.random(), luck.random() < 1 / TIMEOUTS, luck.random() < 0.5
        fails = fate < self._conditions.failing
        lost = not fails and fate < self._conditions.failing + self._conditions.silently_lost
        if not (lost or fails) or (fails and timeout and applied_late):
            self._arrivals.append((now + latency_s, command))
        if (fails and timeout) or latency_s > TIMEOUT_S:
            self._answers.append((now + TIMEOUT_S, command, Outcome.UNKNOWN))
        else:
            self._answers.append((now + latency_s, command, Outcome.FAILED if fails else Outcome.ACCEPTED))

    def tick(self, now: float) -> None:
        """Let the car have what has reached it; what its sender gave up may come after what was sent later."""
        if not self._arrivals:
            return
        arrived = sorted((each for each in self._arrivals if each[0] <= now), key=itemgetter(0))
        self._arrivals = [each for each in self._arrivals if each[0] > now]
        for _, command in arrived:
            match command.action:
                case Action.SET_AMPS:
                    self._car.set_amps(command.amps)
                case Action.START:
                    self._car.start()
                case Action.STOP:
                    self._car.stop()

    def answer(self, now: float) -> tuple[Command, Outcome] | None:
        """Return how a command ended, if one has of which that was not returned yet."""
        answer = min(self._answers, key=itemgetter(0), default=None)
        if answer is None or answer[0] > now:
            return None
        self._answers.remove(answer)
        return answer[1:]

    def report(self, now: float) -> ChargerReport | None:
        """Return the copy of the car that arrives at this second, if one does; it is a few seconds old, and says so."""
        if self._copy is None and now >= self._next_copy:
            self._next_copy = now + self._conditions.telemetry_s
            delay_s = self._delays.uniform(*self._conditions.telemetry_delay_s)
            car = self._car
            self._copy = (
                now + delay_s,
                delay_s,
                ChargerReport(
                    age_s=delay_s,
                    state=STATES[car.state],
                    requested_amps=car.request,
                    measured_amps=round(car.amps),
                    phases=car.phases,
                    volts=VOLTS,
                    limit_amps=car.limit,
                    plugged_in=True,
                    at_home=True,
                ),
            )
        if self._copy is None or self._copy[0] > now:
            return None
        report = self._copy[2]
        self._copy = None
        return report


class Breaker:
    """The thermal part of a miniature circuit breaker, as a body that heats with the square of the current.

    IEC 60898: cold, it holds 1.13 times its rating for an hour, opens within the hour at 1.45 times, and within
    1 to 60 s at 2.55 times. This one is as touchy as the first allows, and opens after 26 s at the last. It is not
    `control/protection.py` on purpose: the judge is not to be the judged.
    """

    HOLDS = 1.13
    TIME_CONSTANT_S = 120.0

    def __init__(self, rating_amps: float) -> None:
        self._rating_amps = rating_amps
        self._heat = 0.0

    def tick(self, amps: float) -> bool:
        """Carry `amps` for a second; return whether it opens. It is then taken to be cold and closed again."""
        self._heat += ((amps / self._rating_amps) ** 2 - self._heat) / self.TIME_CONSTANT_S
        if self._heat <= self.HOLDS**2:
            return False
        self._heat = 0.0
        return True
