"""What an import costs.

Ten million readings:
`AMP_SENSOR_ROWS=10000000 python -m pytest tests/migration/test_import_measured.py -s -n0 -p no:logging`.
"""

import asyncio
from contextlib import closing
import gc
import logging
import os
from pathlib import Path
import random
import resource
import sqlite3
import time

from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.history import recorder
from custom_components.amp_sensor.migration.import_readings import IMPORTED
from simulation.cost import trivial_loop_s
from simulation.lateness import Lateness
from tests.migration.old_databases import SHAPES, TOKEN

ROWS = int(os.environ.get("AMP_SENSOR_ROWS", "50000"))
SECONDS = 6
"""How often the original household's meter posted."""
ROUNDS = 3 if ROWS <= 50_000 else 1
IDLE_S = 1.0
LONGEST_BLOCK = 150
"""Trivial loops: 20 ms where this was written."""
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


@pytest.mark.usefixtures("charger")
async def test_an_import_neither_blocks_nor_fills_memory(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "sqlite.db"
    await hass.async_add_executor_job(generate, path)
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    # What only tests have: a line for each row, where each task came from, and the garbage of those before
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
    hass.loop.set_debug(enabled=False)
    gc.collect()
    gc.freeze()
    add = recorder.async_add
    written: list[tuple[StatisticMetaData, list[StatisticData]]] = []

    def write(hass: HomeAssistant, metadata: StatisticMetaData, rows: list[StatisticData]) -> None:
        written.append((metadata, rows))
        add(hass, metadata, rows)

    monkeypatch.setattr(recorder, "async_add", write)

    async def run() -> float:
        began = time.perf_counter()
        summary = await hass.services.async_call(
            DOMAIN,
            "import_readings",
            {"site": entry.entry_id, "path": str(path)},
            blocking=True,
            return_response=True,
        )
        assert summary is not None
        assert summary["readings"] == ROWS
        return time.perf_counter() - began

    async def write_alone() -> float:
        began = time.perf_counter()
        for metadata, rows in written:
            add(hass, metadata, rows)
            await recorder.async_kept(hass)
        return time.perf_counter() - began

    async def clear() -> None:
        recorder_mock.async_clear_statistics([statistic.id(entry.entry_id) for statistic in IMPORTED])
        await recorder.async_kept(hass)

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with Lateness() as idle:
        await asyncio.sleep(IDLE_S)
    blocked_ms = []
    for _ in range(ROUNDS):
        written.clear()
        async with Lateness() as first:
            took_s = await run()
        async with Lateness() as second:
            again_s = await run()
        await clear()
        async with Lateness() as alone:
            alone_s = await write_alone()
        await clear()
        blocked_ms.append(max(first.delays.blocked, second.delays.blocked))
        print(
            f"\n{ROWS} readings, {path.stat().st_size / 1e6:.0f} MB; event loop\n"
            f"  idle for {IDLE_S:.0f} s           {idle.delays}\n"
            f"  {took_s:5.1f} s, import        {first.delays}\n"
            f"  {again_s:5.1f} s, again         {second.delays}\n"
            f"  {alone_s:5.1f} s, its rows alone {alone.delays}"
        )
    more_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    print(f"  {more_kb / 1024:.0f} MiB more")
    longest_ms = 1000 * LONGEST_BLOCK * trivial_loop_s()
    assert min(blocked_ms) <= longest_ms, "what the import does it does each time; a machine may stand still once"
    assert more_kb / 1024 < 100
