"""Our own texts for people, where Home Assistant has no section for them: in its `config_panel`, which takes any.

Nothing documents that section for integrations, nor how to read a section: this depends on
`homeassistant.helpers.translation`, as of 2026.10.
"""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations, async_get_translations

from .const import DOMAIN


async def async_texts(hass: HomeAssistant, group: str) -> dict[str, str]:
    """Return the texts below a key of the translations, as `config_panel.share`, in Home Assistant's language."""
    return _below(group, await async_get_translations(hass, hass.config.language, _section(group), [DOMAIN]))


@callback
def cached_texts(hass: HomeAssistant, group: str) -> dict[str, str]:
    """Return the same of what is loaded already, which it is once the integration is."""
    return _below(group, async_get_cached_translations(hass, hass.config.language, _section(group), DOMAIN))


def _section(group: str) -> str:
    return group.partition(".")[0]


def _below(group: str, texts: Mapping[str, str]) -> dict[str, str]:
    begin = f"component.{DOMAIN}.{group}."
    return {key.removeprefix(begin): text for key, text in texts.items() if key.startswith(begin)}
