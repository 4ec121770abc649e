"""The original service's databases, as each of its versions left them, are read rightly or refused."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import random
import sqlite3

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.amp_sensor.migration.old_database import (
    Hour,
    NoReadings,
    NotOurs,
    NotReadable,
    OldReadings,
    WhichSource,
    read,
)
from tests.migration.old_databases import OTHER, SHAPES, TOKEN, Row, add, write

START = 1_724_400_000.0  # 2024-08-23 08:00:00 UTC
NOW = START + 30 * 86400


def _read(path: Path, token: str | None = None, now: float = NOW) -> OldReadings:
    return read(path, token, now=now, progress=lambda _: None)


def _naive(rows: list[Row]) -> list[Hour]:
    """The same, as one would write it down without a database."""
    ordered = sorted(rows, key=lambda row: row.at)
    hours: dict[int, list[tuple[float, Row]]] = {}
    for row, following in zip(ordered, [*ordered[1:], None], strict=True):
        held = 60.0 if following is None else min(60.0, following.at - row.at)
        hours.setdefault(int(row.at // 3600), []).append((held, row))
    found = []
    for hour, held_rows in sorted(hours.items()):
        time = sum(held for held, _ in held_rows)
        values: list[float] = []
        for value in (lambda row: row.amps, lambda row: row.amps * row.volts, lambda row: row.volts):
            all_values = [value(row) for _, row in held_rows]
            values += [
                sum(held * value(row) for held, row in held_rows) / time,
                min(all_values),
                max(all_values),
            ]
        energy = sum(held * row.amps * row.volts for held, row in held_rows) / 3.6e6
        found.append(Hour(hour * 3600.0, len(held_rows), *values, energy))
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_every_version_of_the_database_gives_the_same_hours(tmp_path: Path, shape: str) -> None:
    rows = [Row(at=START + 60 * minute, amps=5.0 + minute % 7, volts=228.5) for minute in range(2 * 24 * 60)]
    found = _read(write(tmp_path / "sqlite.db", rows, shape))
    assert [hour.start for hour in found] == [START + 3600 * number for number in range(48)]
    for hour, expected in zip(found, _naive(rows), strict=True):
        assert hour == pytest.approx(expected)
    assert found.energy_kwh == pytest.approx(sum(row.amps * row.volts for row in rows) / 60 / 1000)
    assert found.readings == len(rows)
    assert found.has_volts


_times = st.integers(0, 3 * 86400).map(lambda second: START + second)
_rows = st.builds(Row, at=_times, amps=st.floats(0, 100).map(lambda amps: round(amps, 2)), volts=st.just(230.5))


@settings(max_examples=40, deadline=None)
@given(
    spread=st.lists(_rows, min_size=1, max_size=60, unique_by=lambda row: row.at),
    runs=st.lists(st.tuples(_times, st.integers(1, 40), st.integers(1, 61)), max_size=3),
    consolidated=st.booleans(),
    shape=st.sampled_from(["1 decimals", "6 view tokens"]),
    luck=st.randoms(use_true_random=False),
)
def test_hours_are_those_of_a_naive_sum(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    spread: list[Row],
    runs: list[tuple[float, int, int]],
    consolidated: bool,
    shape: str,
    luck: random.Random,
) -> None:
    found = {row.at: row for row in spread}
    for start, count, step in runs:
        found |= {
            start + step * number: Row(at=start + step * number, amps=number % 13, volts=230.5)
            for number in range(count)
        }
    rows = list(found.values())
    luck.shuffle(rows)
    half = len(rows) // 2
    path = write(tmp_path_factory.mktemp("old") / "sqlite.db", rows[:half], shape)
    with closing(sqlite3.connect(path)) as database:
        add(database, rows[half:], consolidated=consolidated)
    hours = _read(path)
    for hour, expected in zip(hours, _naive(rows), strict=True):
        assert hour == pytest.approx(expected)


def test_of_readings_in_the_same_second_the_last_lasts_and_all_count_for_the_extremes(tmp_path: Path) -> None:
    rows = [Row(at=START, amps=30.0), Row(at=START, amps=1.0), Row(at=START, amps=4.0), Row(at=START + 10, amps=4.0)]
    [hour] = _read(write(tmp_path / "sqlite.db", rows))
    assert (hour.mean_amps, hour.min_amps, hour.max_amps) == (4.0, 1.0, 30.0)


def test_export_is_no_energy(tmp_path: Path) -> None:
    rows = [Row(at=START, amps=4.0, watts=-920.0), Row(at=START + 60, amps=4.0, watts=920.0)]
    [hour] = _read(write(tmp_path / "sqlite.db", rows))
    assert hour.mean_watts == 0
    assert hour.energy_kwh == pytest.approx(0.92 / 60)


def test_a_voltage_that_the_service_assumed_is_none(tmp_path: Path) -> None:
    assert not _read(write(tmp_path / "sqlite.db", [Row(at=START, amps=4.0)])).has_volts


def test_readings_that_cannot_be_are_left_out(tmp_path: Path) -> None:
    good = [Row(at=START + 60 * minute, amps=5.0, volts=230.0) for minute in range(10)]
    bad = [
        Row(at=START + 5, amps=9999.0, volts=230.0, watts=1.0),
        Row(at=START + 6, amps=-1.0, volts=230.0),
        Row(at=START + 7, amps=5.0, volts=0.0, watts=1100.0),
        Row(at=START + 8, amps=5.0, volts=230.0, watts=1e9),
        Row(at=NOW + 60, amps=5.0, volts=230.0),
    ]
    path = write(tmp_path / "sqlite.db", good + bad, "2 users and text")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE energy_log SET amps = 'many' WHERE id = 3")
        database.execute("UPDATE energy_log SET created_at = '2024-08-23 noon' WHERE id = 4")
        database.commit()
    found = _read(path)
    assert found.readings == 8
    assert found.source.readings == 15
    assert {(hour.min_amps, hour.max_amps) for hour in found} == {(5.0, 5.0)}


def test_a_token_is_chosen_by_its_beginning_and_never_shown(tmp_path: Path) -> None:
    rows = [Row(at=START, amps=4.0), Row(at=START, amps=8.0, token=OTHER), Row(at=START, amps=2.0, token="ab")]
    path = write(tmp_path / "sqlite.db", rows)
    for unclear in (None, "q3Z", "elsewhere"):
        with pytest.raises(WhichSource) as raised:
            _read(path, unclear)
        shown = [source.shown for source in raised.value.sources]
        assert shown == ["a…", "q3Zx…", "q3Zy…"]
        assert [source.location for source in raised.value.sources] == ["default", "default", "Garage"]
        assert TOKEN not in repr(raised.value.sources)
    for chosen in (OTHER, "q3Zy", "q3Zy…"):
        [hour] = _read(path, chosen)
        assert hour.mean_amps == 8.0


def test_a_token_that_another_begins_with_can_be_chosen(tmp_path: Path) -> None:
    rows = [Row(at=START, amps=4.0, token="house"), Row(at=START, amps=8.0, token="house2")]
    [hour] = _read(write(tmp_path / "sqlite.db", rows), "house")
    assert hour.mean_amps == 4.0


def test_the_end_of_the_file_is_told_as_one(tmp_path: Path) -> None:
    rows = [Row(at=START + 86400 * day, amps=4.0) for day in (0, 1, 9)]
    told: list[float] = []
    read(write(tmp_path / "sqlite.db", rows), None, now=NOW, progress=told.append)
    assert told == [0.1, 0.2, 1.0]


def _garbage(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(8192))


def _text(path: Path) -> None:
    path.write_text("time;amps\n2024-08-23 08:00:00;4\n" * 100)


def _cut(path: Path) -> None:
    write(path, [Row(at=START + 6 * number, amps=4.0) for number in range(5000)])
    path.write_bytes(path.read_bytes()[: 4096 * 20])


def _scratched(path: Path) -> None:
    write(path, [Row(at=START + 6 * number, amps=4.0) for number in range(5000)])
    data = bytearray(path.read_bytes())
    data[4096 * 20 : 4096 * 40] = random.Random(1).randbytes(4096 * 20)
    path.write_bytes(data)


def _interrupted(path: Path) -> None:
    """The service was killed while it wrote: its journal says how to take back what is half done."""
    write(path, [Row(at=START + 6 * number, amps=4.0) for number in range(5000)])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN")
        database.execute("UPDATE energy_log SET amps = 400")
        half_done = path.read_bytes()
        journal = path.with_name(f"{path.name}-journal").read_bytes()
    path.write_bytes(half_done)
    path.with_name(f"{path.name}-journal").write_bytes(journal)


@pytest.mark.parametrize("spoil", [_garbage, _text, _cut, _scratched])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = tmp_path / "sqlite.db"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(NotReadable):
        _read(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["sqlite.db"]


def test_what_was_half_done_when_the_service_was_killed_is_not_taken_for_readings(tmp_path: Path) -> None:
    path = tmp_path / "sqlite.db"
    _interrupted(path)
    with pytest.raises(NotReadable):
        _read(path)


def test_a_file_that_is_being_written_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "sqlite.db", [Row(at=START + 86400 * day, amps=4.0) for day in range(3)])

    def write_meanwhile(_: float) -> None:
        with closing(sqlite3.connect(path)) as database:
            add(database, [Row(at=START + 5, amps=4.0)])

    with pytest.raises(NotReadable, match="meanwhile"):
        read(path, None, now=NOW, progress=write_meanwhile)


def test_a_log_that_the_service_left_beside_it_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "live.db", [Row(at=START, amps=4.0)])
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        add(database, [Row(at=START + 1, amps=4.0)])
        copies = {
            tmp_path / f"copy.db{suffix}": (tmp_path / f"live.db{suffix}").read_bytes() for suffix in ("", "-wal")
        }
        for copy, data in copies.items():
            copy.write_bytes(data)
    assert _read(tmp_path / "copy.db").readings == 2


@pytest.mark.parametrize(
    "script",
    [
        "",
        "CREATE TABLE states (id INTEGER PRIMARY KEY, state TEXT);",
        "CREATE TABLE energy_log (id INTEGER PRIMARY KEY, token TEXT, kwh REAL);",
        """
        CREATE TABLE t (a);
        CREATE VIEW energy_log AS SELECT 1 id, 'a' token, 1 amps, 1 volts, 1 watts, '2024-08-23 08:00:00' created_at;
        """,
    ],
)
def test_a_foreign_database_is_refused(tmp_path: Path, script: str) -> None:
    with closing(sqlite3.connect(tmp_path / "sqlite.db")) as database:
        database.executescript(script)
    (tmp_path / "sqlite.db").touch()
    with pytest.raises(NotOurs):
        _read(tmp_path / "sqlite.db")


@pytest.mark.parametrize("time", ["yesterday", 1724400000])
def test_times_that_the_service_did_not_write_are_refused(tmp_path: Path, time: str | int) -> None:
    path = write(tmp_path / "sqlite.db", [Row(at=START, amps=4.0)])
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE energy_log SET created_at = ?", (time,))
        database.commit()
    with pytest.raises(NotOurs):
        _read(path)


def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoReadings):
        _read(write(tmp_path / "none.db", []))
    with pytest.raises(NoReadings):
        _read(write(tmp_path / "unusable.db", [Row(at=START, amps=-4.0)]))
