"""What a person should mend is told once, says what to do, and goes by itself."""

from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.components.webhook import async_generate_path
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.chargers.charger import ChargerSubscriptionError, ChargerUnreachable
from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import Action, ChargingState, Mode
from custom_components.amp_sensor.site.address import with_new_address
from tests.conftest import CHARGER_ID, CHARGING, TEXTS, Site

_FLOW = "/api/repairs/issues/fix"


@pytest.fixture
async def repairs(hass: HomeAssistant) -> None:
    """Let Home Assistant show the pages of repairs; ask for it before the site."""
    assert await async_setup_component(hass, "repairs", {})


def _issues(site: Site) -> dict[str, ir.IssueEntry]:
    """Return the repairs that are shown, and check that a person can read and understand them.

    Not that nothing comes of commands: that is so here, as a charger of these tests only says what it is told to say.
    """
    ours = [issue for issue in ir.async_get(site.hass).issues.values() if issue.domain == DOMAIN]
    issues = {issue.issue_id: issue for issue in ours if issue.translation_key != "commands_fail"}
    for issue in issues.values():
        texts = TEXTS["issues"][issue.translation_key]
        if issue.is_fixable:
            texts = {**texts, **texts["fix_flow"]["step"]["confirm"]}
        for text in ("title", "description"):
            assert texts[text].format(**(issue.translation_placeholders or {}))
    return issues


async def _start(client: TestClient[Any, Any], issue_id: str) -> Any:
    """Open the page of a repair."""
    response = await client.post(_FLOW, json={"handler": DOMAIN, "issue_id": issue_id})
    assert response.status == HTTPStatus.OK, await response.text()
    return await response.json()


async def _go_on(client: TestClient[Any, Any], flow_id: str, user_input: dict[str, Any] | None = None) -> Any:
    """Go on with what was typed; without that, look again."""
    path = f"{_FLOW}/{flow_id}"
    response = await (client.get(path) if user_input is None else client.post(path, json=user_input))
    assert response.status == HTTPStatus.OK, await response.text()
    return await response.json()


# Posts to an address that the site does not have any more


async def _used_old_address(site: Site) -> str:
    old = async_generate_path(site.entry.data[CONF_WEBHOOK_ID])
    site.hass.config_entries.async_update_entry(site.entry, data=with_new_address(site.entry.data))
    await site.hass.async_block_till_done()
    assert (await site.client.post(old)).status == HTTPStatus.GONE
    assert _issues(site)
    return old


async def test_an_old_address_can_be_forgotten(repairs: None, site: Site, hass_client: ClientSessionGenerator) -> None:
    old = await _used_old_address(site)
    client = await hass_client()
    form = await _start(client, f"old_address_{site.entry.entry_id}")
    assert form["step_id"] == "confirm"
    texts = TEXTS["issues"]["old_address"]["fix_flow"]["step"]["confirm"]
    assert texts["description"].format(**form["description_placeholders"])
    result = await _go_on(client, form["flow_id"], {})
    assert result["type"] == "create_entry"
    await site.hass.async_block_till_done()
    assert not _issues(site)
    assert await (await site.client.post(old)).read() == b""
    assert not _issues(site)


async def test_a_repair_that_is_no_longer_needed_says_so(
    repairs: None, site: Site, hass_client: ClientSessionGenerator
) -> None:
    await _used_old_address(site)
    client = await hass_client()
    form = await _start(client, f"old_address_{site.entry.entry_id}")
    site.coordinator.issues.set("old_address", site.entry.entry_id, is_wrong=False)
    result = await _go_on(client, form["flow_id"], {})
    assert (result["type"], result["reason"]) == ("abort", "gone")
    assert TEXTS["issues"]["old_address"]["fix_flow"]["abort"]["gone"]


def test_each_repair_is_explained() -> None:
    text = (Path(__file__).parents[1] / "docs" / "troubleshooting.md").read_text().casefold()
    for issue in TEXTS["issues"].values():
        names = {"site": "Home", "charger": "your car", "load": "your boiler"}
        title = issue["title"].format(phases="L2", writer="an automation", time="7:00", **names)
        assert f"### {title.casefold()}\n" in text


# The meter


def _shown(site: Site) -> set[str]:
    """Return the keys of the repairs that are shown."""
    return {str(issue.translation_key) for issue in _issues(site).values()}


