"""Home Assistant's webhooks, which no documentation of integrations describes.

This depends on `homeassistant.components.webhook`, and on how it tells who is in the local network, as of 2026.10.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from aiohttp.web import Request, Response
from homeassistant.components import webhook
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError, is_cloud_connection
from homeassistant.util import network

from ..const import DOMAIN

KNOWN_SENDERS: Final = 64
"""Of whom is kept who they are: at each post it would be told anew."""


def new_id() -> str:
    """Return an id that nobody can guess."""
    return webhook.async_generate_id()


def path_of(webhook_id: str) -> str:
    """Return where a webhook is, below Home Assistant's address."""
    return webhook.async_generate_path(webhook_id)


def url_of(hass: HomeAssistant, webhook_id: str, *, from_outside: bool) -> str | None:
    """Return the address of a webhook; None where Home Assistant does not know its own."""
    try:
        return webhook.async_generate_url(hass, webhook_id, allow_external=from_outside, prefer_external=from_outside)
    except NoURLAvailableError:
        return None


def async_listen(
    hass: HomeAssistant,
    name: str,
    webhook_id: str,
    handler: Callable[[HomeAssistant, str, Request], Awaitable[Response]],
) -> CALLBACK_TYPE:
    """Hand what arrives at a webhook to the handler; return how to stop that."""
    webhook.async_register(
        hass,
        DOMAIN,
        name,
        webhook_id,
        handler,
        # Both are refused by ourselves: Home Assistant's refusals log the webhook's id, which is a secret
        local_only=False,
        allowed_methods=webhook.SUPPORTED_METHODS,
    )
    return lambda: webhook.async_unregister(hass, webhook_id)


def is_local(hass: HomeAssistant, address: str | None) -> bool:
    """Tell what Home Assistant's own check would, which logs the webhook's id, and answers as if all were well."""
    if is_cloud_connection(hass) or address is None:
        return False
    try:
        return network.is_local(_ip_address(address))
    except ValueError:
        return False


_ip_address = lru_cache(maxsize=KNOWN_SENDERS)(ip_address)
