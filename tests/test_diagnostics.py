"""What can be attached to a report says what happened, and gives nothing away."""

from dataclasses import asdict, replace
from datetime import timedelta
from http import HTTPStatus
from itertools import pairwise
import json
import logging
from math import inf
from random import Random
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.diagnostics import REDACTED
from homeassistant.components.persistent_notification import _async_get_or_create_notifications
from homeassistant.components.recorder import Recorder
from homeassistant.components.webhook import async_generate_path
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    MockHAClientWebSocket,
    WebSocketGenerator,
)
from yarl import URL

from custom_components.amp_sensor.chargers.charger import ChargerRefused
from custom_components.amp_sensor.chargers.tessie import TessieCharger, TessieClient
from custom_components.amp_sensor.const import CONF_TESSIE_URL, DOMAIN
from custom_components.amp_sensor.control import Reading
from custom_components.amp_sensor.meters.posts import KEPT, Sender
from custom_components.amp_sensor.site.address import with_new_address
from simulation.car import Car
from simulation.tessie_server import TessieServer
from tests.conftest import CHARGER_ID, CHARGING, TOKEN, VIN, WEBHOOK_ID, FakeCharger, Site, add_car, car_data

LATITUDE, LONGITUDE = 43.36, -8.83
LOGS_OF_OTHERS = ("aiohttp.access", "asyncio", "homeassistant.components.webhook", "homeassistant.helpers.http")
"""They tell each address that was asked for, that of a webhook too; below the level of a warning, or by choice."""


@pytest.fixture
async def download(hass: HomeAssistant) -> None:
    """Let Home Assistant hand out diagnostics; ask for it before the site."""
    assert await async_setup_component(hass, "diagnostics", {})


async def _download(site: Site, client: ClientSessionGenerator, device: dr.DeviceEntry | None = None) -> Any:
    """Return what a person gets who presses the button."""
    path = f"/api/diagnostics/config_entry/{site.entry.entry_id}"
    if device is not None:
        path += f"/device/{device.id}"
    response = await (await client()).get(path)
    assert response.status == HTTPStatus.OK
    text = await response.text()
    for secret in (TOKEN, VIN, WEBHOOK_ID, site.entry.data[CONF_WEBHOOK_ID]):
        assert secret not in text
    told = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))["data"]
    for secret in (TOKEN, VIN, WEBHOOK_ID, site.entry.data[CONF_WEBHOOK_ID], "43.36", "8.83", "Rocinante", "Casa"):
        assert secret.casefold() not in json.dumps(told).casefold()
    return told


async def test_diagnostics_tell_what_happened(download: None, site: Site, hass_client: ClientSessionGenerator) -> None:
    site.charger.report = replace(CHARGING, age_s=inf)
    await site.advance(20, amps=18.0, watts=4140.0)
    await site.post(amps="10")
    site.charger.answer = ChargerRefused("The car is not plugged in")
    await site.advance(70)
    await site.post(amps=30.0, watts=6900.0, boot_id=WEBHOOK_ID)
    told = await _download(site, hass_client)
    assert told["settings"]["max_amps"] == 25
    assert told["settings"]["webhook_id"] == REDACTED
    assert told["reading"]["amps"] == [30.0]
    assert told["reading"]["boot_id"] == REDACTED
    assert told["readings"]["intervals"] == {"count": 4, "min_s": 5.0, "mean_s": 21.25, "max_s": 70.0, "gaps": 1}
    assert [gap["duration_s"] for gap in told["readings"]["last_gaps"]] == [70.0]
    (refusal,) = told["readings"]["last_refusals"]
    assert (refusal["from"], refusal["status"]) == ("127.0.0.1", 422)
    assert refusal["error"].startswith("amps must be a number between -500 and 500")
    (sender,) = told["readings"]["senders"]
    assert (sender["address"], sender["posts"]) == ("127.0.0.1", 6)
    assert "aiohttp" in sender["user_agent"]
    (cut,) = (decision for decision in told["decisions"] if decision["command"])
    assert (cut["reason"], cut["command"]["action"]) == ("over_budget", "set_amps")
    assert cut["numbers"]["over_amps"] == pytest.approx(5.0)
    assert cut["at"].startswith("20")
    assert told["decisions"] == sorted(told["decisions"], key=lambda decision: decision["at"])
    assert told["answers"][-1]["answer"] == "ChargerRefused: The car is not plugged in"
    charger = told["chargers"][CHARGER_ID]
    assert charger["subentry"]["data"]["max_amps_car"] == 16
    assert charger["known"]["report"]["state"] == "charging"
    assert charger["belief"]["running"] is True
    assert charger["belief"]["low_amps"] <= 16 <= charger["belief"]["high_amps"]
    assert charger["belief"]["no_command_for_s"] > 0
    assert told["repairs"] == []