async def test_a_silent_meter_is_told_once_and_until_the_next_reading(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0)
    await site.advance(590, step_s=10)
    assert not _issues(site)
    changes = async_capture_events(site.hass, ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED)
    await site.advance(1200, step_s=10)
    assert _shown(site) == {"meter_silent"}
    assert len(changes) == 1
    await site.post(amps=10.0, watts=2300.0)
    await site.advance(1)
    assert not _issues(site)


async def test_a_meter_that_was_never_heard_is_not_missed(site: Site) -> None:
    await site.advance(1200, step_s=10)
    assert not _issues(site)


async def test_a_meter_that_was_heard_before_a_restart_is_missed(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0)
    assert await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.advance(590, step_s=10)
    assert not _issues(site)
    await site.advance(20, step_s=10)
    assert _shown(site) == {"meter_silent"}
    assert await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()
    assert not _issues(site)
    await site.advance(610, step_s=10)
    assert _shown(site) == {"meter_silent"}, "over two restarts as well"


async def test_a_meter_whose_posts_are_refused_is_told_what_is_wrong(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0)
    for _ in range(62):
        await site.advance(10, step_s=10)
        await site.post(amps="10")
    assert _shown(site) == {"meter_refused"}
    (issue,) = _issues(site).values()
    assert issue.severity is ir.IssueSeverity.ERROR
    placeholders = issue.translation_placeholders
    assert placeholders is not None
    assert placeholders["client"] == "127.0.0.1"
    assert placeholders["refusal"].startswith('amps must be a number between -500 and 500, got the text "10"')
    await site.advance(620, step_s=10)
    assert _shown(site) == {"meter_silent"}, "now nothing comes at all"
    await site.post(amps=10.0, watts=2300.0)
    await site.advance(1)
    assert not _issues(site)


async def test_a_frozen_meter_is_told_until_it_moves(site: Site) -> None:
    await site.advance(60, step_s=5, amps=18.0, watts=4140.0)
    site.charger.report = ChargerUnreachable("There is no connection to Tessie")
    site.coordinator.async_configure(replace(site.coordinator.data.settings, max_amps=12.0))
    await site.advance(240, step_s=5, amps=18.0, watts=4140.0)
    assert not _issues(site)
    assert Action.STOP in [command.action for command in site.charger.commands]
    await site.advance(120, step_s=5, amps=18.0, watts=4140.0)
    assert _shown(site) == {"meter_frozen"}
    await site.advance(10, step_s=5, amps=12.0, watts=2760.0)
    assert not _issues(site)


async def test_a_house_that_is_over_the_budget_for_long_is_told(site: Site) -> None:
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await site.advance(880, step_s=5, amps=27.0, watts=6210.0)
    assert not _issues(site)
    await site.advance(60, step_s=5, amps=28.0, watts=6440.0)
    assert _shown(site) == {"house_over_budget"}
    await site.advance(200, step_s=5, amps=20.0, watts=4600.0)
    await site.advance(60, step_s=5, amps=28.0, watts=6440.0)
    await site.advance(290, step_s=5, amps=20.0, watts=4600.0)
    assert _shown(site) == {"house_over_budget"}
    await site.advance(20, step_s=5, amps=20.0, watts=4600.0)
    assert not _issues(site)


async def test_nobody_is_told_of_the_budget_while_control_is_off(site: Site) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, mode=Mode.OFF))
    await site.advance(1000, step_s=5, amps=27.0, watts=6210.0)
    assert not _issues(site)


def _placeholders(site: Site) -> dict[str, str]:
    (issue,) = _issues(site).values()
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders


async def test_a_phase_that_is_not_told_any_more_is_named(site: Site) -> None:
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await site.advance(60, step_s=5, phases=[{"amps": 3.0}, {"amps": 4.0}, {"amps": 5.0}])
    assert site.coordinator.data.phases == 3
    assert site.coordinator.controller.house == pytest.approx((3.0, 4.0, 5.0))
    await site.advance(280, step_s=5, phases=[{"amps": 3.0}, {"amps": 4.0}])
    assert site.coordinator.data.silent_phases == (3,)
    assert not _issues(site)
    await site.advance(60, step_s=5, phases=[{"amps": 3.0}, {"amps": 4.0}])
    assert _shown(site) == {"phase_silent"}
    assert _placeholders(site)["phases"] == "L3"
    await site.advance(10, step_s=5, phases=[{"amps": 3.0}, {"amps": 4.0}, {"amps": 5.0}])
    assert not _issues(site)


