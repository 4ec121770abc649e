"""The card and the dashboard strategy reach the browsers."""

from http import HTTPStatus
import re
from typing import Any

from homeassistant.components.onboarding.const import STEPS
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.amp_sensor.frontend import FOLDER, MODULES, folder_url
from tests.conftest import TEXTS, Site
from tests.test_translations import leaves

SCRIPTS = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in FOLDER.rglob("*.js")}


@pytest.fixture
async def frontend(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """Set up Home Assistant's frontend, which comes before any site, for somebody who has been there before."""
    hass_storage["onboarding"] = {"version": 4, "minor_version": 1, "key": "onboarding", "data": {"done": STEPS}}
    assert await async_setup_component(hass, "frontend", {})


async def test_browsers_load_card_and_strategy_and_keep_them_until_they_change(frontend: None, site: Site) -> None:
    page = await (await site.client.get("/")).text()
    for name in MODULES:
        assert f'import("{folder_url()}/{name}")' in page
    for name, script in SCRIPTS.items():  # whatever they import is at the same address
        module = await site.client.get(f"{folder_url()}/{name}")
        assert module.status == HTTPStatus.OK
        assert module.content_type == "text/javascript"
        assert module.headers["Cache-Control"] == "public, max-age=2678400"
        assert await module.text() == script


def test_their_address_changes_with_each_of_their_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "card").mkdir()
    part = tmp_path / "card" / "part.js"
    part.write_text("1")
    monkeypatch.setattr("custom_components.amp_sensor.frontend.FOLDER", tmp_path)
    before = folder_url()
    part.write_text("2")
    assert folder_url() != before


@pytest.mark.parametrize("language", ["en", "tlh"])
@pytest.mark.parametrize("part", ["card", "dashboard"])
async def test_their_texts_come_in_the_language_of_the_user_or_in_english(
    frontend: None, site: Site, hass_ws_client: WebSocketGenerator, language: str, part: str
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
    prefix = f"component.amp_sensor.config_panel.{part}."
    found = {key.removeprefix(prefix): text for key, text in resources.items() if key.startswith(prefix)}
    assert found == dict(leaves(TEXTS["config_panel"][part]))


def test_each_text_of_the_card_is_used() -> None:
    """By its own key, or by that of its group with the rest put in."""
    scripts = "\n".join(SCRIPTS.values())
    used = set(re.findall(r'(?:card|text|editor|words)\("([\w.]+)"', scripts))
    used |= set(re.findall(r'config_panel\.card\.([\w.]+)["`]', scripts))
    groups = ("cause.", "effect.", "editor.")
    for key, _ in leaves(TEXTS["config_panel"]["card"]):
        assert key in used or key.startswith(groups) or f'"{key}"' in scripts, key


def test_every_deed_has_a_sentence() -> None:
    card = TEXTS["config_panel"]["card"]
    for kind in TEXTS["config_panel"]["logbook"]:
        if kind.startswith(("load_", "limit_")):
            continue  # the card tells of chargers
        effect, _, cause = kind.partition("_")
        assert effect in card["effect"]
        assert not cause or cause in card["cause"]


async def test_a_home_assistant_without_a_frontend_has_nobody_to_serve(site: Site) -> None:
    assert (await site.client.get(f"{folder_url()}/{MODULES[0]}")).status == HTTPStatus.NOT_FOUND
