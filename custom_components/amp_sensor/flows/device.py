"""Showing what to put on a device, and where it posts to."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.webhook import async_generate_url
from homeassistant.config_entries import ConfigEntryBaseFlow, ConfigFlowResult
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import QrCodeSelector, QrCodeSelectorConfig, QrErrorCorrectionLevel
import voluptuous as vol

from ..const import CONF_LOCAL_ONLY, CONF_VOLTAGE
from ..meters.device_config import KITS, REF, REPOSITORY, Recipe, device_yaml, recipe

_GUIDE_URL: Final = f"[the guide](https://github.com/{REPOSITORY}/blob/{REF}/firmware/README.md)"

# Of a form, and not kept
DEVICE: Final = "device"
_QR_CODE: Final = "qr_code"


def webhook_url(hass: HomeAssistant, site: Mapping[str, Any]) -> str | None:
    """Return where the sensor of a site posts to; None where Home Assistant does not know its own address."""
    from_outside = not site[CONF_LOCAL_ONLY]
    try:
        return async_generate_url(
            hass, site[CONF_WEBHOOK_ID], allow_external=from_outside, prefer_external=from_outside
        )
    except NoURLAvailableError:
        return None


class DeviceSteps(ConfigEntryBaseFlow):
    """The pages that show what to put on a device: of a new site as of one that is there."""

    @abstractmethod
    def _finish(self) -> ConfigFlowResult:
        """End the flow."""

    def _show_device(self, device: str, site: Mapping[str, Any], url: str) -> ConfigFlowResult:
        code = QrCodeSelectorConfig(data=url, scale=6, error_correction_level=QrErrorCorrectionLevel.QUARTILE)
        schema = vol.Schema({vol.Optional(_QR_CODE): QrCodeSelector(code)})
        for kit in KITS:
            if kit.key == device:
                return self.async_show_form(
                    step_id="esphome",
                    data_schema=schema,
                    description_placeholders={
                        "yaml": device_yaml(kit, webhook_url=url, voltage=site[CONF_VOLTAGE]),
                        "largest_amps": str(kit.largest_amps),
                        "guide_url": _GUIDE_URL,
                    },
                )
        return self.async_show_form(
            step_id="recipe",
            data_schema=schema,
            description_placeholders={"lines": recipe(Recipe(device), webhook_url=url)},
        )

    async def async_step_esphome(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go on when what was shown is copied."""
        return self._finish()

    async_step_recipe = async_step_esphome
