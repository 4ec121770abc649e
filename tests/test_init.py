"""A site comes and goes, and remembers."""

import asyncio
from copy import deepcopy
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest

from custom_components.amp_sensor.chargers.charger import ChargerTimeout, ChargerUnreachable
from custom_components.amp_sensor.const import (
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_SUPPLY,
    DOMAIN,
)
from custom_components.amp_sensor.control import Action, ChargerReport, ChargingState, Mode, Outcome, Priority, Supply
from tests.conftest import CHARGER_ID, CHARGING, STOPPED, FakeCharger, Site, add_car, car_data

STORE = "amp_sensor.01JSITE"
CONTROL_STORE = "amp_sensor.01JSITE.control"


async def _reload(site: Site) -> None:
    assert await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()


async def _lower(site: Site) -> None:
    """Bring the car down to a few amps, in a house that is calm afterwards."""
    await site.post(amps=30.0, watts=6900.0)
    (command,) = site.charger.commands
    site.charger.report = replace(
        CHARGING, requested_amps=float(command.amps), measured_amps=float(command.amps), age_s=0.0
    )
    await site.advance(20, amps=command.amps + 1.0, watts=1500.0)


async def _pause(site: Site) -> None:
    """Let the house alone use up the budget, so that the car is stopped."""
    await site.post(amps=40.0, watts=9200.0)
    assert [command.action for command in site.charger.commands] == [Action.STOP]
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)
    await site.advance(20, amps=24.0, watts=5520.0)


def _issues(site: Site) -> set[str]:
    return {issue_id for domain, issue_id in ir.async_get(site.hass).issues if domain == DOMAIN}


async def _restart(site: Site, storage: dict[str, Any], kept: dict[str, Any]) -> None:
    """Begin again with what was on disk at that moment, as after the end of Home Assistant's process."""
    kept = deepcopy(kept)
    assert await site.hass.config_entries.async_unload(site.entry.entry_id)
    for key in (STORE, CONTROL_STORE):
        storage.pop(key, None)
    storage.update(kept)
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.settle()


async def test_a_site_and_its_charger_are_devices(site: Site, device_registry: dr.DeviceRegistry) -> None:
    home = device_registry.async_get_device_by_identifier((DOMAIN, site.entry.entry_id), site.entry.entry_id)
    car = device_registry.async_get_device_by_identifier((DOMAIN, CHARGER_ID), site.entry.entry_id)
    assert home is not None
    assert car is not None
    assert (home.name, home.model, home.entry_type) == ("Casa", "230 V", dr.DeviceEntryType.SERVICE)
    assert (car.name, car.model, car.via_device_id) == ("Rocinante", "Model 3", home.id)
    assert car.config_subentry_id == CHARGER_ID


async def test_the_device_of_a_site_tells_how_it_is_fed(
    hass: HomeAssistant, site: Site, device_registry: dr.DeviceRegistry
) -> None:
    hass.config_entries.async_update_entry(site.entry, data={**site.entry.data, CONF_SUPPLY: "three"})
    await hass.async_block_till_done()
    home = device_registry.async_get_device_by_identifier((DOMAIN, site.entry.entry_id), site.entry.entry_id)
    assert home is not None
    assert home.model == "3 × 230 V"


async def test_entities_belong_to_their_subentry_and_keep_their_unique_ids(
    site: Site, entity_registry: er.EntityRegistry
) -> None:
    await site.post(phases=[{"amps": 1.0}, {"amps": 2.0}, {"amps": 3.0}])
    entities = er.async_entries_for_config_entry(entity_registry, site.entry.entry_id)
    house = {e.unique_id.removeprefix("01JSITE_") for e in entities if e.config_subentry_id is None}
    car = {e.unique_id.removeprefix(f"{CHARGER_ID}_") for e in entities if e.config_subentry_id == CHARGER_ID}
    assert house == {
        *("current", "power", "voltage", "energy", "headroom", "budget_used", "house_current", "protection_load"),
        *("last_reading", "current_l1", "current_l2", "current_l3", "over_budget", "connected", "max_amps", "mode"),
        "share",
    }
    assert car == {
        *("target_current", "charging_current", "charging_state", "reason", "charging_control", "energy"),
        *("phases", "plugged_in", "at_home"),
        *("max_amps_car", "min_amps_car", "managed", "may_wake"),
    }


