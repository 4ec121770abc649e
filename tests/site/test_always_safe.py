"""Whatever fails beside control, the car is lowered in the same turn of the event loop, and that is said once."""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, NoReturn

from homeassistant.util.file import WriteError
import pytest

from custom_components.amp_sensor.chargers.charger import ChargerSubscriptionError
from custom_components.amp_sensor.control import Action, ChargingState, Reading
from custom_components.amp_sensor.site.errands import REMEMBER_S
from custom_components.amp_sensor.site.link import Link
from tests.conftest import CHARGER_ID, CHARGING, Site, add_car

OURS = "custom_components.amp_sensor"
ISSUES = "homeassistant.helpers.issue_registry.async_get"
WRITE = "homeassistant.helpers.storage.Store._async_write_data"
SAVE = "homeassistant.helpers.storage.Store.async_save"


def _fail(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("broken")


async def _full_disk(*_: Any) -> NoReturn:
    raise WriteError("No space left on device")


PARTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "repairs of chargers": (ISSUES, _fail),
    "watch": (f"{OURS}.notices.watch.SiteWatch.look", _fail),
    "watch of chargers": (f"{OURS}.notices.watch.ChargerWatch.add_report", _fail),
    "logbook": (f"{OURS}.notices.announcer.Announcer.add", _fail),
    "energy of the chargers": (f"{OURS}.site.link.Link.watts", _fail),
    "list of answers": (f"{OURS}.site.errands.Errands.note", _fail),
    "list of decisions": (f"{OURS}.site.coordinator._differ", _fail),
    "memory": (WRITE, _full_disk),
    "data": (f"{OURS}.site.coordinator.SiteCoordinator._snapshot", _fail),
}


async def _read(site: Site, amps: float) -> None:
    """Hand in a reading, and let the event loop turn once."""
    site.coordinator.async_add_reading(
        Reading(at=site.coordinator.now(), amps=(amps,), volts=(230.0,), watts=amps * 230)
    )
    await asyncio.sleep(0)


def _sent(site: Site) -> list[Action]:
    return [command.action for command in site.charger.commands]


@pytest.mark.parametrize("part", PARTS)
async def test_what_fails_beside_control_delays_no_cut(
    site: Site, part: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await site.advance(20, amps=18.0, watts=4140.0)
    said = f"a failure in its {part}; all else goes on"
    with monkeypatch.context() as broken:
        broken.setattr(*PARTS[part])
        # A pause has to be remembered, reported, shown, told and answered
        await _read(site, 40.0)
        assert _sent(site) == [Action.STOP]
        site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)
        await site.advance(70, amps=24.0, watts=5520.0)
        assert caplog.text.count(said) == 1, "told once"
        # It goes on so in its user's hands
        site.charger.report = CHARGING
        await site.advance(20, amps=20.0, watts=4600.0)
        sent = len(site.charger.commands)
        await _read(site, 31.0)
        assert len(site.charger.commands) == sent + 1
    assert caplog.text.count(f"no more failures in its {part}") == 0
    site.charger.report = replace(CHARGING, requested_amps=10.0, measured_amps=10.0, age_s=0.0)
    await site.advance(180, amps=21.0, watts=4830.0)
    if part == "memory":
        await site.advance(300, step_s=5, amps=20.0, watts=4600.0)
    assert caplog.text.count(said) == 1
    assert caplog.text.count(f"no more failures in its {part}") == 1
    assert site.state("sensor.casa_current") != "unavailable"


async def test_one_entity_that_fails_takes_nobody_with_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    shown: list[float] = []
    remove = site.coordinator.async_add_listener(_fail)
    site.coordinator.async_add_listener(lambda: shown.append(len(site.charger.commands)))
    await _read(site, 30.0)
    assert _sent(site) == [Action.SET_AMPS]
    await site.settle()
    assert site.state("sensor.casa_current") == "30.0"
    assert shown[0] == 1, "told before it is shown"
    await site.advance(10)
    assert caplog.text.count("a failure in its entities") == 1
    remove()


@pytest.mark.parametrize("part", ["repairs of chargers", "list of answers", "memory"])
async def test_the_answer_to_a_command_reaches_control_whatever_fails(
    site: Site, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.charger.hold = asyncio.Event()
    await site.post(amps=28.0, watts=6440.0)
    await site.advance(2)
    await site.post(amps=40.0, watts=9200.0)
    assert _sent(site) == [Action.SET_AMPS]
    with monkeypatch.context() as broken:
        broken.setattr(*PARTS[part])
        site.charger.hold.set()
        await site.settle()
        await site.advance(1)
    assert _sent(site) == [Action.SET_AMPS, Action.STOP]


async def test_a_repair_that_cannot_be_shown_delays_no_further_try(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ISSUES, _fail)
    site.charger.answer = ChargerSubscriptionError("Tessie answered 402")
    await site.advance(120, amps=30.0, watts=6900.0)
    assert len(site.charger.commands) >= 2


async def test_the_commands_to_one_car_do_not_depend_on_those_to_another(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_car(site, "01JOTHER", "Sancho")
    await site.hass.async_block_till_done()
    await site.settle()
    await site.advance(20, amps=34.0, watts=7820.0)
    sent = len(site.charger.commands)
    original = site.coordinator._errands._async_command

    def command(to: Link, *args: Any) -> Any:
        return _fail() if to.charger_id == CHARGER_ID else original(to, *args)

    monkeypatch.setattr(site.coordinator._errands, "_async_command", command)
    await _read(site, 60.0)
    assert {each.charger_id for each in site.charger.commands[sent:]} == {"01JOTHER"}


@pytest.fixture
def disk() -> Generator[asyncio.Event]:
    """Stand for a disk that answers once this is set, which it is at the end."""
    event = asyncio.Event()
    yield event
    event.set()


@pytest.mark.parametrize(("amps", "action", "waits"), [(30.0, Action.SET_AMPS, False), (45.0, Action.STOP, True)])
async def test_a_disk_that_hangs_keeps_a_pause_for_a_moment_and_a_lower_current_not_at_all(  # noqa: PLR0917
    disk: asyncio.Event, site: Site, monkeypatch: pytest.MonkeyPatch, amps: float, action: Action, waits: bool
) -> None:
    await site.advance(20, amps=18.0, watts=4140.0)
    with monkeypatch.context() as slow:
        slow.setattr(SAVE, lambda *_: disk.wait())
        await _read(site, amps)
        assert _sent(site) == ([] if waits else [action])
        site.freezer.tick(REMEMBER_S + 0.1)
        for _ in range(5):
            await asyncio.sleep(0)
        assert _sent(site) == [action]


@pytest.mark.parametrize("call", ["async_command", "async_report"])
async def test_a_call_that_never_ends_is_not_the_last_one(
    site: Site, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    site.charger.hold = asyncio.Event()  # nobody waits for it

    async def never(*_: Any) -> NoReturn:
        nonlocal calls
        calls += 1
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(site.charger, call, never)
    await site.advance(200, amps=30.0, watts=6900.0)
    assert calls > 1
