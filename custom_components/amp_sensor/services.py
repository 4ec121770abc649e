"""The actions: what they take, and who may call them. What they do is in the modules that they call."""

from typing import Final, cast

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv, selector, service
import voluptuous as vol

from . import history, live
from .const import (
    DOMAIN,
    MAX_BUDGET_A,
    MAX_CAR_A,
    MAX_LIMIT_KW,
    MAX_RESERVE_W,
    MIN_BUDGET_A,
    MIN_CAR_A,
    MIN_PEAK_KW,
)
from .control import ChargeWith, Mode
from .history.intervals import Interval
from .migration import import_readings
from .site.coordinator import AmpSensorConfigEntry
from .site.goal import MAX_WANTED_KWH
from .view.links import DEFAULT_DAYS, LINKS
from .what_if import action as what_if

ATTR_SITE: Final = "site"
SERVICE_GET_READINGS: Final = "get_readings"
SERVICE_IMPORT_READINGS: Final = "import_readings"
SERVICE_WHAT_IF: Final = "what_if"
SERVICE_CREATE_VIEW_LINK: Final = "create_view_link"
SERVICE_REVOKE_VIEW_LINKS: Final = "revoke_view_links"

SITE_SCHEMA: Final = vol.Schema({vol.Required(ATTR_SITE): selector.ConfigEntrySelector({"integration": DOMAIN})})
READINGS_SCHEMA: Final = SITE_SCHEMA.extend(
    {
        vol.Required("start"): cv.datetime,
        vol.Optional("end"): cv.datetime,
        vol.Optional("interval", default=Interval.HOUR): vol.Coerce(Interval),
        vol.Optional("time_zone"): cv.string,
        vol.Optional("page", default=1): vol.Coerce(int),
        vol.Optional("count", default=history.DEFAULT_COUNT): vol.Coerce(int),
    }
)
IMPORT_SCHEMA: Final = SITE_SCHEMA.extend({vol.Required("path"): cv.path, vol.Optional("token"): cv.string})
WHAT_IF_SCHEMA: Final = SITE_SCHEMA.extend(
    {
        vol.Optional("days", default=what_if.DEFAULT_DAYS): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=what_if.MAX_DAYS)
        ),
        vol.Optional("max_amps", default=[]): vol.All(
            cv.ensure_list, [vol.All(vol.Coerce(float), vol.Range(min=MIN_BUDGET_A, max=MAX_BUDGET_A))]
        ),
        vol.Optional("max_amps_car", default=[]): vol.All(
            cv.ensure_list, [vol.All(vol.Coerce(int), vol.Range(min=MIN_CAR_A, max=MAX_CAR_A))]
        ),
        vol.Optional("modes", default=[]): vol.All(cv.ensure_list, [vol.All(vol.Coerce(Mode), vol.In(what_if.MODES))]),
        vol.Optional("charge_with", default=[]): vol.All(cv.ensure_list, [vol.Coerce(ChargeWith)]),
        vol.Optional("reserve_w", default=0.0): vol.All(vol.Coerce(float), vol.Range(min=0, max=MAX_RESERVE_W)),
        vol.Optional("peak_limit_kw", default=[]): vol.All(
            cv.ensure_list, [vol.All(vol.Coerce(float), vol.Range(min=MIN_PEAK_KW, max=MAX_LIMIT_KW))]
        ),
        vol.Optional("ready_by"): cv.time,
        vol.Optional("wanted_kwh", default=what_if.DEFAULT_WANTED_KWH): vol.All(
            vol.Coerce(float), vol.Range(min=1, max=MAX_WANTED_KWH)
        ),
        vol.Optional("plugged_in_at", default=what_if.DEFAULT_PLUGGED_IN_AT): cv.time,
    }
)
VIEW_LINK_SCHEMA: Final = SITE_SCHEMA.extend(
    {
        vol.Optional("days", default=DEFAULT_DAYS): vol.Coerce(int),
        vol.Optional("names", default=False): cv.boolean,
    }
)


@callback
def get_site(call: ServiceCall) -> AmpSensorConfigEntry:
    """Return the loaded site that an action is about; raises ServiceValidationError where there is none."""
    entry: AmpSensorConfigEntry = service.async_get_config_entry(call.hass, DOMAIN, call.data[ATTR_SITE])
    return entry


async def _async_get_readings(call: ServiceCall) -> ServiceResponse:
    asked = {key: value for key, value in call.data.items() if key != ATTR_SITE}
    site = get_site(call)
    if (user_id := call.context.user_id) is not None:
        user = await call.hass.auth.async_get_user(user_id)
        if user is None or not live.may_see(call.hass, user, site.runtime_data):
            raise Unauthorized(context=call.context)
    return cast("ServiceResponse", await history.async_get_readings(call.hass, site, **asked))


async def _async_import_readings(call: ServiceCall) -> ServiceResponse:
    return await import_readings.async_import_readings(
        call.hass, get_site(call), path=call.data["path"], token=call.data.get("token")
    )


async def _async_what_if(call: ServiceCall) -> ServiceResponse:
    asked = {key: value for key, value in call.data.items() if key != ATTR_SITE}
    return await what_if.async_what_if(call.hass, get_site(call), **asked)


async def _async_create_view_link(call: ServiceCall) -> ServiceResponse:
    url, expires = await call.hass.data[LINKS].async_create(
        get_site(call).entry_id, call.data["days"], names=call.data["names"]
    )
    return {"url": url, "expires": expires.isoformat()}


async def _async_revoke_view_links(call: ServiceCall) -> ServiceResponse:
    return {"revoked": await call.hass.data[LINKS].async_revoke(get_site(call).entry_id)}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_READINGS,
        _async_get_readings,
        schema=READINGS_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_IMPORT_READINGS,
        _async_import_readings,
        schema=IMPORT_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_WHAT_IF,
        _async_what_if,
        schema=WHAT_IF_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    # A link lets in whoever has it: that is for who may make accounts, too
    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_CREATE_VIEW_LINK,
        _async_create_view_link,
        schema=VIEW_LINK_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )
    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_REVOKE_VIEW_LINKS,
        _async_revoke_view_links,
        schema=SITE_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