async def test_the_site_works_without_its_car(site: Site) -> None:
    site.charger.report = ChargerUnreachable("There is no connection to Tessie")
    await _reload(site)
    await site.post(amps=10.0, watts=2300.0)
    assert site.state("sensor.casa_current") == "10.0"
    assert site.state("sensor.rocinante_charging_state") == "unavailable"
    site.charger.report = CHARGING
    await site.advance(35)
    assert site.state("sensor.rocinante_charging_state") == "charging"


async def test_settings_survive_a_reload(site: Site) -> None:
    coordinator = site.coordinator
    coordinator.async_configure(replace(coordinator.data.settings, max_amps=20.0, mode=Mode.STRICT))
    settings = coordinator.data.chargers[CHARGER_ID].settings
    coordinator.async_set_charger(CHARGER_ID, replace(settings, max_amps=12, min_amps=6, managed=False))
    await _reload(site)
    assert site.coordinator is not coordinator
    assert site.state("number.casa_budget") == "20.0"
    assert site.state("select.casa_mode") == "strict"
    assert site.state("number.rocinante_maximum_current") == "12"
    assert site.state("number.rocinante_minimum_current") == "6"
    assert site.state("switch.rocinante_managed") == "off"


async def test_settings_are_on_disk_at_once(site: Site, hass_storage: dict[str, Any]) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, max_amps=20.0))
    await site.settle()
    assert hass_storage[STORE]["data"]["max_amps"] == 20.0


async def test_what_the_flow_says_anew_wins(site: Site) -> None:
    hass, entry = site.hass, site.entry
    site.coordinator.async_configure(replace(site.coordinator.data.settings, max_amps=20.0, mode=Mode.EAGER))
    settings = site.coordinator.data.chargers[CHARGER_ID].settings
    site.coordinator.async_set_charger(CHARGER_ID, replace(settings, max_amps=16, min_amps=14))
    await site.settle()
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_MAX_AMPS: 32})
    await hass.async_block_till_done()
    assert site.state("number.casa_budget") == "32"
    assert site.state("select.casa_mode") == "eager"
    hass.config_entries.async_update_subentry(
        entry, entry.subentries[CHARGER_ID], data=car_data(**{CONF_MAX_AMPS_CAR: 10})
    )
    await hass.async_block_till_done()
    assert site.state("number.rocinante_maximum_current") == "10"
    assert site.state("number.rocinante_minimum_current") == "10", "never above the maximum"
    await _reload(site)
    assert site.state("number.casa_budget") == "32"


async def test_energy_goes_on_after_a_reload(site: Site) -> None:
    await site.advance(400, step_s=5, amps=20.0, watts=4600.0)
    shown = float(site.state("sensor.casa_energy"))
    assert shown == pytest.approx(4.6 * 285 / 3600, rel=0.02)
    await _reload(site)
    again = float(site.state("sensor.casa_energy"))
    assert again == pytest.approx(4.6 * 395 / 3600, rel=0.02)


async def test_energy_that_was_shown_survives_a_power_cut(site: Site, hass_storage: dict[str, Any]) -> None:
    for _ in range(50):
        await site.advance(7, amps=20.0, watts=4600.0)
        shown = float(site.state("sensor.casa_energy")) * 1000
        saved = hass_storage[STORE]["data"]["energy_wh"] if STORE in hass_storage else 0.0
        assert shown <= saved + 0.05


async def test_what_the_device_counted_while_home_assistant_was_away_is_not_lost(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0, energy_wh=5000.0, boot_id="a")
    await _reload(site)
    await site.post(amps=10.0, watts=2300.0, energy_wh=5700.0, boot_id="a")
    await site.advance(300, step_s=10)
    assert float(site.state("sensor.casa_energy")) == pytest.approx(0.7)


