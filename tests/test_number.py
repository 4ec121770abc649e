"""The amps that a person sets."""

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from syrupy.assertion import SnapshotAssertion

from tests.conftest import Site


async def test_numbers(site: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
    for entity_id, state in site.states("number").items():
        assert entity_registry.async_get(entity_id) == snapshot(name=f"{entity_id}-entry")
        assert state == snapshot(name=f"{entity_id}-state")


async def test_a_lower_budget_lowers_the_car_without_a_reading(site: Site) -> None:
    await site.post(amps=22.0, watts=5060.0)
    assert not site.charger.commands
    await site.call("number", "set_value", "number.casa_budget", value=15)
    assert site.state("number.casa_budget") == "15.0"
    assert [command.amps for command in site.charger.commands] == [pytest.approx(8, abs=1)]


async def test_a_lower_maximum_lowers_the_car(site: Site) -> None:
    await site.post(amps=18.0, watts=4140.0)
    await site.call("number", "set_value", "number.rocinante_maximum_current", value=10)
    assert site.state("number.rocinante_maximum_current") == "10"
    assert [command.amps for command in site.charger.commands] == [10]


async def test_the_minimum_may_be_raised_to_the_maximum_and_no_further(site: Site) -> None:
    await site.call("number", "set_value", "number.rocinante_minimum_current", value=16)
    assert site.state("number.rocinante_minimum_current") == "16"
    for entity_id, value in (
        ("number.rocinante_minimum_current", 17),
        ("number.rocinante_maximum_current", 15),
    ):
        with pytest.raises(ServiceValidationError) as refused:
            await site.call("number", "set_value", entity_id, value=value)
        assert str(refused.value).startswith("The minimum current (1")
        assert "Change the other one first" in str(refused.value)
    assert site.state("number.rocinante_minimum_current") == "16"
    assert site.state("number.rocinante_maximum_current") == "16"


@pytest.mark.parametrize(
    ("entity_id", "value"),
    [
        ("number.casa_budget", 5.9),
        ("number.casa_budget", 126),
        ("number.rocinante_maximum_current", 49),
        ("number.rocinante_minimum_current", 4),
    ],
)
async def test_limits_hold(site: Site, entity_id: str, value: float) -> None:
    before = site.state(entity_id)
    with pytest.raises(ServiceValidationError, match="outside valid range"):
        await site.call("number", "set_value", entity_id, value=value)
    assert site.state(entity_id) == before


async def test_two_changes_at_once_both_count(site: Site) -> None:
    await site.hass.services.async_call(
        "number", "set_value", {"entity_id": "number.rocinante_minimum_current", "value": 6}
    )
    await site.hass.services.async_call(
        "number", "set_value", {"entity_id": "number.rocinante_maximum_current", "value": 12}
    )
    await site.hass.async_block_till_done()
    assert site.state("number.rocinante_minimum_current") == "6"
    assert site.state("number.rocinante_maximum_current") == "12"
