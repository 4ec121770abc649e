"""Something that takes a while tells a person how far it has come: a notification."""

from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..const import DOMAIN
from ..texts import async_texts
from . import notification

STEP: Final = 0.05
"""How often a notification is renewed: every twentieth of the whole."""


class Progress:
    """One notification of a site; `title`, `text` and `done` under `config_panel.<key>` are its texts."""

    def __init__(self, hass: HomeAssistant, key: str, entry: ConfigEntry[Any], texts: dict[str, str]) -> None:
        self._hass = hass
        self._site = entry.title
        self._id = f"{DOMAIN}_{key}_{entry.entry_id}"
        self._texts = texts
        self._shown = -STEP

    @classmethod
    async def async_create(cls, hass: HomeAssistant, key: str, entry: ConfigEntry[Any]) -> Self:
        """Begin, in Home Assistant's language."""
        return cls(hass, key, entry, await async_texts(hass, f"config_panel.{key}"))

    def show(self, done: float) -> None:
        """Show the part that is done, 0 to 1; from any thread, as often as one likes."""
        if done >= self._shown + STEP:
            self._shown = done
            self._show("text", percent=f"{done:.0%}".removesuffix("%"))

    def end(self, **placeholders: str) -> None:
        """Show what came of it, with the text `done`."""
        self._show("done", **placeholders)

    def dismiss(self) -> None:
        """Show nothing more."""
        notification.dismiss(self._hass, self._id)

    def _show(self, key: str, **placeholders: str) -> None:
        text = self._texts[key].format(site=self._site, **placeholders)
        notification.show(self._hass, self._id, title=self._texts["title"], text=text)
