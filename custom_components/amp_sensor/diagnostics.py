"""What a person can attach to a report without giving away where they live or how to command their car."""

from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant

from .const import CONF_CAR_VIN, CONF_CHARGER_LOCATION, CONF_TESSIE_TOKEN, CONF_TESSIE_URL
from .coordinator import AmpSensorConfigEntry

TO_REDACT: Final = {
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_WEBHOOK_ID,
    "title",  # of a site or a car: often the name of a person or a place
    "unique_id",  # of a car: its VIN
}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> dict[str, Any]:
    """Return the settings of a site, and what is known of it and its chargers."""
    return {
        "data": async_redact_data(entry.data, TO_REDACT),
        "options": dict(entry.options),
        "chargers": [async_redact_data(subentry.as_dict(), TO_REDACT) for subentry in entry.subentries.values()],
        "site": asdict(entry.runtime_data.data),
    }
