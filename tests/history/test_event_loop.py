"""Questions about a month leave Home Assistant free to do its work: `pytest -s tests/history/test_event_loop.py`."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import process_time

from freezegun import api as freezegun_api
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import Statistics, StatisticsMeta, StatisticsShortTerm
from homeassistant.components.recorder.util import session_scope
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from custom_components.amp_sensor.const import DOMAIN
from simulation.cost import trivial_loop_s
from tests.conftest import Site
from tests.postgresql import BOTH_DATABASES

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
LONGEST_BLOCK = 150
"""Trivial loops: 20 ms where this was written."""
RUNS = 5
UNITS = {"current": "A", "voltage": "V", "power": "W", "energy": "kWh"}
CLASSES = {"current": "electric_current", "voltage": "voltage", "power": "power", "energy": "energy"}


@pytest.fixture
def now(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


def _fill(hass: HomeAssistant) -> None:
    """Write 30 days of hours, and 10 days of five minutes, as the recorder keeps them."""
    with session_scope(hass=hass) as session:
        for key, unit in UNITS.items():
            is_energy = key == "energy"
            meta = StatisticsMeta(
                statistic_id=f"sensor.casa_{key}",
                source="recorder",
                unit_of_measurement=unit,
                unit_class=CLASSES[key],
                has_mean=not is_energy,
                mean_type=0 if is_energy else 1,
                has_sum=is_energy,
            )
            session.add(meta)
            session.flush()
            for table, length_s, days in ((Statistics, 3600, 30), (StatisticsShortTerm, 300, 10)):
                count = days * 86400 // length_s
                begin = NOW.timestamp() - count * length_s
                session.add_all(
                    table(
                        metadata_id=meta.id,
                        start_ts=begin + index * length_s,
                        created_ts=begin + (index + 1) * length_s,
                        **(
                            {"sum": (begin + (index + 1) * length_s) / 3600, "state": 0.0}
                            if is_energy
                            else {"mean": 10.0 + index % 7, "min": 1.0, "max": 20.0 + index % 5}
                        ),
                    )
                    for index in range(count)
                )


def _clock() -> float:
    """Return the true time, s: by this name alone, the fixture does not freeze it."""
    return freezegun_api.real_perf_counter()


async def _longest_gap(until: asyncio.Event) -> tuple[float, float]:
    """Return how long the event loop was away at most while it had something to do all the time, s.

    The first is the time that this process computed meanwhile, which others on the machine do not lengthen; the second
    is by the clock.
    """
    computed = elapsed = 0.0
    last = process_time(), _clock()
    while not until.is_set():
        await asyncio.sleep(0)
        now = process_time(), _clock()
        computed, elapsed = max(computed, now[0] - last[0]), max(elapsed, now[1] - last[1])
        last = now
    return computed, elapsed


@BOTH_DATABASES
@pytest.mark.parametrize("persistent_database", [True])
async def test_a_month_hardly_blocks_the_event_loop(
    now: None, recorder_mock: Recorder, site: Site, request: pytest.FixtureRequest
) -> None:
    hass = site.hass
    await async_wait_recording_done(hass)
    await get_instance(hass).async_add_executor_job(_fill, hass)
    start = NOW - timedelta(days=30)
    # The last pages of the short intervals: there are short-term statistics for those
    pages = (("5_minutes", 1000, 9), ("15_minutes", 1000, 3), ("hour", 1000, 1), ("day", 31, 1), ("month", 2, 1))
    for interval, count, page in pages:
        longest: list[tuple[float, float]] = []
        took: list[float] = []
        # Now and then Python collects the garbage of all tests
        for _ in range(RUNS):
            done = asyncio.Event()
            watch = hass.async_create_task(_longest_gap(done))
            await asyncio.sleep(0)
            began = _clock()
            answer = await hass.services.async_call(
                DOMAIN,
                "get_readings",
                {"site": "01JSITE", "start": start.isoformat(), "interval": interval, "count": count, "page": page},
                blocking=True,
                return_response=True,
            )
            took.append(_clock() - began)
            done.set()
            longest.append(await watch)
            assert answer is not None
            assert len(answer["rows"]) > 1
        assert min(took) > 0
        computed, elapsed = (sorted(seconds)[RUNS // 2] for seconds in zip(*longest, strict=True))
        print(
            f"{request.node.callspec.params['recorder_db_url']}, {interval}: blocked for {1000 * computed:.1f} ms "
            f"({1000 * elapsed:.1f} ms by the clock; median of {RUNS}), answered in {1000 * min(took):.0f} ms"
        )
        assert computed <= LONGEST_BLOCK * trivial_loop_s()
