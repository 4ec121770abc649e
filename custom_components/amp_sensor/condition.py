"""What automations can ask: the same as state conditions on our entities, but found by device or area."""

from collections.abc import Mapping
from typing import ClassVar, Final, override

from homeassistant.const import STATE_OFF, STATE_ON, Platform, UnitOfElectricCurrent
from homeassistant.core import HomeAssistant
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    Condition,
    EntityConditionBase,
    EntityNumericalConditionBase,
    EntityStateConditionBase,
)

from .entity import filter_by_key
from .site.shown import ChargingControl


class _AmpSensorCondition(EntityConditionBase):
    """Looks at one kind of our entities among those that are targeted."""

    _key: ClassVar[str]
    _primary_entities_only = False  # the key says it better

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep the entities of that kind."""
        return filter_by_key(self._hass, super().entity_filter(entities), self._key)


def _state(platform: Platform, key: str, state: str) -> type[Condition]:
    domain_specs: Mapping[str, DomainSpec] = {platform: DomainSpec()}
    states: set[str | bool] = {state}

    class StateCondition(_AmpSensorCondition, EntityStateConditionBase):
        _domain_specs = domain_specs
        _key = key
        _states = states

    return StateCondition


def _value(key: str, unit: str) -> type[Condition]:
    domain_specs: Mapping[str, DomainSpec] = {Platform.SENSOR: DomainSpec()}

    class ValueCondition(_AmpSensorCondition, EntityNumericalConditionBase):
        _domain_specs = domain_specs
        _key = key
        _valid_unit = unit

    return ValueCondition


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "is_charging_limited": _state(Platform.SENSOR, "charging_control", ChargingControl.LIMITED),
    "is_charging_paused": _state(Platform.SENSOR, "charging_control", ChargingControl.PAUSED),
    "is_headroom": _value("headroom", UnitOfElectricCurrent.AMPERE),
    "is_over_budget": _state(Platform.BINARY_SENSOR, "over_budget", STATE_ON),
    "is_sensor_connected": _state(Platform.BINARY_SENSOR, "connected", STATE_ON),
    "is_sensor_silent": _state(Platform.BINARY_SENSOR, "connected", STATE_OFF),
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return what automations can ask."""
    return CONDITIONS
