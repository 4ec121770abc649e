"""Somebody who asks for readings gets what was measured, wherever the recorder keeps it by now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.persistent_notification import _async_get_or_create_notifications
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import States, StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticData, StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import async_add_external_statistics, async_import_statistics
from homeassistant.components.recorder.util import session_scope
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.amp_sensor.const import DOMAIN
from tests.conftest import Site
from tests.postgresql import BOTH_DATABASES

START = datetime(2026, 11, 17, 23, tzinfo=UTC)  # midnight in Madrid
HOUR = timedelta(hours=1)
UNITS = {"current": "A", "voltage": "V", "power": "W", "energy": "kWh"}


@dataclass
class House:
    """A site with a recorder, and what was measured."""

    site: Site
    freezer: FrozenDateTimeFactory

    @property
    def hass(self) -> HomeAssistant:
        return self.site.hass

    def entity_id(self, key: str) -> str:
        found = er.async_get(self.hass).async_get_entity_id(SENSOR_DOMAIN, DOMAIN, f"01JSITE_{key}")
        assert found is not None
        return found

    async def record(self, key: str, states: list[tuple[datetime, float | None]], unit: str | None = None) -> None:
        """Let the recorder have states of a sensor."""
        entity_id = self.entity_id(key)
        attributes = dict(self.hass.states.get(entity_id).attributes) | {"unit_of_measurement": unit or UNITS[key]}
        for at, value in states:
            state = STATE_UNAVAILABLE if value is None else str(value)
            self.hass.states.async_set(entity_id, state, attributes, timestamp=at.timestamp())
        await async_wait_recording_done(self.hass)

    async def compile(self, start: datetime, end: datetime) -> None:
        """Let the recorder do its statistics, as it does every five minutes."""
        while start < end:
            do_adhoc_statistics(self.hass, start=start)
            start += timedelta(minutes=5)
        await async_wait_recording_done(self.hass)

    async def purge(self, before: datetime) -> None:
        """Forget what the recorder forgets after ten days: states and short-term statistics."""

        def purge() -> None:
            with session_scope(hass=self.hass) as session:
                session.query(States).update({States.old_state_id: None})
                session.query(States).filter(States.last_updated_ts < before.timestamp()).delete()
                session.query(StatisticsShortTerm).filter(StatisticsShortTerm.start_ts < before.timestamp()).delete()

        await get_instance(self.hass).async_add_executor_job(purge)

    async def ask(self, **asked: Any) -> dict[str, Any]:
        answer = await self.hass.services.async_call(
            DOMAIN,
            "get_readings",
            {"site": "01JSITE", **{key: str(value) for key, value in asked.items()}},
            blocking=True,
            return_response=True,
        )
        assert answer is not None
        return answer


@pytest.fixture
def at_start(freezer: FrozenDateTimeFactory) -> None:
    """Begin before there is a recorder: it does not look for states from before its own time."""
    freezer.move_to(START - HOUR)


@pytest.fixture
async def house(at_start: None, recorder_mock: Recorder, site: Site, freezer: FrozenDateTimeFactory) -> House:
    await site.hass.config.async_set_time_zone("Europe/Madrid")
    freezer.move_to(START)
    return House(site, freezer)


def own(statistic_id: str, key: str) -> StatisticMetaData:
    is_energy = key == "energy"
    unit_classes = {"current": "electric_current", "voltage": "voltage", "power": "power", "energy": "energy"}
    return StatisticMetaData(
        has_sum=is_energy,
        mean_type=StatisticMeanType.NONE if is_energy else StatisticMeanType.ARITHMETIC,
        name=None,
        source="recorder" if statistic_id.startswith("sensor.") else DOMAIN,
        statistic_id=statistic_id,
        unit_class=unit_classes[key],
        unit_of_measurement=UNITS[key],
    )


def steps(end: datetime, value: Callable[[float], float | None]) -> list[tuple[datetime, float | None]]:
    """Sample something every 20 s, never just when an interval begins."""
    count = int((end - START) / timedelta(seconds=20))
    times = [START + timedelta(seconds=20 * index - 7) for index in range(count)]
    return [(at, value((at - START) / HOUR)) for at in times]


def expected(
    states: list[tuple[datetime, float | None]], start: datetime, end: datetime, now: datetime
) -> tuple[float, float] | None:
    """Return the mean by time and the maximum: computed the long way."""
    pieces = [
        (value, (min(until, end) - max(at, start)).total_seconds())
        for (at, value), (until, _) in pairwise([*states, (now, None)])
        if value is not None and max(at, start) < min(until, end)
    ]
    if not pieces:
        return None
    return sum(value * span for value, span in pieces) / sum(span for _, span in pieces), max(v for v, _ in pieces)


@BOTH_DATABASES
async def test_one_answer_from_states_and_both_kinds_of_statistics(house: House) -> None:
    now = START + timedelta(hours=4, minutes=23)
    house.freezer.move_to(now)
    amps = steps(now, lambda hour: None if 2.5 <= hour < 2.75 else round(10 + 7 * (hour * 37 % 1), 2))
    watts = [(at, None if value is None else 230 * value) for at, value in amps]
    kwh = steps(now, lambda hour: round(max(0.0, 5 + hour - (6 if hour >= 2 else 0)), 4))  # it began anew at two
    await house.record("current", amps)
    await house.record("power", watts)
    await house.record("energy", kwh)
    await house.compile(START, START + timedelta(hours=4, minutes=15))
    await house.purge(START + timedelta(hours=1, minutes=20))
    # By now: 0 to 2 o'clock in hourly statistics alone, 2 to 4.15 in both kinds, then states

    for interval in ("5_minutes", "15_minutes", "hour", "day", "week", "month"):
        answer = await house.ask(start=START, interval=interval, count=1000)
        rows = answer["rows"]
        is_short = interval.endswith("minutes")
        assert answer["hourly_until"] == ("2026-11-18T02:00:00+01:00" if is_short else None)
        assert [row["end"] for row in rows[:-1]] == [row["start"] for row in rows[1:]]
        for row in rows:
            start, end = (datetime.fromisoformat(row[key]) for key in ("start", "end"))
            if is_short and start < START + 2 * HOUR:
                start = START + (start - START) // HOUR * HOUR
                end = start + HOUR
            measured = expected(amps, start, end, now)
            if measured is None:
                assert row["mean_amps"] is row["max_amps"] is row["mean_watts"] is None
            else:
                mean, highest = measured
                # Around the time without readings, the recorder's own means know nothing of the gap
                tolerance = 0.25 if start < START + 3 * HOUR and end > START + 2.5 * HOUR else 0.011
                assert row["mean_amps"] == pytest.approx(mean, abs=tolerance)
                assert row["max_amps"] == pytest.approx(highest)
                assert row["mean_watts"] == pytest.approx(230 * mean, abs=1 + 230 * tolerance)
                assert row["max_watts"] == pytest.approx(230 * highest, abs=1)
            assert row["mean_volts"] is row["max_volts"] is None
        # Two hours, and as much as the counter shows since it began anew
        energy = [row["kwh"] for row in rows]
        assert sum(energy) == pytest.approx(2 + 1 + 2.376, abs=0.005)
        if is_short:
            assert max(energy[: len(rows) // 3]) == pytest.approx(1 / (len(rows) // 4.4), rel=0.1)
        if interval == "hour":
            assert rows[0]["start"] == "2026-11-18T00:00:00+01:00"
            assert energy == pytest.approx([1, 1, 2, 1, 0.376], abs=0.006)


async def import_hours(house: House, statistic_id: str, key: str, start: datetime, values: list[float]) -> None:
    """Let long-term statistics have hours: of amps, volts or watts, or of the kWh that they add."""
    total = 0.0
    rows: list[StatisticData] = []
    for index, value in enumerate(values):
        total += value
        row = StatisticData(start=start + index * HOUR)
        rows.append(row | ({"sum": total} if key == "energy" else {"mean": value, "min": 0.0, "max": value + 5}))
    add = async_import_statistics if statistic_id.startswith("sensor.") else async_add_external_statistics
    add(house.hass, own(statistic_id, key), rows)
    await async_wait_recording_done(house.hass)


@BOTH_DATABASES
async def test_what_was_imported_fills_what_was_before_us(house: House) -> None:
    first = START - 48 * HOUR
    for key, value in (("current", 8.0), ("power", 1840.0), ("energy", 1.84)):
        await import_hours(house, f"{DOMAIN}:01jsite_{key}", key, first, [value] * 26)
    await import_hours(house, house.entity_id("current"), "current", first + 24 * HOUR, [4.0] * 24)
    await import_hours(house, house.entity_id("energy"), "energy", first + 24 * HOUR, [1.0] * 24)
    rows = (await house.ask(start=first, end=START, interval="day"))["rows"]
    assert [row["mean_amps"] for row in rows] == [8.0, 4.0], "what we measured ourselves comes first"
    assert [row["max_amps"] for row in rows] == [13.0, 9.0]
    assert [row["mean_watts"] for row in rows] == [1840.0, 1840.0], "of the second day, two hours are known"
    assert [row["kwh"] for row in rows] == [pytest.approx(24 * 1.84), 24.0]
    (part,) = (await house.ask(start=first + 24.6 * HOUR, end=first + 24.7 * HOUR, interval="15_minutes"))["rows"]
    assert (part["mean_amps"], part["kwh"]) == (4.0, 0.25)


async def test_the_days_of_summer_time_are_whole(house: House) -> None:
    house.freezer.move_to(datetime(2026, 11, 10, tzinfo=UTC))
    start = datetime(2026, 10, 23, 22, tzinfo=UTC)
    await import_hours(house, house.entity_id("energy"), "energy", start, [1.0] * 73)
    rows = (await house.ask(start="2026-10-24", end="2026-10-27", interval="day"))["rows"]
    assert [row["kwh"] for row in rows] == [24.0, 25.0, 24.0]
    assert rows[1]["start"] == "2026-10-25T00:00:00+02:00"
    assert rows[1]["end"] == "2026-10-26T00:00:00+01:00"
    assert len((await house.ask(start="2026-10-25", end="2026-10-26"))["rows"]) == 25


async def test_the_caller_has_a_time_zone_of_its_own(house: House) -> None:
    await import_hours(house, house.entity_id("energy"), "energy", START - 24 * HOUR, [1.0] * 24)
    asked = {"start": "2026-11-17", "end": "2026-11-18", "interval": "day", "time_zone": "Asia/Kolkata"}
    answer = await house.ask(**asked)
    assert answer["time_zone"] == "Asia/Kolkata"
    (row,) = answer["rows"]
    assert row["start"] == "2026-11-17T00:00:00+05:30"
    assert row["kwh"] == 19.5, "19 hours of it, and half an hour that nobody knows better"


async def test_renamed_sensors_and_other_units_change_nothing(house: House) -> None:
    registry = er.async_get(house.hass)
    registry.async_update_entity(house.entity_id("current"), new_entity_id="sensor.la_casa")
    registry.async_update_entity_options(house.entity_id("energy"), "sensor", {"unit_of_measurement": "Wh"})
    await house.hass.async_block_till_done()
    house.freezer.move_to(START + timedelta(minutes=7))
    await house.record("current", [(START, 9000.0)], unit="mA")
    await house.record(
        "energy", [(START + timedelta(minutes=1), 1000.0), (START + timedelta(minutes=6), 1500.0)], unit="Wh"
    )
    await house.compile(START, START + timedelta(minutes=5))
    await house.record("voltage", [(START + timedelta(minutes=6), 230.0)], unit="°C")
    await house.record("power", [(START + timedelta(minutes=6), float("nan"))])
    (row,) = (await house.ask(start=START))["rows"]
    assert (row["mean_amps"], row["kwh"]) == (9.0, 1.5)
    assert row["mean_volts"] is row["mean_watts"] is None, "what is no voltage, and no number"


async def test_a_sensor_that_was_removed_leaves_what_was_imported(house: House) -> None:
    for key in UNITS:
        er.async_get(house.hass).async_remove(house.entity_id(key))
    await import_hours(house, f"{DOMAIN}:01jsite_current", "current", START, [8.0])
    nothing = own(f"{DOMAIN}:01jsite_voltage", "voltage")
    async_add_external_statistics(house.hass, nothing, [StatisticData(start=START)])
    await async_wait_recording_done(house.hass)
    house.freezer.move_to(START + HOUR)
    (row,) = (await house.ask(start=START))["rows"]
    assert (row["mean_amps"], row["mean_volts"], row["kwh"]) == (8.0, None, None)


async def test_energy_makes_no_spike_and_no_dent_after_a_long_pause(house: House) -> None:
    """Longer than short-term statistics are kept: then the recorder's sum begins anew, far below what it was."""
    await import_hours(house, house.entity_id("energy"), "energy", START - 400 * HOUR, [700.0])
    now = START + timedelta(minutes=66)
    house.freezer.move_to(now)
    await house.record("energy", [(START + timedelta(minutes=minute), minute / 10) for minute in range(1, 66)])
    await house.compile(START, START + timedelta(minutes=15))
    (row,) = (await house.ask(start=START, end=START + HOUR))["rows"]
    assert row["kwh"] == pytest.approx(5.9, abs=0.11)
    await house.compile(START + timedelta(minutes=15), START + timedelta(minutes=65))
    for interval in ("15_minutes", "day"):
        rows = (await house.ask(start=START, interval=interval))["rows"]
        assert sum(row["kwh"] for row in rows) == pytest.approx(6.5, abs=0.1)


