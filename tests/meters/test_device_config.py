"""What a person pastes into ESPHome. That ESPHome takes it is tried in firmware/tests, where ESPHome is."""

import base64
import json
from pathlib import Path
import shlex
from typing import Any

import pytest
import yaml

from custom_components.amp_sensor.meters.device_config import KITS, Kit, Recipe, device_yaml, recipe

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
URL = "http://192.168.1.10:8123/api/webhook/5f0c"
EACH_KIT = pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.key)


class _Loader(yaml.SafeLoader):
    """Takes ESPHome's tags as text."""


_LOADER: Any = _Loader
for _tag in ("!secret", "!include"):
    _LOADER.add_constructor(_tag, lambda loader, node: loader.construct_scalar(node))


def _load(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, Loader=_LOADER)  # noqa: S506 -- a safe loader with two more tags
    return loaded


def _generated(kit: Kit, url: str = URL) -> dict[str, Any]:
    return _load(device_yaml(kit, webhook_url=url, voltage=230))


@EACH_KIT
def test_the_webhook_is_in_it_and_nothing_is_left_to_fill_in_but_wifi(kit: Kit) -> None:
    substitutions = _generated(kit)["substitutions"]
    assert substitutions["webhook_url"] == URL
    assert substitutions["voltage"] == "230"
    assert [
        line.split()[-1] for line in device_yaml(kit, webhook_url=URL, voltage=230).splitlines() if "!" in line
    ] == [
        "wifi_ssid",
        "wifi_password",
    ]


@EACH_KIT
def test_it_is_the_same_as_the_file_of_the_checkout(kit: Kit) -> None:
    generated, file = _generated(kit), _load((FIRMWARE / f"{kit.key}.yaml").read_text())
    assert generated["substitutions"].keys() == file["substitutions"].keys()
    for key in ("name", "friendly_name", "voltage", "power_factor", *kit.substitutions):
        assert generated["substitutions"][key] == file["substitutions"][key]
    published = [package.split("/firmware/")[1].split("@")[0] for package in generated["packages"].values()]
    assert published == list(file["packages"].values())
    assert ("external_components" in generated) == ("external_components" in file)


def test_every_file_of_the_checkout_can_be_generated() -> None:
    files = {path.stem for path in FIRMWARE.glob("*.yaml")} - {"secrets.example"}
    assert {kit.key for kit in KITS} == files


def test_packages_and_component_come_from_the_project() -> None:
    generated = _generated(KITS[0])
    assert generated["packages"]["base"] == "github://OWNER/ha-amp-sensor/firmware/packages/base.yaml@main"
    assert generated["external_components"] == [
        {
            "source": {
                "type": "git",
                "url": "https://github.com/OWNER/ha-amp-sensor",
                "ref": "main",
                "path": "firmware/components",
            }
        }
    ]


def test_keys_stay_the_same_for_a_webhook_wherever_home_assistant_moves() -> None:
    first = _generated(KITS[0])["substitutions"]
    moved = _generated(KITS[1], "https://home.example/api/webhook/5f0c")["substitutions"]
    other = _generated(KITS[0], URL + "d")["substitutions"]
    for key in ("api_key", "device_password"):
        assert first[key] == moved[key] != other[key]
    assert len(base64.b64decode(first["api_key"])) == 32
    assert len(first["device_password"]) == 16
    assert "5f0c" not in first["device_password"]


def test_a_name_that_the_device_may_not_find_is_pointed_out() -> None:
    local = device_yaml(KITS[0], webhook_url="http://homeassistant.local:8123/api/webhook/x", voltage=230)
    assert "IP address" in local
    assert "IP address" not in device_yaml(KITS[0], webhook_url=URL, voltage=230)


def test_an_address_with_quotes_stays_one_value() -> None:
    url = 'http://host/api/webhook/a"b: #'
    assert _generated(KITS[0], url)["substitutions"]["webhook_url"] == url


def test_the_curl_recipe_posts_the_bare_format() -> None:
    words = shlex.split(recipe(Recipe.CURL, webhook_url=URL))
    assert words[0] == "curl"
    assert words[-1] == URL
    assert json.loads(words[words.index("-d") + 1]) == {"amps": 10.0, "watts": 2200.0}


def test_the_micropython_recipe_is_python() -> None:
    code = recipe(Recipe.MICROPYTHON, webhook_url=URL)
    compile(code, "main.py", "exec")
    assert URL in code


@pytest.mark.parametrize("language", Recipe)
def test_the_firmwares_readme_shows_the_same_recipes(language: Recipe) -> None:
    shown = recipe(language, webhook_url="http://192.168.1.10:8123/api/webhook/…")
    assert shown in (FIRMWARE / "README.md").read_text()
