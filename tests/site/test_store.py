"""What a site kept is found again, however old; and whatever is there instead, a site begins and says what is lost.

On real files: what happens to a file is the subject.
"""

from collections.abc import Callable, Iterator
import json
from pathlib import Path
import shutil
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import Action, ControlRecord, Mode
from custom_components.amp_sensor.control.charger import ChargerRecord
from custom_components.amp_sensor.control.memory import Record
from custom_components.amp_sensor.site.coordinator import SiteCoordinator
from custom_components.amp_sensor.site.store import ChargerMemory, CounterMemory, SiteMemory
from tests.conftest import CHARGER_ID, STOPPED, FakeCharger, Site

STORED = Path(__file__).parent / "stored"
"""Both files of a site as they were written at each time, oldest first, with all that they may hold.

Each folder is named after what came with it: the second says whether the meter was ever heard, the third a car's
priority, the fourth at once whose pause it is (and what each phase taught, apart), the fifth whether a car may be
woken, the sixth what it is to have by when, and what there usually is. All of them are of version 1: what is new may be
missing.
"""
FORMATS = sorted(path.name for path in STORED.iterdir())
USUAL = FORMATS[1]
"""What the other tests begin with."""
KEY, CONTROL_KEY = f"{DOMAIN}.01JSITE", f"{DOMAIN}.01JSITE.control"


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Give Home Assistant a folder of its own."""
    return str(tmp_path)


@pytest.fixture
def stored(request: pytest.FixtureRequest) -> Path:
    """Return what was written before; a test may name another time."""
    return STORED / getattr(request, "param", USUAL)


@pytest.fixture
def hass_storage(tmp_path: Path, stored: Path) -> dict[str, Any]:
    """Let Home Assistant use files instead of what stands for them in other tests, with those of before in place."""
    folder = tmp_path / ".storage"
    folder.mkdir()
    shutil.copy(stored / "site.json", folder / KEY)
    shutil.copy(stored / "control.json", folder / CONTROL_KEY)
    return {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the files are."""
    return tmp_path / ".storage"


