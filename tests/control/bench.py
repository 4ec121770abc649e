"""A site in virtual time: a house, a meter that posts, and cars that do what the test wants."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from types import ModuleType
from typing import Any

from custom_components.amp_sensor import control
from custom_components.amp_sensor.control import Command, Decision

UNDER_TEST: ModuleType = control
"""The package that a new site gets its controller from: a faulty copy can stand in for it."""
REPORT_S = 15
"""How often a car tells of itself, s."""
POST_S = 5
"""How often the meter posts, s."""


@dataclass
class BenchCar:
    """A car that obeys a second after the cloud's answer, and its cloud."""

    charger_id: str = "car"
    state: str = "charging"
    amps: float = 16.0
    request: float = 16.0
    limit: float | None = 16.0
    takes: float = inf
    """The most that it uses of what it may, A."""
    plugged_in: bool | None = True
    at_home: bool | None = True
    scheduled: bool = False
    asleep: bool = False

    latency_s: float = 2.0
    outcome: str = "accepted"
    retry_after_s: float = 0.0
    obeys: bool = True
    """Whether what was accepted reaches it."""
    reports: bool = True
    age_s: float = 2.0
    in_flight: Command | None = None
    answer_at: float = inf
    coming: list[Command] = field(default_factory=list)

    def apply(self, command: Command) -> None:
        """Do as told."""
        if command.action == "set_amps":
            self.request = command.amps
        else:
            self.state = "charging" if command.action == "start" else "stopped"
        self.draw()

    def draw(self) -> None:
        """Draw what it may."""
        allowed = min(self.request, self.takes, inf if self.limit is None else self.limit)
        self.amps = allowed if self.state == "charging" else 0.0


class Bench:
    """One site, second by second."""

    def __init__(
        self,
        *,
        budget: float = 25.0,
        mode: str = "balanced",
        house: float | tuple[float, ...] = 5.0,
        cars: tuple[BenchCar, ...] | None = None,
        car_max: int = 16,
        min_amps: int = 5,
    ) -> None:
        self.control: Any = UNDER_TEST
        self.now = 0.0
        self.house = house
        self.meter = True
        self.stuck: float | None = None
        """What the meter goes on saying, whatever flows, A."""
        self.rounds: Callable[[float], float] = float
        self.cars = (BenchCar(),) if cars is None else cars
        self.commands: list[tuple[float, Command]] = []
        self.decisions: list[Decision] = []
        self.settings = self.control.SiteSettings(max_amps=budget, mode=self.control.Mode(mode))
        self.charger_settings = self.control.ChargerSettings(max_amps=car_max, min_amps=min_amps)
        self.start()

    def start(self, record: Any = None) -> None:
        """Begin with a new controller, as after a restart; of the old one only a record is known."""
        self.controller = self.control.Controller(self.settings, now=self.now)
        for car in self.cars:
            car.in_flight, car.answer_at = None, inf
            self.controller.set_charger(car.charger_id, self.charger_settings, now=self.now)
        if record is not None:
            self.controller.restore(record)

    def configure(self, **changes: Any) -> None:
        """Change settings of the site."""
        if "mode" in changes:
            changes["mode"] = self.control.Mode(changes["mode"])
        self.settings = self.control.SiteSettings(
            **{"max_amps": self.settings.max_amps, "mode": self.settings.mode, "protection": self.settings.protection}
            | changes
        )
        self.controller.configure(self.settings, now=self.now)

    def set_charger(self, charger_id: str = "car", **changes: Any) -> None:
        """Change settings of a charger."""
        settings = self.control.ChargerSettings(**{"max_amps": 16} | changes)
        self.controller.set_charger(charger_id, settings, now=self.now)

    @property
    def car(self) -> BenchCar:
        """The first car."""
        return self.cars[0]

    @property
    def total(self) -> float:
        """What truly flows, A, of the highest phase."""
        house = self.house if isinstance(self.house, tuple) else (self.house,)
        return max(house) + sum(car.amps for car in self.cars)

    @property
    def last(self) -> Decision:
        """The newest decision of the first car."""
        return next(decision for decision in reversed(self.decisions) if decision.charger_id == self.car.charger_id)

    @property
    def reasons(self) -> set[str]:
        """All reasons so far."""
        return {str(decision.reason) for decision in self.decisions}

    def sent(self, action: str | None = None, *, after: float = -1.0) -> list[Command]:
        """Return the commands since a moment."""
        return [command for at, command in self.commands if at > after and action in (None, command.action)]

    def report(self, car: BenchCar) -> None:
        """Let a car tell of itself."""
        report = self.control.ChargerReport(
            age_s=car.age_s,
            state=self.control.ChargingState(car.state),
            requested_amps=car.request,
            measured_amps=car.amps,
            limit_amps=car.limit,
            plugged_in=car.plugged_in,
            at_home=car.at_home,
            scheduled=car.scheduled,
            asleep=car.asleep,
        )
        self.controller.add_report(car.charger_id, report, now=self.now)

    def post(self) -> None:
        """Let the meter post."""
        house = self.house if isinstance(self.house, tuple) else (self.house,)
        drawn = sum(car.amps for car in self.cars)
        noise = 0.02 if self.now % (2 * POST_S) else 0.0
        amps = tuple(self.rounds(each + drawn + noise) if self.stuck is None else self.stuck for each in house)
        reading = self.control.Reading(at=self.now, amps=amps, volts=(230.0,) * len(amps), watts=230.0 * sum(amps))
        self.controller.add_reading(reading)

    def decide(self) -> None:
        """Let the controller decide, and send what it wants sent."""
        cars = {car.charger_id: car for car in self.cars}
        for decision in self.controller.decide(now=self.now):
            self.decisions.append(decision)
            if (command := decision.command) is not None:
                car = cars[decision.charger_id]
                assert car.in_flight is None, "a second command in flight"
                self.commands.append((self.now, command))
                car.in_flight, car.answer_at = command, self.now + car.latency_s

    def run(self, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.now += 1
            for car in self.cars:
                for command in car.coming:
                    car.apply(command)
                car.coming.clear()
                if car.in_flight is not None and self.now >= car.answer_at:
                    command, car.in_flight = car.in_flight, None
                    if car.obeys and car.outcome == "accepted":
                        car.coming.append(command)
                    self.controller.acknowledge(
                        command, self.control.Outcome(car.outcome), now=self.now, retry_after_s=car.retry_after_s
                    )
                if car.reports and self.now % REPORT_S == 0:
                    self.report(car)
            if self.meter and self.now % POST_S == 0:
                self.post()
            self.decide()

    def run_until(self, reason: str, *, within: int = 600) -> None:
        """Let time pass until a decision has this reason."""
        for _ in range(within):
            self.run(1)
            if self.last.reason == reason:
                return
        raise AssertionError(f"no {reason} within {within} s, but {self.reasons}")


def running(*, seconds: int = 120, **site: Any) -> Bench:
    """Return a site that has been watched for a while."""
    bench = Bench(**site)
    bench.run(seconds)
    return bench
