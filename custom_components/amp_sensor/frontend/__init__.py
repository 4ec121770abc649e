"""What browsers load from the integration: the card, and the dashboard strategy."""

import hashlib
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import add_extra_js_url
from homeassistant.components.http.server import StaticPathConfig
from homeassistant.core import HomeAssistant

from ..const import DOMAIN

FOLDER: Final = Path(__file__).parent / "static"
MODULES: Final = ("amp-sensor-card.js", "amp-sensor-strategy.js")


def folder_url() -> str:
    """Return where the modules are served: browsers keep them for a month, so changed ones need another address."""
    files = sorted(FOLDER.rglob("*.js"))
    content = b"".join(path.relative_to(FOLDER).as_posix().encode() + path.read_bytes() for path in files)
    return f"/{DOMAIN}/{hashlib.sha256(content).hexdigest()[:8]}"


async def async_setup(hass: HomeAssistant) -> None:
    """Serve card and strategy, and let every browser load them. Without a frontend nobody would."""
    if "frontend" not in hass.config.components:
        return
    url = await hass.async_add_executor_job(folder_url)
    await hass.http.async_register_static_paths([StaticPathConfig(url, str(FOLDER), cache_headers=True)])
    for module in MODULES:
        add_extra_js_url(hass, f"{url}/{module}")