async def test_home_assistant_stops_without_unloading_and_nothing_is_lost(
    site: Site, hass_storage: dict[str, Any]
) -> None:
    await site.advance(130, amps=20.0, watts=4600.0)
    site.hass.set_state(CoreState.stopping)
    site.hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await site.settle()
    site.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await site.hass.async_block_till_done()
    saved = hass_storage[STORE]["data"]["energy_wh"]
    assert saved == pytest.approx(4600 * 125 / 3600, rel=0.02)
    site.hass.set_state(CoreState.running)
    assert len(site.charger.commands) == 0, "the car goes on with what it has"


@pytest.mark.parametrize("ending", ["stop", "power cut"])
async def test_a_pause_of_ours_is_resumed_after_a_restart(
    site: Site, hass_storage: dict[str, Any], ending: str
) -> None:
    await _pause(site)
    if ending == "stop":
        hass_storage.pop(STORE)
        site.hass.set_state(CoreState.stopping)
        site.hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await site.settle()
        site.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await site.hass.async_block_till_done()
        site.hass.set_state(CoreState.running)
    await _restart(site, hass_storage, hass_storage)
    assert site.state("sensor.rocinante_reason") != "stopped_by_user"
    await site.advance(600, step_s=5, amps=2.0, watts=460.0)
    assert Action.START in [command.action for command in site.charger.commands]


async def _kill(site: Site, storage: dict[str, Any], report: ChargerReport = STOPPED) -> None:
    """End Home Assistant's process at once, and begin again with what was on disk, and with a car as it is then."""
    kept = deepcopy(storage)
    site.charger.report = report
    if site.charger.hold is not None:
        site.charger.hold.set()
    await _restart(site, storage, kept)
    site.charger.hold, site.charger.answer = None, Outcome.ACCEPTED
    site.charger.commands.clear()


async def _is_started(site: Site) -> bool:
    await site.advance(400, step_s=5, amps=2.0, watts=460.0)
    return Action.START in [command.action for command in site.charger.commands]


@pytest.mark.parametrize("moment", ["on its way", "answered", "without an answer", "shown by a report"])
async def test_a_pause_is_ours_whenever_the_process_is_killed(
    site: Site, hass_storage: dict[str, Any], moment: str
) -> None:
    await site.advance(20, amps=18.0, watts=4140.0)
    match moment:
        case "on its way":
            site.charger.hold = asyncio.Event()
        case "without an answer":
            site.charger.answer = ChargerTimeout("Tessie did not answer")
    await site.post(amps=40.0, watts=9200.0)
    assert [command.action for command in site.charger.commands] == [Action.STOP]
    if moment == "shown by a report":
        site.charger.report = STOPPED
        await site.advance(20, amps=24.0, watts=5520.0)
    await _kill(site, hass_storage)
    assert await _is_started(site)


@pytest.mark.parametrize("moment", ["on its way", "answered", "lost"])
async def test_a_start_that_came_to_nothing_is_tried_again_whenever_the_process_is_killed(
    site: Site, hass_storage: dict[str, Any], moment: str
) -> None:
    await _pause(site)
    site.charger.commands.clear()
    match moment:
        case "on its way":
            site.charger.hold = asyncio.Event()
        case "lost":
            site.charger.answer = ChargerTimeout("Tessie did not answer")
    for _ in range(100):
        await site.advance(5, amps=2.0, watts=460.0)
        if Action.START in [command.action for command in site.charger.commands]:
            break
    else:
        pytest.fail("it is not started at all")
    await _kill(site, hass_storage)
    assert await _is_started(site)


@pytest.mark.parametrize("state", [ChargingState.CHARGING, ChargingState.STARTING])
@pytest.mark.parametrize("frozen_s", [60, 300, 1200])
async def test_a_pause_is_ours_though_the_cloud_still_shows_what_was_before_it(
    site: Site, hass_storage: dict[str, Any], state: ChargingState, frozen_s: int
) -> None:
    await site.advance(20, amps=18.0, watts=4140.0)
    await site.post(amps=40.0, watts=9200.0)
    before = replace(CHARGING, state=state, age_s=30.0)
    await _kill(site, hass_storage, before)
    for second in range(0, frozen_s, 5):
        site.charger.report = replace(before, age_s=30.0 + second)
        await site.advance(5, step_s=5, amps=2.0, watts=460.0)
    # Killed once more, as it is still so
    await _kill(site, hass_storage, replace(before, age_s=60.0 + frozen_s))
    site.charger.report = STOPPED
    assert await _is_started(site)


