"""Adding a home battery, and changing it."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import PERCENTAGE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from ..const import CONF_FIRST_UNTIL, CONF_POSITIVE, CONF_POWER, CONF_STATE_OF_CHARGE, SUBENTRY_BATTERY
from ..meters.battery import Positive
from ..meters.energy_dashboard import async_batteries
from ..meters.entity import Kind, Left, Value, read_state
from .entities import device_name, entity_id_of, ref_of
from .forms import whole_number

_DOMAINS = ["sensor", "input_number"]
_REFS = (CONF_POWER, CONF_STATE_OF_CHARGE)
_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_POWER): EntitySelector(EntitySelectorConfig(domain=_DOMAINS)),
        vol.Required(CONF_POSITIVE, default=Positive.CHARGING): SelectSelector(
            SelectSelectorConfig(options=list(Positive), translation_key="battery_positive")
        ),
        vol.Optional(CONF_STATE_OF_CHARGE): EntitySelector(EntitySelectorConfig(domain=_DOMAINS)),
        vol.Required(CONF_FIRST_UNTIL, default=100): whole_number(0, 100, PERCENTAGE),
    }
)


def _state_of_charge_beside(hass: HomeAssistant, power: str) -> str | None:
    """Return the sensor of the same device that tells how full a battery is, where there is one only."""
    registry = er.async_get(hass)
    if (entry := registry.async_get(power)) is None or entry.device_id is None:
        return None
    beside = [
        each.entity_id
        for each in er.async_entries_for_device(registry, entry.device_id)
        if each.domain == "sensor" and (each.device_class or each.original_device_class) == SensorDeviceClass.BATTERY
    ]
    return beside[0] if len(beside) == 1 else None


class BatterySubentryFlow(ConfigSubentryFlow):
    """Add a home battery to a site, or change it."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a new battery; the first that the Energy dashboard has and this site has not is filled in."""
        known = {each.unique_id for each in self._get_entry().get_subentries_of_type(SUBENTRY_BATTERY)}
        new = (each for each in await async_batteries(self.hass) if ref_of(self.hass, each.power) not in known)
        if (battery := next(new, None)) is None:
            return self._ask({})
        charge = battery.state_of_charge or _state_of_charge_beside(self.hass, battery.power)
        shown = {CONF_POWER: battery.power, CONF_POSITIVE: battery.positive}
        return self._ask(shown if charge is None else shown | {CONF_STATE_OF_CHARGE: charge})

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a battery that is there; what is gone is left empty."""
        kept = dict(self._get_reconfigure_subentry().data)
        shown = {role: entity_id_of(self.hass, kept[role]) for role in _REFS if role in kept}
        return self._ask(kept | shown)

    async def async_step_battery(self, user_input: dict[str, Any]) -> SubentryFlowResult:
        """Keep what was typed, if its sensor tells a power; one that is not available now may tell it later."""
        power = read_state(self.hass, user_input[CONF_POWER], Kind.POWER)
        if not isinstance(power, Value) and power is not Left.UNAVAILABLE:
            return self._ask(user_input, {CONF_POWER: "no_power"})
        data = user_input | {role: ref_of(self.hass, user_input[role]) for role in _REFS if role in user_input}
        entry, ref = self._get_entry(), data[CONF_POWER]
        is_change = self.source == SOURCE_RECONFIGURE
        own_id = self._get_reconfigure_subentry().subentry_id if is_change else None
        if any(each.unique_id == ref for each in entry.subentries.values() if each.subentry_id != own_id):
            return self._ask(user_input, {CONF_POWER: "battery_known"})
        if is_change:
            return self.async_update_and_abort(entry, self._get_reconfigure_subentry(), data=data, unique_id=ref)
        return self.async_create_entry(title=self._title(user_input[CONF_POWER]), data=data, unique_id=ref)

    def _ask(self, shown: Mapping[str, Any], errors: dict[str, str] | None = None) -> SubentryFlowResult:
        return self.async_show_form(
            step_id="battery",
            data_schema=self.add_suggested_values_to_schema(_SCHEMA, shown),
            errors=errors,
            description_placeholders={"entity": str(shown.get(CONF_POWER))},
        )

    def _title(self, entity_id: str) -> str:
        """Return what people call it: its device, or its sensor."""
        entry = er.async_get(self.hass).async_get(entity_id)
        state = self.hass.states.get(entity_id)
        return device_name(self.hass, None if entry is None else entry.device_id) or (
            state.name if state else entity_id
        )
