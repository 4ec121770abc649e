"""What automations can start from: the same as state triggers on our entities, but found by device or area."""

from collections.abc import Mapping
from typing import ClassVar, Final, override

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN, Platform, UnitOfElectricCurrent
from homeassistant.core import HomeAssistant
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    EntityNumericalStateCrossedThresholdTriggerBase,
    EntityTransitionTriggerBase,
    EntityTriggerBase,
    Trigger,
)

from .entity import filter_by_key
from .site.shown import ChargingControl

_HIDDEN: Final = frozenset({STATE_UNAVAILABLE, STATE_UNKNOWN})
"""What stands in a state while the sensor is silent, and after a restart: that must not swallow bad news."""


class _AmpSensorTrigger(EntityTriggerBase):
    """Looks at one kind of our entities among those that are targeted."""

    _key: ClassVar[str]
    _excluded_from_states = frozenset()
    _primary_entities_only = False  # the key says it better

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep the entities of that kind."""
        return filter_by_key(self._hass, super().entity_filter(entities), self._key)


def _transition(
    platform: Platform, key: str, *, from_states: set[str | bool], to_states: set[str | bool]
) -> type[Trigger]:
    domain_specs: Mapping[str, DomainSpec] = {platform: DomainSpec()}

    class TransitionTrigger(_AmpSensorTrigger, EntityTransitionTriggerBase):
        _domain_specs = domain_specs
        _key = key
        _from_states = from_states
        _to_states = to_states

    return TransitionTrigger


def _crossed_threshold(key: str, unit: str) -> type[Trigger]:
    domain_specs: Mapping[str, DomainSpec] = {Platform.SENSOR: DomainSpec()}

    class CrossedThresholdTrigger(_AmpSensorTrigger, EntityNumericalStateCrossedThresholdTriggerBase):
        _domain_specs = domain_specs
        _key = key
        _valid_unit = unit

    return CrossedThresholdTrigger


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "became_over_budget": _transition(
        Platform.BINARY_SENSOR, "over_budget", from_states={STATE_OFF, *_HIDDEN}, to_states={STATE_ON}
    ),
    "charging_limited": _transition(
        Platform.SENSOR,
        "charging_control",
        from_states={ChargingControl.INACTIVE, ChargingControl.FREE},
        to_states={ChargingControl.LIMITED},
    ),
    "charging_paused": _transition(
        Platform.SENSOR,
        "charging_control",
        from_states={ChargingControl.INACTIVE, ChargingControl.FREE, ChargingControl.LIMITED},
        to_states={ChargingControl.PAUSED},
    ),
    "charging_resumed": _transition(
        Platform.SENSOR,
        "charging_control",
        from_states={ChargingControl.PAUSED},
        to_states={ChargingControl.FREE, ChargingControl.LIMITED},
    ),
    "headroom_crossed_threshold": _crossed_threshold("headroom", UnitOfElectricCurrent.AMPERE),
    "no_longer_over_budget": _transition(
        Platform.BINARY_SENSOR, "over_budget", from_states={STATE_ON}, to_states={STATE_OFF}
    ),
    "sensor_became_silent": _transition(
        Platform.BINARY_SENSOR, "connected", from_states={STATE_ON, *_HIDDEN}, to_states={STATE_OFF}
    ),
    "sensor_came_back": _transition(Platform.BINARY_SENSOR, "connected", from_states={STATE_OFF}, to_states={STATE_ON}),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return what automations can start from."""
    return TRIGGERS
