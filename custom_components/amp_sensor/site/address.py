"""The address of a site: registered while the site is loaded, exchanged on request, watched once it is retired."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp.web import Request, Response
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from ..const import CONF_LOCAL_ONLY, CONF_OLD_WEBHOOKS, CONF_VOLTAGE
from ..meters import endpoint
from ..meters.webhook import Receiver, Refused, async_refuse, sender_of
from .coordinator import AmpSensorConfigEntry

WATCH_OLD_S: Final = 30 * 86400
"""How long an address that was replaced is watched: a month of holidays, and the device is found all the same."""


def async_register(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
    """Take the site's readings from now until the entry is unloaded, and notice what is sent to addresses of before."""
    coordinator = entry.runtime_data
    devices = dr.async_get(hass)

    def show_version(version: str | None) -> None:
        devices.async_update_device(coordinator.device_id, sw_version=version)

    receiver = Receiver(
        coordinator.async_add_reading,
        nominal_volts=entry.data[CONF_VOLTAGE],
        local_only=entry.data[CONF_LOCAL_ONLY],
        show_version=show_version,
    )
    coordinator.posts = receiver.posts

    async def async_handle_old(_hass: HomeAssistant, _webhook_id: str, request: Request) -> Response:
        """Answer a post to an address that the site does not have any more."""
        sender = sender_of(request)
        coordinator.async_note_old_address(sender)
        text = "this address is no longer used: put the new one, which Home Assistant shows, on the sensor"
        return await async_refuse(receiver.posts, sender, Refused(HTTPStatus.GONE, text), request)

    entry.async_on_unload(endpoint.async_listen(hass, entry.title, entry.data[CONF_WEBHOOK_ID], receiver.async_handle))
    for webhook_id in watched_addresses(entry.data):
        entry.async_on_unload(endpoint.async_listen(hass, entry.title, webhook_id, async_handle_old))


def watched_addresses(site: Mapping[str, Any]) -> dict[str, float]:
    """Return the webhook ids that a site had before, and until when (seconds since 1970) they are watched."""
    old: Mapping[str, float] = site.get(CONF_OLD_WEBHOOKS, {})
    now = dt_util.utcnow().timestamp()
    return {webhook_id: until for webhook_id, until in old.items() if now < until}


def with_new_address(site: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a site with another webhook; what arrives at the present one is noticed for a while."""
    until = dt_util.utcnow().timestamp() + WATCH_OLD_S
    return {
        **site,
        CONF_WEBHOOK_ID: endpoint.new_id(),
        CONF_OLD_WEBHOOKS: {**watched_addresses(site), site[CONF_WEBHOOK_ID]: until},
    }