@pytest.mark.parametrize("age_s", [30.0, 400.0])
async def test_a_stop_that_a_stuck_cloud_does_not_show_is_seen_on_the_meter(
    site: Site, hass_storage: dict[str, Any], age_s: float
) -> None:
    """The car is started again once there is room, though its cloud still says that it charges."""
    await site.advance(20, amps=18.0, watts=4140.0)
    await site.post(amps=40.0, watts=9200.0)
    await _kill(site, hass_storage, replace(CHARGING, age_s=age_s))
    actions = []
    for second in range(0, 600, 5):
        site.charger.report = replace(CHARGING, age_s=age_s + second)
        await site.advance(5, step_s=5, amps=2.0, watts=460.0)
        actions += [command.action for command in site.charger.commands]
        if Action.START in actions:
            return
    pytest.fail("nobody started it")


async def test_a_car_that_charges_though_we_had_stopped_it_is_its_users_from_then_on(
    site: Site, hass_storage: dict[str, Any]
) -> None:
    await _pause(site)
    await _kill(site, hass_storage, CHARGING)
    await site.advance(60, amps=18.0, watts=4140.0)
    site.charger.report = STOPPED
    assert not await _is_started(site)
    assert site.state("sensor.rocinante_reason") == "stopped_by_user"


async def test_a_car_that_may_charge_after_a_kill_is_lowered_at_once(site: Site, hass_storage: dict[str, Any]) -> None:
    await _pause(site)
    await _kill(site, hass_storage, replace(CHARGING, age_s=200.0))
    await site.post(amps=30.0, watts=6900.0)
    assert site.charger.commands


async def test_a_stop_by_its_user_after_our_start_is_respected_after_a_kill(
    site: Site, hass_storage: dict[str, Any]
) -> None:
    await _pause(site)
    assert await _is_started(site)
    site.charger.report = CHARGING
    await site.advance(60, amps=18.0, watts=4140.0)
    await _kill(site, hass_storage)
    assert not await _is_started(site)
    assert site.state("sensor.rocinante_reason") == "stopped_by_user"


async def test_what_its_user_set_in_the_app_is_kept_until_it_is_unplugged(
    site: Site, hass_storage: dict[str, Any]
) -> None:
    await site.advance(60, amps=18.0, watts=4140.0)
    wish = replace(CHARGING, requested_amps=8.0, measured_amps=8.0, age_s=0.0)
    site.charger.report = wish
    await site.advance(20, amps=10.0, watts=2300.0)
    await _kill(site, hass_storage, wish)
    await site.advance(300, step_s=5, amps=10.0, watts=2300.0)
    assert not site.charger.commands
    assert site.state("sensor.rocinante_reason") == "user_limit"
    # An option was changed
    await _reload(site)
    await site.advance(300, step_s=5, amps=10.0, watts=2300.0)
    assert not site.charger.commands
    site.charger.report = replace(STOPPED, state=ChargingState.DISCONNECTED, plugged_in=False, requested_amps=8.0)
    await site.advance(60, step_s=5, amps=2.0, watts=460.0)
    site.charger.report = wish
    await site.advance(400, step_s=5, amps=10.0, watts=2300.0)
    assert site.charger.commands[0].amps > 8, "the wish went with the cable"


async def test_energy_is_on_disk_within_a_minute(site: Site, hass_storage: dict[str, Any]) -> None:
    """From the first minute on, whatever the clock says: shown it is every five minutes."""
    await site.advance(66, amps=20.0, watts=4600.0)
    assert hass_storage[STORE]["data"]["energy_wh"] == pytest.approx(4600 * 50 / 3600, rel=0.02)
    assert hass_storage[STORE]["data"]["chargers"][CHARGER_ID]["energy_wh"] == pytest.approx(3680 / 60, rel=0.1)
    for _ in range(20):
        await site.advance(35, step_s=5, amps=20.0, watts=4600.0)
        counted = site.coordinator.controller.meter.energy_wh
        assert counted - hass_storage[STORE]["data"]["energy_wh"] <= 4600 / 60 + 0.1


