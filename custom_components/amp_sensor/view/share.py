"""Share the readings of a site at the press of a button: the link is told in a notification, and nowhere else."""

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..notices import notification
from ..site.coordinator import AmpSensorConfigEntry
from ..texts import async_texts
from .links import LINKS


async def async_share(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
    """Make a link as the action does where nothing is chosen, and tell it. Raises ServiceValidationError."""
    url, expires = await hass.data[LINKS].async_create(entry.entry_id)
    texts = await async_texts(hass, "config_panel.share")
    text = texts["text"].format(site=entry.title, url=url, time=dt_util.as_local(expires).strftime("%Y-%m-%d %H:%M"))
    notification.show(hass, f"{DOMAIN}_share_{entry.entry_id}", title=texts["title"], text=text)
