"""The page in a real browser: `pytest tests/view/test_browser.py --basetemp=…` leaves the pictures there."""

import asyncio
from datetime import UTC, datetime, timedelta
import json
from math import exp, sin
from pathlib import Path
import sys

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.models import StatisticData, StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from yarl import URL

from custom_components.amp_sensor.const import DOMAIN
from tests.browser.person import MISSING, find_chromium
from tests.conftest import Site

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 18, 20, 40, tzinfo=UTC)
SENSORS = {
    "casa_current": ("A", "electric_current", 1.0),
    "casa_power": ("W", "power", 228.0),
    "casa_voltage": ("V", "voltage", 1.0),
    "casa_energy": ("kWh", "energy", 0.228),
    "rocinante_charging_current": ("A", "electric_current", 1.0),
}


def drawn(hour: int) -> tuple[float, float, float]:
    """Return what of an hour's mean is the car's, the mean and the maximum, A; once a week more than the budget."""
    of_day, day = hour % 24, hour // 24
    house = 2.2 + 5 * exp(-((of_day - 20) ** 2) / 8) + 3 * exp(-((of_day - 8) ** 2) / 3) + sin(hour * 2.7) / 2
    if of_day == 12 and day % 7 == 0:
        house += 24
    car = 11 - house / 2 if of_day < 6 and day % 2 == 0 else 0.0
    return car, house + car, house * 1.2 + 1.3 * car + 2 + 2 * abs(sin(hour))


@pytest.fixture
def chromium() -> str:
    return find_chromium() or pytest.skip(MISSING)


@pytest.fixture
def now(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


async def import_month(hass: HomeAssistant) -> None:
    """Give the site a month of hourly statistics."""
    start = NOW.replace(minute=0) - 30 * 24 * HOUR
    for key, (unit, unit_class, factor) in SENSORS.items():
        is_energy = key == "casa_energy"
        total = 0.0
        rows: list[StatisticData] = []
        for hour in range(30 * 24):
            car, mean, highest = drawn(hour)
            if key.startswith("rocinante"):
                mean = highest = car
            elif key == "casa_voltage":
                mean, highest = 234 - mean / 3, 234 - highest / 3
            mean, highest = mean * factor, highest * factor
            total += mean
            row = StatisticData(start=start + hour * HOUR)
            if is_energy:
                row["sum"] = total
            else:
                row |= {"mean": mean, "min": 0.0, "max": max(highest, mean)}
            rows.append(row)
        metadata = StatisticMetaData(
            has_sum=is_energy,
            mean_type=StatisticMeanType.NONE if is_energy else StatisticMeanType.ARITHMETIC,
            name=None,
            source="recorder",
            statistic_id=f"sensor.{key}",
            unit_class=unit_class,
            unit_of_measurement=unit,
        )
        async_import_statistics(hass, metadata, rows)
    await async_wait_recording_done(hass)


def hour_of(moment: str) -> int:
    """Return how many hours after the first one it is."""
    start = NOW.replace(minute=0) - 30 * 24 * HOUR
    return round((datetime.fromisoformat(f"{moment}+01:00") - start) / HOUR)


async def test_the_plot_stacks_house_and_charger_below_the_budget_on_every_screen(
    chromium: str, now: None, recorder_mock: Recorder, site: Site, tmp_path: Path
) -> None:
    await site.hass.config.async_update(time_zone="Europe/Madrid", external_url="https://example.org")
    await import_month(site.hass)
    link = await site.hass.services.async_call(
        DOMAIN, "create_view_link", {"site": "01JSITE", "names": True}, blocking=True, return_response=True
    )
    assert link is not None
    address = site.client.make_url(str(URL(str(link["url"])).relative()))
    browser = await asyncio.create_subprocess_exec(
        *(sys.executable, Path(__file__).with_name("browser.py"), chromium, str(address), tmp_path), stdout=-1
    )
    said, _ = await browser.communicate()
    assert browser.returncode == 0
    for screen, found in json.loads(said).items():
        assert found["problems"] == [], screen
        assert found["canvas"] == 1
        assert list(found["legend"]) == ["From", "Budget", "Maximum", "Average", "Rocinante", "House"]
        assert found["legend"]["From"] == "2026-11-18 20:00", "the last one that is known"
        assert found["painted"] == ["house", "charger-1", "over", "maximum", "budget"]
        moment, budget, highest, mean, car, house = found["pointed"]
        shown = drawn(hour_of(moment))
        assert (budget, highest) == ("25.0 A", f"{shown[2]:.1f} A")
        assert (mean, car) == (f"{shown[1]:.1f} A", f"{shown[0]:.1f} A")
        assert house == f"{shown[1] - shown[0]:.1f} A"
        assert found["overflow"] == 0, "only the table may be wider than the screen, and is moved by itself"
