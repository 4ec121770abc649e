"""A heat pump, an air conditioner or an electric heater."""

from typing import Final, override

from homeassistant.components.climate.const import (
    ATTR_HVAC_ACTION,
    ATTR_HVAC_MODE,
    SERVICE_SET_HVAC_MODE,
    SERVICE_SET_TEMPERATURE,
    HVACAction,
    HVACMode,
)
from homeassistant.const import ATTR_TEMPERATURE, SERVICE_TURN_ON
from homeassistant.core import State

from .kind import Before, Call, Kind

_STANDS_STILL: Final = (HVACAction.IDLE, HVACAction.OFF)
_SAME_DEGREES: Final = 0.05
"""Half of the finest step that thermostats have."""


class Climate(Kind):
    """Switched off, or given another temperature where one is set for that."""

    domains = ("climate",)
    runs_on_s = 105.0
    """Two minutes with the time that every load has, which is assumed: a compressor is slowed down before it stops."""

    def __init__(self, setback: float | None) -> None:
        """Take the temperature that counts as off, in the unit of Home Assistant; None switches off."""
        self._setback = setback

    @override
    def is_on(self, state: State) -> bool:
        if state.state == HVACMode.OFF:
            return False
        wanted = state.attributes.get(ATTR_TEMPERATURE)
        return self._setback is None or wanted is None or abs(wanted - self._setback) > _SAME_DEGREES

    @override
    def draws(self, state: State) -> bool | None:
        action = state.attributes.get(ATTR_HVAC_ACTION)
        return None if action is None else action not in _STANDS_STILL

    @override
    def before(self, state: State) -> Before:
        return {ATTR_HVAC_MODE: state.state, ATTR_TEMPERATURE: state.attributes.get(ATTR_TEMPERATURE)}

    @override
    def shed(self, state: State) -> Call:
        if self._setback is None:
            return SERVICE_SET_HVAC_MODE, {ATTR_HVAC_MODE: HVACMode.OFF}
        return SERVICE_SET_TEMPERATURE, {ATTR_TEMPERATURE: self._setback}

    @override
    def restore(self, before: Before) -> Call:
        if self._setback is not None and before.get(ATTR_TEMPERATURE) is not None:
            return SERVICE_SET_TEMPERATURE, {ATTR_TEMPERATURE: before[ATTR_TEMPERATURE]}
        if mode := before.get(ATTR_HVAC_MODE):
            return SERVICE_SET_HVAC_MODE, {ATTR_HVAC_MODE: mode}
        return SERVICE_TURN_ON, {}