async def test_a_decision_that_says_the_same_again_is_left_out(
    download: None, site: Site, hass_client: ClientSessionGenerator
) -> None:
    for _ in range(12):
        await site.advance(60, step_s=5, amps=26.5, watts=6095.0)
        await site.advance(60, step_s=5, amps=18.0, watts=4140.0)
    told = await _download(site, hass_client)
    assert 12 < len(told["decisions"]) <= 100
    said = [(d["reason"], d["target"], d["command"]) for d in told["decisions"]]
    assert all(one != other or one[2] for one, other in pairwise(said))


async def test_a_car_of_several_has_diagnostics_of_its_own(
    download: None, site: Site, device_registry: dr.DeviceRegistry, hass_client: ClientSessionGenerator
) -> None:
    other = "01JOTHER"
    entry = site.entry
    add_car(site, other, "Sancho")
    await site.hass.async_block_till_done()
    await site.settle()
    for identifier, chargers in (
        (CHARGER_ID, {CHARGER_ID}),
        (other, {other}),
        (entry.entry_id, {CHARGER_ID, other}),
    ):
        device = device_registry.async_get_device_by_identifier((DOMAIN, identifier), entry.entry_id)
        assert device is not None
        told = await _download(site, hass_client, device)
        assert told["chargers"].keys() == chargers
        assert {decision["charger_id"] for decision in told["decisions"]} == chargers


async def _asked(client: MockHAClientWebSocket, command: str, **data: Any) -> Any:
    """Return what the websocket answers."""
    await client.send_json_auto_id({"type": command, **data})
    answer = await client.receive_json()
    assert answer["success"], answer
    return answer["result"]