async def test_a_meter_that_shows_less_than_the_car_draws_is_told(site: Site) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, mode=Mode.MONITOR))
    site.charger.report = replace(CHARGING, age_s=0.0)
    await site.advance(60, step_s=5, amps=18.0, watts=4140.0)
    await site.advance(280, step_s=5, amps=0.1, watts=0.0)
    assert not _issues(site)
    await site.advance(120, step_s=5, amps=0.1, watts=0.0)
    assert _shown(site) == {"meter_wrong"}
    assert _placeholders(site)["charger"] == "Rocinante"
    await site.advance(30, step_s=5, amps=18.0, watts=4140.0)
    assert not _issues(site)


async def test_a_current_beyond_the_sensors_range_is_told_until_a_day_without(site: Site) -> None:
    beyond = {"amps": 24.0, "watts": 5520.0, "beyond_range": True}
    await site.advance(5, step_s=5, **beyond)
    await site.advance(20, step_s=5, amps=20.0, watts=4600.0)
    assert not _issues(site), "a motor that starts"
    await site.advance(20, step_s=5, **beyond)
    assert _shown(site) == {"beyond_range"}
    await site.advance(3600, step_s=60, amps=20.0, watts=4600.0)
    assert "beyond_range" in _shown(site)
    await site.advance(86400, step_s=600, amps=20.0, watts=4600.0)
    assert "beyond_range" not in _shown(site)


async def test_a_meter_in_kilowatts_is_told(site: Site) -> None:
    await site.advance(700, step_s=5, amps=18.0, watts=4.14)
    assert _shown(site) == {"watts_implausible"}
    await site.advance(700, step_s=5, amps=18.0, watts=4140.0)
    assert not _issues(site)


async def test_two_devices_at_one_address_are_told_until_one_is_gone(site: Site) -> None:
    path = async_generate_path(site.entry.data[CONF_WEBHOOK_ID])

    async def post(amps: float, name: str) -> None:
        reading = {"amps": amps, "watts": 230 * amps}
        await site.client.post(path, json=reading, headers={"User-Agent": name})
        await site.advance(5)

    for _ in range(4):
        await post(18.0, "ESPHome")
        await post(3.0, "curl")
    assert _shown(site) == {"two_devices"}
    assert {_placeholders(site)[which] for which in ("first", "second")} == {"127.0.0.1"}
    for _ in range(70):
        await post(18.0, "ESPHome")
    assert not _issues(site)


# The car


async def test_a_car_that_nobody_knows_the_place_of_is_told(site: Site) -> None:
    site.charger.report = replace(CHARGING, at_home=None)
    await site.advance(600, step_s=5, amps=18.0, watts=4140.0)
    assert not _issues(site)
    await site.advance(60, step_s=5, amps=18.0, watts=4140.0)
    assert _shown(site) == {"place_unknown"}
    assert site.state("sensor.rocinante_reason") == "place_unknown"
    site.charger.report = CHARGING
    await site.advance(30, step_s=5, amps=18.0, watts=4140.0)
    assert not _issues(site)


@pytest.mark.parametrize(("age_s", "key"), [(-90.0, "clock_ahead"), (150.0, "clock_behind")])
async def test_a_clock_that_is_wrong_is_told_until_it_is_right(site: Site, age_s: float, key: str) -> None:
    site.charger.report = replace(CHARGING, age_s=age_s)
    await site.advance(120, step_s=5, amps=18.0, watts=4140.0)
    assert _shown(site) == {key}
    site.charger.report = CHARGING
    await site.advance(20, step_s=5, amps=18.0, watts=4140.0)
    assert not _issues(site)


async def _fall_asleep_while_paused(site: Site) -> None:
    await site.post(amps=40.0, watts=9200.0)
    assert [command.action for command in site.charger.commands] == [Action.STOP]
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)
    await site.advance(20, step_s=5, amps=24.0, watts=5520.0)
    site.charger.report = replace(site.charger.report, asleep=True)
    await site.advance(570, step_s=5, amps=24.0, watts=5520.0)


