"""What Home Assistant's hassfest and HACS would refuse, and what has to be equal in many places."""

import ast
from collections.abc import Iterator
from importlib import import_module
import json
from pathlib import Path
import re
from string import Formatter
import tomllib
from typing import Any

from homeassistant.components.select import SelectEntityDescription
from homeassistant.components.sensor import SensorEntityDescription
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.selector import SelectSelector
from homeassistant.loader import Manifest
from homeassistant.util.yaml import load_yaml_dict
from PIL import Image
import pytest

from custom_components.amp_sensor import PLATFORMS, config_flow
from custom_components.amp_sensor.const import DOMAIN, OFF_ECO, OFF_OFF, OFF_SETBACK
from custom_components.amp_sensor.control import Restore
from custom_components.amp_sensor.flows import forms
from custom_components.amp_sensor.meters.battery import Positive
from custom_components.amp_sensor.site.limiting import WEEKDAYS

ROOT = Path(__file__).parent.parent
INTEGRATION = ROOT / "custom_components" / DOMAIN
TEXT_FILES = {".md", ".json", ".py", ".toml", ".yaml", ".yml"}

MANIFEST: Manifest = json.loads((INTEGRATION / "manifest.json").read_text())
HACS = json.loads((ROOT / "hacs.json").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEXTS = json.loads((INTEGRATION / "translations" / "en.json").read_text())
SERVICES = load_yaml_dict(INTEGRATION / "services.yaml")
ICONS = json.loads((INTEGRATION / "icons.json").read_text())

# Patterns of script/hassfest in Home Assistant's core
HTML = re.compile(r"<[a-z].*>", re.IGNORECASE | re.DOTALL)
ADDRESS = re.compile(r"((ftp|https?|mqtts?)://|www\.)[a-z0-9]+([-.][a-z0-9]+)*\.[a-z]{2,5}", re.IGNORECASE)
QUOTED_PLACEHOLDER = re.compile(r"'\{\w+\}'")
TRANSLATION_KEY = re.compile(r"(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])")


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def described(platform: str) -> dict[str, EntityDescription]:
    """Return the entity descriptions of a platform by translation key."""
    values = vars(import_module(f"custom_components.{DOMAIN}.{platform}")).values()
    descriptions = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return {item.translation_key or item.key: item for item in descriptions if isinstance(item, EntityDescription)}


# The repository


def test_all_places_name_the_same_repository() -> None:
    repository = re.compile(r"github(?:\.com/|://|usercontent\.com/)([\w-]+)/ha-amp-sensor")
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".") or path.name in (".github", ".ci")]
    files = [path for top in tops for path in (top.rglob("*") if top.is_dir() else [top])]
    owners = {
        owner
        for path in files
        if path.suffix in TEXT_FILES and path.is_file()
        for owner in repository.findall(path.read_text())
    }
    (owner,) = owners
    assert MANIFEST["codeowners"] == [f"@{owner}"]
    assert MANIFEST["documentation"] == f"https://github.com/{owner}/ha-amp-sensor"
    assert MANIFEST["issue_tracker"] == f"https://github.com/{owner}/ha-amp-sensor/issues"


def test_versions_are_equal() -> None:
    assert MANIFEST["version"] == PROJECT["version"]
    required = next(text for text in PROJECT["dependencies"] if text.startswith("homeassistant"))
    assert HACS["homeassistant"].startswith(required.removeprefix("homeassistant>=").split(",")[0])


def test_hacs_shows_the_name_that_home_assistant_shows() -> None:
    assert HACS["name"] == MANIFEST["name"]
    assert HACS.keys() <= {"name", "homeassistant", "zip_release", "filename", "render_readme", "hide_default_branch"}


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_the_icon_is_as_brands_want_it(name: str, size: int) -> None:
    with Image.open(INTEGRATION / "brand" / name) as icon:
        assert (icon.format, icon.size, icon.mode) == ("PNG", (size, size), "RGBA")
        assert icon.getpixel((0, 0)) == (0, 0, 0, 0)


# Texts


@pytest.mark.parametrize("path", sorted((INTEGRATION / "translations").glob("*.json")), ids=lambda path: path.stem)
def test_every_text_is_as_hassfest_wants_it(path: Path) -> None:
    for key, text in leaves(json.loads(path.read_text())):
        assert text, key
        assert text == text.strip(), key
        for pattern in (HTML, ADDRESS, QUOTED_PLACEHOLDER):
            assert not pattern.search(text), key
        assert "[%" not in text, key
        for _, placeholder, _, _ in Formatter().parse(text):
            assert placeholder is None or placeholder.isidentifier(), key
        assert all(TRANSLATION_KEY.fullmatch(part) for part in key.split(".")), key


