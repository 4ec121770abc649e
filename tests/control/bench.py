"""A site in virtual time: a house, a meter that posts, and cars that do what the test wants."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
import json
from math import inf
from typing import Any

from custom_components.amp_sensor import control
from custom_components.amp_sensor.control import Command, Decision

REPORT_S = 15
"""How often a car tells of itself, s."""
POST_S = 5
"""How often the meter posts, s."""
LONGEST_COMMAND_S, AGAIN_S = 60, 3
"""After this the controller waits no longer for the end of a command, s."""


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
    unasked: float = 0.0
    """What it would draw without charging, A: it heats its cabin. Its limit bounds that too."""
    phases: tuple[int, ...] | None = None
    """The phases that it truly loads, from 1; None is all that the house has."""
    says_phases: int | None = None
    """How many phases it tells of."""
    says_amps: float | None = None
    """What it tells that it draws, A; None is the truth."""
    volts: float | None = None
    plugged_in: bool | None = True
    at_home: bool | None = True
    scheduled: bool = False
    schedules: bool = False
    """Whether a stop leaves it waiting for a schedule of its user."""
    asleep: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    """What its owner set otherwise than for the others."""

    latency_s: float = 2.0
    """From a command to its answer, s; inf is never."""
    outcome: str = "accepted"
    retry_after_s: float = 0.0
    needs_person: bool = False
    obeys: bool = True
    """Whether what was accepted reaches it."""
    reports: bool = True
    is_polled: bool = False
    """Whether it is asked as soon as the controller wants its report."""
    age_s: float = 2.0
    in_flight: Command | None = None
    sent_at: float = -inf
    answer_at: float = inf
    unheard: list[tuple[float, Command]] = field(default_factory=list)
    """When what ends whose end is not waited for any more."""
    coming: list[Command] = field(default_factory=list)

    def apply(self, command: Command) -> None:
        """Do as told."""
        if command.action == "wake":
            self.asleep = False
        elif command.action == "set_amps":
            self.request = command.amps
        else:
            self.state = "charging" if command.action == "start" else "stopped"
            self.scheduled = self.schedules and self.state == "stopped"
        self.draw()

    def draw(self) -> None:
        """Draw what it may."""
        allowed = min(self.request, inf if self.limit is None else self.limit)
        self.amps = min(allowed, self.takes if self.state == "charging" else self.unasked)

    def become(self, **changes: Any) -> None:
        """Change by itself, or because of its user."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.draw()


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
        supply: str | None = None,
        protection: Any = None,
    ) -> None:
        self.control: Any = control
        self.now = 0.0
        self.house = house
        self.meter = True
        self.stuck: float | None = None
        """What the meter goes on saying, whatever flows, A."""
        self.rounds: Callable[[float], float] = float
        self.shows: Callable[[tuple[float, ...]], tuple[float | None, ...]] = tuple
        """What the meter makes of what flows on each phase, A."""
        self.sensor_range = inf
        """The most that the meter shows of each phase, A; it says so where more flows."""
        self.volts = 230.0
        self.cars = (BenchCar(),) if cars is None else cars
        self.commands: list[tuple[float, Command]] = []
        self.decisions: list[Decision] = []
        self.asked: list[tuple[float, str]] = []
        """When the report of which car was wanted."""
        self.settings = self.control.SiteSettings(
            max_amps=budget,
            mode=self.control.Mode(mode),
            supply=None if supply is None else self.control.Supply(supply),
            protection=protection,
        )
        for car in self.cars:
            car.settings = {"max_amps": car_max, "min_amps": min_amps} | car.settings
        self.start()

    def start(self, record: Any = None) -> None:
        """Begin with a new controller, as after a restart; of the old one only a record is known."""
        self.controller = self.control.Controller(self.settings, now=self.now)
        for car in self.cars:
            car.in_flight, car.answer_at = None, inf
            self.controller.set_charger(car.charger_id, self.control.ChargerSettings(**car.settings), now=self.now)
        if record is not None:
            assert self.controller.restore(record) == ()

    def restart(self) -> None:
        """Restart Home Assistant: the record is all that is left, and each car tells of itself at once."""
        self.start(json.loads(json.dumps(self.controller.record())))
        for car in self.cars:
            self.report(car)

    def configure(self, **changes: Any) -> None:
        """Change settings of the site."""
        if "mode" in changes:
            changes["mode"] = self.control.Mode(changes["mode"])
        self.settings = replace(self.settings, **changes)
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
    def flows(self) -> tuple[float, ...]:
        """What truly flows on each phase, A."""
        house = self.house if isinstance(self.house, tuple) else (self.house,)
        return tuple(
            amps + sum(car.amps for car in self.cars if car.phases is None or phase in car.phases)
            for phase, amps in enumerate(house, 1)
        )

    @property
    def total(self) -> float:
        """What truly flows, A, of the highest phase."""
        return max(self.flows)

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
            measured_amps=car.amps if car.says_amps is None else car.says_amps,
            phases=car.says_phases,
            volts=car.volts,
            limit_amps=car.limit,
            plugged_in=car.plugged_in,
            at_home=car.at_home,
            scheduled=car.scheduled,
            asleep=car.asleep,
        )
        self.controller.add_report(car.charger_id, report, now=self.now)

    def post(self) -> None:
        """Let the meter post."""
        noise = 0.02 if self.now % (2 * POST_S) else 0.0
        flows = tuple(self.rounds(each + noise) if self.stuck is None else self.stuck for each in self.flows)
        amps = self.shows(flows)
        watts = self.volts * sum(each for each in amps if each is not None)
        beyond = tuple(number for number, each in enumerate(amps) if (each or 0.0) > self.sensor_range)
        shown = tuple(None if each is None else min(each, self.sensor_range) for each in amps)
        volts = (self.volts,) * len(amps)
        reading = self.control.Reading(at=self.now, amps=shown, volts=volts, watts=watts, beyond=beyond)
        self.controller.add_reading(reading)

    def decide(self) -> None:
        """Let the controller decide, and send what it wants sent."""
        cars = {car.charger_id: car for car in self.cars}
        for decision in self.controller.decide(now=self.now):
            self.decisions.append(decision)
            if (command := decision.command) is not None:
                car = cars[decision.charger_id]
                if car.in_flight is not None:
                    # A cut that cannot wait is sent once more, and only that
                    wait_s = AGAIN_S if command.action in ("stop", "set_amps") else LONGEST_COMMAND_S
                    assert self.now - car.sent_at >= wait_s, "a second command in flight"
                    assert command.action == "stop" or command.amps <= max(car.in_flight.amps, car.request)
                    car.unheard.append((car.answer_at, car.in_flight))
                self.commands.append((self.now, command))
                if command.action == "wake":  # nobody waits for its end
                    car.coming.append(command)
                    continue
                car.in_flight, car.sent_at, car.answer_at = command, self.now, self.now + car.latency_s
        self.asked += [(self.now, charger_id) for charger_id in self.controller.reports_wanted(self.now)]

    def end(self, car: BenchCar, command: Command) -> None:
        """Let a command of a car end."""
        if car.obeys and car.outcome == "accepted":
            car.coming.append(command)
        self.controller.acknowledge(
            command,
            self.control.Outcome(car.outcome),
            now=self.now,
            retry_after_s=car.retry_after_s,
            needs_person=car.needs_person,
        )

    def run(self, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.now += 1
            for car in self.cars:
                for command in car.coming:
                    car.apply(command)
                car.coming.clear()
                for end in [each for each in car.unheard if self.now >= each[0]]:
                    car.unheard.remove(end)
                    self.end(car, end[1])
                if car.in_flight is not None and self.now >= car.answer_at:
                    command, car.in_flight = car.in_flight, None
                    self.end(car, command)
                is_asked = car.is_polled and (self.now - 1, car.charger_id) in self.asked[-len(self.cars) :]
                if car.reports and (self.now % REPORT_S == 0 or is_asked):
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
