"""Asking a person whether a load may be switched off or on: on a phone, and in Repairs."""

from collections.abc import Callable, Collection
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback

from ..const import DOMAIN
from ..control import LoadAction
from ..texts import async_texts
from .issues import Issues

_LOGGER = logging.getLogger(__name__)

EVENT_ANSWER: Final = "mobile_app_notification_action"
"""What Home Assistant's app fires when somebody presses a button of a notification."""
CLEAR: Final = "clear_notification"
"""The message that takes one back."""
YES, NO = "yes", "no"
ISSUES: Final = {LoadAction.SHED: "load_asks_off", LoadAction.RESTORE: "load_asks_on"}


class Question:
    """What one load asks; at most one thing at a time."""

    def __init__(self, hass: HomeAssistant, issues: Issues, load_id: str, name: str, notify: str | None) -> None:
        """Take the action that notifies a phone (notify.…); without one, only Repairs shows it."""
        self._hass = hass
        self._issues = issues
        self._load_id = load_id
        self._name = name
        self._notify = notify
        self._asked: LoadAction | None = None

    def show(self, asks: LoadAction | None, *, seconds: float | None) -> None:
        """Ask this and nothing else; unanswered it ends after so many s."""
        for action, key in ISSUES.items():
            self._issues.set(key, self._load_id, is_wrong=asks is action, load=self._name, seconds=f"{seconds or 0:g}")
        if asks is self._asked:
            return
        self._asked = asks
        if self._notify is not None:
            self._hass.async_create_task(self._async_notify(asks, seconds), f"{DOMAIN} question")

    async def _async_notify(self, asks: LoadAction | None, seconds: float | None) -> None:
        domain, _, service = (self._notify or "").partition(".")
        try:
            await self._hass.services.async_call(domain, service, await self._async_message(asks, seconds))
        except Exception as error:  # noqa: BLE001 -- whatever the phone's integration does, Repairs asks as well
            _LOGGER.warning("%s could not ask through %s: %s", self._name, self._notify, type(error).__name__)

    async def _async_message(self, asks: LoadAction | None, seconds: float | None) -> dict[str, Any]:
        tag = {"tag": f"{DOMAIN}_{self._load_id}"}
        if asks is None:
            return {"message": CLEAR, "data": tag}
        texts = await async_texts(self._hass, "config_panel.load")
        return {
            "title": self._name,
            "message": texts[asks].format(load=self._name, seconds=f"{seconds or 0:g}"),
            "data": {
                **tag,
                "actions": [
                    {"action": f"{DOMAIN}_{self._load_id}_{asks}_{answer}", "title": texts[answer]}
                    for answer in (YES, NO)
                ],
            },
        }


@callback
def async_listen(
    hass: HomeAssistant, load_ids: Collection[str], answer: Callable[[str, LoadAction, bool], None]
) -> CALLBACK_TYPE:
    """Hear the answers that phones give; return how to stop that."""

    @callback
    def hear(event: Event) -> None:
        told = event.data.get("action")
        for load_id in load_ids:
            for action in LoadAction:
                for said in (YES, NO):
                    if told == f"{DOMAIN}_{load_id}_{action}_{said}":
                        answer(load_id, action, said == YES)

    return hass.bus.async_listen(EVENT_ANSWER, hear)
