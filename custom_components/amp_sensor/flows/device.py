"""Showing what to put on a device, and where it posts to."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryBaseFlow, ConfigFlowResult
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
import segno
import voluptuous as vol

from ..const import CONF_LOCAL_ONLY, CONF_MAX_AMPS, CONF_VOLTAGE
from ..meters import endpoint
from ..meters.device_config import KITS, REF, REPOSITORY, Recipe, device_yaml, recipe
from .forms import TO_COPY, device_choice

_GUIDE_URL: Final = f"[the guide](https://github.com/{REPOSITORY}/blob/{REF}/firmware/README.md)"

# Of a form, and not kept
DEVICE: Final = "device"
ADDRESS: Final = "address"
_TEXT: Final = "text"


def webhook_url(hass: HomeAssistant, site: Mapping[str, Any]) -> str | None:
    """Return where the sensor of a site posts to; None where Home Assistant does not know its own address."""
    return endpoint.url_of(hass, site[CONF_WEBHOOK_ID], from_outside=not site[CONF_LOCAL_ONLY])


def qr_code(url: str) -> str:
    """Return an image that is dark on white in every theme: Home Assistant's own is not at night, and few scan that."""
    return segno.make(url, error="l").png_data_uri(scale=4, border=4)


def device_schema(marker: type[vol.Required | vol.Optional], site: Mapping[str, Any]) -> vol.Schema:
    """Return the question what measures the current of a site; `marker` is whether it has to be answered."""
    return vol.Schema({marker(DEVICE): device_choice(site[CONF_MAX_AMPS])})


class DeviceSteps(ConfigEntryBaseFlow):
    """The pages that show what to put on a device: of a new site as of one that is there."""

    @abstractmethod
    def _finish(self) -> ConfigFlowResult:
        """End the flow."""

    def _show_device(self, device: str, site: Mapping[str, Any], url: str) -> ConfigFlowResult:
        kit = next((kit for kit in KITS if kit.key == device), None)
        if kit is None:
            step_id, text, placeholders = "recipe", recipe(Recipe(device), webhook_url=url), {}
        else:
            step_id, text = "esphome", device_yaml(kit, webhook_url=url, voltage=site[CONF_VOLTAGE])
            placeholders = {"largest_amps": str(kit.largest_amps), "guide_url": _GUIDE_URL}
        schema = vol.Schema({vol.Optional(_TEXT): TO_COPY})
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, {_TEXT: text}),
            description_placeholders={
                **placeholders,
                "qr_code": f"![QR]({qr_code(url)})",
            },
        )

    async def async_step_esphome(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go on when what was shown is copied."""
        return self._finish()

    async_step_recipe = async_step_esphome
