"""What a person reads, in each of the languages."""

from collections import Counter
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any, Final

import hass_frontend
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations, async_translate_state
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

import custom_components.amp_sensor
from custom_components.amp_sensor.const import DOMAIN
from tests.conftest import CHARGER_ID, Site

FOLDER = Path(custom_components.amp_sensor.__file__).parent / "translations"
LANGUAGES = ["de", "es", "fr", "it", "nl", "pl", "pt"]

SAME_AS_ENGLISH: Final = {
    "de": {"Name", "Normal", "Plan", "Sensor", "Token"},
    "es": {"Normal", "Plan", "Sensor", "Token"},
    "fr": {
        "15 minutes",
        "5 minutes",
        "Maximum",
        "Mode",
        "Modes",
        "Page",
        "Phases",
        "Plan",
        "Protection",
        "Source",
        "Strict",
    },
    "it": {"File", "Token"},
    "nl": {"Interval", "Maximum", "Plan", "Sensor", "Token", "Week"},
    "pl": {"Plan", "Token"},
    "pt": {"Normal", "Sensor", "Token"},
}
"""Words that a language shares with English."""

FRONTEND: Final = {
    r"\bSettings >": "panel.config",
    r"> Devices & services\b": "ui.panel.config.dashboard.devices.main",
    r"> System\b": "ui.panel.config.dashboard.system.main",
    r"> Network\b": "ui.panel.config.network.caption",
    r"> Logs\b": "ui.panel.config.logs.caption",
    r"> Apps\b": "ui.panel.config.dashboard.apps.main",
    r"> Home information\b": "ui.panel.config.core.caption",
    r"\bunder Statistics\b": "ui.panel.config.tools.tabs.statistics.title",
    r"\bHistory shows\b": "panel.history",
    r"\bSubmit\b": "ui.panel.config.integrations.config_flow.submit",
    r"^Finish$|\bpress Finish\b": "ui.panel.config.integrations.config_flow.finish",
    r"\bpress Copy to clipboard\b": "ui.components.yaml-editor.copy_to_clipboard",
    r"\bReconfigure\b": "ui.panel.config.integrations.config_entry.reconfigure",
}
"""How English names a place of Home Assistant's own pages, and where its frontend keeps the name."""


