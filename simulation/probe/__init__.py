"""A custom integration beside the one that is measured, in the same Home Assistant: it lifts limits, and looks inside.

Each webhook of its own is named after what it does; what it is asked and answers is JSON.
"""

import time
from typing import Any, Final

from aiohttp.web import Request, Response, json_response
from homeassistant.components import webhook as hooks
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.typing import ConfigType

from custom_components.amp_sensor.const import DOMAIN as AMP_SENSOR
from custom_components.amp_sensor.meters import webhook

from simulation.lateness import Lateness  # isort: skip -- linked into the folder of Home Assistant's configuration

DOMAIN: Final = "probe"
LIMITS: Final = (webhook.RATE_PER_S, webhook.BURST)
NO_LIMIT: Final = 10**9


class Probe:
    """What it is asked while it looks."""

    def __init__(self) -> None:
        self._lateness: Lateness | None = None
        self._cpu_s = 0.0

    async def nothing(self, hass: HomeAssistant, webhook_id: str, request: Request) -> None:
        """Do what a webhook cannot do less of."""

    async def limit(self, hass: HomeAssistant, webhook_id: str, request: Request) -> Response:
        """Limit the posts of the sites that are set up from now on, or do not."""
        _limit(*((NO_LIMIT, NO_LIMIT) if (await request.json())["lift"] else LIMITS))
        return json_response({})

    async def cpu(self, hass: HomeAssistant, webhook_id: str, request: Request) -> Response:
        """Tell for how long the event loop's thread has computed, s."""
        return json_response(time.thread_time())

    async def begin(self, hass: HomeAssistant, webhook_id: str, request: Request) -> Response:
        """Begin to look at the event loop."""
        self._lateness = await Lateness().__aenter__()
        self._cpu_s = time.process_time()
        return json_response({})

    async def end(self, hass: HomeAssistant, webhook_id: str, request: Request) -> Response:
        """End that, and tell what was seen, and what the process computed, s."""
        assert self._lateness is not None  # noqa: S101 -- it was begun
        await self._lateness.__aexit__(None, None, None)
        return json_response({"cpu_s": time.process_time() - self._cpu_s, **vars(self._lateness.delays)})

    async def readings(self, hass: HomeAssistant, webhook_id: str, request: Request) -> Response:
        """Take the bodies of posts at one site, all in but HTTP; return what each cost, s of its thread."""
        asked = await request.json()
        entries = hass.config_entries.async_entries(AMP_SENSOR)
        site = next(entry.runtime_data for entry in entries if entry.data[CONF_WEBHOOK_ID] == asked["webhook_id"])
        costs_s = []
        for body in asked["bodies"]:
            began = time.thread_time()
            post = webhook.parse(body.encode(), at=site.now(), nominal_volts=230.0)
            site.async_add_reading(post.reading)
            await site.async_idle()
            costs_s.append(time.thread_time() - began)
        return json_response(costs_s)


def _limit(rate_per_s: int, burst: int) -> None:
    constants: Any = webhook
    constants.RATE_PER_S, constants.BURST = rate_per_s, burst


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Lift the limit, and wait to be asked."""
    probe = Probe()
    _limit(NO_LIMIT, NO_LIMIT)
    for name in ("nothing", "limit", "cpu", "begin", "end", "readings"):
        hooks.async_register(hass, DOMAIN, name, f"probe-{name}", getattr(probe, name), local_only=True)
    return True