async def test_a_car_that_fell_asleep_while_we_had_paused_it_is_told(site: Site) -> None:
    await _fall_asleep_while_paused(site)
    assert not _issues(site)
    await site.advance(60, step_s=5, amps=2.0, watts=460.0)
    assert _shown(site) == {"asleep_while_paused"}
    assert len(site.charger.commands) == 1, "nothing wakes it"
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)
    await site.advance(30, step_s=5, amps=2.0, watts=460.0)
    assert not _issues(site)
    await site.advance(300, step_s=5, amps=2.0, watts=460.0)
    assert Action.START in [command.action for command in site.charger.commands]


@pytest.mark.parametrize("ending", ["unplugged", "not managed"])
async def test_a_sleeping_car_that_need_not_be_woken_is_not_told(site: Site, ending: str) -> None:
    await _fall_asleep_while_paused(site)
    await site.advance(60, step_s=5, amps=2.0, watts=460.0)
    if ending == "unplugged":
        site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, asleep=True)
    else:
        settings = site.coordinator.data.chargers[CHARGER_ID].settings
        site.coordinator.async_set_charger(CHARGER_ID, replace(settings, managed=False))
    await site.advance(30, step_s=5, amps=2.0, watts=460.0)
    assert not _issues(site)


async def test_a_person_can_have_the_car_woken(
    repairs: None, site: Site, hass_admin_user: MockUser, hass_client: ClientSessionGenerator
) -> None:
    await _fall_asleep_while_paused(site)
    await site.advance(60, step_s=5, amps=2.0, watts=460.0)
    client = await hass_client()
    form = await _start(client, f"asleep_while_paused_{CHARGER_ID}")
    assert form["step_id"] == "confirm"
    site.charger.awake = ChargerUnreachable("The car did not wake up")
    page = await _go_on(client, form["flow_id"], {})
    texts = TEXTS["issues"]["asleep_while_paused"]["fix_flow"]
    assert (page["type"], page["step_id"]) == ("progress", "wake")
    assert texts["progress"][page["progress_action"]]
    assert texts["step"]["wake"]["title"].format(**page["description_placeholders"]) == "Waking Rocinante"
    await site.hass.async_block_till_done()
    page = await _go_on(client, form["flow_id"])
    assert (page["step_id"], page["errors"]) == ("confirm", {"base": "cannot_wake"})
    assert texts["error"]["cannot_wake"]
    site.charger.awake = None
    await _go_on(client, form["flow_id"], {})
    await site.hass.async_block_till_done()
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)
    assert (await _go_on(client, form["flow_id"]))["type"] == "create_entry"
    assert site.charger.wakes == 2
    await site.advance(300, step_s=5, amps=2.0, watts=460.0)
    assert not _issues(site)
    assert Action.START in [command.action for command in site.charger.commands]


async def test_what_keeps_a_car_from_being_woken_is_told_as_with_any_command(site: Site) -> None:
    site.charger.awake = ChargerUnreachable("The car did not wake up")
    with pytest.raises(ChargerUnreachable):
        await site.coordinator.async_wake(CHARGER_ID)
    assert not _issues(site)
    site.charger.awake = ChargerSubscriptionError("Tessie answered 402")
    with pytest.raises(ChargerSubscriptionError):
        await site.coordinator.async_wake(CHARGER_ID)
    assert _shown(site) == {"subscription"}
    await site.post(amps=30.0, watts=6900.0)
    assert site.charger.commands
    assert not _issues(site)


async def test_a_car_that_the_meter_never_shows_is_a_repair(site: Site) -> None:
    for number in range(16):
        amps = 6.0 if number % 2 else 16.0
        site.charger.report = replace(CHARGING, requested_amps=amps, measured_amps=amps)
        await site.advance(120, step_s=5, amps=3.0 + number % 3 / 10, watts=690.0)
    assert _shown(site) == {"other_circuit"}


async def test_that_a_removed_car_was_left_stopped_can_be_put_away(
    repairs: None, site: Site, hass_client: ClientSessionGenerator
) -> None:
    await site.post(amps=40.0, watts=9200.0)
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)
    await site.advance(20, amps=24.0, watts=5520.0)
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert _shown(site) == {"left_paused"}
    client = await hass_client()
    form = await _start(client, f"left_paused_{CHARGER_ID}")
    assert form["description_placeholders"] == {"charger": "Rocinante"}
    assert (await _go_on(client, form["flow_id"], {}))["type"] == "create_entry"
    assert not _issues(site)
