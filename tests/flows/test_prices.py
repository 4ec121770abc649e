"""Choosing where prices come from: an integration that answers with them, or an entity that lists them."""

from typing import Any
from unittest.mock import AsyncMock

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockModule, mock_integration

from custom_components.amp_sensor.const import SUBENTRY_PRICES
from tests.conftest import Site

DAY = "2026-11-25"


@pytest.fixture(autouse=True)
async def at_night(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await hass.config.async_set_time_zone("Europe/Madrid")
    freezer.move_to(f"{DAY} 03:00:00")


def hours(*prices: float, unit: str = "EUR/kWh") -> dict[str, Any]:
    """Return the attributes of an entity with prices of the hours from three on."""
    rows = [{"start": f"{DAY}T{3 + number:02d}:00:00+00:00", "price": price} for number, price in enumerate(prices)]
    return {"unit_of_measurement": unit, "prices": rows, "friendly_name": "Tariff"}


def offer_nordpool(hass: HomeAssistant, *areas: str, fails: type[HomeAssistantError] | None = None) -> str:
    """Set up an integration that answers as Nord Pool does; return the id of its entry."""
    entry = MockConfigEntry(domain="nordpool", title="Nord Pool", state=ConfigEntryState.LOADED)
    entry.add_to_hass(hass)
    mock_integration(hass, MockModule("nordpool", async_unload_entry=AsyncMock(return_value=True)))

    async def answer(call: ServiceCall) -> ServiceResponse:
        assert call.data == {"config_entry": entry.entry_id, "date": DAY}
        if fails is not None:
            raise fails
        return {
            area: [{"start": f"{DAY}T03:00:00+00:00", "end": f"{DAY}T03:15:00+00:00", "price": 80.0}] for area in areas
        }

    hass.services.async_register("nordpool", "get_prices_for_date", answer, supports_response=SupportsResponse.ONLY)
    return entry.entry_id


async def begin(site: Site, **context: Any) -> Any:
    flow = site.hass.config_entries.subentries
    return await flow.async_init((site.entry.entry_id, SUBENTRY_PRICES), context={"source": SOURCE_USER, **context})


async def submit(site: Site, result: Any, **typed: Any) -> Any:
    result = await site.hass.config_entries.subentries.async_configure(result["flow_id"], typed)
    await site.hass.async_block_till_done()
    return result


def kept(site: Site) -> list[dict[str, Any]]:
    return [dict(each.data) for each in site.entry.get_subentries_of_type(SUBENTRY_PRICES)]


async def test_an_entity_is_asked_for_where_nothing_answers_with_prices(site: Site) -> None:
    page = await begin(site)
    assert page["step_id"] == "entity"
    site.hass.states.async_set("sensor.tariff", "0.2", hours(0.2, 0.1))
    site.hass.states.async_set("sensor.other", "0.2", {"friendly_name": "Other"})
    page = await submit(site, page, price_entity="sensor.other")
    assert page["errors"] == {"price_entity": "no_prices"}
    result = await submit(site, page, price_entity="sensor.tariff")
    assert (result["type"], result["title"]) == (FlowResultType.CREATE_ENTRY, "Tariff")
    assert kept(site) == [{"price_entity": "sensor.tariff"}]
    assert site.state("select.rocinante_plan") == "now", "nothing changes until a plan is chosen"
    again = await begin(site)
    assert again["reason"] == "already_configured"


async def test_each_area_of_an_integration_can_be_chosen(site: Site) -> None:
    entry_id = offer_nordpool(site.hass, "SE3", "SE4")
    page = await begin(site)
    (choice,) = page["data_schema"].schema.values()
    assert [option["label"] for option in choice.config["options"]] == [
        "Nord Pool (SE3)",
        "Nord Pool (SE4)",
        "An entity with prices",
    ]
    result = await submit(site, page, source=f"nordpool.{entry_id}.SE4")
    assert result["title"] == "Nord Pool (SE4)"
    assert kept(site) == [{"price_action": "nordpool", "price_entry": entry_id, "area": "SE4"}]


async def test_an_entity_can_be_chosen_beside_an_integration(site: Site) -> None:
    offer_nordpool(site.hass, "SE3")
    page = await begin(site)
    page = await submit(site, page, source="entity")
    assert page["step_id"] == "entity"


@pytest.mark.parametrize("fails", [ServiceValidationError, HomeAssistantError])
async def test_an_integration_that_fails_is_not_offered(site: Site, fails: type[HomeAssistantError]) -> None:
    offer_nordpool(site.hass, "SE3", fails=fails)
    page = await begin(site)
    assert page["step_id"] == "entity"


async def test_one_that_has_no_price_of_now_is_not_offered(site: Site, freezer: FrozenDateTimeFactory) -> None:
    offer_nordpool(site.hass, "SE3")
    freezer.tick(900)
    page = await begin(site)
    assert page["step_id"] == "entity"


async def test_the_source_can_be_changed(site: Site) -> None:
    site.hass.states.async_set("sensor.tariff", "0.2", hours(0.2))
    site.hass.states.async_set("sensor.new", "20", {**hours(20.0, unit="ct/kWh"), "friendly_name": "New"})
    await submit(site, await begin(site), price_entity="sensor.tariff")
    (subentry,) = site.entry.get_subentries_of_type(SUBENTRY_PRICES)
    page = await begin(site, source=SOURCE_RECONFIGURE, subentry_id=subentry.subentry_id)
    (field,) = page["data_schema"].schema
    assert field.description == {"suggested_value": "sensor.tariff"}
    result = await submit(site, page, price_entity="sensor.new")
    assert result["reason"] == "reconfigure_successful"
    assert kept(site) == [{"price_entity": "sensor.new"}]


async def test_an_integration_can_be_changed_for_an_entity(site: Site) -> None:
    entry_id = offer_nordpool(site.hass, "SE3")
    await submit(site, await begin(site), source=f"nordpool.{entry_id}.SE3")
    (subentry,) = site.entry.get_subentries_of_type(SUBENTRY_PRICES)
    page = await begin(site, source=SOURCE_RECONFIGURE, subentry_id=subentry.subentry_id)
    page = await submit(site, page, source="entity")
    (field,) = page["data_schema"].schema
    assert field.description is None
