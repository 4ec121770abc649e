"""A controller that is told everything by hand, to look at one step of it."""

from typing import Any

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargingState,
    Command,
    Controller,
    Decision,
    Outcome,
    Reading,
    SiteSettings,
)
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.choice import View
from custom_components.amp_sensor.control.memory import Risk
from custom_components.amp_sensor.control.settings import ChargerSettings


class Site:
    """One controller, and the time."""

    def __init__(self, *names: str, settings: dict[str, dict[str, Any]] | None = None, **site: Any) -> None:
        """`settings` has those of single chargers."""
        self.now = 0.0
        self.controller = Controller(SiteSettings(**{"max_amps": 25.0} | site), now=0.0)
        for name in names:
            each = {"max_amps": 16} | (settings or {}).get(name, {})
            self.controller.set_charger(name, ChargerSettings(**each), now=0.0)

    def car(self, name: str = "a") -> ManagedCharger:
        return self.controller._chargers[name]

    def read(self, *amps: float | None, after: float = 5.0) -> None:
        """Let the meter tell of each phase, some seconds later."""
        self.now += after
        watts = 230 * sum(each or 0 for each in amps)
        self.controller.add_reading(Reading(at=self.now, amps=amps, volts=(230.0,) * len(amps), watts=watts))

    def report(self, name: str = "a", amps: float = 16.0, **changes: Any) -> None:
        """Let a car tell what it draws, and has for a limit; 0 is stopped."""
        state = ChargingState.CHARGING if amps else ChargingState.STOPPED
        told = {"age_s": 0.0, "state": state, "requested_amps": amps or 6, "measured_amps": amps, "at_home": True}
        self.controller.add_report(name, ChargerReport(**told | changes), now=self.now)

    def tell(self, amps: int, name: str = "a", outcome: Outcome | None = Outcome.ACCEPTED) -> None:
        """Send a car a limit, which its cloud answers at once."""
        car, command = self.car(name), Command(charger_id=name, action=Action.SET_AMPS, amps=amps)
        car.target = amps
        car.send(command, self.now, self.controller._house.read)
        if outcome is not None:
            self.controller.acknowledge(command, outcome, now=self.now)

    def pause(self, name: str = "a") -> None:
        """Have it stopped by us, long since."""
        self.report(name, 0.0, requested_amps=self.car(name).request)
        self.car(name).paused = True

    def decide(self, name: str = "a", *, after: float = 0.0) -> Decision:
        self.now += after
        return next(each for each in self.controller.decide(now=self.now) if each.charger_id == name)

    def view(self, name: str = "a") -> View:
        """Return what the controller sees of a car."""
        bearing = self.controller._bearing
        flows = bearing.flows(self.now)
        return bearing.view(self.car(name), flows, bearing.shares(flows, self.now), self.now)

    def calm_since(self, at: float) -> None:
        """Let the house have been calm since then, at every level that it is below."""
        for phase in self.controller._house.phases:
            for level in phase.memory._levels:
                level.below_since = None if level.below_since is None else at

    def risk(self, amps: float, phase: int = 0) -> Risk | None:
        """Return what the house threatens on a phase from a level on."""
        return self.controller._house.phases[phase].memory.risk(amps, self.now)
