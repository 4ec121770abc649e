"""All that goes wrong, by name."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from math import inf
from pathlib import Path
from random import Random
import sqlite3
from typing import Any, Final, NoReturn
from unittest.mock import patch

from homeassistant.components.recorder import get_instance
from homeassistant.util.file import WriteError

from simulation.tessie_faults import FAULTS, Scope
from tests.faults.evening import Deed, Evening, Fault, Meter

NOTHING: Final = Fault(name="nothing wrong")
THREE: Final = Fault(name="three phases, nothing wrong", phases=3)

type Body = dict[str, Any]
type Bodies = list[Body]


# The meter


def _amps(change: Callable[[float], float], **more: Any) -> Callable[[], Meter]:
    """Change each current, and the power with it."""

    def meter() -> Meter:
        def post(_: int, body: Body | None) -> Bodies:
            if body is None:
                return []
            amps = change(body["amps"])
            return [{"amps": amps, "watts": amps * 230.0, **more}]

        return post

    return meter


def _silent() -> Meter:
    return lambda _second, _body: []


def _frozen() -> Meter:
    first: Bodies = []

    def post(_: int, body: Body | None) -> Bodies:
        if body is None:
            return []
        first[1:] = []
        first.append(body)
        return first[:1]

    return post


def _late() -> Meter:
    queue: list[tuple[int, Body]] = []

    def post(second: int, body: Body | None) -> Bodies:
        if body is not None:
            queue.append((second + 25, body))
        due = [each for at, each in queue if at <= second]
        queue[:] = [each for each in queue if each[0] > second]
        return due

    return post


def _in_bursts() -> Meter:
    """Kept for half a minute, then all at once."""
    queue: Bodies = []

    def post(second: int, body: Body | None) -> Bodies:
        if body is not None:
            queue.append(body)
        if second % 30:
            return []
        due, queue[:] = queue[:], []
        return due

    return post


def _duplicated() -> Meter:
    return lambda _, body: [] if body is None else [body, body]


def _out_of_order() -> Meter:
    held: Bodies = []

    def post(_: int, body: Body | None) -> Bodies:
        if body is None:
            return []
        held.append(body)
        if len(held) < 3:
            return []
        due, held[:] = held[::-1], []
        return due

    return post


def _spikes() -> Meter:
    luck = Random(3)

    def post(_: int, body: Body | None) -> Bodies:
        if body is None:
            return []
        return [{"amps": 480.0, "watts": 110_400.0} if luck.random() < 0.1 else body]

    return post


def _drops() -> Meter:
    luck = Random(3)

    def post(_: int, body: Body | None) -> Bodies:
        if body is None:
            return []
        return [{"amps": 0.0, "watts": 0.0} if luck.random() < 0.3 else body]

    return post


def _half_lost() -> Meter:
    luck = Random(3)
    return lambda _, body: [] if body is None or luck.random() < 0.5 else [body]


def _flood() -> Meter:
    last: Bodies = []

    def post(_: int, body: Body | None) -> Bodies:
        if body is not None:
            last[:] = [body]
        return last * 20

    return post


def _nonsense() -> Meter:
    return lambda _, body: [] if body is None else [{"amps": "much", "watts": None}]


def _phase(change: Callable[[list[Any]], list[Any]]) -> Callable[[], Meter]:
    def meter() -> Meter:
        return lambda _, body: [] if body is None else [{"phases": change(body["phases"])}]

    return meter


LIE_S: Final = 120.0
"""For how long a meter that lies, or says nothing, may be believed: as long as one that is silent."""
METER: Final = (
    Fault(name="meter: silent", meter=_silent, blind_s=LIE_S),
    Fault(name="meter: frozen", meter=_frozen, blind_s=LIE_S),
    Fault(name="meter: each reading 25 s late", meter=_late, blind_s=LIE_S),
    Fault(name="meter: half a minute of readings at once", meter=_in_bursts, blind_s=LIE_S),
    Fault(name="meter: each reading twice", meter=_duplicated),
    Fault(name="meter: three readings in the wrong order", meter=_out_of_order),
    Fault(name="meter: one reading in ten is 480 A", meter=_spikes),
    Fault(name="meter: three readings in ten are 0 A", meter=_drops),
    Fault(name="meter: half of the readings lost", meter=_half_lost),
    Fault(name="meter: whole amps", meter=_amps(round)),
    Fault(name="meter: steps of 5 A", meter=_amps(lambda amps: 5.0 * round(amps / 5))),
    Fault(name="meter: mA for A", meter=_amps(lambda amps: 1000 * amps), blind_s=LIE_S),
    Fault(name="meter: kA for A", meter=_amps(lambda amps: amps / 1000), blind_s=inf),
    Fault(name="meter: half of the current", meter=_amps(lambda amps: amps / 2), blind_s=inf),
    Fault(name="meter: twice the current", meter=_amps(lambda amps: 2 * amps)),
    Fault(name="meter: clamp off", meter=_amps(lambda _: 0.03), blind_s=inf),
    Fault(name="meter: clamp the wrong way round", meter=_amps(lambda amps: -amps), blind_s=inf),
    Fault(name="meter: ends at 20 A, and does not say so", meter=_amps(lambda amps: min(amps, 20.0)), blind_s=inf),
    Fault(
        name="meter: ends at 20 A, and says so",
        meter=lambda: (
            lambda _, body: (
                []
                if body is None
                else [{**body, "amps": min(body["amps"], 20.0), "beyond_range": body["amps"] >= 20.0}]
            )
        ),
    ),
    Fault(name="meter: nonsense", meter=_nonsense, blind_s=LIE_S),
    Fault(name="meter: twenty posts a second", meter=_flood),
    THREE,
    Fault(
        name="meter: a phase missing", meter=_phase(lambda phases: phases[:2]), phases=3, twin=THREE.name, blind_s=LIE_S
    ),
    Fault(
        name="meter: a phase null",
        meter=_phase(lambda phases: [None, *phases[1:]]),
        phases=3,
        twin=THREE.name,
        blind_s=LIE_S,
    ),
    Fault(
        name="meter: two phases exchanged",
        meter=_phase(lambda phases: [phases[1], phases[0], phases[2]]),
        phases=3,
        twin=THREE.name,
    ),
)


# Tessie

_REACHES_THE_CAR: Final = {"slow", "applied_then_timeout", "applied_then_reset", "truncated", "cut_off", "huge"}
_OF_THE_CAR: Final = {"user_amps", "user_stop", "limit_drop", "heats", "no_power", "unplugged"}
_OF_ITS_OWNER: Final = {"user_amps", "user_stop"}


def _inject(name: str, for_s: float | None = None, **when: Any) -> Deed:
    """Let the cloud fail until the fault ends, or for so long."""

    async def begin(evening: Evening) -> None:
        now = evening.server.clock()
        lasts_s = evening.hours.end - evening.second if for_s is None else for_s
        evening.server.faults.inject(name, start=now, end=now + lasts_s, **when)

    return begin


async def _mend_car(evening: Evening) -> None:
    """Let its owner, and the mains, take back what they did."""
    car = evening.car
    car.heat(0.0)
    car.set_limit(car.max_amps)
    car.set_mains(on=True)
    if not car.plugged_in:
        car.plug()


def _tessie(name: str, probability: float) -> Fault:
    about, scope = FAULTS[name].about, FAULTS[name].scope
    is_car = name in _OF_THE_CAR
    when: dict[str, Any] = {"count": 1} if is_car else {"probability": probability}
    often = "" if is_car or probability == 1.0 else f", {probability:.0%} of calls"
    is_deaf = scope in (Scope.ANY, Scope.COMMAND) and name not in _REACHES_THE_CAR and probability == 1.0
    return Fault(
        name=f"{'car' if is_car else 'Tessie'}: {about}{often}",
        begin=_inject(name, **when),
        end=_mend_car if is_car else Fault(name="").end,
        deaf=is_deaf,
        lasts=name in _OF_ITS_OWNER,
    )


TESSIE: Final = (
    *(_tessie(name, 1.0) for name, fault in FAULTS.items() if fault.scope is not Scope.WAKE),
    *(
        _tessie(name, each.probability)
        for name, each in FAULTS.items()
        if each.probability < 1 and name not in _OF_THE_CAR
    ),
)


# The network


async def _leave(evening: Evening) -> None:
    """Let the car drive off in the midst of it, and come home soon after its end."""

    async def drive() -> None:
        evening.car.drive_away()
        await asyncio.sleep(evening.hours.end - evening.second + 60)
        evening.server.advance()
        evening.car.park(at_home=True)
        evening.car.plug()

    evening.hass.async_create_background_task(drive(), "drive")


def _and_leaves(fault: Fault) -> Fault:
    async def begin(evening: Evening) -> None:
        await fault.begin(evening)
        await _leave(evening)

    return Fault(
        name=f"{fault.name}; the car drives off",
        begin=begin,
        meter=fault.meter,
        deaf=fault.deaf,
        twin=f"{NOTHING.name}; the car drives off",
    )


NETWORK: Final = (
    Fault(name="network: no way to Tessie (hangs)", begin=_inject("hang"), deaf=True),
    Fault(name="network: no way to anybody", begin=_inject("hang"), meter=_silent, deaf=True),
)
AWAY: Final = tuple(
    _and_leaves(each)
    for each in (
        NOTHING,
        *(_tessie(name, 1.0) for name in ("frozen", "no_position", "missing_fields", "wrong_types", "lost")),
        *(_tessie(name, 1.0) for name in ("applied_then_timeout", "hang", "slow", "unavailable", "position_off")),
        Fault(name="meter: silent", meter=_silent),
    )
)


# Home Assistant


async def _reload(evening: Evening) -> None:
    await evening.reload()


async def _restart(evening: Evening) -> None:
    await evening.restart(away_s=60)


async def _kill(evening: Evening) -> None:
    await evening.kill(away_s=60)


def _kill_at(action: str, *, frozen: bool = False) -> Deed:
    """Kill it while a command of a kind is on its way to the car."""

    async def begin(evening: Evening) -> None:
        async def wait() -> None:
            while not any(
                link.commanding
                and (told := evening.coordinator.controller.chargers[link.charger_id].in_flight)
                and told.action == action
                for link in evening.coordinator._links.values()
            ):
                await evening.tick()
                if evening.second > evening.hours.seconds - 300:
                    raise AssertionError(f"no {action} to be killed at")

        await wait()
        if frozen:
            await _inject("frozen", 600)(evening)
        await evening.kill(away_s=60)

    return begin


async def _suspend(evening: Evening) -> None:
    evening.is_dark = True
    for _ in range(200):
        await evening.tick(suspended=True)
    evening.is_dark = False


def _set_clock(seconds: float) -> dict[str, Deed]:
    async def begin(evening: Evening) -> None:
        evening.set_clock(seconds)

    async def end(evening: Evening) -> None:
        evening.set_clock(-seconds)

    return {"begin": begin, "end": end}


def _disk(fails: Callable[[Evening], Any]) -> dict[str, Deed]:
    stack = ExitStack()

    async def begin(evening: Evening) -> None:
        stack.enter_context(patch("homeassistant.helpers.storage.Store._async_write_data", fails(evening)))

    async def end(_: Evening) -> None:
        stack.close()

    return {"begin": begin, "end": end}


def _unwritable(text: str) -> Callable[[Evening], Any]:
    async def write(*_: Any) -> NoReturn:
        raise WriteError(text)

    return lambda _: write


def _hanging(evening: Evening) -> Any:
    async def write(*_: Any) -> None:
        await asyncio.sleep(evening.hours.end - evening.second)

    return write


HOME_ASSISTANT: Final = (
    Fault(name="Home Assistant: the site is reloaded", begin=_reload),
    Fault(name="Home Assistant: restarted, 60 s away", begin=_restart),
    Fault(name="Home Assistant: killed, 60 s away", begin=_kill),
    *(
        Fault(
            name=f"Home Assistant: killed at a {action.replace('_', ' ')}{after}", begin=_kill_at(action, frozen=frozen)
        )
        for action in ("set_amps", "stop", "start")
        for frozen, after in ((False, ""), (True, ", then a frozen picture"))
    ),
    Fault(name="Home Assistant: disk full", **_disk(_unwritable("No space left on device"))),
    Fault(name="Home Assistant: disk read-only", **_disk(_unwritable("Read-only file system"))),
    Fault(name="Home Assistant: disk hangs", **_disk(_hanging)),
    Fault(name="Home Assistant: suspended for 200 s", begin=_suspend),
    Fault(name="Home Assistant: clock set 1 h ahead, and back", **_set_clock(3600)),
    Fault(name="Home Assistant: clock set 1 h back, and ahead", **_set_clock(-3600)),
    Fault(name="Home Assistant: summer time ends", clock="2026-11-01 08:45:00+00:00"),
    Fault(name="Home Assistant: summer time begins", clock="2026-03-08 09:45:00+00:00"),
)


# A charger of entities

BOX: Final = Fault(name="entity charger, nothing wrong", box=True)


def _box(fault: str, about: str, **more: Any) -> Fault:
    async def begin(evening: Evening) -> None:
        assert evening.box is not None
        evening.box.fault = fault

    async def end(evening: Evening) -> None:
        assert evening.box is not None
        evening.box.fault = ""

    return Fault(name=f"entity charger: {about}", begin=begin, end=end, twin=BOX.name, box=True, **more)


ENTITIES: Final = (
    BOX,
    _box("unavailable", "its entities are unavailable", deaf=True),
    _box("unknown", "its entities are unknown"),
    _box("gone", "its entities are gone", deaf=True),
    _box("fails", "its actions fail", deaf=True),
    _box("hangs", "its actions hang", deaf=True),
    _box("lost", "its actions do nothing", deaf=True),
    _box("frozen", "it shows what was"),
    _box("slow", "it shows what was a minute ago, and takes 10 s to act"),
)


# The recorder


async def _lock(evening: Evening) -> None:
    path = get_instance(evening.hass).db_url.removeprefix("sqlite:///")
    evening.lock = sqlite3.connect(path, isolation_level=None, timeout=60)
    evening.lock.execute("BEGIN EXCLUSIVE")


async def _unlock(evening: Evening) -> None:
    if evening.lock is not None:
        evening.lock.close()


async def _corrupt(evening: Evening) -> None:
    path = Path(get_instance(evening.hass).db_url.removeprefix("sqlite:///"))
    path.write_bytes(b"\0" * 1_000_000)  # noqa: ASYNC240 -- time stands still meanwhile


RECORDER: Final = {
    fault.name: fault
    for fault in (
        Fault(name="Home Assistant: database locked", begin=_lock, end=_unlock),
        Fault(name="Home Assistant: database overwritten", begin=_corrupt),
    )
}
ALL: Final = {fault.name: fault for fault in (NOTHING, *METER, *TESSIE, *NETWORK, *HOME_ASSISTANT, *ENTITIES, *AWAY)}
