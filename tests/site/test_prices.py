"""What electricity costs in each quarter of an hour: whatever it is told in, also where clocks are changed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, State, SupportsResponse
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    async_fire_time_changed,
    mock_integration,
)

from custom_components.amp_sensor.site.prices import (
    ACTIONS,
    LOOK,
    Prices,
    PricesError,
    PriceSource,
    async_ask,
    of_entity,
    part_of_unit,
    quarters_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
FIRST = int(START.timestamp() // 900)


def rows(count: int, *, start: str = "start", price: str = "price", minutes: int = 15, **more: Any) -> list[Any]:
    """Return what an integration tells of parts of a day, each a cent dearer than the one before."""
    return [
        {start: (START + timedelta(minutes=minutes * number)).isoformat(), price: number / 100, **more}
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("told", "quarters"),
    [
        (rows(3), 3),
        (rows(2, minutes=60), 8),
        (rows(4, start="start_time", price="per_kwh", minutes=30), 8),
        ({"SE3": rows(3)}, 3),
        ({"prices": {"Home": rows(3, start="start_time")}}, 3),
        ([rows(3, start="startsAt", price="total"), ["nothing"]], 3),
        ([{"start": START, "end": START + timedelta(hours=1), "value": 0.2}], 4),
        ([{"time": START, "price": 0.2}], 4),
        ([{"start": "yesterday", "price": 0.2}, {"start": START.isoformat(), "price": "dear"}], 0),
        ([{"start": START.isoformat(), "price": float("nan")}, {"start": START.isoformat(), "price": True}], 0),
        (None, 0),
    ],
)
def test_whatever_looks_like_parts_of_a_day_is_read(told: Any, quarters: int) -> None:
    found = quarters_of(told)
    assert sorted(found) == list(range(FIRST, FIRST + quarters))


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-11-25", 96)])
@pytest.mark.parametrize("minutes", [15, 60])
def test_a_day_on_which_clocks_are_changed_has_as_many_quarters_as_it_has(
    day: str, quarters: int, minutes: int
) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
    told = [
        {"start": (begin + timedelta(minutes=number)).astimezone(BERLIN).isoformat(), "price": 0.2}
        for number in range(0, quarters * 15, minutes)
    ]
    found = quarters_of(told)
    assert len(found) == quarters
    assert max(found) - min(found) == quarters - 1
    next_day = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=BERLIN)
    assert (max(found) + 1) * 900 == next_day.timestamp()


@pytest.mark.parametrize(
    ("unit", "part"),
    [
        ("EUR/kWh", 1),
        ("EUR/MWh", 0.001),
        ("ct/kWh", 0.01),
        ("öre/kWh", 0.01),
        ("¢/kWh", 0.01),
        ("kr/kWh", 1),
        (None, 1),
    ],
)
def test_prices_are_of_a_kwh_in_the_currency_itself(unit: str | None, part: float) -> None:
    assert part_of_unit(unit) == part
    state = State("sensor.price", "1", {"unit_of_measurement": unit, "raw_today": rows(2), "raw_tomorrow": []})
    assert of_entity(state)[FIRST + 1] == pytest.approx(0.01 * part)
    assert of_entity(None) == {}


def test_what_is_not_known_yet_is_guessed_from_the_nearest_day() -> None:
    prices = Prices({FIRST: 0.1, FIRST + 96: 0.2})
    assert prices.known(FIRST + 192) is None
    assert prices.guess(FIRST + 192) == pytest.approx(0.2)
    assert prices.guess(FIRST - 96) == pytest.approx(0.1)
    assert prices.guess(FIRST + 1) == pytest.approx(0.15)
    assert Prices({}).guess(FIRST) == 0


def test_what_is_long_past_is_forgotten() -> None:
    prices = Prices({FIRST - 300: 0.1, FIRST - 96: 0.1}).and_then({FIRST: 0.2}, START.timestamp())
    assert sorted(prices.by_quarter) == [FIRST - 96, FIRST]


def offer(hass: HomeAssistant, domain: str, answer: Any) -> list[dict[str, Any]]:
    """Let an integration answer; return what it was called with."""
    called: list[dict[str, Any]] = []
    mock_integration(hass, MockModule(domain, async_unload_entry=AsyncMock(return_value=True)))
    MockConfigEntry(domain=domain, entry_id=f"{domain}-entry", state=ConfigEntryState.LOADED).add_to_hass(hass)

    async def respond(call: ServiceCall) -> ServiceResponse:
        called.append(dict(call.data))
        if isinstance(answer, Exception):
            raise answer
        return answer(call.data) if callable(answer) else answer

    hass.services.async_register(domain, ACTIONS[domain].name, respond, supports_response=SupportsResponse.ONLY)
    return called


@pytest.mark.parametrize(
    ("domain", "answer", "area", "price"),
    [
        ("nordpool", {"SE3": rows(2), "SE4": rows(2)}, "SE4", 0.00001),
        ("tibber", {"prices": {"Home": rows(2, start="start_time"), "Hut": []}}, "Home", 0.01),
        ("omie", {"es": rows(2), "pt": rows(2)}, "pt", 0.01),
        ("green_planet_energy", {"prices": rows(2), "hours_requested": 24}, "prices", 0.01),
        ("energyzero", {"prices": rows(2, timestamp="x")}, "prices", 0.01),
        ("amberelectric", {"forecasts": rows(2, start="start_time", price="per_kwh")}, "forecasts", 0.01),
    ],
)
async def test_each_integration_is_asked_and_read_as_it_answers(
    hass: HomeAssistant, domain: str, answer: Any, area: str, price: float
) -> None:
    called = offer(hass, domain, answer)
    told = await async_ask(hass, domain, "the-entry", START.date())
    assert told[area][FIRST + 1] == pytest.approx(price)
    (data,) = called
    assert "the-entry" in data.values() or domain in ("tibber", "omie")
    assert domain in ("green_planet_energy", "amberelectric") or any(
        str(value).startswith("2026-11-25") for value in data.values()
    )


async def test_an_integration_that_fails_in_any_way_has_no_prices(hass: HomeAssistant) -> None:
    offer(hass, "nordpool", ValueError("anything"))
    with pytest.raises(PricesError):
        await async_ask(hass, "nordpool", "entry", START.date())
    source = PriceSource(hass, {"price_action": "nordpool", "price_entry": "entry", "area": "SE3"}, Prices({}))
    assert (await source.async_read()).by_quarter == {}


async def test_one_that_is_not_there_yet_has_no_prices(hass: HomeAssistant) -> None:
    source = PriceSource(hass, {"price_action": "omie", "price_entry": "entry", "area": "pt"}, Prices({}))
    assert (await source.async_read()).by_quarter == {}


async def test_tomorrow_is_asked_for_from_noon_on_and_nothing_twice(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    is_published = False

    def answer(data: dict[str, Any]) -> Any:
        begin = datetime.fromisoformat(data["date"]).replace(tzinfo=BERLIN).astimezone(UTC)
        known = data["date"] == "2026-11-25" or is_published
        parts = range(0, 1440, 15) if known else ()
        return {"SE3": [{"start": (begin + timedelta(minutes=at)).isoformat(), "price": 80.0} for at in parts]}

    called = offer(hass, "nordpool", answer)
    taken: list[Prices] = []
    freezer.move_to("2026-11-25 08:00:00")
    source = PriceSource(hass, {"price_action": "nordpool", "price_entry": "nordpool-entry", "area": "SE3"}, Prices({}))
    stop = source.async_start(taken.append)

    async def later(**span: int) -> None:
        freezer.tick(timedelta(**span))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    await hass.async_block_till_done(wait_background_tasks=True)
    await later(seconds=LOOK.seconds + 1)
    assert [data["date"] for data in called] == ["2026-11-25"], "known already"
    assert len(taken[-1].by_quarter) == 96
    await later(hours=4)
    assert [data["date"] for data in called] == ["2026-11-25", "2026-11-26"], "not published yet"
    is_published = True
    await later(seconds=LOOK.seconds + 1)
    assert len(taken[-1].by_quarter) == 192
    asked = len(called)
    await later(seconds=LOOK.seconds + 1)
    assert len(called) == asked
    stop()
    await later(hours=24)
    assert len(called) == asked
