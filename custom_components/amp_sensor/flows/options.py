"""Changing the options of a site, and its address."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
import voluptuous as vol

from ..const import CONF_MAX_AMPS, CONF_METER
from ..site.address import with_new_address
from .device import DEVICE, DeviceSteps, device_schema, webhook_url
from .forms import OPTION_SECTIONS, OPTIONS_SCHEMA


class AmpSensorOptionsFlow(DeviceSteps, OptionsFlow):
    """Change the options of a site, or show what to put on its device."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what it is about; a site with sensors of Home Assistant has neither device nor address."""
        if CONF_METER in self.config_entry.data:
            return await self.async_step_settings()
        return self.async_show_menu(step_id="init", menu_options=["settings", "device", "address"])

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options."""
        options = self.config_entry.options
        if user_input is not None:
            typed = {key: value for group in user_input.values() for key, value in group.items()}
            return self.async_create_entry(data={**options, **typed})
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(OPTIONS_SCHEMA, dict.fromkeys(OPTION_SECTIONS, options)),
        )

    async def async_step_address(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Give the site a new address, and show what to put on its sensor."""
        entry = self.config_entry
        if webhook_url(self.hass, entry.data) is None:
            return self.async_abort(reason="no_address")
        if user_input is None:
            return self.async_show_form(step_id="address", description_placeholders={"site": entry.title})
        self.hass.config_entries.async_update_entry(entry, data=with_new_address(entry.data))
        return await self.async_step_device()

    async def async_step_device(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what measures the current."""
        site = self.config_entry.data
        url = webhook_url(self.hass, site)
        if url is None:
            return self.async_abort(reason="no_address")
        if user_input is not None:
            return self._show_device(user_input[DEVICE], site, url)
        return self.async_show_form(
            step_id="device",
            data_schema=device_schema(vol.Required, site),
            description_placeholders={"budget": str(site[CONF_MAX_AMPS])},
        )

    @override
    def _finish(self) -> ConfigFlowResult:
        return self.async_create_entry(data=self.config_entry.options)
