"""Automations start from what happens at a site, wherever its devices stand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import ChargingState
from custom_components.amp_sensor.trigger import TRIGGERS
from tests.conftest import CHARGER_ID, CHARGING, TEXTS, Site


@pytest.fixture
def told(hass: HomeAssistant) -> list[ServiceCall]:
    """What the automations did."""
    return async_mock_service(hass, "test", "tell")


def _device(hass: HomeAssistant, identifier: str) -> str:
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, identifier), "01JSITE")
    assert device is not None
    return device.id


async def _automate(site: Site, trigger: str, target: dict[str, Any], **options: Any) -> None:
    automation = {
        "alias": trigger,
        "triggers": {"trigger": f"{DOMAIN}.{trigger}", "target": target, "options": options},
        "actions": {"action": "test.tell", "data": {"entity": "{{ trigger.entity_id }}"}},
    }
    assert await async_setup_component(site.hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: automation})
    await site.hass.async_block_till_done()
    assert site.hass.states.get(f"automation.{trigger}") is not None
    assert site.state(f"automation.{trigger}") == "on"


def _targets(site: Site, identifier: str) -> dict[str, Any]:
    return {"device_id": _device(site.hass, identifier)}


async def test_over_budget_and_back(site: Site, told: list[ServiceCall]) -> None:
    target = _targets(site, "01JSITE")
    await _automate(site, "became_over_budget", target)
    await site.post(amps=20.0, watts=4600.0)
    assert not told
    await site.post(amps=26.0, watts=6000.0)
    await site.post(amps=27.0, watts=6200.0)
    assert [call.data["entity"] for call in told] == ["binary_sensor.casa_over_budget"]


async def test_over_budget_for_a_while(site: Site, told: list[ServiceCall]) -> None:
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False)
    await _automate(site, "became_over_budget", _targets(site, "01JSITE"), **{"for": {"seconds": 30}})
    await site.advance(20, amps=26.0, watts=6000.0)
    await site.advance(5, amps=20.0, watts=4600.0)
    await site.advance(30, amps=26.0, watts=6000.0)
    assert not told
    await site.advance(10, amps=26.0, watts=6000.0)
    assert len(told) == 1


async def test_back_under_budget_is_no_news_where_it_was_not_over(site: Site, told: list[ServiceCall]) -> None:
    await _automate(site, "no_longer_over_budget", _targets(site, "01JSITE"))
    await site.post(amps=20.0, watts=4600.0)
    await site.post(amps=26.0, watts=6000.0)
    assert not told
    await site.post(amps=20.0, watts=4600.0)
    assert len(told) == 1


async def test_over_budget_is_told_though_the_sensor_was_silent_before(site: Site, told: list[ServiceCall]) -> None:
    await _automate(site, "became_over_budget", _targets(site, "01JSITE"))
    assert site.state("binary_sensor.casa_over_budget") == "unavailable"
    await site.post(amps=26.0, watts=6000.0)
    assert len(told) == 1


async def test_a_silent_sensor_and_its_return(site: Site, told: list[ServiceCall]) -> None:
    target = _targets(site, "01JSITE")
    await _automate(site, "sensor_became_silent", target)
    await site.post(amps=20.0, watts=4600.0)
    await site.advance(59)
    assert not told
    await site.advance(1)
    assert [call.data["entity"] for call in told] == ["binary_sensor.casa_connected"]


async def test_a_sensor_is_silent_after_a_restart_too_and_its_first_reading_is_no_return(
    site: Site, told: list[ServiceCall]
) -> None:
    target = _targets(site, "01JSITE")
    automations = [
        {
            "alias": trigger,
            "triggers": {"trigger": f"{DOMAIN}.{trigger}", "target": target},
            "actions": {"action": "test.tell", "data": {"what": trigger}},
        }
        for trigger in ("sensor_became_silent", "sensor_came_back")
    ]
    assert await async_setup_component(site.hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: automations})
    await site.post(amps=20.0, watts=4600.0)
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.post(amps=20.0, watts=4600.0)
    assert not told
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.advance(60)
    assert [call.data["what"] for call in told] == ["sensor_became_silent"]
    await site.post(amps=20.0, watts=4600.0)
    assert [call.data["what"] for call in told] == ["sensor_became_silent", "sensor_came_back"]


async def _live(site: Site, seconds: int, house: float) -> None:
    """Let the house and a car that obeys draw, and the car's cloud tell of it."""
    for _ in range(0, seconds, 5):
        report = site.charger.report
        assert not isinstance(report, Exception)
        for command in site.charger.commands:
            if command.action == "stop":
                report = replace(report, state=ChargingState.STOPPED, measured_amps=0.0)
            elif command.action == "start":
                report = replace(report, state=ChargingState.CHARGING, measured_amps=report.requested_amps)
            if command.amps is not None:
                amps = float(command.amps)
                drawn = amps if report.state is ChargingState.CHARGING else 0.0
                report = replace(report, requested_amps=amps, measured_amps=drawn)
        site.charger.commands.clear()
        site.charger.report = report
        amps = house + (report.measured_amps or 0.0)
        await site.advance(5)
        await site.post(amps=amps, watts=230 * amps)