async def test_nothing_is_written_while_nothing_happens(site: Site, hass_storage: dict[str, Any]) -> None:
    site.charger.report = replace(STOPPED, state=ChargingState.DISCONNECTED, plugged_in=False)
    await site.advance(120, step_s=5)
    hass_storage.pop(STORE)
    await site.advance(600, step_s=5)
    assert STORE not in hass_storage


async def test_a_stop_by_its_user_is_respected_after_a_restart(site: Site, hass_storage: dict[str, Any]) -> None:
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0)
    await site.advance(20, amps=2.0, watts=460.0)
    await _restart(site, hass_storage, hass_storage)
    await site.advance(600, step_s=5, amps=2.0, watts=460.0)
    assert site.state("sensor.rocinante_reason") == "stopped_by_user"
    assert not site.charger.commands


async def test_what_the_house_taught_is_kept_a_few_times_an_hour(site: Site, hass_storage: dict[str, Any]) -> None:
    for minute in range(14):
        await site.advance(60, step_s=5, amps=20.0 - minute % 2, watts=4600.0)
    assert STORE in hass_storage
    assert CONTROL_STORE not in hass_storage, "tens of kB"
    await site.advance(120, step_s=5, amps=20.0, watts=4600.0)
    learned = site.coordinator.controller.record()["house"]
    assert any(any(level[:20]) for phase in learned for level in phase["levels"])
    assert hass_storage[CONTROL_STORE]["data"]["house"]
    await _reload(site)
    assert site.coordinator.controller.record()["house"] == learned


async def test_a_reload_adopts_what_the_car_is_doing(site: Site) -> None:
    await _lower(site)
    await _reload(site)
    await site.advance(30, amps=8.0, watts=1840.0)
    assert len(site.charger.commands) == 1, "neither released nor raised"
    assert float(site.state("sensor.rocinante_target_current")) == site.charger.commands[0].amps


@pytest.mark.parametrize("ending", ["disabled", "removed", "subentry removed"])
async def test_a_car_that_nobody_goes_on_to_control_gets_its_maximum_back(site: Site, ending: str) -> None:
    await _lower(site)
    match ending:
        case "disabled":
            await site.hass.config_entries.async_set_disabled_by(site.entry.entry_id, ConfigEntryDisabler.USER)
        case "removed":
            await site.hass.config_entries.async_remove(site.entry.entry_id)
        case _:
            site.hass.config_entries.async_remove_subentry(site.entry, CHARGER_ID)
    await site.hass.async_block_till_done()
    assert [(c.action, c.amps) for c in site.charger.commands[1:]] == [(Action.SET_AMPS, 16)]


async def test_a_site_that_was_disabled_and_then_removed_released_its_car_once(site: Site) -> None:
    await _lower(site)
    await site.hass.config_entries.async_set_disabled_by(site.entry.entry_id, ConfigEntryDisabler.USER)
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert len(site.charger.commands) == 2


async def test_a_release_that_fails_is_told(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    await _lower(site)
    site.charger.answer = ChargerUnreachable("down")
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert "Rocinante could not be given back: set its current, or start it, in the car" in caplog.text


async def test_a_release_without_an_answer_is_not_waited_for(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.amp_sensor.site.errands.STOP_TIMEOUT_S", 0.0)
    await _lower(site)
    site.charger.hold = asyncio.Event()
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert "Rocinante could not be given back" in caplog.text


async def test_a_car_in_a_full_house_keeps_what_it_has(site: Site) -> None:
    await _lower(site)
    await site.post(amps=24.9, watts=5700.0)
    commands = len(site.charger.commands)
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert len(site.charger.commands) == commands


def _sent(site: Site, *, after: int = 0) -> list[tuple[Action, int]]:
    return [(command.action, command.amps) for command in site.charger.commands[after:]]


async def _set_mode(site: Site, mode: Mode) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, mode=mode))
    await site.settle()


