"""A household brings along what the original service kept: once, or as often as it takes."""

from datetime import UTC, datetime
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.models import User
from homeassistant.components import persistent_notification
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
    validate_statistics,
)
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from sqlalchemy.exc import SQLAlchemyError

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.history import recorder
from custom_components.amp_sensor.migration.import_readings import WINDOW
from tests.conftest import Site
from tests.migration.old_databases import OTHER, TOKEN, Row, write

START = 1_724_400_000.0  # 2024-08-23 08:00:00 UTC
IDS = {key: f"{DOMAIN}:01jsite_{key}" for key in ("current", "power", "voltage", "energy")}


def rows(hours: int, *, start: float = START, amps: float = 4.0, volts: float = 230.0, **changes: Any) -> list[Row]:
    """A reading a minute."""
    return [Row(at=start + 60 * minute, amps=amps, volts=volts, **changes) for minute in range(60 * hours)]


@pytest.fixture
async def recorded(recorder_mock: Recorder, site: Site, tmp_path: Path) -> Site:
    """Set up a site with a recorder, which must be there first, and a folder from which may be read."""
    site.hass.config.allowlist_external_dirs = {str(tmp_path)}
    return site


async def bring(site: Site, path: Path, **data: Any) -> dict[str, Any]:
    """Call the action."""
    response = await site.hass.services.async_call(
        DOMAIN,
        "import_readings",
        {"site": site.entry.entry_id, "path": str(path), **data},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    return response


async def kept(hass: HomeAssistant) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that was imported: start, mean, min, max, state, sum."""
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime.fromtimestamp(0, UTC),
        None,
        set(IDS.values()),
        "hour",
        None,
        {"mean", "min", "max", "state", "sum"},
    )
    names = {statistic_id: key for key, statistic_id in IDS.items()}
    return {
        names[statistic_id]: [
            (row["start"], *(row.get(key) for key in ("mean", "min", "max", "state", "sum"))) for row in values
        ]
        for statistic_id, values in found.items()
    }


def notifications(hass: HomeAssistant) -> dict[str, str]:
    return {
        key: notification["message"]
        for key, notification in persistent_notification._async_get_or_create_notifications(hass).items()
    }


async def test_old_readings_become_statistics(recorded: Site, tmp_path: Path) -> None:
    path = write(tmp_path / "sqlite.db", [*rows(1), *rows(1, start=START + 3600, amps=10.0, volts=232.0)])
    summary = await bring(recorded, path)
    assert summary == {
        "token": "q3Zx…",
        "location": "default",
        "first": "2024-08-23 08:00:00",
        "last": "2024-08-23 09:59:00",
        "readings": 120,
        "readings_skipped": 0,
        "hours": 2,
        "hours_changed": 2,
        "energy_kwh": 3.24,
        "statistic_ids": list(IDS.values()),
    }
    found = await kept(recorded.hass)
    assert found["current"] == [(START, 4.0, 4.0, 4.0, None, None), (START + 3600, 10.0, 10.0, 10.0, None, None)]
    assert found["power"] == [(START, 920, 920, 920, None, None), (START + 3600, 2320, 2320, 2320, None, None)]
    assert found["voltage"] == [(START, 230, 230, 230, None, None), (START + 3600, 232, 232, 232, None, None)]
    assert found["energy"] == [
        (START, None, None, None, pytest.approx(0.92), pytest.approx(0.92)),
        (START + 3600, None, None, None, pytest.approx(2.32), pytest.approx(3.24)),
    ]


async def test_home_assistant_has_nothing_to_say_against_the_statistics(recorded: Site, tmp_path: Path) -> None:
    await bring(recorded, write(tmp_path / "sqlite.db", rows(2)))
    instance = get_instance(recorded.hass)
    listed = await instance.async_add_executor_job(list_statistic_ids, recorded.hass, set(IDS.values()))
    assert {item["statistic_id"]: (item["name"], item["statistics_unit_of_measurement"]) for item in listed} == {
        IDS["current"]: ("Casa imported current", "A"),
        IDS["power"]: ("Casa imported power", "W"),
        IDS["voltage"]: ("Casa imported voltage", "V"),
        IDS["energy"]: ("Casa imported energy", "kWh"),
    }
    complaints = await instance.async_add_executor_job(validate_statistics, recorded.hass)
    assert not complaints.keys() & IDS.values()


async def test_a_meter_without_voltage_gets_none(recorded: Site, tmp_path: Path) -> None:
    summary = await bring(recorded, write(tmp_path / "sqlite.db", rows(2, volts=220.0)))
    assert IDS["voltage"] not in summary["statistic_ids"]
    assert (await kept(recorded.hass)).keys() == {"current", "power", "energy"}


async def test_a_second_import_writes_nothing(recorded: Site, tmp_path: Path) -> None:
    path = write(tmp_path / "sqlite.db", rows(30))
    await bring(recorded, path)
    before = await kept(recorded.hass)
    with patch(
        "custom_components.amp_sensor.history.recorder.async_add_external_statistics",
        side_effect=AssertionError,
    ):
        summary = await bring(recorded, path)
    assert (summary["hours"], summary["hours_changed"]) == (30, 0)
    assert await kept(recorded.hass) == before


async def test_an_import_that_broke_off_goes_on(recorded: Site, tmp_path: Path) -> None:
    days = int(2.5 * WINDOW.total_seconds() / 86400)
    path = write(tmp_path / "sqlite.db", [row for day in range(days) for row in rows(1, start=START + day * 86400)])
    written: list[int] = []

    async def break_off(hass: HomeAssistant) -> None:
        if written:
            raise MemoryError
        written.append(1)
        await original(hass)

    original = recorder.async_kept
    with patch.object(recorder, "async_kept", break_off), pytest.raises(MemoryError):
        await bring(recorded, path)
    await async_wait_recording_done(recorded.hass)
    begun = len((await kept(recorded.hass))["energy"])
    assert 0 < begun < days
    summary = await bring(recorded, path)
    assert summary["hours_changed"] == days - begun
    energy = (await kept(recorded.hass))["energy"]
    assert [row[5] for row in energy] == pytest.approx([0.92 * day for day in range(1, days + 1)])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2, 1)])
async def test_several_files_make_one_energy_whatever_their_order(
    recorded: Site, tmp_path: Path, order: tuple[int, ...]
) -> None:
    """The consolidated years, what came after, and an older meter."""
    month = 30 * 86400
    files = [
        write(tmp_path / f"{part}.db", rows(5, start=START + part * month, amps=4.0 + part), shape)
        for part, shape in enumerate(("1 decimals", "consolidated", "6 view tokens"))
    ]
    for part in order:
        await bring(recorded, files[part])
    energy = (await kept(recorded.hass))["energy"]
    assert [row[0] for row in energy] == [START + part * month + 3600 * hour for part in range(3) for hour in range(5)]
    hourly = [(4.0 + part) * 0.23 for part in range(3) for _ in range(5)]
    assert [row[4] for row in energy] == pytest.approx(hourly)
    assert [row[5] for row in energy] == pytest.approx([sum(hourly[: count + 1]) for count in range(15)])


async def test_where_files_overlap_the_last_counts(recorded: Site, tmp_path: Path) -> None:
    await bring(recorded, write(tmp_path / "a.db", rows(3)))
    summary = await bring(recorded, write(tmp_path / "b.db", rows(1, start=START + 3600, amps=8.0)))
    assert summary["hours_changed"] == 2, "the hour itself, and the sum of the one after"
    found = await kept(recorded.hass)
    assert [row[1] for row in found["current"]] == [4.0, 8.0, 4.0]
    assert [row[5] for row in found["energy"]] == pytest.approx([0.92, 2.76, 3.68])


async def test_of_several_meters_one_is_chosen(recorded: Site, tmp_path: Path) -> None:
    path = write(tmp_path / "sqlite.db", [*rows(1), *rows(2, amps=8.0, token=OTHER)])
    with pytest.raises(ServiceValidationError) as raised:
        await bring(recorded, path)
    assert raised.value.translation_key == "database_token"
    assert "q3Zx… · default · 2024-08-23 – 2024-08-23 · 60; q3Zy… · Garage" in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert (await bring(recorded, path, token="q3Zy"))["readings"] == 120


async def test_no_token_is_in_the_log(recorded: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "sqlite.db", [*rows(1), *rows(1, token=OTHER)])
    with pytest.raises(ServiceValidationError):
        await bring(recorded, path)
    await bring(recorded, path, token="q3Zx")
    assert TOKEN not in caplog.text
    assert OTHER not in caplog.text


async def test_its_end_is_told_to_whoever_did_not_wait_for_it(recorded: Site, tmp_path: Path) -> None:
    told: list[str] = []
    persistent_notification.async_register_callback(
        recorded.hass, callback(lambda _, changed: told.extend(note["message"] for note in changed.values()))
    )
    await bring(recorded, write(tmp_path / "sqlite.db", [*rows(1), *rows(1, start=START + 86400)]))
    await recorded.hass.async_block_till_done()
    assert told[0] == "Casa: 0 % done."
    assert "Casa: 60 % done." in told
    assert notifications(recorded.hass) == {"amp_sensor_import_readings_01JSITE": told[-1]}
    assert told[-1].startswith(
        "Casa: imported 120 readings from 2024-08-23 08:00:00 to 2024-08-24 08:59:00, 2 kWh in all."
    )


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "database_foreign"),
        (b"time;amps\n" * 1000, "database_damaged"),
        (None, "file_not_found"),
    ],
)
async def test_what_cannot_be_read_changes_nothing(
    recorded: Site, tmp_path: Path, content: bytes | None, key: str
) -> None:
    path = tmp_path / "sqlite.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ServiceValidationError) as raised:
        await bring(recorded, path)
    assert raised.value.translation_key == key
    assert "Nothing was imported" in str(raised.value)
    assert await kept(recorded.hass) == {}
    await recorded.hass.async_block_till_done()
    assert notifications(recorded.hass) == {}


async def test_an_empty_database_is_refused(recorded: Site, tmp_path: Path) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await bring(recorded, write(tmp_path / "sqlite.db", []))
    assert raised.value.translation_key == "database_empty"


async def test_only_allowed_folders_are_read(recorded: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    for folder in (outside, inside):
        folder.mkdir()
    write(outside / "sqlite.db", rows(1))
    recorded.hass.config.allowlist_external_dirs = {str(inside)}
    (inside / "link.db").symlink_to(outside / "sqlite.db")
    (inside / "folder").symlink_to(outside, target_is_directory=True)
    for path in (
        outside / "sqlite.db",
        outside / "nothing.db",
        inside / "link.db",
        inside / "folder" / "sqlite.db",
    ):
        with pytest.raises(ServiceValidationError) as raised:
            await bring(recorded, path)
        assert raised.value.translation_key == "path_not_allowed"


async def test_what_is_no_file_is_not_waited_for(recorded: Site, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    with pytest.raises(ServiceValidationError) as raised:
        await bring(recorded, tmp_path / "pipe.db")
    assert raised.value.translation_key == "file_not_found"


async def test_only_an_administrator_may(recorded: Site, tmp_path: Path, hass_read_only_user: User) -> None:
    path = write(tmp_path / "sqlite.db", rows(1))
    with pytest.raises(Unauthorized):
        await recorded.hass.services.async_call(
            DOMAIN,
            "import_readings",
            {"site": recorded.entry.entry_id, "path": str(path)},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert await kept(recorded.hass) == {}


async def test_one_import_at_a_time(recorded: Site, tmp_path: Path) -> None:
    path = write(tmp_path / "sqlite.db", rows(1))
    first = recorded.hass.async_create_task(bring(recorded, path))
    with pytest.raises(ServiceValidationError) as raised:
        await bring(recorded, path)
    assert raised.value.translation_key == "import_running"
    assert (await first)["hours"] == 1
    assert (await bring(recorded, path))["hours_changed"] == 0


async def test_a_recorder_that_does_not_keep_it_is_told_of(recorded: Site, tmp_path: Path) -> None:
    path = write(tmp_path / "sqlite.db", rows(1))
    with (
        patch(
            "homeassistant.components.recorder.statistics._import_statistics_with_session",
            side_effect=SQLAlchemyError("disk I/O error"),
        ),
        pytest.raises(HomeAssistantError) as raised,
    ):
        await bring(recorded, path)
    assert raised.value.translation_key == "import_not_kept"
    assert (await bring(recorded, path))["hours_changed"] == 1


async def test_the_hour_that_is_not_over_is_imported_as_far_as_it_is(
    recorded: Site, tmp_path: Path, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(datetime.fromtimestamp(START + 1800, UTC))
    assert (await bring(recorded, write(tmp_path / "sqlite.db", rows(1))))["readings"] == 31
    freezer.move_to(datetime.fromtimestamp(START + 7200, UTC))
    summary = await bring(recorded, tmp_path / "sqlite.db")
    assert (summary["readings"], summary["hours_changed"]) == (60, 1)


async def test_without_a_recorder_there_is_no_history(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await bring(site, write(tmp_path / "sqlite.db", rows(1)))
    assert raised.value.translation_key == "no_recorder"