@pytest.fixture
async def living(site: Site) -> Callable[[int, float], Any]:
    """Let a site settle with a car that has all it may have."""
    site.charger.poll_s = 5.0

    async def live(seconds: int, house: float) -> None:
        await _live(site, seconds, house)

    await live(90, 2.0)
    assert site.state("sensor.rocinante_charging_control") == "free"
    return live


async def test_charging_is_limited_paused_and_resumed_by_the_budget(
    site: Site, living: Callable[[int, float], Any], told: list[ServiceCall]
) -> None:
    target = _targets(site, CHARGER_ID)
    automations = [
        {
            "alias": trigger,
            "triggers": {"trigger": f"{DOMAIN}.{trigger}", "target": target},
            "actions": {"action": "test.tell", "data": {"what": trigger}},
        }
        for trigger in ("charging_limited", "charging_paused", "charging_resumed")
    ]
    assert await async_setup_component(site.hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: automations})
    await living(60, 2.0)
    assert not told
    await living(60, 14.0)
    assert [call.data["what"] for call in told] == ["charging_limited"]
    await living(120, 24.0)
    assert [call.data["what"] for call in told] == ["charging_limited", "charging_paused"]
    assert site.state("sensor.rocinante_charging_control") == "paused"
    await living(900, 2.0)
    assert [call.data["what"] for call in told] == ["charging_limited", "charging_paused", "charging_resumed"]


async def test_a_car_that_leaves_does_not_resume(
    site: Site, living: Callable[[int, float], Any], told: list[ServiceCall]
) -> None:
    await _automate(site, "charging_resumed", _targets(site, CHARGER_ID))
    await living(120, 30.0)
    assert site.state("sensor.rocinante_charging_control") == "paused"
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await site.advance(20)
    assert site.state("sensor.rocinante_charging_control") == "inactive"
    assert not told


async def test_headroom_for_a_while_and_not_the_sites_other_currents(site: Site, told: list[ServiceCall]) -> None:
    await _automate(
        site,
        "headroom_crossed_threshold",
        _targets(site, "01JSITE"),
        threshold={"type": "above", "value": {"number": 10, "unit_of_measurement": "A"}},
        **{"for": {"minutes": 1}},
    )
    await site.advance(70, amps=16.0, watts=3700.0)
    assert not told, "9 A are left, though 16 A are drawn"
    await site.advance(60, amps=10.0, watts=2300.0)
    assert not told
    await site.advance(10, amps=10.0, watts=2300.0)
    assert [call.data["entity"] for call in told] == ["sensor.casa_headroom"]


async def test_a_whole_area_is_a_target(
    site: Site, area_registry: ar.AreaRegistry, device_registry: dr.DeviceRegistry, told: list[ServiceCall]
) -> None:
    area = area_registry.async_create("Garage")
    device_registry.async_update_device(_device(site.hass, "01JSITE"), area_id=area.id)
    await _automate(site, "sensor_became_silent", {"area_id": area.id})
    await site.post(amps=20.0, watts=4600.0)
    await site.advance(60)
    assert len(told) == 1


async def test_other_entities_that_are_targeted_do_not_count(
    site: Site, entity_registry: er.EntityRegistry, told: list[ServiceCall]
) -> None:
    other = entity_registry.async_get_or_create("binary_sensor", "other", "1", translation_key="connected")
    target = {"entity_id": [other.entity_id, "binary_sensor.unregistered", "binary_sensor.casa_over_budget"]}
    await _automate(site, "sensor_became_silent", target)
    for entity_id in target["entity_id"][:2]:
        site.hass.states.async_set(entity_id, "on")
        site.hass.states.async_set(entity_id, "off")
    await site.post(amps=26.0, watts=6000.0)
    await site.post(amps=20.0, watts=4600.0)
    await site.hass.async_block_till_done()
    assert not told


async def test_every_trigger_is_described_and_named(site: Site) -> None:
    assert await async_setup_component(site.hass, AUTOMATION_DOMAIN, {})
    descriptions = await async_get_all_descriptions(site.hass)
    ours = {key.removeprefix(f"{DOMAIN}."): value for key, value in descriptions.items() if key.startswith(DOMAIN)}
    assert ours.keys() == TRIGGERS.keys() == TEXTS["triggers"].keys()
    for trigger, description in ours.items():
        assert description is not None
        assert description["fields"].keys() == TEXTS["triggers"][trigger]["fields"].keys()