async def _end_control(site: Site, ending: str) -> None:
    match ending:
        case "off" | "monitor":
            await _set_mode(site, Mode(ending))
        case "not managed":
            settings = site.coordinator.data.chargers[CHARGER_ID].settings
            site.coordinator.async_set_charger(CHARGER_ID, replace(settings, managed=False))
        case "disabled":
            await site.hass.config_entries.async_set_disabled_by(site.entry.entry_id, ConfigEntryDisabler.USER)
        case _:
            await site.hass.config_entries.async_remove(site.entry.entry_id)
    if ending in SWITCHES:
        await site.settle()


SWITCHES = ["off", "monitor", "not managed"]
ENDINGS = [*SWITCHES, "disabled", "removed"]


@pytest.mark.parametrize("ending", SWITCHES)
async def test_a_car_whose_control_is_switched_off_gets_its_maximum_back(site: Site, ending: str) -> None:
    await _lower(site)
    await _end_control(site, ending)
    assert _sent(site, after=1) == [(Action.SET_AMPS, 16)]
    site.charger.report = CHARGING
    await site.advance(200, step_s=5, amps=17.0, watts=3910.0)
    assert len(site.charger.commands) == 2


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_car_that_we_paused_is_started_again_when_control_ends(site: Site, ending: str) -> None:
    await _pause(site)
    await site.post(amps=8.6, watts=1978.0)
    await _end_control(site, ending)
    assert _sent(site, after=1) == [(Action.START, 0)]
    assert not ir.async_get(site.hass).issues


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_car_that_nobody_may_start_is_told_to_its_owner(site: Site, ending: str) -> None:
    await _pause(site)
    await _end_control(site, ending)
    if ending in SWITCHES:
        await site.advance(125, amps=24.0, watts=5520.0)
    assert _sent(site, after=1) == []
    assert _issues(site) == {f"left_paused_{CHARGER_ID}"}
    if ending in SWITCHES:
        await site.advance(600, step_s=5, amps=2.0, watts=460.0)
        assert _sent(site, after=1) == [], "nobody expects that any more"
        site.charger.report = CHARGING
        await site.advance(20, amps=18.0, watts=4140.0)
        assert not _issues(site)
    elif ending == "disabled":
        await site.hass.config_entries.async_set_disabled_by(site.entry.entry_id, None)
        await site.settle()
        assert not _issues(site)


async def test_control_that_is_switched_on_again_goes_on_where_it_was(site: Site) -> None:
    await _pause(site)
    await _end_control(site, "off")
    await site.advance(125, amps=24.0, watts=5520.0)
    assert _issues(site)
    await _set_mode(site, Mode.BALANCED)
    await site.advance(1)
    assert not _issues(site)
    await site.advance(300, step_s=5, amps=2.0, watts=460.0)
    assert Action.START in [command.action for command in site.charger.commands]


async def test_a_car_is_given_back_once_its_command_has_its_answer(site: Site) -> None:
    site.charger.hold = asyncio.Event()
    await site.post(amps=40.0, watts=9200.0)
    await _end_control(site, "off")
    assert len(site.charger.commands) == 1
    site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)
    site.charger.hold.set()
    await site.settle()
    await site.advance(20, amps=4.0, watts=920.0)
    assert _sent(site, after=1) == [(Action.START, 0)]


@pytest.mark.parametrize("mode", ["off", "monitor"])
async def test_a_car_that_was_not_controlled_is_not_touched_at_the_end(site: Site, mode: str) -> None:
    site.charger.report = replace(CHARGING, requested_amps=8.0, measured_amps=8.0)
    await _set_mode(site, Mode(mode))
    await site.advance(200, step_s=5, amps=10.0, watts=2300.0)
    sent = len(site.charger.commands)
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert len(site.charger.commands) == sent


async def test_unloading_waits_for_the_command_on_its_way(site: Site) -> None:
    site.charger.hold = asyncio.Event()
    await site.post(amps=30.0, watts=6900.0)
    unloading = site.hass.async_create_task(site.hass.config_entries.async_unload(site.entry.entry_id))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not unloading.done()
    site.charger.hold.set()
    assert await unloading
    assert site.entry.state is ConfigEntryState.NOT_LOADED


