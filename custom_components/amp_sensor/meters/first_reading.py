"""Listening for a sensor whose site is not there yet."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from aiohttp.web import Request, Response
from homeassistant.core import HomeAssistant

from ..control import Reading
from .endpoint import async_listen
from .posts import Refusal
from .webhook import Receiver

WAIT_S: Final = 30.0
"""How long one wait takes, whose page nobody can leave meanwhile: a device that is switched on is in the Wi-Fi within
half a minute, and posts every 5 s."""


class FirstReading:
    """Has a webhook until its site does, and answers there as the site will."""

    def __init__(self, hass: HomeAssistant, webhook_id: str, *, nominal_volts: float, local_only: bool) -> None:
        self._reading: Reading | None = None
        self._receiver = Receiver(self._take, nominal_volts=nominal_volts, local_only=local_only)
        self._something = asyncio.Event()
        self._stop = async_listen(hass, "Amp Sensor", webhook_id, self._async_handle)

    def _take(self, reading: Reading) -> bool:
        self._reading = reading
        return True

    async def _async_handle(self, hass: HomeAssistant, webhook_id: str, request: Request) -> Response:
        response = await self._receiver.async_handle(hass, webhook_id, request)
        self._something.set()
        return response

    @property
    def outcome(self) -> str:
        """Which page tells what came of the waiting."""
        if self._reading is not None:
            return "arrived"
        match self._receiver.posts.last_refusal:
            case None:
                return "no_reading"
            case Refusal(status=HTTPStatus.FORBIDDEN):
                return "outside"
            case _:
                return "refused"

    def told(self) -> dict[str, str]:
        """Return what that page has to tell."""
        told = {"client": str(self._receiver.posts.last_sender)}
        if (refusal := self._receiver.posts.last_refusal) is not None:
            told["refusal"] = refusal.text
        if (reading := self._reading) is not None:
            told["current"] = " + ".join("?" if amps is None else f"{amps:.1f} A" for amps in reading.amps)
            told["power"] = f"{reading.watts:.0f} W"
        return told

    def accept_from_anywhere(self) -> None:
        """Take readings from outside of the local network as well."""
        self._receiver.local_only = False

    async def async_wait(self) -> None:
        """Wait for a reading, or for the next post that is none, but not for ever."""
        if self._reading is not None:
            return
        self._something.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), WAIT_S)

    def stop(self) -> None:
        """Leave the webhook to its site."""
        self._stop()
