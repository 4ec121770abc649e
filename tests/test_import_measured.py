"""What an import costs.

Ten million readings: `AMP_SENSOR_ROWS=10000000 python -m pytest tests/test_import_measured.py -s -n0 -p no:logging`.
"""

import asyncio
from contextlib import closing, suppress
import logging
import os
from pathlib import Path
import random
import resource
import sqlite3
import time

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import DOMAIN
from tests.conftest import FakeCharger
from tests.old_databases import SHAPES, TOKEN

ROWS = int(os.environ.get("AMP_SENSOR_ROWS", "50000"))
SECONDS = 6
"""How often the original household's meter posted."""
BLOCKED_S = 0.02
"""The longest that anything may block the event loop."""


def generate(path: Path) -> None:
    luck = random.Random(1)
    end = int(time.time()) // SECONDS * SECONDS
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(SHAPES["6 view tokens"])
        amps = 3.0

        def rows():  # type: ignore[no-untyped-def]
            nonlocal amps
            for number in range(ROWS):
                if luck.random() < 0.01:
                    amps = luck.uniform(1, 20)
                seen = round(amps * luck.gauss(1, 0.01), 2)
                yield TOKEN, seen, 220.0, round(seen * 220, 1), end - (ROWS - number) * SECONDS

        database.executemany(
            "INSERT INTO energy_log (token, amps, volts, watts, created_at, user_agent, client_ip) "
            "VALUES (?, ?, ?, ?, datetime(?, 'unixepoch'), 'ESP32HTTPClient', '192.168.1.20')",
            rows(),
        )
        database.commit()


async def look(late: list[float]) -> None:
    """See by how much the event loop is late, all the time."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - before - 0.005)


async def test_an_import_neither_blocks_nor_fills_memory(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, charger: FakeCharger, tmp_path: Path
) -> None:
    path = tmp_path / "sqlite.db"
    await hass.async_add_executor_job(generate, path)
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)  # a line for each row, only in tests
    late: list[float] = []
    looking = hass.loop.create_task(look(late))
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = []
    for _ in range(2):
        began = time.perf_counter()
        summary = await hass.services.async_call(
            DOMAIN,
            "import_readings",
            {"site": entry.entry_id, "path": str(path)},
            blocking=True,
            return_response=True,
        )
        took.append(time.perf_counter() - began)
        assert summary is not None
        assert summary["readings"] == ROWS
    more_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    late.sort()
    size_mb = path.stat().st_size / 1e6
    print(
        f"\n{ROWS} readings, {size_mb:.0f} MB: {took[0]:.1f} s, again {took[1]:.1f} s; {more_kb / 1024:.0f} MiB more; "
        f"event loop late by {late[len(late) // 2] * 1e3:.1f} ms (median), {late[int(len(late) * 0.99)] * 1e3:.1f} ms "
        f"(99 %), {late[-1] * 1e3:.1f} ms (most) of {len(late)} looks"
    )
    assert late[len(late) // 2] < BLOCKED_S, "the most says as much of what else the machine does"
    assert more_kb / 1024 < 100