def _found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def _tidy(folder: Path) -> None:
    """Put away what was kept aside."""
    for path in [*folder.glob(f"{KEY}*.bad"), *folder.glob(f"{KEY}*.corrupt.*")]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _lost(hass: HomeAssistant) -> set[str]:
    """Return what a person is told is lost."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "memory_damaged_01JSITE")
    if issue is None:
        return set()
    placeholders = issue.translation_placeholders
    assert placeholders is not None
    assert placeholders["site"] == "Casa"
    return set(placeholders["parts"].split(", "))


async def _begin(site: Site) -> SiteCoordinator:
    """Begin again with the files as they are."""
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.settle()
    assert site.entry.state is ConfigEntryState.LOADED
    return site.coordinator


async def _end(site: Site) -> None:
    assert await site.hass.config_entries.async_unload(site.entry.entry_id)


def _data(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text())["data"]
    return data


def _has_all(coordinator: SiteCoordinator, stored: Path) -> bool:
    kept = _data(stored / "site.json")
    kept_car = kept["chargers"][CHARGER_ID]
    data = coordinator.data
    car = data.chargers[CHARGER_ID]
    assert (data.settings.max_amps, data.settings.mode, data.energy_wh) == (20.0, Mode.STRICT, kept["energy_wh"])
    assert (car.settings.max_amps, car.settings.min_amps, car.settings.managed) == (12, 6, True)
    assert car.energy_wh == kept_car["energy_wh"] > 0
    assert coordinator.controller.meter.energy_wh == kept["energy_wh"] > 0
    counter = coordinator.controller.meter.counter
    assert counter is not None
    assert counter.energy_wh == pytest.approx(kept["counter"]["energy_wh"])
    assert counter.boot_id == "a"
    return True


@pytest.mark.parametrize("stored", FORMATS, indirect=True)
async def test_files_of_before_are_read_with_everything_in_them(site: Site, folder: Path, stored: Path) -> None:
    coordinator = site.coordinator
    assert not _lost(site.hass)
    assert _has_all(coordinator, stored)
    house = _data(stored / "control.json")["house"]
    # The highest phase had one memory for all
    first = house[0]["levels"] if isinstance(house[0], dict) else house
    (learned,) = coordinator.controller.record()["house"] or ({"first": 0, "levels": []},)
    reach = 41  # half amperes, up to the budget of 20 A
    assert learned["levels"][:reach] == first[:reach]
    await _end(site)
    again = await _begin(site)
    assert _has_all(again, stored)
    assert again.controller.record()["house"][0]["levels"][:reach] == first[:reach]
    assert not _found(folder, "*.bad")


def test_the_newest_of_these_files_are_what_is_written_today() -> None:
    """Whoever keeps something else keeps what was written until then in `stored`."""
    site, control = (_data(STORED / FORMATS[-1] / name) for name in ("site.json", "control.json"))
    assert site.keys() == SiteMemory.__annotations__.keys()
    assert site["chargers"][CHARGER_ID].keys() == ChargerMemory.__annotations__.keys()
    assert site["counter"].keys() == CounterMemory.__annotations__.keys()
    assert control.keys() == ControlRecord.__annotations__.keys()
    for chargers in (site["control"]["chargers"], control["chargers"]):
        assert chargers[CHARGER_ID].keys() == ChargerRecord.__annotations__.keys()
    assert control["house"][0].keys() == Record.__annotations__.keys()


@pytest.mark.parametrize("stored", FORMATS, indirect=True)
async def test_whose_pause_it_was_is_read_from_files_of_before(
    hass: HomeAssistant, entry: MockConfigEntry, charger: FakeCharger
) -> None:
    charger.report = STOPPED
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    coordinator: SiteCoordinator = entry.runtime_data
    await coordinator.async_idle()
    assert coordinator.controller.paused == [CHARGER_ID]
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await entry.runtime_data.async_idle()
    assert entry.runtime_data.controller.paused == [CHARGER_ID]
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_what_is_saved_every_minute_is_small(site: Site, folder: Path) -> None:
    await site.advance(130, step_s=5, phases=[{"amps": 20.0}, {"amps": 10.0}, {"amps": 5.0}], watts=8000.0)
    assert (folder / KEY).stat().st_size < 1000
    assert (folder / CONTROL_KEY).stat().st_size > 5000


type _Damage = Callable[[Path], None]


def _text(change: Callable[[str], str | bytes]) -> _Damage:
    def damage(path: Path) -> None:
        changed = change(path.read_text())
        path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())

    return damage


def _file(**changes: Any) -> _Damage:
    return _text(lambda text: json.dumps(json.loads(text) | changes))


def _without(key: str) -> _Damage:
    return _text(lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != key}))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").write_text("that somebody may want back")


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


WHOLE: dict[str, _Damage] = {
    "empty": _text(lambda _: ""),
    "cut off": _text(lambda text: text[: len(text) // 2]),
    "no JSON": _text(lambda _: "max_amps: 20"),
    "no text": _text(lambda _: b"\xff\xfe\x00\x80"),
    "a list": _text(lambda _: "[]"),
    "a number": _text(lambda _: "7"),
    "an empty object": _text(lambda _: "{}"),
    "a folder": _folder,
    "a link that leads nowhere": _loop,
    "no version": _without("version"),
    "a version of the future": _file(version=2),
    "a version of the past": _file(version=0),
    "a version of nobody": _file(version="x"),
    "no data": _without("data"),
    "data that is text": _file(data="nonsense"),
    "data that is a list": _file(data=[1, 2]),
    "data that is nothing": _file(data=None),
}


@pytest.mark.parametrize("key", [KEY, CONTROL_KEY])
async def test_a_file_that_cannot_be_read_is_kept_aside_and_told(
    site: Site, folder: Path, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, bad = folder / key, folder / f"{key}.bad"
    good = json.loads(path.read_text()) | {"version": 1}
    for name, damage in WHOLE.items():
        await _end(site)
        _tidy(folder)
        path.write_text(json.dumps(good))
        damage(path)
        before = path.read_bytes() if path.is_file() else None
        caplog.clear()
        await _begin(site)
        assert _lost(site.hass) == {key}, name
        assert caplog.text.count("cannot read what it had stored") == 1
        kept = [bad] if bad.exists() or bad.is_symlink() else _found(folder, f"{key}.corrupt.*")
        assert len(kept) == 1, name
        if before is not None:
            assert kept[0].read_bytes() == before, name
        site.charger.commands.clear()
        await site.post(amps=40.0, watts=9200.0)
        assert site.charger.commands, name
        await _end(site)
        assert json.loads(path.read_text())["version"] == 1, "the next one is good again"
        await _begin(site)
        assert not _lost(site.hass), "told once"
        if key == CONTROL_KEY:
            assert site.state("number.casa_budget") == "20.0"


WRONG: tuple[Any, ...] = (None, "nonsense", "", [], {}, -1, 1e300, True)


def _wrong(data: dict[str, Any], *, skip: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Give each key with each value that it never has, and without any (...)."""
    for key in data.keys() - set(skip):
        yield key, ...
        for value in WRONG:
            yield key, value