async def test_a_site_that_cannot_be_unloaded_goes_on(site: Site) -> None:
    with patch.object(site.hass.config_entries, "async_unload_platforms", return_value=False):
        assert not await site.hass.config_entries.async_unload(site.entry.entry_id)
    await site.post(amps=30.0, watts=6900.0)
    assert site.charger.commands


async def test_nothing_happens_after_unloading(site: Site) -> None:
    await site.hass.config_entries.async_unload(site.entry.entry_id)
    polls = site.charger.polls
    for _ in range(60):
        site.freezer.tick(1)
        await site.hass.async_block_till_done()
    assert site.charger.polls == polls


async def test_a_charger_can_be_added_later(site: Site) -> None:
    add_car(site, "01JOTHER", "Sancho")
    await site.hass.async_block_till_done()
    await site.settle()
    assert site.state("sensor.sancho_charging_state") == "charging"


async def test_a_removed_car_leaves_nothing_behind(
    site: Site, device_registry: dr.DeviceRegistry, entity_registry: er.EntityRegistry
) -> None:
    site.hass.config_entries.async_remove_subentry(site.entry, CHARGER_ID)
    await site.hass.async_block_till_done()
    (device,) = dr.async_entries_for_config_entry(device_registry, site.entry.entry_id)
    assert device.name == "Casa"
    entities = er.async_entries_for_config_entry(entity_registry, site.entry.entry_id)
    assert entities
    assert {entity.device_id for entity in entities} == {device.id}
    await site.settle()
    assert not [entity_id for entity_id in site.hass.states.async_entity_ids() if "rocinante" in entity_id]


async def test_a_removed_site_leaves_nothing_behind(site: Site, hass_storage: dict[str, Any]) -> None:
    await site.advance(300, step_s=10)
    assert STORE in hass_storage
    await _reload(site)
    assert CONTROL_STORE in hass_storage
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert not {STORE, CONTROL_STORE} & hass_storage.keys()


async def test_removing_a_site_that_never_ran_is_fine(hass: HomeAssistant, entry: Any, charger: FakeCharger) -> None:
    entry.add_to_hass(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not charger.commands


# What hangs on the wall, and how the house is fed


async def test_the_fuse_box_stays_what_it_is_whatever_budget_is_set(site: Site) -> None:
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await site.call("number", "set_value", "number.casa_budget", value=10)
    await site.advance(300, step_s=5, amps=14.0, watts=3220.0)
    assert float(site.state("sensor.casa_protection_load")) < 50, "14 A through a breaker of 25 A"


async def test_a_breaker_that_is_hot_stays_so_when_the_budget_is_set(site: Site) -> None:
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await site.advance(300, step_s=5, amps=28.0, watts=6440.0)
    hot = site.coordinator.controller.protection_load
    assert hot > 0.8
    for budget in (24, 25):
        await site.call("number", "set_value", "number.casa_budget", value=budget)
        await site.advance(5, step_s=5, amps=28.0, watts=6440.0)
    assert site.coordinator.controller.protection_load == pytest.approx(hot, abs=0.02)


async def test_what_the_flows_were_told_of_phases_reaches_control(site: Site) -> None:
    hass, entry = site.hass, site.entry
    assert site.coordinator.data.settings.supply is None
    assert site.coordinator.data.chargers[CHARGER_ID].settings.phases is None
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_SUPPLY: "three"})
    hass.config_entries.async_update_subentry(entry, entry.subentries[CHARGER_ID], data=car_data(phases=[2]))
    await hass.async_block_till_done()
    assert site.coordinator.controller.settings.supply is Supply.THREE
    assert site.coordinator.controller.chargers[CHARGER_ID].settings.phases == (2,)


async def test_a_priority_survives_a_reload(site: Site) -> None:
    settings = site.coordinator.data.chargers[CHARGER_ID].settings
    assert settings.priority is Priority.NORMAL
    site.coordinator.async_set_charger(CHARGER_ID, replace(settings, priority=Priority.FIRST))
    await _reload(site)
    assert site.coordinator.data.chargers[CHARGER_ID].settings.priority is Priority.FIRST
