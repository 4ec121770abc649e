"""docs/automations.md: everything that it lists exists, everything that exists is listed, and its examples run."""

from dataclasses import replace
from pathlib import Path
import re
from typing import Any
from urllib.parse import quote

from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.logbook import CONFIG_SCHEMA as LOGBOOK_SCHEMA
from homeassistant.core import ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.amp_sensor.condition import CONDITIONS
from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import ChargingState
from custom_components.amp_sensor.meters.device_config import REF, REPOSITORY
from custom_components.amp_sensor.trigger import TRIGGERS
from tests.conftest import CHARGING, Site

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "automations.md").read_text()
EXAMPLES: dict[str, Any] = {}
CONFIGURATION: dict[str, Any] = {}
for _block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
    _parsed = parse_yaml(_block)
    if "alias" in _parsed:
        EXAMPLES[_parsed["alias"]] = _parsed
    else:
        CONFIGURATION |= _parsed


def _table(name: str) -> str:
    return PAGE.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0]


def test_every_trigger_and_condition_is_listed() -> None:
    assert set(re.findall(rf"^\| `{DOMAIN}\.(\w+)`", _table("triggers"), re.MULTILINE)) == TRIGGERS.keys()
    assert set(re.findall(rf"^\| `{DOMAIN}\.(\w+)`", _table("conditions"), re.MULTILINE)) == CONDITIONS.keys()


def test_every_blueprint_is_listed_with_a_link_that_imports_it() -> None:
    rows = _table("blueprints").strip().splitlines()[2:]
    files = sorted((ROOT / "blueprints" / "automation" / DOMAIN).glob("*.yaml"))
    assert len(rows) == len(files)
    for path in files:
        place = path.relative_to(ROOT)
        (row,) = [row for row in rows if f"](../{place})" in row]
        source = quote(f"https://github.com/{REPOSITORY}/blob/{REF}/{place}", safe="")
        assert f"(https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url={source})" in row


class Examples:
    """The examples of the page, beside a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.notes: list[ServiceCall] = async_mock_service(site.hass, "persistent_notification", "create")

    async def set_up(self, alias: str) -> None:
        helpers = {"boiler": {"initial": False}, "away": {"initial": False}}
        assert await async_setup_component(self.site.hass, "input_boolean", {"input_boolean": helpers})
        assert await async_setup_component(self.site.hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: [EXAMPLES[alias]]})
        (automation,) = self.site.states(AUTOMATION_DOMAIN).values()
        assert automation.name == alias
        assert automation.state == "on"

    @property
    def messages(self) -> list[str]:
        return [call.data["message"] for call in self.notes]

    async def pause(self) -> None:
        """Leave nothing to the car."""
        await self.site.post(amps=90.0, watts=20000.0)
        self.site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0)
        await self.site.advance(20, amps=24.0, watts=5500.0)
        assert self.site.state("sensor.rocinante_charging_control") == "paused"


@pytest.fixture
def examples(site: Site) -> Examples:
    return Examples(site)


async def test_the_car_has_to_wait(examples: Examples) -> None:
    await examples.set_up("Say when the car has to wait")
    await examples.pause()
    assert not examples.messages
    await examples.site.advance(120, step_s=5, amps=24.0, watts=5500.0)
    assert examples.messages == ["The house needs everything. The car waits."]


@pytest.mark.parametrize("alias", ["Use what is left for the boiler", "Room for ten minutes"])
async def test_headroom_beside_a_car_that_is_held_back(examples: Examples, alias: str) -> None:
    """The car takes less than it may, so it is not given more."""
    site = examples.site
    await site.post(amps=18.0, watts=4140.0)
    await site.post(amps=32.0, watts=7360.0)
    amps = float(site.charger.commands[0].amps or 0)
    site.charger.report = replace(CHARGING, requested_amps=amps, measured_amps=amps - 2)
    await site.advance(30, amps=14.0, watts=3200.0)
    await examples.set_up(alias)
    assert site.state("sensor.rocinante_charging_control") == "limited"
    await site.advance(590, step_s=5, amps=10.0, watts=2300.0)
    assert (site.state("input_boolean.boiler"), examples.messages) == ("off", [])
    await site.advance(90, step_s=5, amps=10.0, watts=2300.0)
    assert site.state("sensor.rocinante_charging_control") == "limited"
    assert site.state("input_boolean.boiler") == "on" or examples.messages == ["There is room"]


async def test_over_budget(examples: Examples) -> None:
    examples.site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False)
    await examples.set_up("Over budget")
    await examples.site.advance(25, amps=27.0, watts=6200.0)
    assert not examples.messages
    await examples.site.advance(15, amps=27.0, watts=6200.0)
    assert examples.messages == ["Over budget by 2.0 A"]


async def test_sensor_silent(examples: Examples) -> None:
    await examples.set_up("Sensor silent")
    await examples.site.post(amps=10.0, watts=2300.0)
    assert not examples.messages
    await examples.site.advance(60)
    assert examples.messages == ["Nothing is heard from the sensor"]


async def test_paused_and_resumed(examples: Examples) -> None:
    await examples.set_up("Car paused or resumed")
    await examples.pause()
    assert examples.messages == ["The car is paused"]
    await examples.site.advance(900, step_s=5, amps=2.0, watts=460.0)
    assert examples.messages[:2] == ["The car is paused", "The car is resumed"]


async def test_nobody_is_at_home(examples: Examples) -> None:
    await examples.set_up("Nobody is at home")
    await examples.site.call("input_boolean", "turn_on", "input_boolean.away")
    assert examples.site.state("select.casa_mode") == "eager"
    assert examples.site.state("number.rocinante_maximum_current") == "10"


async def test_why_it_was_lowered(examples: Examples) -> None:
    await examples.set_up("Say why the car was lowered")
    await examples.site.advance(20, amps=18.0, watts=4140.0)
    assert not examples.messages
    await examples.site.post(amps=32.0, watts=7360.0)
    amps = examples.site.charger.commands[0].amps
    examples.site.charger.report = replace(CHARGING, requested_amps=amps, measured_amps=amps)
    assert not examples.messages, "what lasts is told"
    await examples.site.advance(61, amps=16.0 + amps, watts=230.0 * (16.0 + amps))
    assert examples.messages == [f"Rocinante has {amps} A left"]


async def test_what_goes_into_the_configuration_is_accepted(site: Site) -> None:
    assert CONFIGURATION.keys() == {"rest_command", "logbook"}
    assert await async_setup_component(site.hass, "rest_command", {"rest_command": CONFIGURATION["rest_command"]})
    assert site.hass.services.has_service("rest_command", "alive_check")
    assert LOGBOOK_SCHEMA({"logbook": CONFIGURATION["logbook"]})


def test_no_example_goes_untried() -> None:
    source = Path(__file__).read_text()
    assert [alias for alias in EXAMPLES if f'"{alias}"' not in source] == []
