"""Automations ask how things are at a site."""

from dataclasses import replace
from typing import Any

from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.condition import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.amp_sensor.condition import CONDITIONS
from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import ChargingState
from tests.conftest import CHARGER_ID, CHARGING, TEXTS, Site


class Asking:
    """An automation that does something where the condition holds."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._calls = async_mock_service(hass, "test", "tell")

    async def set_up(self, condition: str, identifier: str, **options: Any) -> None:
        device = dr.async_get(self._hass).async_get_device_by_identifier((DOMAIN, identifier), "01JSITE")
        assert device is not None
        automation = {
            "alias": "Ask",
            "triggers": {"trigger": "event", "event_type": "ask"},
            "conditions": {
                "condition": f"{DOMAIN}.{condition}",
                "target": {"device_id": device.id},
                "options": options,
            },
            "actions": {"action": "test.tell"},
        }
        assert await async_setup_component(self._hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: automation})
        await self._hass.async_block_till_done()
        state = self._hass.states.get("automation.ask")
        assert state is not None
        assert state.state == "on"

    async def holds(self) -> bool:
        before = len(self._calls)
        self._hass.bus.async_fire("ask")
        await self._hass.async_block_till_done()
        return len(self._calls) > before


@pytest.fixture
def asking(hass: HomeAssistant) -> Asking:
    return Asking(hass)


async def test_over_budget(site: Site, asking: Asking) -> None:
    await asking.set_up("is_over_budget", "01JSITE")
    assert not await asking.holds(), "nobody knows"
    await site.post(amps=26.0, watts=6000.0)
    assert await asking.holds()
    await site.post(amps=20.0, watts=4600.0)
    assert not await asking.holds()


@pytest.mark.parametrize(("condition", "heard"), [("is_sensor_connected", True), ("is_sensor_silent", False)])
async def test_a_sensor_is_heard_or_not(site: Site, asking: Asking, condition: str, heard: bool) -> None:
    await asking.set_up(condition, "01JSITE")
    await site.post(amps=20.0, watts=4600.0)
    assert await asking.holds() is heard
    await site.advance(60)
    assert await asking.holds() is not heard


async def test_charging_is_limited_then_paused(site: Site, asking: Asking) -> None:
    await asking.set_up("is_charging_limited", CHARGER_ID)
    await site.post(amps=18.0, watts=4140.0)
    assert site.state("sensor.rocinante_charging_control") == "free"
    assert not await asking.holds()
    await site.post(amps=32.0, watts=7360.0)
    assert await asking.holds()
    await site.post(amps=90.0, watts=20000.0)
    assert site.state("sensor.rocinante_charging_control") == "paused"
    assert not await asking.holds()


async def test_a_car_that_is_away_is_not_paused(site: Site, asking: Asking) -> None:
    await asking.set_up("is_charging_paused", CHARGER_ID)
    await site.post(amps=90.0, watts=20000.0)
    assert await asking.holds()
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await site.advance(20)
    assert not await asking.holds()


async def test_headroom_for_a_while(site: Site, asking: Asking) -> None:
    above = {"type": "above", "value": {"number": 10, "unit_of_measurement": "A"}}
    await asking.set_up("is_headroom", "01JSITE", threshold=above, **{"for": {"minutes": 1}})
    await site.advance(70, amps=20.0, watts=4600.0)
    assert not await asking.holds(), "20 A is the site's current, not its headroom"
    await site.advance(50, amps=10.0, watts=2300.0)
    assert not await asking.holds()
    await site.advance(20, amps=10.0, watts=2300.0)
    assert await asking.holds()


async def test_every_condition_is_described_and_named(site: Site) -> None:
    assert await async_setup_component(site.hass, AUTOMATION_DOMAIN, {})
    descriptions = await async_get_all_descriptions(site.hass)
    ours = {key.removeprefix(f"{DOMAIN}."): value for key, value in descriptions.items() if key.startswith(DOMAIN)}
    assert ours.keys() == CONDITIONS.keys() == TEXTS["conditions"].keys()
    for condition, description in ours.items():
        assert description is not None
        assert description["fields"].keys() == TEXTS["conditions"][condition]["fields"].keys()
