"""What a site remembers over a restart: settings changed while it ran, its energy, and what its controller learned.

Whatever is on the disk instead, edited, cut off, of another version or no file at all, a site begins with what can be
read of it. What cannot is kept aside, so that nothing is lost that a person could still mend.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
import logging
from math import inf, isfinite
import os
from pathlib import Path
import shutil
from typing import Any, Final, TypedDict, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError

from ..const import DOMAIN, MAX_BUDGET_A, MAX_CHARGER_A, MAX_RESERVE_W, MAX_WAIT_MIN, MIN_BUDGET_A, MIN_CAR_A
from ..control import ChargeWith, ControlRecord, Mode, Priority
from .goal import GoalMemory, is_goal

_LOGGER = logging.getLogger(__name__)

_VERSION: Final = 1
_BAD: Final = ".bad"
"""What follows the name of a file that is kept aside."""


class ChargerMemory(TypedDict, total=False):
    """What is remembered of a charger."""

    max_amps_car: int
    configured_max_amps_car: int
    """What the flow said at that time: where it says something else now, the flow wins."""
    min_amps_car: int
    managed: bool
    may_wake: bool
    priority: str
    charge_with: str
    reserve_w: float
    start_after_s: float
    stop_after_s: float
    energy_wh: float
    goal: GoalMemory
    goal_due: float | None
    goal_from_wh: float
    wh_per_percent: float | None


class LoadMemory(TypedDict, total=False):
    """What is remembered of a load."""

    managed: bool
    priority: str
    record: dict[str, Any]
    """What control has to know: above all, whether it is off because of us."""
    before: dict[str, Any]
    """How it was before that."""
    day: str
    """The day that is counted, as in ISO 8601."""


class CounterMemory(TypedDict):
    """The meter's own energy counter as it last was: what it counts while we are away is not lost."""

    energy_wh: float
    boot_id: str | None


class SiteMemory(TypedDict, total=False):
    """What is remembered of a site."""

    max_amps: float
    configured_max_amps: float
    """As with a charger."""
    mode: str
    heard: bool
    """Whether the meter was ever heard: only one that was can be missed."""
    knows_sign: bool
    """Whether it was ever known which way power flows."""
    energy_wh: float
    counter: CounterMemory | None
    chargers: dict[str, ChargerMemory]
    limits: dict[str, dict[str, Any]]
    """What each limit beside the budget has: what a person set, this month's peak, the window under way."""
    loads: dict[str, LoadMemory]
    control: dict[str, Any]
    """Of the controller's record what must not wait: it is small, and says whose pauses are ours."""


type _Check = Callable[[Any], bool]


