"""What a person can attach to a report without giving away where they live or how to command their car."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from math import isfinite
import re
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_LATITUDE, CONF_LONGITUDE, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .const import (
    CONF_AREA,
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_OLD_WEBHOOKS,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    DOMAIN,
    SUBENTRY_LIMIT,
    SUBENTRY_PRICES,
)
from .site.coordinator import AmpSensorConfigEntry

TO_REDACT: Final = {
    CONF_AREA,  # of prices: Tibber's is what a person calls their home
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_OLD_WEBHOOKS,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_WEBHOOK_ID,
    "notify",  # an action that has the name of a phone
    "pause_action",  # whatever a person wrote there
    "resume_action",
    "set_current",
    "title",  # of a site or a car: often the name of a person or a place
    "unique_id",  # of a car: its VIN
}
_VIN: Final = r"(?<![A-Z0-9])(?=[A-Z]*[0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])"
"""What looks like a VIN, also within the name of an entity: other integrations put it there."""


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> dict[str, Any]:
    """Return the settings of a site, and what is known of it and its chargers."""
    return _told(hass, entry, entry.runtime_data.data.consumers)


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, device: dr.DeviceEntry
) -> dict[str, Any]:
    """Return the same of one charger or load; of the site itself all of it."""
    ids = {identifier for domain, identifier in device.identifiers if domain == DOMAIN}
    consumers = entry.runtime_data.data.consumers
    return _told(hass, entry, consumers & ids or consumers)


def _told(hass: HomeAssistant, entry: AmpSensorConfigEntry, ids: Collection[str]) -> dict[str, Any]:
    coordinator = entry.runtime_data
    site = asdict(coordinator.data)
    known, loads = site.pop("chargers"), site.pop("loads")
    charger_ids = [charger_id for charger_id in known if charger_id in ids]
    secrets = _secrets(hass, entry)
    told = {
        "settings": async_redact_data(entry.data, TO_REDACT),
        "options": dict(entry.options),
        "prices": [
            async_redact_data(subentry.data, TO_REDACT) for subentry in entry.get_subentries_of_type(SUBENTRY_PRICES)
        ],
        "site": site,
        "reading": None if (last := coordinator.controller.meter.last) is None else asdict(last),
        "readings": coordinator.posts.as_dict(),
        "surplus": coordinator.surplus_diagnostics(),
        "repairs": coordinator.issues.keys(),
        "decisions": [
            asdict(decision) | {"at": at.isoformat()}
            for at, decision in coordinator.decisions
            if decision.charger_id in charger_ids
        ],
        "answers": [answer for answer in coordinator.answers if answer["charger_id"] in charger_ids],
        "chargers": {
            charger_id: {
                "subentry": async_redact_data(entry.subentries[charger_id].as_dict(), TO_REDACT),
                "known": known[charger_id],
                **coordinator.charger_diagnostics(charger_id),
            }
            for charger_id in charger_ids
        },
        "limits": [
            async_redact_data(limit.as_dict(), TO_REDACT) for limit in entry.get_subentries_of_type(SUBENTRY_LIMIT)
        ],
        "loads": {
            load_id: {
                "subentry": async_redact_data(entry.subentries[load_id].as_dict(), TO_REDACT),
                "known": loads[load_id],
                **coordinator.load_diagnostics(load_id),
            }
            for load_id in loads
            if load_id in ids
        },
    }
    return {key: _scrubbed(value, secrets) for key, value in told.items()}


def _secrets(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> re.Pattern[str]:
    """Return what finds a secret of this site in any text: a second net, below what keeps them out one by one."""
    words: list[str] = [entry.title, entry.data[CONF_WEBHOOK_ID], *entry.data.get(CONF_OLD_WEBHOOKS, ())]
    degrees: list[float] = [hass.config.latitude, hass.config.longitude]
    for subentry in entry.subentries.values():
        words += [subentry.title, subentry.unique_id or ""]
        if CONF_TESSIE_TOKEN in subentry.data:
            place = subentry.data[CONF_CHARGER_LOCATION]
            words += [subentry.data[CONF_TESSIE_TOKEN], subentry.data[CONF_CAR_VIN]]
            degrees += [place[CONF_LATITUDE], place[CONF_LONGITUDE]]
    found = [re.escape(word) for word in words if word]
    for degree in degrees:
        # To a hundred metres, and whatever is near: the car's own position differs a little
        found += [re.escape(str(abs(degree))), rf"{int(abs(degree))}\.\d{{3,}}"]
    return re.compile("|".join([*(rf"(?<!\w)(?:{each})" for each in found), _VIN]), re.IGNORECASE)


def _scrubbed(value: Any, secrets: re.Pattern[str]) -> Any:
    """Return what JSON can hold of a value, without secrets."""
    match value:
        case str():
            return secrets.sub(REDACTED, value)
        case float() if not isfinite(value):
            return str(value)
        case Mapping():
            return {str(_scrubbed(key, secrets)): _scrubbed(each, secrets) for key, each in value.items()}
        case list() | tuple() | set():
            return [_scrubbed(each, secrets) for each in value]
        case _:
            return value
