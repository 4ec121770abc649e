"""A charger and the car at it, whatever way the charger is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Final

from custom_components.amp_sensor.control import Action
from simulation.car import Car, CarState

PAUSE_S: Final = 0.005
PATIENCE: Final = 2000
"""Pauses until nobody waits any longer: some 20 s of real time, whatever the clock in use says."""

NOT_HERE: Final = "MISSING"
"""How what says that this machine lacks something begins."""


class DeviceError(Exception):
    """A device did not do what it is played to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A command as it came in."""

    at: float
    action: Action
    amps: int = 0


async def breathe() -> None:
    """Wait a moment of real time, on whatever clock the event loop is."""
    await asyncio.to_thread(time.sleep, PAUSE_S)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something outside of this process has happened. Raises DeviceError where it does not."""
    for turn in range(PATIENCE):
        if condition():
            return
        await (asyncio.sleep(0) if turn < 50 else breathe())
    raise DeviceError(f"waited in vain for {what}")


class Wallbox:
    """A charger that tells its car by the pilot signal (IEC 61851)."""

    def __init__(self, car: Car, *, clock: Callable[[], float] = time.time) -> None:
        """Put a car to it; `clock` is a wall clock, s."""
        self.car = car
        self.told: list[Told] = []
        self.obeys = True
        """While it does not, it says yes and does nothing."""
        self._clock = clock
        car.tick(clock())

    @property
    def charging(self) -> bool:
        """Whether its contactor is closed."""
        return self.car.state in (CarState.CHARGING, CarState.STARTING)

    def tick(self) -> None:
        """Let the car catch up with the clock."""
        self.car.tick(self._clock())

    def hear(self, action: Action, amps: int = 0) -> None:
        """Take a command."""
        self.tick()
        self.told.append(Told(at=self._clock(), action=action, amps=amps))
        if not self.obeys:
            return
        match action:
            case Action.SET_AMPS:
                self.car.set_amps(amps)
            case Action.START:
                self.car.start()
            case Action.STOP:
                self.car.stop()
