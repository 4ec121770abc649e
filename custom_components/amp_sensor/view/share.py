"""Share the readings of a site at the press of a button: the link is told in a notification, and nowhere else."""

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..site.coordinator import AmpSensorConfigEntry
from .links import LINKS


async def async_share(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
    """Make a link as the action does where nothing is chosen, and tell it. Raises ServiceValidationError."""
    url, expires = await hass.data[LINKS].async_create(entry.entry_id)
    texts = await async_get_translations(hass, hass.config.language, "config_panel", [DOMAIN])
    prefix = f"component.{DOMAIN}.config_panel.share"
    persistent_notification.async_create(
        hass,
        texts[f"{prefix}.text"].format(
            site=entry.title, url=url, time=dt_util.as_local(expires).strftime("%Y-%m-%d %H:%M")
        ),
        texts[f"{prefix}.title"],
        f"{DOMAIN}_share_{entry.entry_id}",
    )
