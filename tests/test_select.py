"""How a site is controlled, and who of its chargers comes first."""

from datetime import timedelta

from homeassistant.config_entries import ConfigSubentry
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from syrupy.assertion import SnapshotAssertion

from custom_components.amp_sensor.const import SUBENTRY_CHARGER
from custom_components.amp_sensor.control import Mode, Priority
from tests.conftest import CHARGER_ID, TEXTS, Site, car_data


async def _add_second_car(site: Site) -> None:
    site.hass.config_entries.async_add_subentry(
        site.entry,
        ConfigSubentry(
            data=car_data(),  # type: ignore[arg-type]
            subentry_id="01JOTHER",
            subentry_type=SUBENTRY_CHARGER,
            title="Sancho",
            unique_id="other",
        ),
    )
    await site.hass.async_block_till_done()
    await site.settle()


async def test_selects(site: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
    await _add_second_car(site)
    for entity_id, state in site.states("select").items():
        assert entity_registry.async_get(entity_id) == snapshot(name=f"{entity_id}-entry")
        assert state == snapshot(name=f"{entity_id}-state")


@pytest.mark.parametrize("mode", Mode)
async def test_every_mode_can_be_chosen(site: Site, mode: Mode) -> None:
    await site.call("select", "select_option", "select.casa_mode", option=mode)
    assert site.state("select.casa_mode") == mode
    assert site.coordinator.controller.settings.mode is mode


async def test_a_mode_takes_effect_at_once(site: Site) -> None:
    await site.call("select", "select_option", "select.casa_mode", option="monitor")
    await site.post(amps=30.0, watts=6900.0)
    assert site.state("sensor.rocinante_reason") == "over_budget"
    assert not site.charger.commands
    await site.call("select", "select_option", "select.casa_mode", option="balanced")
    assert len(site.charger.commands) == 1
    await site.call("select", "select_option", "select.casa_mode", option="off")
    assert site.state("sensor.rocinante_reason") == "off"


def test_every_mode_has_a_text() -> None:
    assert set(TEXTS["entity"]["select"]["mode"]["state"]) == set(Mode)


async def test_an_only_car_is_not_asked_for_its_priority(site: Site, entity_registry: er.EntityRegistry) -> None:
    assert entity_registry.async_get("select.rocinante_priority") is None
    await _add_second_car(site)
    assert {site.state(f"select.{car}_priority") for car in ("rocinante", "sancho")} == {"normal"}
    site.hass.config_entries.async_remove_subentry(site.entry, "01JOTHER")
    await site.hass.async_block_till_done()
    assert entity_registry.async_get("select.rocinante_priority") is None


async def test_a_second_car_is_no_reason_to_begin_anew_in_the_middle_of_charging(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant reloads a site half a minute after one of its entities was enabled."""
    await _add_second_car(site)
    async_fire_time_changed(site.hass, dt_util.utcnow() + timedelta(seconds=40))
    await site.hass.async_block_till_done()
    assert "Reloading configuration entries" not in caplog.text


async def test_a_priority_that_a_person_disabled_stays_so(site: Site, entity_registry: er.EntityRegistry) -> None:
    await _add_second_car(site)
    entity_registry.async_update_entity("select.sancho_priority", disabled_by=er.RegistryEntryDisabler.USER)
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()
    assert set(site.states("select")) == {"select.casa_mode", "select.rocinante_priority"}


@pytest.mark.parametrize("priority", Priority)
async def test_every_priority_can_be_chosen(site: Site, priority: Priority) -> None:
    await _add_second_car(site)
    await site.call("select", "select_option", "select.rocinante_priority", option=priority)
    assert site.state("select.rocinante_priority") == priority
    assert site.coordinator.controller.chargers[CHARGER_ID].settings.priority is priority


def test_every_priority_has_a_text() -> None:
    assert set(TEXTS["entity"]["select"]["priority"]["state"]) == set(Priority)
