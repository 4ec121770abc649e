"""A charger of some integration: entities in a domain of its own, which a car hangs on."""

import asyncio
from typing import Any, Final

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN, UnitOfElectricCurrent
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError

from simulation.car import Car, CarState

REFRESH_S: Final = 10
"""How often its integration looks at it, s."""
ANSWER_S: Final = 0.5
WORDS: Final = {
    CarState.CHARGING: "charging",
    CarState.STARTING: "starting",
    CarState.STOPPED: "waiting",
    CarState.DISCONNECTED: "none",
    CarState.COMPLETE: "full",
    CarState.NO_POWER: "fault",
}
ROLES: Final[dict[str, Any]] = {
    "current": "box.amps",
    "pause": "box.allowed",
    "pause_state": STATE_OFF,
    "state": "box.state",
    "states": {
        "charging": ["charging"],
        "starting": ["starting"],
        "stopped": ["waiting"],
        "complete": ["full"],
        "disconnected": ["none"],
    },
    "currents": ["box.l1"],
}
IN_AMPS: Final = {"unit_of_measurement": UnitOfElectricCurrent.AMPERE}


class Box:
    """The entities, and the actions that move the car."""

    def __init__(self, hass: HomeAssistant, car: Car) -> None:
        self._hass = hass
        self._car = car
        self._allowed = True
        self.fault = ""
        for name, call in (("set_value", self._set), ("turn_on", self._allow), ("turn_off", self._forbid)):
            hass.services.async_register("box", name, call)
        self._show()

    def tick(self, second: int) -> None:
        """Show what is so, where it is time."""
        if second % (REFRESH_S * (6 if self.fault == "slow" else 1)) == 0 and self.fault != "frozen":
            self._show()

    def _show(self) -> None:
        states = {
            "box.amps": (f"{self._car.request}", {**IN_AMPS, "min": 6, "max": self._car.max_amps, "step": 1}),
            "box.allowed": (STATE_ON if self._allowed else STATE_OFF, {}),
            "box.state": (WORDS[self._car.state], {}),
            "box.l1": (f"{self._car.amps:.1f}", IN_AMPS),
        }
        for entity_id, (state, attributes) in states.items():
            if self.fault == "gone":
                self._hass.states.async_remove(entity_id)
            elif self.fault in (STATE_UNAVAILABLE, STATE_UNKNOWN):
                self._hass.states.async_set(entity_id, self.fault)
            else:
                self._hass.states.async_set(entity_id, state, attributes)

    async def _reach(self) -> bool:
        """Let an action reach the charger; return whether it does anything."""
        await asyncio.sleep(60 if self.fault == "hangs" else ANSWER_S * (20 if self.fault == "slow" else 1))
        if self.fault in ("fails", "gone", STATE_UNAVAILABLE):
            raise HomeAssistantError("the charger did not answer")
        return self.fault not in ("lost", "hangs")

    async def _set(self, call: ServiceCall) -> None:
        if await self._reach():
            self._car.set_amps(round(call.data["value"]))

    async def _allow(self, _: ServiceCall) -> None:
        if await self._reach():
            self._allowed = True
            self._car.start()

    async def _forbid(self, _: ServiceCall) -> None:
        if await self._reach():
            self._allowed = False
            self._car.stop()
