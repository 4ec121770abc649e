"""A water heater that Home Assistant knows as one."""

from typing import override

from homeassistant.components.water_heater.const import (
    ATTR_OPERATION_MODE,
    SERVICE_SET_OPERATION_MODE,
    STATE_ECO,
    WaterHeaterEntityFeature,
)
from homeassistant.const import ATTR_SUPPORTED_FEATURES, SERVICE_TURN_OFF, SERVICE_TURN_ON, STATE_OFF
from homeassistant.core import State

from .kind import Before, Call, Kind


class WaterHeater(Kind):
    """Switched off, or to eco."""

    domains = ("water_heater",)

    def __init__(self, *, eco: bool) -> None:
        self._eco = eco

    @override
    def is_on(self, state: State) -> bool:
        return state.state not in (STATE_OFF, *((STATE_ECO,) if self._eco else ()))

    @override
    def before(self, state: State) -> Before:
        has_modes = WaterHeaterEntityFeature.OPERATION_MODE & state.attributes.get(ATTR_SUPPORTED_FEATURES, 0)
        return {ATTR_OPERATION_MODE: state.state} if has_modes else {}

    @override
    def shed(self, state: State) -> Call:
        if self._eco:
            return SERVICE_SET_OPERATION_MODE, {ATTR_OPERATION_MODE: STATE_ECO}
        if WaterHeaterEntityFeature.ON_OFF & state.attributes.get(ATTR_SUPPORTED_FEATURES, 0):
            return SERVICE_TURN_OFF, {}
        return SERVICE_SET_OPERATION_MODE, {ATTR_OPERATION_MODE: STATE_OFF}

    @override
    def restore(self, before: Before) -> Call:
        if mode := before.get(ATTR_OPERATION_MODE):
            return SERVICE_SET_OPERATION_MODE, {ATTR_OPERATION_MODE: mode}
        return SERVICE_TURN_ON, {}
