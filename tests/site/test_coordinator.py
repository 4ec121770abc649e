"""One task per site: what happens is dealt with in order, and only the controller's commands leave."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import pairwise
import logging
from math import inf
from random import Random
import time
from typing import Any
from unittest.mock import AsyncMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.chargers.charger import (
    ChargerAuthError,
    ChargerBusy,
    ChargerError,
    ChargerGone,
    ChargerKeyMissing,
    ChargerRefused,
    ChargerSubscriptionError,
    ChargerTimeout,
    ChargerUnreachable,
)
from custom_components.amp_sensor.chargers.tessie import TessieCharger
from custom_components.amp_sensor.const import CONF_SUBENTRY_ID, CONF_SUPPLY, CONF_TESSIE_URL, DOMAIN
from custom_components.amp_sensor.control import Action, ChargerReport, ChargingState, Mode, Outcome
from simulation.car import Car
from simulation.tessie_server import TessieServer
from tests.conftest import CHARGER_ID, CHARGING, TOKEN, VIN, WEBHOOK_ID, FakeCharger, Site, add_car, car_data


def _issues(hass: HomeAssistant) -> set[str]:
    return {issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN}


async def test_a_reading_over_the_budget_lowers_the_car_at_once(site: Site) -> None:
    await site.post(amps=18.0, watts=4140.0)
    assert not site.charger.commands
    site.charger.hold = asyncio.Event()
    await site.post(amps=30.0, watts=6900.0)
    (command,) = site.charger.commands
    assert command.charger_id == CHARGER_ID
    assert command.action is Action.SET_AMPS
    assert 5 <= command.amps <= 11
    assert site.state("sensor.rocinante_target_current") == str(command.amps)
    reason = site.hass.states.get("sensor.rocinante_reason")
    assert reason is not None
    assert reason.state == "over_budget"
    assert reason.attributes["over_amps"] == pytest.approx(5.0)
    site.charger.hold.set()
    await site.settle()


async def test_one_command_is_in_flight_and_the_newest_target_wins(site: Site) -> None:
    site.charger.hold = asyncio.Event()
    await site.post(amps=28.0, watts=6440.0)
    await site.advance(2)
    await site.post(amps=30.0, watts=6900.0)
    await site.advance(2)
    await site.post(amps=32.0, watts=7360.0)
    assert len(site.charger.commands) == 1
    site.charger.hold.set()
    await site.settle()
    await site.advance(2)
    assert len(site.charger.commands) == 2
    assert site.charger.commands[1].amps < site.charger.commands[0].amps


async def test_a_cut_that_cannot_wait_for_an_answer_is_sent_once_more(site: Site) -> None:
    """A breaker of 25 A that carries 45 A opens within half a minute."""
    site.charger.hold = asyncio.Event()
    await site.post(amps=45.0, watts=10350.0)
    await site.advance(2)
    assert [command.action for command in site.charger.commands] == [Action.STOP]
    await site.advance(15, amps=45.0, watts=10350.0)
    assert [command.action for command in site.charger.commands] == [Action.STOP] * 2
    site.charger.hold.set()
    await site.settle()
    assert site.state("sensor.rocinante_reason") == "verifying"


async def test_a_sensor_that_says_that_it_shows_too_little_lowers_the_car(site: Site) -> None:
    """The budget would allow what it shows; how much flows nobody knows."""
    await site.advance(60, amps=20.0, watts=4600.0)
    await site.advance(5, amps=20.0, watts=4600.0, beyond_range=True)
    assert [command.amps for command in site.charger.commands] == [5]
    assert site.state("sensor.casa_current") == "20.0", "what is shown is what was read"
    await site.advance(40, amps=20.0, watts=4600.0, beyond_range=True)
    assert site.charger.commands[-1].action is Action.STOP


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.MONITOR])
async def test_some_modes_send_nothing(site: Site, mode: Mode, caplog: pytest.LogCaptureFixture) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, mode=mode))
    await site.advance(30, amps=40.0, watts=9200.0)
    assert not site.charger.commands
    assert "a failure in" not in caplog.text


async def test_a_silent_meter_shows_and_comes_back(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0)
    assert site.state("binary_sensor.casa_connected") == "on"
    await site.advance(59)
    assert site.state("binary_sensor.casa_connected") == "on"
    await site.advance(1)
    assert site.state("binary_sensor.casa_connected") == "off"
    for entity_id in ("sensor.casa_current", "sensor.casa_headroom", "binary_sensor.casa_over_budget"):
        assert site.state(entity_id) == "unavailable"
    assert site.state("sensor.casa_energy") != "unavailable"
    assert site.state("number.casa_budget") == "25"
    await site.post(amps=10.0, watts=2300.0)
    assert site.state("binary_sensor.casa_connected") == "on"
    assert site.state("sensor.casa_current") == "10.0"


async def test_a_silent_meter_is_told_once_each_way(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    silent, back = "Amp Sensor Casa has had no reading for 60 s", "Amp Sensor Casa has readings again"
    await site.advance(59)
    assert silent not in caplog.text, "a device that starts with Home Assistant gets its time"
    await site.advance(60)
    assert caplog.text.count(silent) == 1
    await site.post(amps=10.0, watts=2300.0)
    await site.advance(30, amps=10.0, watts=2300.0)
    assert caplog.text.count(back) == 1
    await site.advance(120, step_s=5)
    assert caplog.text.count(silent) == 2


async def test_the_charger_is_looked_at_as_often_as_it_wants(site: Site) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, mode=Mode.MONITOR))
    assert site.charger.polls == 1
    await site.advance(14)
    assert site.charger.polls == 1
    await site.advance(2)
    assert site.charger.polls == 2
    site.charger.poll_s = 300.0
    await site.advance(15)
    assert site.charger.polls == 3
    await site.advance(200)
    assert site.charger.polls == 3


async def test_a_command_is_followed_by_a_look(site: Site) -> None:
    site.charger.poll_s = 300.0
    await site.advance(16)
    polls = site.charger.polls
    await site.post(amps=30.0, watts=6900.0)
    await site.advance(11)
    assert site.charger.polls == polls + 1


async def test_one_poll_is_in_flight_and_one_that_saw_the_car_before_a_command_is_repeated(site: Site) -> None:
    answer = asyncio.Event()
    polls = 0

    async def report() -> ChargerReport:
        nonlocal polls
        polls += 1
        await answer.wait()
        return CHARGING

    site.charger.hold = answer  # nobody waits for the car
    site.charger.poll_s = 300.0
    site.charger.async_report = report  # type: ignore[method-assign]
    await site.advance(20)
    assert polls == 1
    site.charger.async_command = AsyncMock(return_value=Outcome.ACCEPTED)  # type: ignore[method-assign]
    await site.post(amps=30.0, watts=6900.0)
    site.charger.async_command.assert_awaited_once()
    await site.advance(30)
    assert polls == 1
    answer.set()
    await site.settle()
    await site.advance(11)
    assert polls == 2


async def test_a_cloud_that_is_down_is_tried_ever_less_often(site: Site) -> None:
    site.charger.report = ChargerUnreachable("There is no connection to Tessie")
    await site.advance(16)
    moments = []
    for moment in range(5, 4000, 5):
        before = site.charger.polls
        await site.advance(5, step_s=5)
        if site.charger.polls > before:
            moments.append(moment)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps[:4] == pytest.approx([60, 120, 240, 480], abs=6)
    assert gaps[4:] == pytest.approx([900] * len(gaps[4:]), abs=6)


async def test_a_cloud_that_asks_for_patience_gets_it(site: Site) -> None:
    busy = ChargerBusy("Tessie answered 429")
    busy.retry_after_s = 200.0
    site.charger.report = busy
    await site.advance(16)
    polls = site.charger.polls
    await site.advance(195)
    assert site.charger.polls == polls
    await site.advance(10)
    assert site.charger.polls == polls + 1


async def test_a_car_that_cannot_be_reached_is_told_once_each_way(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.charger.report = ChargerUnreachable("There is no connection to Tessie")
    await site.advance(200, step_s=5)
    assert site.state("sensor.rocinante_charging_state") == "charging", "a short outage is no news"
    assert "cannot be reached" not in caplog.text
    await site.advance(1200, step_s=5)
    assert site.state("sensor.rocinante_charging_state") == "unavailable"
    assert site.state("binary_sensor.rocinante_plugged_in") == "unavailable"
    assert site.state("sensor.rocinante_reason") != "unavailable"
    assert site.state("switch.rocinante_managed") == "on"
    assert caplog.text.count("Rocinante cannot be reached: There is no connection to Tessie") == 1
    site.charger.report = CHARGING
    await site.advance(900, step_s=5)
    assert site.state("sensor.rocinante_charging_state") == "charging"
    assert caplog.text.count("Rocinante can be reached again") == 1


def _requests(site: Site) -> list[str]:
    """Return who asks for a new token: flows, and what points to them."""
    flows = site.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert all(flow["context"]["source"] == SOURCE_REAUTH for flow in flows)
    assert all(flow["context"]["entry_id"] == site.entry.entry_id for flow in flows)
    repairs = [key for _, key in ir.async_get(site.hass).issues if "reauth" in key]
    assert len(repairs) == len(flows)
    return repairs


async def test_a_refused_token_asks_for_a_new_one_until_it_is_taken(site: Site) -> None:
    site.charger.report = site.charger.answer = ChargerAuthError("Tessie answered 401")
    await site.advance(20)
    assert len(_requests(site)) == 1
    assert site.state("sensor.rocinante_charging_state") == "unavailable"
    polls = site.charger.polls
    await site.advance(300, step_s=5)
    assert 2 <= site.charger.polls - polls <= 4, "ever less often"
    assert len(_requests(site)) == 1
    # Some are mended in Tessie's app
    site.charger.report, site.charger.answer = CHARGING, Outcome.ACCEPTED
    await site.advance(500, step_s=5)
    assert site.state("sensor.rocinante_charging_state") == "charging"
    assert not _requests(site)


async def test_a_request_for_a_token_is_that_of_one_car(site: Site) -> None:
    other = FakeCharger()
    with patch("custom_components.amp_sensor.TessieCharger", side_effect=[site.charger, other] * 2):
        add_car(site, "01JOTHER", "Sancho")
        await site.hass.async_block_till_done()
        await site.settle()
        await site.advance(40)  # Home Assistant reloads the site once more, as an entity is there that was disabled
    other.report = other.answer = ChargerAuthError("Tessie answered 401")
    await site.advance(60)
    assert len(_requests(site)) == 1, "the other car's token is taken all the time"
    other.report, other.answer = CHARGING, Outcome.ACCEPTED
    await site.advance(60)
    assert not _requests(site)


async def test_a_token_without_the_right_to_command_is_asked_for_until_a_command_is_taken(site: Site) -> None:
    error = ChargerAuthError("Tessie answered 403")
    error.missing_scope = True
    site.charger.answer = error
    await site.post(amps=30.0, watts=6900.0)
    await site.advance(60, amps=30.0, watts=6900.0)
    assert len(_requests(site)) == 1, "reads go on working, and say nothing of commands"
    site.charger.answer = Outcome.ACCEPTED
    await site.advance(70, amps=30.0, watts=6900.0)
    assert not _requests(site)


async def test_a_token_that_can_be_read_with_is_not_wrong(site: Site) -> None:
    """One 403 of a gateway, in the middle of the night: the car is not told anything for hours."""
    site.charger.answer = ChargerAuthError("Tessie answered 403")
    await site.post(amps=30.0, watts=6900.0)
    assert len(_requests(site)) == 1
    site.charger.answer = ChargerUnreachable("Tessie answered 503")
    await site.advance(20)
    assert not _requests(site)


async def test_the_reauthentication_is_about_the_right_car(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(site.entry.__class__, "async_start_reauth", lambda *_, data: asked.append(data))
    site.charger.answer = ChargerAuthError("Tessie answered 403")
    await site.post(amps=30.0, watts=6900.0)
    assert asked == [{CONF_SUBENTRY_ID: CHARGER_ID}]


@pytest.mark.parametrize(
    ("error", "issue"),
    [
        (ChargerSubscriptionError, "subscription"),
        (ChargerKeyMissing, "virtual_key_missing"),
        (ChargerGone, "charger_gone"),
    ],
)
async def test_what_only_a_person_can_mend_is_a_repair_until_it_is_mended(
    site: Site, error: type[Exception], issue: str
) -> None:
    site.charger.answer = error("Tessie answered")
    await site.post(amps=30.0, watts=6900.0)
    assert _issues(site.hass) == {f"{issue}_{CHARGER_ID}"}
    commands = len(site.charger.commands)
    await site.advance(120, amps=30.0, watts=6900.0)
    assert len(site.charger.commands) > commands, "the breaker does not wait for a person"
    assert _issues(site.hass) == {f"{issue}_{CHARGER_ID}"}, "reads go on working, and say nothing of commands"
    site.charger.answer = Outcome.ACCEPTED
    await site.advance(70, amps=30.0, watts=6900.0)
    assert not _issues(site.hass)


@pytest.mark.parametrize(
    "error",
    [ChargerUnreachable("Tessie answered 503"), ChargerTimeout("no answer"), ChargerBusy("Tessie answered 429")],
)
async def test_commands_that_do_not_get_through_are_told_until_one_does(site: Site, error: ChargerError) -> None:
    site.charger.answer = error
    await site.post(amps=30.0, watts=6900.0)
    await site.advance(150, step_s=5, amps=30.0, watts=6900.0)
    assert not _issues(site.hass), "a hiccup is nobody's business"
    assert site.state("sensor.rocinante_reason") == "blocked"
    await site.advance(60, step_s=5, amps=30.0, watts=6900.0)
    assert _issues(site.hass) == {f"commands_fail_{CHARGER_ID}"}
    issue = ir.async_get(site.hass).async_get_issue(DOMAIN, f"commands_fail_{CHARGER_ID}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["answer"] == str(error)
    site.charger.answer = Outcome.ACCEPTED
    await site.advance(70, step_s=5, amps=30.0, watts=6900.0)
    assert not _issues(site.hass)


async def test_a_car_that_accepts_and_does_nothing_is_told_too(site: Site) -> None:
    await site.post(amps=30.0, watts=6900.0)
    for _ in range(20):
        site.charger.report = replace(CHARGING, age_s=0.0)
        await site.advance(20, step_s=5, amps=30.0, watts=6900.0)
    assert f"commands_fail_{CHARGER_ID}" in _issues(site.hass)


async def test_a_car_that_left_the_account_is_a_repair_until_it_is_back(site: Site) -> None:
    site.charger.report = ChargerGone("Tessie answered 404")
    site.charger.answer = ChargerGone("Tessie answered 404")
    await site.post(amps=30.0, watts=6900.0)
    await site.advance(20)
    assert _issues(site.hass) == {f"charger_gone_{CHARGER_ID}"}
    assert site.state("sensor.rocinante_charging_state") == "unavailable"
    site.charger.report = CHARGING
    await site.advance(60, step_s=5, amps=18.0, watts=4140.0)
    assert site.state("sensor.rocinante_charging_state") == "charging"
    assert _issues(site.hass) == {f"charger_gone_{CHARGER_ID}"}, "commands have not been heard of yet"
    site.charger.answer = Outcome.ACCEPTED
    await site.advance(120, step_s=5, amps=30.0, watts=6900.0)
    assert not _issues(site.hass)


async def test_repairs_go_with_the_site(site: Site) -> None:
    site.charger.answer = ChargerKeyMissing("Tessie answered 500")
    await site.post(amps=30.0, watts=6900.0)
    assert _issues(site.hass)
    await site.hass.config_entries.async_unload(site.entry.entry_id)
    assert not _issues(site.hass)


@pytest.mark.parametrize("error", [ChargerTimeout("45 s"), ChargerRefused("no"), ChargerUnreachable("down")])
async def test_a_command_that_fails_is_sent_again(site: Site, error: Exception) -> None:
    site.charger.answer = error
    await site.post(amps=30.0, watts=6900.0)
    assert len(site.charger.commands) == 1
    await site.advance(130, amps=30.0, watts=6900.0)
    assert len(site.charger.commands) > 1


async def test_a_defect_of_a_charger_does_not_block_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.charger.answer = RuntimeError(f"http://tessie/{VIN}?token={TOKEN}")
    site.charger.report = RuntimeError(f"http://tessie/{VIN}?token={TOKEN}")
    await site.post(amps=30.0, watts=6900.0)
    await site.advance(130, amps=30.0, watts=6900.0)
    assert len(site.charger.commands) > 1
    assert "Rocinante failed in a way that nobody expected: RuntimeError" in caplog.text
    assert "async_command" in caplog.text, "where it happened is told"
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("custom_components"))
    for secret in (VIN, TOKEN, WEBHOOK_ID):
        assert secret not in ours


async def test_a_defect_of_one_event_does_not_end_control(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(site.coordinator.controller, "decide", lambda *, now: 1 / 0)
        await site.post(amps=30.0, watts=6900.0)
        await site.advance(20)
    assert caplog.text.count("a failure in its decisions") == 1, "told once"
    assert site.state("sensor.casa_current") == "30.0", "shown all the same"
    await site.post(amps=30.0, watts=6900.0)
    assert site.charger.commands
    await site.advance(10)
    assert caplog.text.count("no more failures in its decisions") == 1


async def test_the_energy_of_a_charger_is_what_it_says_it_draws_while_it_charges(site: Site) -> None:
    await site.post(amps=20.0, watts=4600.0, volts=240.0)
    await site.advance(295, amps=20.0, watts=4800.0, volts=240.0)
    shown = float(site.state("sensor.rocinante_energy"))
    assert shown == pytest.approx(16 * 240 / 1000 * 290 / 3600, rel=0.05)
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0)
    await site.advance(300, step_s=5)
    stopped = float(site.state("sensor.rocinante_energy"))
    await site.advance(600, step_s=5)
    assert float(site.state("sensor.rocinante_energy")) == stopped
    assert site.state("sensor.rocinante_charging_current") == "0.0"


async def test_the_energy_of_a_charger_counts_all_its_phases(site: Site) -> None:
    site.charger.report = replace(CHARGING, phases=3)
    await site.advance(20)
    before = site.coordinator._links[CHARGER_ID].energy_wh
    await site.advance(45)
    assert site.coordinator._links[CHARGER_ID].energy_wh - before == pytest.approx(3 * 16 * 230 * 45 / 3600)


async def _counted(site: Site, **changes: Any) -> float:
    """Return the energy that a car of 16 A is said to take in an hour, Wh, given what it reports."""
    site.charger.report = replace(CHARGING, age_s=0.0, **changes)
    await site.advance(30)
    before = site.coordinator._links[CHARGER_ID].energy_wh
    await site.advance(36)
    return (site.coordinator._links[CHARGER_ID].energy_wh - before) * 100


async def _refit(site: Site, *, supply: str | None = None, phases: list[int] | None = None) -> None:
    hass, entry = site.hass, site.entry
    if supply is not None:
        hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_SUPPLY: supply})
    if phases is not None:
        hass.config_entries.async_update_subentry(entry, entry.subentries[CHARGER_ID], data=car_data(phases=phases))
    await hass.async_block_till_done()
    await site.settle()


async def test_a_car_between_two_legs_counts_with_the_volts_of_both(site: Site) -> None:
    await _refit(site, supply="split")
    legs = [{"amps": 20.0, "volts": 120.0}, {"amps": 20.0, "volts": 122.0}]
    await site.post(phases=legs)
    assert await _counted(site) == pytest.approx(16 * 240, rel=0.01), "it says nothing of its phases: between both"
    assert await _counted(site, volts=238.0, phases=1) == pytest.approx(16 * 238), "its own word is the best"
    await _refit(site, phases=[1, 2])
    await site.post(phases=legs)
    assert await _counted(site) == pytest.approx(16 * (120 + 122))
    await _refit(site, phases=[2])
    await site.post(phases=legs)
    assert await _counted(site) == pytest.approx(16 * 122)


async def test_a_car_on_a_house_of_three_phases_counts_with_those_that_it_loads(site: Site) -> None:
    await _refit(site, supply="three", phases=[2])
    house = [{"amps": 3.0, "volts": 231.0}, {"amps": 20.0, "volts": 225.0}, {"amps": 3.0, "volts": 232.0}]
    await site.post(phases=house)
    assert await _counted(site) == pytest.approx(16 * 225)
    await _refit(site, phases=[1, 2, 3])
    await site.post(phases=house)
    assert await _counted(site) == pytest.approx(16 * (231 + 225 + 232))
    assert await _counted(site, phases=3, volts=229.0) == pytest.approx(16 * 3 * 229)


@pytest.mark.parametrize("state", [ChargingState.STOPPED, ChargingState.COMPLETE])
async def test_a_car_that_heats_its_cabin_draws_what_it_says(site: Site, state: ChargingState) -> None:
    assert await _counted(site, state=state, measured_amps=14.0) == pytest.approx(14 * 230)
    assert site.state("sensor.rocinante_charging_current") == "14.0"
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=14.0)
    await site.advance(130)
    assert site.state("sensor.rocinante_charging_current") == "0.0"


async def test_a_car_that_comes_home_unseen_is_asked_at_once(site: Site) -> None:
    """Its cloud is asked every five minutes while it is away; the meter shows it sooner."""
    site.charger.poll_s = 300.0
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, at_home=False)
    await site.advance(70, step_s=5, amps=15.0, watts=3450.0)
    polls = site.charger.polls
    site.charger.report = replace(CHARGING, age_s=0.0)
    await site.advance(20, amps=31.0, watts=7130.0)
    assert site.charger.polls > polls
    assert site.charger.commands


async def test_a_car_that_only_a_person_can_bring_back_is_not_asked_ever_more(site: Site) -> None:
    site.charger.report = site.charger.answer = ChargerGone("Tessie answered 404")
    await site.advance(200, step_s=5, amps=15.0, watts=3450.0)
    polls = site.charger.polls
    await site.advance(60, amps=31.0, watts=7130.0)
    assert site.charger.polls <= polls + 1


async def test_what_is_too_old_counts_for_nothing(site: Site) -> None:
    site.charger.report = replace(CHARGING, age_s=inf)
    await site.advance(300, step_s=5)
    first = float(site.state("sensor.rocinante_energy"))
    await site.advance(600, step_s=5)
    assert float(site.state("sensor.rocinante_energy")) == pytest.approx(first, abs=0.08)
    assert site.state("sensor.rocinante_charging_current") == "unknown"


async def test_a_pause_of_the_machine_is_not_charging_time(site: Site) -> None:
    await site.advance(2)
    before = site.coordinator._links[CHARGER_ID].energy_wh
    site.freezer.tick(3600)
    async_fire_time_changed(site.hass)
    await site.settle()
    assert site.coordinator._links[CHARGER_ID].energy_wh == before


async def test_asking_an_entity_to_update_itself_asks_nobody(site: Site) -> None:
    polls = site.charger.polls
    await site.coordinator.async_refresh()
    assert site.coordinator.last_update_success
    assert site.charger.polls == polls


@pytest.mark.parametrize("asleep_s", [20, 90, 200])
async def test_a_machine_that_was_suspended_takes_the_next_reading_as_it_is(
    site: Site, caplog: pytest.LogCaptureFixture, asleep_s: int
) -> None:
    await site.advance(60, amps=18.0, watts=4140.0)
    site.charger.commands.clear()
    caplog.clear()
    # Not a tick in between, and then the reading before anything else
    site.freezer.tick(asleep_s)
    await site.post(amps=40.0, watts=9200.0)
    assert [command.action for command in site.charger.commands] == [Action.STOP]
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR and r.name.startswith("custom_components")]


async def test_nothing_is_logged_above_debug_while_all_is_well(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    await site.advance(120, amps=20.0, watts=4600.0)
    assert not [r for r in caplog.records if r.levelno > logging.DEBUG and r.name.startswith("custom_components")]


@pytest.fixture
async def tesla(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[tuple[Site, TessieServer, Car]]:
    """Set up a site whose car answers through a simulated Tessie, at once."""
    # A default is bound when its module is loaded, before the clock was frozen
    monkeypatch.setitem(TessieCharger.__init__.__kwdefaults__, "clock", time.time)
    car = Car.endless(rng=Random(1))
    server = TessieServer(rng=Random(2), token=TOKEN, clock=time.time, latency_scale=0, sync_s=1, lag_s=0)
    server.add_car(VIN, car)
    hass.loop.slow_callback_duration = inf
    async with server:
        entry.add_to_hass(hass)
        subentry = entry.subentries[CHARGER_ID]
        hass.config_entries.async_update_subentry(entry, subentry, data=car_data(**{CONF_TESSIE_URL: server.url}))
        assert await hass.config_entries.async_setup(entry.entry_id)
        yield Site(hass, entry, freezer, FakeCharger(), await hass_client_no_auth()), server, car
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_simulated_tesla_follows_the_budget_over_http(tesla: tuple[Site, TessieServer, Car]) -> None:
    site, server, car = tesla
    house, over_s = 3.0, 0
    for second in range(360):
        if second == 120:
            house = 15.0
        if second == 240:
            house = 3.0
        await site.advance(1)
        server.advance()
        if second % 5 == 0:
            total = house + car.amps
            over_s += 5 * (total > 25)
            await site.post(amps=total, watts=total * 230)
        if second == 200:
            assert 5 <= car.amps <= 10
    assert over_s <= 15
    assert car.amps > 10, "and comes back"
    assert server.counters.commands_away == server.counters.commands_asleep == 0


async def test_a_token_that_is_revoked_asks_once_and_control_resumes_with_a_new_one(
    tesla: tuple[Site, TessieServer, Car],
) -> None:
    site, server, car = tesla
    flows, issues = site.hass.config_entries.flow, ir.async_get(site.hass).issues

    async def live(seconds: int, house: float) -> None:
        for _ in range(0, seconds, 5):
            await site.advance(5, step_s=5)
            server.advance()
            total = house + car.amps
            await site.post(amps=total, watts=total * 230)

    await live(90, 3.0)
    server.token = "the-next-one"
    await live(120, 20.0)
    assert car.amps == 16, "nobody can lower it"
    (flow,) = flows.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert len([key for key in issues if "reauth" in key[1]]) == 1, "told once, however often it is refused"
    result = await flows.async_configure(flow["flow_id"], {"tessie_token": "the-next-one"})
    assert result.get("reason") == "reauth_successful", result
    await site.hass.async_block_till_done()
    assert not [key for key in issues if "reauth" in key[1]]
    await live(60, 17.0)
    assert 5 <= car.amps <= 8, "it obeys again"
    assert not flows.async_progress_by_handler(DOMAIN)


async def test_a_reading_that_shows_nothing_new_wakes_no_entity_but_whoever_watches(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0)
    shown, seen = [], []
    site.coordinator.async_add_listener(lambda: shown.append(site.coordinator.data.shown))
    stop = site.coordinator.async_watch(lambda: seen.append(site.coordinator.data.moment))
    await site.post(amps=10.1, watts=2323.0)
    assert [moment.current for moment in seen if moment is not None][-1] == 10.1
    assert not shown
    await site.post(amps=15.0, watts=3450.0)
    assert [moment.current for moment in shown if moment is not None][-1] == 15.0
    stop()
    count = len(seen)
    await site.post(amps=5.0, watts=1150.0)
    assert len(seen) == count
