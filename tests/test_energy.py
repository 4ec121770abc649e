"""The Energy dashboard takes the energy of house and car, and nothing that happens makes a spike or a dent in it."""

from datetime import timedelta
from http import HTTPStatus

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.energy.validate import async_validate
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from tests.conftest import Site
from tests.postgresql import BOTH_DATABASES

pytestmark = BOTH_DATABASES
PERIOD = timedelta(minutes=5)


@pytest.fixture
async def energy(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Set up the Energy dashboard, which needs a recorder."""
    assert await async_setup_component(hass, "energy", {})


@pytest.fixture
async def recorded(energy: None, site: Site) -> Site:
    """Set up a site with a recorder, which must be there first, at the beginning of an hour."""
    now = dt_util.utcnow()
    site.freezer.move_to(now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
    await site.settle()
    return site


async def _make_statistics(site: Site) -> None:
    await async_wait_recording_done(site.hass)
    now = dt_util.utcnow()
    do_adhoc_statistics(site.hass, start=now - (now - dt_util.utc_from_timestamp(0)) % PERIOD - PERIOD)
    await async_wait_recording_done(site.hass)


async def _period(site: Site, energy_wh: float | None, *, boot_id: str = "") -> None:
    """Draw 2.4 kW for five minutes: 200 Wh, as the counter of the meter says too where it has one."""
    for step in range(1, 31):
        await site.advance(10, step_s=10)
        counter = {} if energy_wh is None else {"energy_wh": energy_wh + 200 * step / 30, "boot_id": boot_id}
        posted = await site.post(amps=10.4, watts=2400.0, **counter)
        assert posted.status == HTTPStatus.OK
    await _make_statistics(site)


async def _changes(site: Site) -> list[float]:
    found = await get_instance(site.hass).async_add_executor_job(
        statistics_during_period,
        site.hass,
        dt_util.utcnow() - timedelta(days=3),
        None,
        {"sensor.casa_energy"},
        "5minute",
        {"energy": "Wh"},
        {"change"},
    )
    return [row["change"] for row in found["sensor.casa_energy"]]


async def test_the_energy_dashboard_has_nothing_to_complain_of(recorded: Site) -> None:
    await _period(recorded, 5000.0, boot_id="a")
    manager = await async_get_manager(recorded.hass)
    grid = {
        "type": "grid",
        "stat_energy_from": "sensor.casa_energy",
        "stat_energy_to": None,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": 0.2,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0.0,
        "stat_rate": "sensor.casa_power",
    }
    car = {"stat_consumption": "sensor.rocinante_energy", "name": "Rocinante"}
    await manager.async_update({"energy_sources": [grid], "device_consumption": [car]})  # type: ignore[typeddict-item,list-item]
    validation = await async_validate(recorded.hass)
    assert validation.as_dict() == {"energy_sources": [[]], "device_consumption": [[]], "device_consumption_water": []}


async def test_neither_a_restart_nor_a_reset_makes_a_spike_or_a_dent(recorded: Site) -> None:
    await _period(recorded, 5000.0, boot_id="a")
    await _period(recorded, 5200.0, boot_id="a")
    assert await recorded.hass.config_entries.async_reload(recorded.entry.entry_id)
    await _period(recorded, 5400.0, boot_id="a")
    # The sensor restarts, and counts from zero
    await _period(recorded, 0.0, boot_id="b")
    await _period(recorded, 200.0, boot_id="b")
    changes = await _changes(recorded)
    assert min(changes) >= 0, "no dent"
    assert max(changes) <= 220, "no spike: five minutes, and what was shown late"
    assert sum(changes) == pytest.approx(5 * 200, abs=20), "all that was seen, but for the last seconds"


async def test_a_day_without_readings_makes_neither_a_spike_nor_a_dent(recorded: Site) -> None:
    await _period(recorded, None)
    await recorded.advance(86_400, step_s=300)
    await _make_statistics(recorded)
    await _period(recorded, None)
    changes = await _changes(recorded)
    assert min(changes) >= 0, "no dent"
    assert max(changes) <= 220, "no spike"
    assert sum(changes) == pytest.approx(2 * 200, abs=30), "what was seen, and nothing that was not"


async def test_what_the_meters_counter_saw_of_a_silent_day_is_booked_when_it_returns(recorded: Site) -> None:
    """Nobody knows when it was used; but it was, and the bill will have it."""
    await _period(recorded, 5000.0, boot_id="a")
    await recorded.advance(86_400, step_s=300)
    await _make_statistics(recorded)
    await _period(recorded, 14_800.0, boot_id="a")
    *others, largest = sorted(await _changes(recorded))
    assert min(others) >= 0, "no dent"
    assert max(others) <= 220, "nothing of it before the meter was there again"
    assert largest == pytest.approx(9600 + 200, abs=20), "the day, and the five minutes after it"
    assert sum(others) + largest == pytest.approx(9600 + 2 * 200, abs=20), "nothing is lost"
