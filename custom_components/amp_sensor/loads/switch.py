"""A switch: a contactor of a boiler, a plug."""

from typing import override

from homeassistant.const import SERVICE_TURN_OFF, SERVICE_TURN_ON, STATE_ON
from homeassistant.core import State

from .kind import Before, Call, Kind


class Switch(Kind):
    """Switched off, and on again."""

    domains = ("switch", "input_boolean")

    @override
    def is_on(self, state: State) -> bool:
        return state.state == STATE_ON

    @override
    def shed(self, state: State) -> Call:
        return SERVICE_TURN_OFF, {}

    @override
    def restore(self, before: Before) -> Call:
        return SERVICE_TURN_ON, {}