def leaves(texts: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text with its path."""
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def read(language: str) -> dict[str, str]:
    return dict(leaves(json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))))


def frontend(language: str) -> dict[str, str]:
    """Return what the frontend calls things on its pages for settings."""
    folder = hass_frontend.where() / "static" / "translations"
    texts: dict[str, str] = {}
    for part in (folder, folder / "config"):
        (file,) = part.glob(f"{language}-" + "[0-9a-f]" * 32 + ".json")
        texts |= leaves(json.loads(file.read_text(encoding="utf-8")))
    return texts


ENGLISH = read("en")


def unlike(language: str, pattern: str) -> dict[str, tuple[Counter[str], Counter[str]]]:
    """Return the texts that do not have the same of what a pattern finds as English has."""
    return {
        path: (found, wanted)
        for path, text in read(language).items()
        if (found := Counter(re.findall(pattern, text))) != (wanted := Counter(re.findall(pattern, ENGLISH[path])))
    }


def test_each_language_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {"en", *LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_or_left_over(language: str) -> None:
    assert list(read(language)) == list(ENGLISH)  # in the order of English, so that both can be read side by side


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"\{[^{}]*\}", id="placeholders"),
        pytest.param(r"```\w*\n[^`]*```|`[^`\n]+`", id="code"),
        pytest.param(r"\*\*", id="bold"),
        pytest.param(r"\[[^]]*\]\(([^)]*)\)|https?://[^\s,;.)]*", id="links"),
        pytest.param(r"\n+", id="lines"),
        pytest.param(r"\d+", id="numbers"),
        pytest.param(r"[.:?!]$", id="end of the sentence"),
    ],
)
def test_a_translation_keeps_what_is_no_words(language: str, pattern: str) -> None:
    assert not unlike(language, pattern)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_translated(language: str) -> None:
    worded = {
        path: text for path, text in read(language).items() if re.search(r"[^\W\d_]", re.sub(r"\{\w+\}", "", text))
    }
    same = {text for path, text in worded.items() if text == ENGLISH[path]}
    assert same == SAME_AS_ENGLISH.get(language, set())


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_frontend_can_format_it(language: str) -> None:
    """To the frontend, an apostrophe before a brace starts a quotation, and < a tag."""
    for path, text in read(language).items():
        assert not re.search(r"'[{}<>]|<", text), path


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_title_of_a_page_fits_a_phone(language: str) -> None:
    """Of 390 px the frontend leaves it 300, which cut a title of 31 characters."""
    titles = [text for path, text in read(language).items() if re.search(r"\.step\.\w+\.title$", path)]
    assert titles
    assert [title for title in titles if len(re.sub(r"\{\w+\}", "", title)) > 29] == []


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_what_differs_can_be_told_apart(language: str) -> None:
    """Two entities of a device, two options of a list, two states of an entity never have one name."""
    texts = read(language)
    groups: dict[str, dict[str, str]] = {}
    for path in texts:
        if match := re.match(r"(entity\.\w+)\.\w+\.name$|(.*\.(?:state|options|menu_options))\.[^.]+$", path):
            groups.setdefault(match[1] or match[2], {})[path] = texts[path]
    assert groups
    for group in groups.values():
        assert len(set(group.values())) == len({ENGLISH[path] for path in group}), group


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_places_have_the_names_that_the_frontend_gives_them(language: str) -> None:
    places, words = read(language), frontend(language)
    seen = set()
    for path, text in ENGLISH.items():
        for pattern, key in FRONTEND.items():
            if re.search(pattern, text):
                seen.add(key)
                assert words[key] in places[path], (path, words[key])
        if path != "options.step.init.menu_options.device" and "Show device configuration" in text:
            assert places["options.step.init.menu_options.device"] in places[path], path
    assert seen == set(FRONTEND.values())


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_search_for_amp_sensor_finds_all_triggers_and_conditions(language: str) -> None:
    """The search of the automation editor looks at names and descriptions, not at whose they are."""
    texts = {path: text for path, text in read(language).items() if re.match(r"(triggers|conditions)\.\w+\.desc", path)}
    assert len(texts) == 14
    assert [path for path, text in texts.items() if "Amp Sensor" not in text] == []


@pytest.fixture
def german(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let Home Assistant speak German before the site is set up."""
    hass.config.language = "de"


async def test_entities_and_their_states_are_in_the_language_of_home_assistant(
    german: None, site: Site, entity_registry: er.EntityRegistry
) -> None:
    texts = read("de")
    for platform, unique_id, key in (
        ("number", f"{site.entry.entry_id}_max_amps", "entity.number.max_amps.name"),
        ("sensor", f"{site.entry.entry_id}_headroom", "entity.sensor.headroom.name"),
        ("sensor", f"{CHARGER_ID}_reason", "entity.sensor.reason.name"),
    ):
        entity_id = entity_registry.async_get_entity_id(platform, DOMAIN, unique_id)
        assert entity_id is not None
        state = site.hass.states.get(entity_id)
        assert state is not None
        assert state.name.endswith(f" {texts[key]}")
    assert (
        async_translate_state(site.hass, "over_budget", "sensor", DOMAIN, "reason", None)
        == (texts["entity.sensor.reason.state.over_budget"])
    )


@pytest.fixture
async def pages(hass: HomeAssistant) -> None:
    """Serve Home Assistant's pages."""
    assert await async_setup_component(hass, "frontend", {})


async def test_a_refusal_reaches_the_person_in_their_language(
    pages: None, site: Site, hass_ws_client: WebSocketGenerator
) -> None:
    """As the frontend does it: it asks for the texts of its user's language, and puts the values in."""
    client = await hass_ws_client(site.hass)
    await client.send_json_auto_id(
        {
            "type": "call_service",
            "domain": "number",
            "service": "set_value",
            "target": {"entity_id": "number.rocinante_minimum_current"},
            "service_data": {"value": 17},
        }
    )
    error = (await client.receive_json())["error"]
    await client.send_json_auto_id(
        {"type": "frontend/get_translations", "language": "pl", "category": "exceptions", "integration": [DOMAIN]}
    )
    texts = (await client.receive_json())["result"]["resources"]
    text = texts[f"component.{error['translation_domain']}.exceptions.{error['translation_key']}.message"]
    assert text.format(**error["translation_placeholders"]).startswith("Prąd minimalny (17 A) nie może być większy")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_home_assistant_finds_every_text(hass: HomeAssistant, site: Site, language: str) -> None:
    found: dict[str, str] = {}
    for category in {path.split(".")[0] for path in ENGLISH}:
        found |= await async_get_translations(hass, language, category, {DOMAIN})
    assert found == {f"component.{DOMAIN}.{path}": text for path, text in read(language).items()}
