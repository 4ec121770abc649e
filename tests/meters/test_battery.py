"""What a home battery says, in all the ways in which sensors say it, or nothing."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.amp_sensor.meters.battery import read_battery

SETTINGS = {
    "power": "sensor.power",
    "positive": "charging",
    "state_of_charge": "sensor.charge",
    "first_until_percent": 80,
}


@pytest.mark.parametrize(
    ("text", "unit", "positive", "watts"),
    [
        ("1200", "W", "charging", 1200),
        ("1.2", "kW", "discharging", -1200),
        ("-0.5", "kW", "discharging", 500),
        ("0", "W", "charging", 0),
        ("unavailable", "W", "charging", None),
        ("unknown", "W", "charging", None),
        ("nan", "W", "charging", None),
        ("1200", None, "charging", None),
        ("1e9", "W", "charging", None),
    ],
)
async def test_power_is_what_it_takes_whichever_way_its_maker_counts(
    hass: HomeAssistant, text: str, unit: str | None, positive: str, watts: float | None
) -> None:
    hass.states.async_set("sensor.power", text, {"unit_of_measurement": unit} if unit else {})
    assert read_battery(hass, SETTINGS | {"positive": positive}).watts == watts


@pytest.mark.parametrize(
    ("text", "percent"), [("64.5", 64.5), ("0", 0.0), ("unknown", None), ("nan", None), ("101", None), ("-1", None)]
)
async def test_a_state_of_charge_that_is_none_is_not_taken_for_one(
    hass: HomeAssistant, text: str, percent: float | None
) -> None:
    hass.states.async_set("sensor.charge", text)
    assert read_battery(hass, SETTINGS).percent == percent


async def test_a_battery_without_a_state_of_charge_comes_first(hass: HomeAssistant) -> None:
    hass.states.async_set("sensor.power", "1000", {"unit_of_measurement": "W"})
    battery = read_battery(hass, SETTINGS)
    assert battery.percent is None
    assert battery.left_over_watts == 0
