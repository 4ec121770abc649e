"""How a site is controlled."""

from homeassistant.helpers import entity_registry as er
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.amp_sensor.control import Mode
from tests.conftest import TEXTS, Site


async def test_selects(site: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
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
