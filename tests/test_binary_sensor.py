"""What is so, or is not so."""

from dataclasses import replace

from homeassistant.helpers import entity_registry as er
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.amp_sensor.const import CONF_CONNECTED_TIMEOUT
from tests.conftest import CHARGING, Site


async def test_binary_sensors(site: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
    await site.post(amps=10.0, watts=2300.0)
    for entity_id, state in site.states("binary_sensor").items():
        assert entity_registry.async_get(entity_id) == snapshot(name=f"{entity_id}-entry")
        assert state == snapshot(name=f"{entity_id}-state")


@pytest.mark.parametrize(("amps", "over"), [(25.0, "off"), (25.7, "off"), (25.8, "on")])
async def test_over_budget_is_more_than_noise_above_it(site: Site, amps: float, over: str) -> None:
    await site.post(amps=amps, watts=5700.0)
    assert site.state("binary_sensor.casa_over_budget") == over


async def test_nobody_knows_whether_a_silent_house_is_over_budget(site: Site) -> None:
    assert site.state("binary_sensor.casa_over_budget") == "unavailable"
    await site.advance(60)
    assert site.state("binary_sensor.casa_over_budget") == "unavailable"


async def test_a_meter_that_was_not_heard_yet_is_silent_only_after_a_while(site: Site) -> None:
    assert site.state("binary_sensor.casa_connected") == "unknown"
    await site.advance(59)
    assert site.state("binary_sensor.casa_connected") == "unknown"
    await site.advance(1)
    assert site.state("binary_sensor.casa_connected") == "off"


async def test_when_a_meter_counts_as_silent_is_an_option(site: Site) -> None:
    site.hass.config_entries.async_update_entry(site.entry, options={CONF_CONNECTED_TIMEOUT: 15})
    await site.hass.async_block_till_done()
    await site.post(amps=10.0, watts=2300.0)
    await site.advance(14)
    assert site.state("binary_sensor.casa_connected") == "on"
    await site.advance(1)
    assert site.state("binary_sensor.casa_connected") == "off"


@pytest.mark.parametrize(("known", "shown"), [(True, "on"), (False, "off"), (None, "unknown")])
async def test_the_car_is_here_or_not_or_nobody_knows(site: Site, known: bool | None, shown: str) -> None:
    site.charger.report = replace(CHARGING, plugged_in=known, at_home=known)
    await site.advance(20)
    assert site.state("binary_sensor.rocinante_plugged_in") == shown
    assert site.state("binary_sensor.rocinante_at_home") == shown