async def _traced(hass: HomeAssistant, device: dr.DeviceEntry) -> None:
    """Let an automation start from the site, which keeps a trace of what it was told."""
    automation = {
        "id": "over",
        "alias": "Over",
        "triggers": {"trigger": f"{DOMAIN}.became_over_budget", "target": {"device_id": device.id}},
        "conditions": {"condition": f"{DOMAIN}.is_over_budget", "target": {"device_id": device.id}},
        "actions": {"event": "told", "event_data": {"all": "{{ trigger }}"}},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()


async def test_secrets_that_are_planted_everywhere_are_found_nowhere(  # noqa: PLR0917
    recorder_mock: Recorder,
    download: None,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A cloud and a sensor that say aloud all they know, where nobody expects it."""
    for name in ("sqlalchemy", "sqlalchemy.engine"):
        caplog.set_level(logging.WARNING, name)  # it tells each row, those of the events below
    caplog.set_level(logging.DEBUG)  # the last, as each of these is the level of what is kept too
    assert await async_setup_component(hass, "logbook", {})
    events: list[dict[str, Any]] = []
    hass.bus.async_listen("*", lambda event: events.append(event.as_dict()))
    # The fraction of a second in a time might look like a part of the position. Defaults are bound before the freeze
    freezer.tick(-time.time() % 1)
    for cloud_class in (TessieClient, TessieCharger):
        monkeypatch.setitem(cloud_class.__init__.__kwdefaults__, "clock", time.time)
    planted = f"{TOKEN} {VIN} {WEBHOOK_ID} {LATITUDE} {LONGITUDE} {VIN.lower()} Casa Rocinante 43.3601,-8.8299"
    server = TessieServer(rng=Random(2), token=TOKEN, clock=time.time, latency_scale=0, home=(LATITUDE, LONGITUDE))
    server.add_car(VIN, Car.endless(rng=Random(1)), name=planted)
    hass.loop.slow_callback_duration = inf
    async with server:
        entry.add_to_hass(hass)
        subentry = entry.subentries[CHARGER_ID]
        hass.config_entries.async_update_subentry(entry, subentry, data=car_data(**{CONF_TESSIE_URL: server.url}))
        assert await hass.config_entries.async_setup(entry.entry_id)
        site = Site(hass, entry, freezer, FakeCharger(), await hass_client_no_auth())
        hass.config_entries.async_update_entry(entry, data=with_new_address(entry.data))
        await hass.async_block_till_done()
        await site.settle()
        device = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)[0]
        await _traced(hass, device)
        await site.advance(60, step_s=5, amps=20.0, watts=4600.0)
        # What a webhook's address is, no cloud is told
        monkeypatch.setattr("simulation.tessie_server.HTML", planted.replace(WEBHOOK_ID, ""))
        server.faults.inject("bad_gateway", count=3)
        await site.advance(120, step_s=5, amps=30.0, watts=6900.0)
        looking = await hass_ws_client(hass)
        await looking.send_json_auto_id({"type": "amp_sensor/subscribe", "device_id": device.id})
        await site.advance(20, amps=30.0, watts=6900.0)
        for body, path in (
            (planted.encode(), async_generate_path(entry.data[CONF_WEBHOOK_ID])),
            (json.dumps({"amps": planted, "watts": 1}).encode(), async_generate_path(entry.data[CONF_WEBHOOK_ID])),
            (b"", async_generate_path(WEBHOOK_ID)),
        ):
            await site.client.post(path, data=body, headers={"User-Agent": planted})
        await site.post(amps=1.0, watts=230.0, boot_id=WEBHOOK_ID)
        await hass.config.async_update(external_url="https://example.org")
        await site.call("button", "press", "button.casa_share_readings")
        (notification,) = _async_get_or_create_notifications(hass).values()
        link = URL(notification["message"].split("\n\n")[1])
        told = await _download(site, hass_client)
        text = json.dumps(told)
        assert link.query["key"] not in text
        assert "43.3" not in text
        assert "8.82" not in text
        assert server.url.removeprefix("http://") not in text
        cloud = told["chargers"][CHARGER_ID]["cloud"]
        assert {call["call"] for call in cloud} >= {"state", "command/set_charging_amps"}
        state = next(call for call in cloud if call["call"] == "state" and "answer" in call)
        assert state["status"] == HTTPStatus.OK
        assert state["duration_s"] >= 0
        assert state["answer"]["charge_state"]["charging_state"] == "Charging"
        assert any("502" in call.get("error", "") for call in cloud)
        assert "old_address" in told["repairs"]
        assert len(told["readings"]["senders"]) == 2
        await async_wait_recording_done(hass)
        asking = await hass_ws_client(hass)
        began = dt_util.utcnow() - timedelta(hours=1)
        logbook = await _asked(asking, "logbook/get_events", start_time=began.isoformat())
        assert any(entry_id.startswith("sensor.") for each in logbook if (entry_id := each.get("entity_id")))
        (run,) = await _asked(asking, "trace/list", domain="automation")
        trace = await _asked(asking, "trace/get", domain="automation", item_id="over", run_id=run["run_id"])
        assert trace["trace"].keys() >= {"trigger/0", "condition/0", "action/0"}
        pages = [
            await (await site.client.get(link.relative().with_path(f"{link.path}{form}").with_query(link.query))).text()
            for form in ("", "/readings.json", "/readings.csv")
        ]
        assert json.loads(pages[1])["rows"]
        repairs = [asdict(issue) for issue in ir.async_get(hass).issues.values()]
        assert await hass.config_entries.async_unload(entry.entry_id)
    subscribed = []
    while (message := await looking.receive_json()).get("event", ...) is not None:
        subscribed.append(message)
    assert len(subscribed) > 10
    shown = {
        "the card's subscription": subscribed,
        "the logbook": logbook,
        "a trace": trace,
        # The page leads to others of its own: it repeats its key
        "the page of a link": [page.replace(link.query["key"], "") for page in pages],
        "states": [state.as_dict() for state in hass.states.async_all()],
        "events": events,
        "repairs": repairs,
        "the log": [
            f"{record.name} {record.getMessage()} {record.exc_text}"
            for record in caplog.records
            if not record.name.startswith(LOGS_OF_OTHERS)
        ],
    }
    secrets = (
        *(TOKEN, VIN, VIN.lower(), "43.36", "8.83", "8.82", server.url),
        *(WEBHOOK_ID, entry.data[CONF_WEBHOOK_ID], link.query["key"]),
    )
    for where, what in shown.items():
        text = json.dumps(what, cls=ExtendedJSONEncoder)
        assert what, where
        assert not [secret for secret in secrets if secret in text], where


async def test_what_is_kept_of_posts_does_not_grow(site: Site) -> None:
    posts = site.coordinator.posts
    await site.post(amps=1.0, watts=230.0)
    now = site.coordinator.data.read_at
    assert now is not None
    for number in range(3 * KEPT):
        sender = Sender(address=f"10.0.0.{number}", user_agent="x")
        posts.refuse(sender, at=now, now=0.0, status=422, text="no")
        reading = Reading(at=1e6 + 1000.0 * number, amps=(1.0,), volts=(230.0,), watts=230.0)
        posts.accept(sender, reading, at=now)
    told = posts.as_dict()
    assert [len(told[key]) for key in ("senders", "last_refusals", "last_gaps")] == [KEPT] * 3
    assert told["senders"][-1]["address"] == f"10.0.0.{3 * KEPT - 1}"
    assert (told["refused"], told["readings"]) == (3 * KEPT, 3 * KEPT + 1)


async def test_the_version_of_the_sensor_is_told_and_shown_on_the_page_of_the_site(
    download: None, site: Site, hass_client: ClientSessionGenerator
) -> None:
    def shown() -> str | None:
        device = dr.async_get(site.hass).async_get_device_by_identifier(
            (DOMAIN, site.entry.entry_id), site.entry.entry_id
        )
        assert device is not None
        return device.sw_version

    assert shown() is None
    await site.advance(6, amps=10.0, watts=2300.0, version="0.3.0")
    assert shown() == "0.3.0"
    assert (await _download(site, hass_client))["readings"]["version"] == "0.3.0"
    # A sensor of another make, which does not say
    await site.advance(6, amps=10.0, watts=2300.0)
    assert shown() is None
    assert (await _download(site, hass_client))["readings"]["version"] is None
