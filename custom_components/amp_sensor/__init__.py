"""Watch what the house draws, and charge the car with whatever is left."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID, CONF_LATITUDE, CONF_LONGITUDE, CONF_RADIUS, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from . import frontend, live, view
from .chargers.charger import Charger
from .chargers.entities import EntityCharger
from .chargers.profiles import PROFILES
from .chargers.tessie import TessieCharger, TessieClient
from .const import (
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_LEARNED,
    CONF_MAX_AMPS_CAR,
    CONF_PHASES,
    CONF_PROFILE,
    CONF_ROLES,
    CONF_SUPPLY,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_VOLTAGE,
    DOMAIN,
    SUBENTRY_CHARGER,
    SUBENTRY_LOAD,
    SUBENTRY_PRICES,
)
from .control import Supply
from .loads.load import Load
from .services import async_setup_services
from .site import supply
from .site.coordinator import AmpSensorConfigEntry, SiteCoordinator
from .site.prices import PriceSource
from .site.store import async_remove, control_store, site_store
from .view.links import LINKS, Links

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TIME,
]

_UNLOADED: HassKey[dict[str, SiteCoordinator]] = HassKey(f"{DOMAIN}_unloaded")
"""Sites that were unloaded: if the next thing is that one is removed, its chargers are to be released."""


def _create_charger(hass: HomeAssistant, entry: AmpSensorConfigEntry, subentry: ConfigSubentry) -> Charger:
    data = subentry.data
    if CONF_ROLES in data:
        return _create_entity_charger(hass, entry, data)
    client = TessieClient(async_get_clientsession(hass), data[CONF_TESSIE_TOKEN], data[CONF_TESSIE_URL])
    place = data[CONF_CHARGER_LOCATION]
    return TessieCharger(
        client,
        data[CONF_CAR_VIN],
        latitude=place[CONF_LATITUDE],
        longitude=place[CONF_LONGITUDE],
        radius_m=place[CONF_RADIUS],
    )


def _create_entity_charger(hass: HomeAssistant, entry: AmpSensorConfigEntry, data: Mapping[str, Any]) -> EntityCharger:
    supply = Supply(entry.data[CONF_SUPPLY]) if CONF_SUPPLY in entry.data else None
    told = data.get(CONF_PHASES) or (data.get(CONF_LEARNED) or {}).get("phases")
    phases = len(told) if told else 1 if supply is Supply.SINGLE else None
    return EntityCharger(
        hass,
        data[CONF_ROLES],
        next((profile for profile in PROFILES if profile.key == data.get(CONF_PROFILE)), None),
        max_amps=data[CONF_MAX_AMPS_CAR],
        volts=entry.data[CONF_VOLTAGE] * (2 if supply is Supply.SPLIT else 1),
        phases=1 if supply is Supply.SPLIT else phases,  # it hangs between both legs
        device_id=data.get(CONF_DEVICE_ID),
    )


def _model(entry: AmpSensorConfigEntry) -> str:
    """Return how a house is fed, as one writes it on a fuse box: 3 × 230 V."""
    supply = entry.data.get(CONF_SUPPLY)
    volts = f"{entry.data[CONF_VOLTAGE]} V"
    return volts if supply is None else f"{Supply(supply).phases} × {volts}"


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up the actions, which tell what is wrong where no site is loaded, and the dashboard of all sites."""
    async_setup_services(hass)
    live.async_setup(hass)
    await frontend.async_setup(hass)
    await view.async_setup(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> bool:
    """Set up a site. It does not need its car: a cloud that is down is tried again while the site runs."""
    before = hass.data.get(_UNLOADED, {}).pop(entry.entry_id, None)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer="Amp Sensor",
        model=_model(entry),
        name=entry.title,
        sw_version=None,  # until the sensor says which it runs
    )
    chargers = {
        subentry.subentry_id: _create_charger(hass, entry, subentry)
        for subentry in entry.get_subentries_of_type(SUBENTRY_CHARGER)
    }
    loads = {
        subentry.subentry_id: Load(hass, subentry.data) for subentry in entry.get_subentries_of_type(SUBENTRY_LOAD)
    }
    coordinator = SiteCoordinator(hass, entry, chargers, loads, device_id=device.id)
    links = hass.data[LINKS]
    await coordinator.async_start(lost=links.lost, before=before if before and before.goes_on else None)
    links.lost = ()
    entry.runtime_data = coordinator
    supply.async_register(hass, entry)
    for subentry in entry.get_subentries_of_type(SUBENTRY_PRICES):
        source = PriceSource(hass, subentry.data, coordinator.prices)
        entry.async_on_unload(source.async_start(coordinator.async_take_prices))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    return True


async def _async_reload(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
    """Set up a site anew as something was added or changed: unlike where a person reloads it, all else goes on."""
    coordinator = entry.runtime_data
    coordinator.goes_on = True
    try:
        await hass.config_entries.async_reload(entry.entry_id)
    finally:
        coordinator.goes_on = False


async def async_unload_entry(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> bool:
    """Unload a site. Chargers that it will go on to control after a reload keep what they have."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    live.async_end(hass, entry)
    coordinator = entry.runtime_data
    consumers = coordinator.data.consumers
    if entry.disabled_by is not None:
        await coordinator.async_stop(ended=consumers)
    else:
        await coordinator.async_stop(ended=consumers - entry.subentries.keys())
        hass.data.setdefault(_UNLOADED, {})[entry.entry_id] = coordinator
    return True


async def async_remove_entry(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
    """Forget a site, and let its chargers go."""
    if (coordinator := hass.data.get(_UNLOADED, {}).pop(entry.entry_id, None)) is not None:
        await coordinator.async_release(coordinator.data.consumers)
    links = hass.data.get(LINKS) or await Links.async_load(hass)  # a disabled site may be the only one
    await links.async_revoke(entry.entry_id)
    for store in (site_store(hass, entry.entry_id), control_store(hass, entry.entry_id)):
        await async_remove(store)
