"""Whether a site may command a charger."""

from homeassistant.helpers import entity_registry as er
from syrupy.assertion import SnapshotAssertion

from tests.conftest import Site


async def test_switches(site: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
    for entity_id, state in site.states("switch").items():
        assert entity_registry.async_get(entity_id) == snapshot(name=f"{entity_id}-entry")
        assert state == snapshot(name=f"{entity_id}-state")


async def test_a_car_that_is_not_managed_is_left_alone_until_it_is(site: Site) -> None:
    await site.call("switch", "turn_off", "switch.rocinante_managed")
    assert site.state("switch.rocinante_managed") == "off"
    await site.advance(20, amps=30.0, watts=6900.0)
    assert not site.charger.commands
    assert site.state("sensor.rocinante_reason") == "not_managed"
    await site.call("switch", "turn_on", "switch.rocinante_managed")
    assert site.state("switch.rocinante_managed") == "on"
    assert len(site.charger.commands) == 1