def _is_number(least: float = 0.0, most: float = inf) -> _Check:
    return lambda value: type(value) in (int, float) and isfinite(value) and least <= value <= most


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number()(value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_one_of(words: Collection[str]) -> _Check:
    return lambda value: isinstance(value, str) and value in words


def _is_counter(value: Any) -> bool:
    match value:
        case None:
            return True
        case {"energy_wh": energy_wh, "boot_id": str() | None, **rest}:
            return not rest and _is_number()(energy_wh)
    return False


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


_SITE: Final[Mapping[str, _Check]] = {
    "max_amps": _is_number(MIN_BUDGET_A, MAX_BUDGET_A),
    "configured_max_amps": _is_number(),
    "mode": _is_one_of(tuple(Mode)),
    "heard": _is_bool,
    "knows_sign": _is_bool,
    "energy_wh": _is_number(),
    "counter": _is_counter,
    "chargers": _is_mapping,
    "loads": _is_mapping,
    "control": _is_mapping,
    "limits": _is_mapping,
}
_CHARGER: Final[Mapping[str, _Check]] = {
    "max_amps_car": _is_number(MIN_CAR_A, MAX_CHARGER_A),
    "configured_max_amps_car": _is_number(),
    "min_amps_car": _is_number(MIN_CAR_A, MAX_CHARGER_A),
    "managed": _is_bool,
    "may_wake": _is_bool,
    "priority": _is_one_of(tuple(Priority)),
    "charge_with": _is_one_of(tuple(ChargeWith)),
    "reserve_w": _is_number(0, MAX_RESERVE_W),
    "start_after_s": _is_number(0, MAX_WAIT_MIN * 60),
    "stop_after_s": _is_number(0, MAX_WAIT_MIN * 60),
    "energy_wh": _is_number(),
    "goal": is_goal,
    "goal_due": _is_number_or_none,
    "goal_from_wh": _is_number(),
    "wh_per_percent": _is_number_or_none,
}
_LOAD: Final[Mapping[str, _Check]] = {
    "managed": _is_bool,
    "priority": _is_one_of(tuple(Priority)),
    "record": _is_mapping,
    "before": _is_mapping,
    "day": lambda value: isinstance(value, str),
}
_NEWER: Final = (
    *("heard", "control", "may_wake", "priority", "limits", "loads"),
    *("goal", "goal_due", "goal_from_wh", "wh_per_percent"),
    *("knows_sign", "charge_with", "reserve_w", "start_after_s", "stop_after_s"),
)
"""What the first files did not have."""


def _readable(stored: Any, checks: Mapping[str, _Check], name: str, lost: list[str]) -> dict[str, Any]:
    """Return what can be read of `stored`, and add the names of the rest to `lost`."""
    if not isinstance(stored, Mapping):
        lost.append(name)
        return {}
    is_right = {key: check(stored[key]) if key in stored else key in _NEWER for key, check in checks.items()}
    lost.extend(f"{name}.{key}" for key in checks if not is_right[key])
    return {key: stored[key] for key in checks if is_right[key] and key in stored}


def read_memory(stored: Any, name: str) -> tuple[SiteMemory, list[str]]:
    """Return what can be read of a site's memory, and the names of what cannot; `name` is that of the whole."""
    lost: list[str] = []
    if stored is None:
        return {}, lost
    site = _readable(stored, _SITE, name, lost)
    site["chargers"] = {
        charger_id: _readable(charger, _CHARGER, str(charger_id), lost)
        for charger_id, charger in site.get("chargers", {}).items()
    }
    site["loads"] = {
        load_id: _readable(load, _LOAD, str(load_id), lost) for load_id, load in site.get("loads", {}).items()
    }
    return SiteMemory(**site), lost  # type: ignore[typeddict-item]  # checked key by key


class _TellingStore[DataT: Mapping[str, Any]](Store[DataT]):
    """Raises WriteError where a file could not be written, which Home Assistant's own only logs.

    Nothing documented tells of it; `tests/site/test_always_safe.py` fails where this does not any more.
    """

    _failure: WriteError | None = None

    @override
    async def async_save(self, data: DataT) -> None:
        self._failure = None
        await super().async_save(data)
        if self._failure is not None:
            raise self._failure

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        try:
            await super()._async_write_data(data)
        except WriteError as error:
            self._failure = error
            raise


def site_store(hass: HomeAssistant, entry_id: str) -> Store[SiteMemory]:
    """Return where a site's memory is kept: atomic, so that a power cut leaves the last one whole."""
    return _TellingStore(hass, _VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True)


def control_store(hass: HomeAssistant, entry_id: str) -> Store[ControlRecord]:
    """Return where a site's controller keeps its record: tens of kB, so apart from what is saved every minute."""
    return _TellingStore(hass, _VERSION, f"{DOMAIN}.{entry_id}.control", atomic_writes=True)


async def async_load(store: Store[Any]) -> tuple[Any, bool]:
    """Return what is stored, None where there is nothing; and whether it could be read. It never raises.

    A file that cannot be read at all is moved aside: the next one needs its place.
    """
    was_there = await store.hass.async_add_executor_job(os.path.lexists, store.path)
    try:
        stored = await store.async_load()
    except Exception as error:  # noqa: BLE001 -- whatever the file holds, the site has to begin
        _LOGGER.debug("%s cannot be loaded: %r", store.key, error)
        stored, was_there = None, True
    is_lost = stored is None and was_there
    if is_lost:
        await _async_keep(store, os.replace)
    return stored, not is_lost


async def async_keep_copy(store: Store[Any]) -> None:
    """Keep a copy of a file of which not everything could be read: the next save leaves that out."""
    await _async_keep(store, shutil.copy2)


async def async_remove(store: Store[Any]) -> None:
    """Remove a file, or whatever is in its place, and what was kept of it."""
    with suppress(OSError):
        await store.async_remove()
    for path in (store.path, store.path + _BAD):
        await store.hass.async_add_executor_job(_remove, Path(path))


async def _async_keep(store: Store[Any], keep: Callable[[str, str], Any]) -> None:
    bad = store.path + _BAD

    def work() -> None:
        if os.path.lexists(store.path):  # Home Assistant itself moves away what is no JSON
            _remove(Path(bad))
            keep(store.path, bad)

    try:
        await store.hass.async_add_executor_job(work)
    except OSError as error:
        _LOGGER.warning("%s could not be kept as %s: %s", store.path, bad, error.strerror)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
