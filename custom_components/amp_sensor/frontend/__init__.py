"""What browsers load from the integration: the dashboard strategy."""

import hashlib
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import add_extra_js_url
from homeassistant.components.http.server import StaticPathConfig
from homeassistant.core import HomeAssistant

from ..const import DOMAIN

STRATEGY: Final = Path(__file__).parent / "amp-sensor-strategy.js"
STRATEGY_URL: Final = f"/{DOMAIN}/{STRATEGY.name}"


async def async_setup(hass: HomeAssistant) -> None:
    """Serve the dashboard strategy, and let every browser load it. Without a frontend nobody would."""
    if "frontend" not in hass.config.components:
        return
    content = await hass.async_add_executor_job(STRATEGY.read_bytes)
    await hass.http.async_register_static_paths([StaticPathConfig(STRATEGY_URL, str(STRATEGY), cache_headers=True)])
    # Browsers keep it for a month, so a changed one needs another address
    add_extra_js_url(hass, f"{STRATEGY_URL}?v={hashlib.sha256(content).hexdigest()[:8]}")
