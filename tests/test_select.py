"""How a site is controlled, and who of its chargers comes first."""

from homeassistant.config_entries import ConfigSubentry
from homeassistant.helpers import entity_registry as er
import pytest
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
    entry = entity_registry.async_get("select.rocinante_priority")
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    await _add_second_car(site)
    assert {site.state(f"select.{car}_priority") for car in ("rocinante", "sancho")} == {"normal"}


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
