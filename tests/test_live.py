"""Whoever may see a site's entities gets each reading and decision as it happens."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
import re
from typing import Any

from homeassistant.auth.models import Group
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import ChargingState
from tests.conftest import CHARGER_ID, CHARGING, TOKEN, VIN, WEBHOOK_ID, Site, add_car

ROOT = Path(__file__).parent.parent


def device_id(site: Site, owner: str | None = None) -> str:
    devices = dr.async_entries_for_config_entry(dr.async_get(site.hass), site.entry.entry_id)
    return next(device.id for device in devices if (DOMAIN, owner or site.entry.entry_id) in device.identifiers)


async def look(site: Site, hass_ws_client: WebSocketGenerator) -> MockHAClientWebSocket:
    client = await hass_ws_client(site.hass)
    await client.send_json_auto_id({"type": "amp_sensor/subscribe", "device_id": device_id(site)})
    assert (await client.receive_json())["success"]
    return client


@pytest.fixture
async def looking(site: Site, hass_ws_client: WebSocketGenerator) -> MockHAClientWebSocket:
    """Look at the site."""
    return await look(site, hass_ws_client)


async def told(client: MockHAClientWebSocket) -> dict[str, Any]:
    """Return what is told next."""
    event: dict[str, Any] = (await client.receive_json())["event"]
    return event


async def told_after(site: Site, client: MockHAClientWebSocket, **reading: Any) -> dict[str, Any]:
    """Return what is told of a reading."""
    await site.post(**reading)
    while not (event := await told(client))["reading"] or event["reading"]["amps"][0] != reading["amps"]:
        pass
    return event


async def test_the_first_word_tells_where_everything_is(site: Site, looking: MockHAClientWebSocket) -> None:
    first = await told(looking)
    assert first["title"] == "Casa"
    assert first["entities"]["current"] == "sensor.casa_current"
    assert first["entities"]["max_amps"] == "number.casa_budget"
    assert "budget_used" not in first["entities"], "off by default"
    (car,) = first["chargers"]
    assert car["name"] == "Rocinante"
    assert car["device_id"] == device_id(site, CHARGER_ID)
    assert car["entities"]["reason"] == "sensor.rocinante_reason"
    assert first["reading"] is first["headroom_amps"] is None, "nothing was read yet"
    text = str(first)
    for secret in (TOKEN, VIN, WEBHOOK_ID, "43.36"):
        assert secret not in text


async def test_all_that_is_told_is_documented(site: Site, looking: MockHAClientWebSocket) -> None:
    await site.advance(60, amps=18.0, watts=4140.0)
    await site.post(amps=30.0, watts=6900.0)
    first, *_, event = [await told(looking) for _ in range(10)]
    while not event["chargers"][0]["deed"]:
        event = await told(looking)
    (car,) = event["chargers"]
    page = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "live.md").read_text()))
    parts = (first, event["reading"], car, car["deed"], event["today"])
    assert [key for part in parts for key in part if key not in page] == []


async def test_each_reading_is_told_and_all_of_it_adds_up(site: Site, looking: MockHAClientWebSocket) -> None:
    site.charger.report = replace(CHARGING, battery_percent=54, limit_percent=80, full_in_s=5400)
    await site.advance(20, amps=20.0, watts=4600.0)
    for amps in (20.05, 20.1, 19.9):
        event = await told_after(site, looking, amps=amps, watts=4600.0)
        (car,) = event["chargers"]
        assert event["headroom_amps"] == round(event["budget_amps"] - event["current_amps"], 2)
        assert round(event["house_current_amps"] + car["drawn_amps"], 2) == event["current_amps"] == amps
        assert event["house_amps"] == [event["house_current_amps"]]
        assert "entities" not in event
    assert (car["battery_percent"], car["limit_percent"], car["full_in_s"]) == (54, 80, 5400)
    assert car["watts"] == round(car["drawn_amps"] * 230)


async def test_what_is_done_to_a_car_is_told_with_its_cause(site: Site, looking: MockHAClientWebSocket) -> None:
    await site.advance(60, amps=18.0, watts=4140.0)
    site.charger.hold = asyncio.Event()
    event = await told_after(site, looking, amps=30.0, watts=6900.0)
    (car,) = event["chargers"]
    assert event["over_amps"] == 5.0
    assert car["target_amps"] == site.charger.commands[-1].amps
    assert car["reason"] == "over_budget"
    deed = car["deed"]
    assert (deed["kind"], deed["from_amps"], deed["amps"]) == ("lowered_house_rose", 16, car["target_amps"])
    assert deed["rise_amps"] == 12
    assert event["today"]["cuts"] == 1
    site.charger.hold.set()
    await site.settle()


async def test_what_was_done_long_ago_explains_nothing(site: Site, hass_ws_client: WebSocketGenerator) -> None:
    await site.advance(60, amps=18.0, watts=4140.0)
    await site.post(amps=30.0, watts=6900.0)
    assert site.coordinator.data.chargers[CHARGER_ID].deed is not None
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await site.advance(700, step_s=5)
    event = await told(await look(site, hass_ws_client))
    assert event["chargers"][0]["deed"] is None
    assert event["connected"] is False
    assert event["current_amps"] is event["headroom_amps"] is None


async def test_a_day_begins_with_nothing(site: Site, looking: MockHAClientWebSocket) -> None:
    await site.advance(60, amps=30.0, watts=6900.0)
    today = site.coordinator.data.today
    assert today.over_s > 30
    assert today.charged_wh == pytest.approx(16 * 230 * 60 / 3600, rel=0.2)
    site.freezer.tick(86_400)
    await site.advance(1)
    assert site.coordinator.data.today.over_s <= 1
    assert site.coordinator.data.today.cuts == 0


async def test_a_session_begins_when_the_car_is_plugged_in(site: Site) -> None:
    async def session_wh() -> float:
        await site.advance(30, amps=20.0, watts=4600.0)
        return site.coordinator.data.chargers[CHARGER_ID].session_wh

    assert await session_wh() > 10
    site.charger.report = replace(CHARGING, plugged_in=False, measured_amps=0.0)
    before = await session_wh()
    site.charger.report = CHARGING
    assert await session_wh() < before + 31


async def test_two_cars_have_their_own_part(site: Site, hass_ws_client: WebSocketGenerator) -> None:
    add_car(site, "01JOTHER", "Nauvoo")
    await site.hass.async_block_till_done()
    await site.settle()
    client = await look(site, hass_ws_client)
    first = await told(client)
    assert [car["entities"]["priority"] for car in first["chargers"]] == [
        "select.rocinante_priority",
        "select.nauvoo_priority",
    ]
    event = await told_after(site, client, amps=36.0, watts=8280.0)
    drawn = sum(car["drawn_amps"] for car in event["chargers"])
    assert round(event["house_current_amps"] + drawn, 2) == 36.0


async def test_when_the_site_ends_it_is_said_once(site: Site, looking: MockHAClientWebSocket) -> None:
    await told(looking)
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.hass.async_block_till_done()
    while await told(looking) is not None:
        pass
    await looking.send_json_auto_id({"type": "ping"})
    assert (await looking.receive_json())["type"] == "pong"
    await site.settle()


async def test_nobody_is_told_any_more_who_went(site: Site, looking: MockHAClientWebSocket) -> None:
    await told(looking)
    await looking.send_json_auto_id({"type": "unsubscribe_events", "subscription": 1})
    while (await looking.receive_json())["type"] != "result":
        pass
    await site.post(amps=12.0, watts=2760.0)
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await looking.send_json_auto_id({"type": "ping"})
    assert (await looking.receive_json())["type"] == "pong"
    await site.settle()


@pytest.mark.parametrize("which", ["none", "other"])
async def test_what_is_no_site_is_not_found(site: Site, hass_ws_client: WebSocketGenerator, which: str) -> None:
    wanted = "none"
    if which == "other":
        registry = dr.async_get(site.hass)
        wanted = device_id(site)
        await site.hass.config_entries.async_unload(site.entry.entry_id)
        assert registry.async_get(wanted) is not None
    client = await hass_ws_client(site.hass)
    await client.send_json_auto_id({"type": "amp_sensor/subscribe", "device_id": wanted})
    answer: Mapping[str, Any] = await client.receive_json()
    assert answer["error"]["code"] == "not_found"


async def test_who_may_not_see_the_entities_is_told_nothing(
    hass: HomeAssistant, site: Site, hass_ws_client: WebSocketGenerator
) -> None:
    group = Group(name="guests", policy={"entities": {"entity_ids": {"sensor.casa_current": {POLICY_READ: True}}}})
    guest = MockUser(groups=[group]).add_to_hass(hass)
    refresh = await hass.auth.async_create_refresh_token(guest, "http://example.com/")
    client = await hass_ws_client(hass, hass.auth.async_create_access_token(refresh))
    await client.send_json_auto_id({"type": "amp_sensor/subscribe", "device_id": device_id(site)})
    answer = await client.receive_json()
    assert answer["error"]["code"] == "unauthorized"