def _put(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    rest = {other: each for other, each in data.items() if other != key}
    return rest if value is ... else {**rest, key: value}


FINE = {
    ("heard", True),
    ("knows_sign", True),
    ("counter", None),
    ("managed", True),
    ("may_wake", True),
    ("energy_wh", 1e300),
}
"""What such a key may be after all; a missing one that came later is no loss either."""
LATER = {
    *("heard", "loads", "control", "may_wake", "priority"),
    *("knows_sign", "charge_with", "reserve_w", "start_after_s", "stop_after_s"),
}


def _is_fine(key: str, value: Any) -> bool:
    if value is ...:
        return key in LATER
    if key in {"chargers", "loads", "control"}:
        return value == {}
    number = key.startswith("configured_") and value == 1e300
    return number or any(key == fine and value is other for fine, other in FINE) or (key, value) == ("energy_wh", 1e300)


async def test_one_key_that_cannot_be_read_is_left_out_and_all_else_is_kept(site: Site, folder: Path) -> None:
    await _end(site)
    file = json.loads((folder / KEY).read_text())
    data = file["data"]
    assert data.keys() == {
        *("heard", "max_amps", "configured_max_amps", "mode", "energy_wh", "counter", "chargers", "loads", "control"),
        "knows_sign",
    }
    for key, value in _wrong(data):
        (folder / KEY).write_text(json.dumps({**file, "data": _put(data, key, value)}))
        coordinator = await _begin(site)
        expected = set() if _is_fine(key, value) else {f"{KEY}.{key}"}
        assert _lost(site.hass) == expected, (key, value)
        assert (folder / f"{KEY}.bad").exists() == bool(expected)
        if key != "mode":
            assert coordinator.data.settings.mode is Mode.STRICT
        if key not in {"max_amps", "configured_max_amps"}:
            assert coordinator.data.settings.max_amps == 20.0
        if key != "energy_wh":
            assert coordinator.data.energy_wh == 123456.7
        if key != "chargers":
            assert coordinator.data.chargers[CHARGER_ID].settings.max_amps == 12
        await _end(site)
        (folder / f"{KEY}.bad").unlink(missing_ok=True)


async def test_one_key_of_a_car_that_cannot_be_read_is_left_out(site: Site, folder: Path) -> None:
    await _end(site)
    file = json.loads((folder / KEY).read_text())
    data = file["data"]
    car = data["chargers"][CHARGER_ID]
    assert car.keys() == {
        *("max_amps_car", "configured_max_amps_car", "min_amps_car", "managed", "may_wake", "priority"),
        *("charge_with", "reserve_w", "start_after_s", "stop_after_s", "energy_wh"),
    }
    for key, value in [*_wrong(car), ("", ...)]:
        damaged = "nonsense" if not key else _put(car, key, value)
        (folder / KEY).write_text(json.dumps({**file, "data": {**data, "chargers": {CHARGER_ID: damaged}}}))
        coordinator = await _begin(site)
        told = "Rocinante" if not key else f"Rocinante.{key}"
        assert _lost(site.hass) == (set() if key and _is_fine(key, value) else {told}), (key, value)
        shown = coordinator.data.chargers[CHARGER_ID]
        if key not in {"", "max_amps_car", "configured_max_amps_car"}:
            assert shown.settings.max_amps == 12
        if key not in {"", "energy_wh"}:
            assert shown.energy_wh == 34567.8
        assert coordinator.data.settings.max_amps == 20.0
        await _end(site)


async def test_a_part_of_what_the_controller_learned_that_cannot_be_read_is_left_out(site: Site, folder: Path) -> None:
    await _end(site)
    file = json.loads((folder / CONTROL_KEY).read_text())
    data = file["data"]
    for key in data:
        for value in WRONG:
            (folder / CONTROL_KEY).write_text(json.dumps({**file, "data": _put(data, key, value)}))
            coordinator = await _begin(site)
            assert _lost(site.hass) <= {f"{CONTROL_KEY}.{key}"}, (key, value)
            assert coordinator.data.settings.max_amps == 20.0
            site.charger.commands.clear()
            await site.post(amps=40.0, watts=9200.0)
            assert [command.action for command in site.charger.commands] == [Action.STOP]
            await _end(site)


async def test_a_disk_that_cannot_be_written_ends_nothing(site: Site, folder: Path) -> None:
    """A folder in the place of a file, which appears while the site runs: as good as a full disk."""
    (folder / KEY).unlink(missing_ok=True)
    (folder / KEY).mkdir()
    (folder / KEY / "something").touch()
    await site.advance(130, step_s=5, amps=18.0, watts=4140.0)
    await site.post(amps=40.0, watts=9200.0)
    assert site.charger.commands[-1].action is Action.STOP
    await _end(site)
    await _begin(site)
    assert _lost(site.hass) == {KEY}
    assert (folder / f"{KEY}.bad" / "something").exists()


async def test_what_is_kept_of_damaged_files_goes_with_the_site(site: Site, folder: Path) -> None:
    await _end(site)
    _folder(folder / KEY)
    _text(lambda _: "[]")(folder / CONTROL_KEY)
    await _begin(site)
    assert len(_found(folder, "*.bad")) == 2
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    await site.hass.async_block_till_done()
    assert not _found(folder, f"{KEY}*")


async def test_a_site_that_is_disabled_can_be_removed_whatever_its_files_are(site: Site, folder: Path) -> None:
    await site.hass.config_entries.async_set_disabled_by(site.entry.entry_id, ConfigEntryDisabler.USER)
    _folder(folder / KEY)
    await site.hass.config_entries.async_remove(site.entry.entry_id)
    assert not _found(folder, f"{KEY}*")