FLOWS = [
    ("config", TEXTS["config"], config_flow.AmpSensorConfigFlow),
    ("charger", TEXTS["config_subentries"]["charger"], config_flow.ChargerSubentryFlow),
    ("prices", TEXTS["config_subentries"]["prices"], config_flow.PricesSubentryFlow),
    ("options", TEXTS["options"], config_flow.AmpSensorOptionsFlow),
]


@pytest.mark.parametrize(("texts", "flow"), [flow[1:] for flow in FLOWS], ids=[flow[0] for flow in FLOWS])
def test_no_text_of_a_flow_is_left_over(texts: dict[str, Any], flow: type) -> None:
    source = "".join(path.read_text() for path in (INTEGRATION / "flows").glob("*.py"))
    for name, step in texts["step"].items():
        assert hasattr(flow, f"async_step_{name}")
        for part in (step, *step.get("sections", {}).values()):
            assert part.get("data", {}).keys() == part.get("data_description", {}).keys()
    for key in (*texts.get("error", {}), *texts.get("abort", {})):
        # One reason is given by Home Assistant itself, for a unique id that exists
        assert f'"{key}"' in source or key == "already_configured"


def test_choices_and_their_texts_match() -> None:
    schemas = (
        forms.change_schema({}).schema.values(),
        forms.PROTECTION_SCHEMA.schema.values(),
        [forms.device_choice(0)],
    )
    choices = [choice for values in schemas for choice in values if isinstance(choice, SelectSelector)]
    texts = {key: list(selector["options"]) for key, selector in TEXTS["selector"].items() if "options" in selector}
    fields = [field["selector"].get("select") for action in SERVICES.values() for field in action["fields"].values()]
    found = [*(choice.config for choice in choices), *filter(None, fields)]
    # Plain numbers to choose from are the same in every language
    worded = [
        choice for choice in found if not all(option.replace(".", "").isdecimal() for option in choice["options"])
    ]
    assert all("translation_key" in choice for choice in worded), worded
    of_subentries = {
        "battery_positive": list(Positive),
        "load_off": [OFF_OFF, OFF_SETBACK, OFF_ECO],
        "load_restore": list(Restore),
        "weekdays": list(WEEKDAYS),
        "window_min": ["0", "15", "30", "60"],
    }
    assert {choice["translation_key"]: choice["options"] for choice in worded} | of_subentries == texts


@pytest.mark.parametrize("platform", PLATFORMS)
def test_entities_and_their_names_match(platform: str) -> None:
    descriptions = described(platform)
    texts = TEXTS["entity"][platform]
    assert descriptions.keys() == texts.keys()
    for key, description in descriptions.items():
        if isinstance(description, SensorEntityDescription | SelectEntityDescription) and description.options:
            assert set(description.options) == texts[key]["state"].keys(), key


def test_every_text_of_the_dashboard_is_used_and_there() -> None:
    strategy = (INTEGRATION / "frontend" / "static" / "amp-sensor-strategy.js").read_text()
    used = re.findall(r'text(?:\?\.)?\("(\w+)"\)', strategy)
    assert {*used} == TEXTS["config_panel"]["dashboard"].keys()


def test_icons_belong_to_entities_and_states_that_exist() -> None:
    for platform, entities in ICONS["entity"].items():
        for key, icon in entities.items():
            states = {"on", "off"} | TEXTS["entity"][platform][key].get("state", {}).keys()
            assert icon.get("state", {}).keys() <= states
            assert all(name.startswith("mdi:") for _, name in leaves(icon))


def test_every_issue_is_raised_somewhere() -> None:
    code = "\n".join(path.read_text() for path in INTEGRATION.rglob("*.py"))
    assert [key for key in TEXTS["issues"] if f'"{key}"' not in code] == []


def test_every_translated_exception_has_a_text() -> None:
    nodes = [node for path in INTEGRATION.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    raised = {
        keyword.value.value
        for node in nodes
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        for keyword in node.exc.keywords
        if keyword.arg == "translation_key" and isinstance(keyword.value, ast.Constant)
    }
    # Some are chosen before they are raised
    named = {node.value for node in nodes if isinstance(node, ast.Constant)}
    assert raised <= TEXTS["exceptions"].keys() <= named
