"""A site on which everything is as it should be: a meter that tells what flows, a cloud that answers, cars that obey.

Cars take their time. Second by second while anything moves or is too much, in the steps of the meter otherwise.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargingState,
    Command,
    Controller,
    Decision,
    Outcome,
    Reading,
)

POST_S, REPORT_S = 5.0, 15.0
ANSWER_S, OBEY_S, START_S = 2.0, 1.0, 10.0
"""From a command to the cloud's answer, from there to the first movement of a limit, and of a start, s."""
DOWN_A_PER_S, UP_A_PER_S = 3.0, 1.0
STEP_A = 1.0
"""The meter posts at once where a phase has changed by this much."""
NOISE_A = 0.02
"""Two readings of the same current differ by this: none that does not stands still."""


@dataclass
class HonestCar:
    """A car, and the cloud in front of it."""

    name: str
    phases: tuple[int, ...] = (0,)
    """The phases that it truly loads, from 0."""
    request: int = 16
    charging: bool = True
    draws: float = 0.0
    limit: float = 32.0
    takes: float = inf
    """The most that it uses of what it may, A."""
    obeys: bool = True
    """Whether what was accepted reaches it."""
    unanswered: int = 0
    """How many of the next commands are never answered."""
    late_s: float = inf
    """How long these take until they reach it all the same; those that get lost never do."""
    comes_late_at: float = inf
    """When the last of these does."""
    tells_phases: bool = False
    plugged_in: bool = True
    is_users_stop: bool = False
    """Whether its user stopped it."""
    in_flight: Command | None = None
    answer_at: float = inf
    coming: list[tuple[float, Command]] = field(default_factory=list)

    @property
    def wants(self) -> float:
        """What it goes towards, A."""
        return min(float(self.request), self.takes, self.limit) if self.charging and self.plugged_in else 0.0

    @property
    def is_moving(self) -> bool:
        """Whether anything about it is under way."""
        is_told = self.in_flight is not None or any(at < inf for at, _ in self.coming)
        return is_told or self.draws != self.wants

    def settle(self) -> None:
        """Draw what it wants, at once."""
        self.draws = self.wants

    def obey(self, command: Command) -> None:
        """Do as told."""
        if command.action is Action.SET_AMPS:
            self.request = command.amps
        else:
            self.charging = command.action is Action.START

    def move(self, now: float) -> None:
        """Let a second pass."""
        for at, command in list(self.coming):
            if now >= at:
                self.obey(command)
                self.coming.remove((at, command))
        self.draws = (
            max(self.wants, self.draws - DOWN_A_PER_S)
            if self.draws > self.wants
            else min(self.wants, self.draws + UP_A_PER_S)
        )

    def report(self) -> ChargerReport:
        """Tell of itself."""
        state = ChargingState.CHARGING if self.charging else ChargingState.STOPPED
        return ChargerReport(
            age_s=1.0,
            state=state if self.plugged_in else ChargingState.DISCONNECTED,
            requested_amps=self.request,
            measured_amps=self.draws,
            limit_amps=self.limit,
            phases=len(self.phases) if self.tells_phases else None,
            plugged_in=self.plugged_in,
            at_home=True,
        )


class HonestSite:
    """One site in virtual time, beside a controller that may have a past."""

    def __init__(
        self,
        controller: Controller,
        cars: Iterable[HonestCar],
        house: Callable[[float], tuple[float, ...]],
        *,
        now: float = 0.0,
    ) -> None:
        self.controller = controller
        self.cars = {car.name: car for car in cars}
        self.house = house
        self.now = now
        self.commands: list[tuple[float, Command]] = []
        self.decisions: dict[str, Decision] = {}
        self.heard: list[tuple[float, str, str]] = []
        """Each change of a reason: when, whose, which."""
        self._posted: tuple[float, ...] = ()
        self._posted_at = self._reported_at = -inf
        self._posts = 0

    @property
    def flows(self) -> tuple[float, ...]:
        """What truly flows on each phase, A."""
        return tuple(
            amps + sum(car.draws for car in self.cars.values() if phase in car.phases)
            for phase, amps in enumerate(self.house(self.now))
        )

    @property
    def draws(self) -> dict[str, float]:
        """What each car draws, A."""
        return {name: car.draws for name, car in self.cars.items()}

    def sent(self, name: str | None = None, action: Action | None = None, *, after: float = -inf) -> list[Command]:
        """Return commands."""
        return [
            command
            for at, command in self.commands
            if at > after and name in (None, command.charger_id) and action in (None, command.action)
        ]

    def step(self) -> None:
        """Let the shortest time pass in which nothing is missed."""
        calm = max(self._posted, default=inf) <= self.controller.settings.max_amps
        calm = calm and not any(car.is_moving for car in self.cars.values())
        seconds = POST_S if calm and self.now - self._posted_at < 1 else 1.0
        self.now += seconds
        for car in self.cars.values():
            car.move(self.now)
            if car.in_flight is not None and self.now >= car.answer_at:
                command, car.in_flight = car.in_flight, None
                if car.obeys:
                    wait_s = START_S if command.action is Action.START else OBEY_S
                    car.coming.append((self.now + wait_s, command))
                self.controller.acknowledge(command, Outcome.ACCEPTED, now=self.now)
        if self.now - self._reported_at >= REPORT_S:
            self._reported_at = self.now
            for car in self.cars.values():
                self.controller.add_report(car.name, car.report(), now=self.now)
        flows = self.flows
        jumped = any(abs(new - old) >= STEP_A for new, old in zip(flows, self._posted, strict=False))
        if jumped or self.now - self._posted_at >= POST_S:
            self._posted, self._posted_at = flows, self.now
            self._posts += 1
            read = tuple(amps - NOISE_A * (self._posts % 2) for amps in flows)
            self.controller.add_reading(
                Reading(at=self.now, amps=read, volts=(230.0,) * len(read), watts=230.0 * sum(read))
            )
        self.decide()

    def decide(self) -> None:
        """Let the controller decide, and send what it wants sent."""
        for decision in self.controller.decide(now=self.now):
            before = self.decisions.get(decision.charger_id)
            if before is None or before.reason is not decision.reason:
                self.heard.append((self.now, decision.charger_id, str(decision.reason)))
            self.decisions[decision.charger_id] = decision
            if (command := decision.command) is not None:
                car = self.cars[decision.charger_id]
                self.commands.append((self.now, command))
                car.in_flight, car.answer_at = command, self.now + ANSWER_S
                if car.unanswered:
                    car.unanswered -= 1
                    car.answer_at = inf
                    car.comes_late_at = self.now + car.late_s
                    car.coming.append((car.comes_late_at, command))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self.step()

    def run_until(self, condition: Callable[[], bool], within_s: float) -> float | None:
        """Let time pass until something holds; return how long that took, s, or None where it never did."""
        began = self.now
        while not condition():
            if self.now - began >= within_s:
                return None
            self.step()
        return self.now - began
