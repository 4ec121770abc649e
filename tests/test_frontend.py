"""The dashboard strategy reaches the browsers."""

import hashlib
from http import HTTPStatus
from typing import Any

from homeassistant.components.onboarding.const import STEPS
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.amp_sensor.frontend import STRATEGY, STRATEGY_URL
from tests.conftest import TEXTS, Site


@pytest.fixture
async def frontend(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """Set up Home Assistant's frontend, which comes before any site, for somebody who has been there before."""
    hass_storage["onboarding"] = {"version": 4, "minor_version": 1, "key": "onboarding", "data": {"done": STEPS}}
    assert await async_setup_component(hass, "frontend", {})


async def test_browsers_load_the_strategy_and_keep_it_until_it_changes(frontend: None, site: Site) -> None:
    version = hashlib.sha256(STRATEGY.read_bytes()).hexdigest()[:8]
    url = f"{STRATEGY_URL}?v={version}"
    page = await site.client.get("/")
    assert f'import("{url}")' in await page.text()
    module = await site.client.get(url)
    assert module.status == HTTPStatus.OK
    assert module.content_type == "text/javascript"
    assert module.headers["Cache-Control"] == "public, max-age=2678400"
    assert await module.read() == STRATEGY.read_bytes()


@pytest.mark.parametrize("language", ["en", "tlh"])
async def test_its_headings_come_in_the_language_of_the_user_or_in_english(
    frontend: None, site: Site, hass_ws_client: WebSocketGenerator, language: str
) -> None:
    client = await hass_ws_client(site.hass)
    await client.send_json_auto_id(
        {
            "type": "frontend/get_translations",
            "language": language,
            "category": "config_panel",
            "integration": "amp_sensor",
        }
    )
    resources = (await client.receive_json())["result"]["resources"]
    expected = TEXTS["config_panel"]["dashboard"]
    prefix = "component.amp_sensor.config_panel.dashboard."
    found = {key.removeprefix(prefix): text for key, text in resources.items() if key.startswith(prefix)}
    assert found == expected


async def test_a_home_assistant_without_a_frontend_has_nobody_to_serve(site: Site) -> None:
    assert (await site.client.get(STRATEGY_URL)).status == HTTPStatus.NOT_FOUND