async def test_a_sensor_without_short_term_statistics_of_its_first_hour(house: House) -> None:
    """Nobody can tell what was before the first of them, where later hours are known but not the one before."""
    house.freezer.move_to(START + timedelta(minutes=16))
    await house.record("energy", [(START + timedelta(minutes=minute), 5 + minute / 10) for minute in range(1, 16)])
    await house.compile(START, START + timedelta(minutes=15))
    await import_hours(house, house.entity_id("energy"), "energy", START + 2 * HOUR, [9.0])
    (row,) = (await house.ask(start=START))["rows"]
    assert 0.5 < row["kwh"] < 1.5


async def test_answers_come_in_pages(house: House) -> None:
    house.freezer.move_to(START + 10 * HOUR)
    answers = [await house.ask(start=START, page=page, count=4) for page in (1, 2, 3)]
    assert [len(answer["rows"]) for answer in answers] == [4, 4, 2]
    assert {(answer["pages"], answer["total"], answer["count"]) for answer in answers} == {(3, 10, 4)}
    starts = [row["start"] for answer in answers for row in answer["rows"]]
    assert starts == sorted(set(starts))
    assert starts[0] == "2026-11-18T00:00:00+01:00"


@pytest.mark.parametrize(
    ("asked", "key", "limit"),
    [
        ({"start": "2026-11-19"}, "start_in_future", None),
        ({"start": "0001-01-01"}, "start_too_early", "3660"),
        ({"start": "2026-11-17", "end": "2026-11-17"}, "end_before_start", None),
        ({"start": "2024-11-17", "interval": "15_minutes"}, "range_too_long", "366"),
        ({"start": "2026-11-17", "count": 1001}, "count_out_of_range", "1000"),
        ({"start": "2026-11-17", "count": 0}, "count_out_of_range", "1000"),
        ({"start": "2026-11-17", "page": 2}, "page_out_of_range", "1"),
        ({"start": "2026-11-17", "page": 0}, "page_out_of_range", "1"),
        ({"start": "2026-11-17", "time_zone": "Europe/Nowhere"}, "unknown_time_zone", None),
    ],
)
async def test_what_cannot_be_answered_is_told(
    house: House, asked: dict[str, Any], key: str, limit: str | None
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await house.ask(**asked)
    assert error.value.translation_key == key
    assert (error.value.translation_placeholders or {}).get("limit") == limit


async def test_without_a_recorder_there_is_no_history(site: Site) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await House(site, site.freezer).ask(start="2026-11-17")
    assert error.value.translation_key == "no_recorder"


@BOTH_DATABASES
async def test_before_the_first_statistics_the_states_tell_it(house: House) -> None:
    await house.record("current", [(START, 10.0), (START + timedelta(minutes=3), 20.0)])
    await house.record("voltage", [(START, 231.4)])
    await house.record("energy", [(START, 7.0), (START + timedelta(minutes=3), 7.1)])
    house.freezer.move_to(START + timedelta(minutes=4))
    (row,) = (await house.ask(start=START, interval="5_minutes"))["rows"]
    assert row == {
        "start": "2026-11-18T00:00:00+01:00",
        "end": "2026-11-18T00:05:00+01:00",
        "mean_amps": 12.5,
        "max_amps": 20.0,
        "mean_volts": 231.4,
        "max_volts": 231.4,
        "mean_watts": None,
        "max_watts": None,
        "kwh": 0.1,
    }


async def test_the_automation_of_the_documentation_tells_of_yesterday(house: House) -> None:
    await import_hours(house, house.entity_id("energy"), "energy", START - 24 * HOUR, [0.5] * 24)
    await import_hours(house, house.entity_id("current"), "current", START - 24 * HOUR, [3.0] * 24)
    house.freezer.move_to(START + 7 * HOUR)
    page = (Path(__file__).parents[2] / "docs" / "history.md").read_text()
    (text,) = re.findall(r"```yaml\n(alias: .*?)```", page, re.DOTALL)
    assert await async_setup_component(house.hass, "persistent_notification", {})
    assert await async_setup_component(house.hass, "automation", {"automation": [parse_yaml(text)]})
    await house.site.call("automation", "trigger", "automation.yesterday_s_electricity")
    await house.site.call("automation", "turn_off", "all")
    (told,) = _async_get_or_create_notifications(house.hass).values()
    assert told["message"] == "12.0 kWh, at most 8.0 A"
