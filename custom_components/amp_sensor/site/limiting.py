"""What bounds the supply beside its budget: read from Home Assistant, told to control, and shown."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import ATTR_ENTITY_ID, ATTR_NAME, STATE_OFF, STATE_ON, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_AVERAGE,
    CONF_BLOCKS,
    CONF_EACH_CHARGER,
    CONF_ENTITY,
    CONF_FALLBACK_AFTER,
    CONF_FALLBACK_KW,
    CONF_FIRST_MONTH,
    CONF_FOLLOWS_PEAK,
    CONF_FROM,
    CONF_KIND,
    CONF_LAST_MONTH,
    CONF_LIMIT_KW,
    CONF_ON_KW,
    CONF_SWITCHES_LOADS,
    CONF_TO,
    CONF_WEEKDAYS,
    CONF_WINDOW,
    DEFAULT_FALLBACK_AFTER_MIN,
    DOMAIN,
    MAX_LIMIT_KW,
    SUBENTRY_LIMIT,
)
from ..control import Block, Clock, Controller, LimitSettings, LimitState, Reason, watts_at
from ..control.blocks import DAY_MIN
from ..meters.entity import Kind, Value, read_state
from ..notices.announcer import ATTR_KIND, EVENT_DECISION

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ON_OFF: Final = "on_off"
NEAR_W: Final = 10.0
"""To what power is shown, W: finer, each second would be worth a state."""


@dataclass(frozen=True, slots=True)
class Told:
    """What holds by somebody else's word: a power, a current, or nothing."""

    watts: float | None = None
    amps: float | None = None


@dataclass(frozen=True, kw_only=True)
class LimitData:
    """What is known of one limit. Two are equal where entities show the same of both."""

    id: str
    is_peak: bool
    """Whether it is a number that a person sets."""
    is_averaged: bool
    """Whether it is about windows of the clock."""
    is_current: bool
    """Whether it is told in A of each phase, not in W of all together."""
    set_watts: float | None
    """What is set, W; None where it is not a number that is set."""
    in_force_watts: float | None
    in_force_amps: float | None
    average_watts: float | None
    expected_watts: float | None
    peak_watts: float | None
    is_at_risk: bool | None


class _Source:
    """One limit: where it comes from, and what it said last."""

    def __init__(self, hass: HomeAssistant, subentry: ConfigSubentry, memory: Mapping[str, Any]) -> None:
        self.subentry = subentry
        self._hass = hass
        self._data = data = subentry.data
        self.window_s = 60.0 * float(data.get(CONF_WINDOW, 0))
        self.blocks = tuple(_block(block) for block in data.get(CONF_BLOCKS, ()))
        self.limit_kw: float | None = None
        if CONF_LIMIT_KW in data and not self.blocks:
            kept, configured = memory.get("limit_kw"), memory.get("configured_kw")
            is_kept = _is_kw(kept) and configured == data[CONF_LIMIT_KW]
            self.limit_kw = float(kept) if is_kept and kept is not None else float(data[CONF_LIMIT_KW])
        told = memory.get("told")
        is_told = isinstance(told, list) and len(told) == 2 and all(each is None or _is_kw(each, 1e6) for each in told)
        self._told: Told | None = Told(*told) if is_told and told is not None else None
        self._silent_since: float | None = None

    def memory(self) -> dict[str, Any]:
        """Return what is remembered of it, beside what control does."""
        if self.limit_kw is not None:
            return {"limit_kw": self.limit_kw, "configured_kw": self._data[CONF_LIMIT_KW]}
        return {} if self._told is None else {"told": [self._told.watts, self._told.amps]}

    def settings(self, local: datetime, now: float) -> LimitSettings:
        """Return what holds now."""
        sheds = self._data.get(CONF_SWITCHES_LOADS, self.limit_kw is None)
        if self.limit_kw is not None:
            return LimitSettings(
                reason=Reason.PEAK_LIMIT,
                max_watts=1000 * self.limit_kw,
                window_s=self.window_s,
                follows_peak=self._data.get(CONF_FOLLOWS_PEAK, False),
                sheds=sheds,
            )
        if self.blocks:
            minute = 60 * local.hour + local.minute
            watts = watts_at(self.blocks, month=local.month, weekday=local.weekday(), minute=minute)
            watts = self._kw(CONF_LIMIT_KW) if watts is None else watts
            return LimitSettings(reason=Reason.SCHEDULED_LIMIT, max_watts=watts, window_s=self.window_s, sheds=sheds)
        told = self._outside(now)
        return LimitSettings(
            reason=Reason.OUTSIDE_LIMIT,
            max_watts=told.watts,
            max_amps=told.amps,
            each_charger=self._data.get(CONF_EACH_CHARGER, False),
            sheds=sheds,
        )

    def _kw(self, key: str) -> float | None:
        return None if self._data.get(key) is None else 1000 * float(self._data[key])

    def _outside(self, now: float) -> Told:
        """Return what an entity says, or what holds while it says nothing: what it said last, for a while."""
        told = read_limit(self._hass, self._data[CONF_ENTITY], self._data[CONF_KIND], self._kw(CONF_ON_KW))
        if told is not None:
            self._told, self._silent_since = told, None
            return told
        if self._silent_since is None:
            self._silent_since = now
        patience_s = 60.0 * self._data.get(CONF_FALLBACK_AFTER, DEFAULT_FALLBACK_AFTER_MIN)
        if self._told is not None and now - self._silent_since < patience_s:
            return self._told
        return Told(watts=self._kw(CONF_FALLBACK_KW))


def _is_kw(value: Any, most: float = MAX_LIMIT_KW) -> bool:
    return type(value) in (int, float) and 0 <= value <= most


def _block(block: Mapping[str, Any]) -> Block:
    return Block(
        max_watts=1000 * float(block[CONF_LIMIT_KW]),
        first_month=int(block.get(CONF_FIRST_MONTH, 1)),
        last_month=int(block.get(CONF_LAST_MONTH, 12)),
        weekdays=frozenset(WEEKDAYS.index(day) for day in block.get(CONF_WEEKDAYS) or WEEKDAYS),
        from_min=_minute(block.get(CONF_FROM, "00:00:00")),
        to_min=_minute(block.get(CONF_TO, "00:00:00")) or DAY_MIN,
    )


def _minute(text: str) -> int:
    hours, minutes, *_ = text.split(":")
    return 60 * int(hours) + int(minutes)


def kind_of(hass: HomeAssistant, ref: str) -> str | None:
    """Return what an entity tells: a power, a current, or that it is on or off; None where it tells none of these."""
    for kind in (Kind.POWER, Kind.CURRENT):
        if isinstance(read_state(hass, ref, kind), Value):
            return kind
    return ON_OFF if _is_on(hass, ref) is not None else None


def _is_on(hass: HomeAssistant, ref: str) -> bool | None:
    entity_id = er.async_resolve_entity_id(er.async_get(hass), ref)
    state = None if entity_id is None else hass.states.get(entity_id)
    return None if state is None or state.state not in (STATE_ON, STATE_OFF) else state.state == STATE_ON


def read_limit(hass: HomeAssistant, ref: str, kind: str, on_watts: float | None) -> Told | None:
    """Return what holds by the word of an entity of this kind; None where it says nothing of use."""
    if kind == ON_OFF:
        is_on = _is_on(hass, ref)
        return None if is_on is None else Told(watts=on_watts if is_on else None)
    found = read_state(hass, ref, Kind(kind))
    if not isinstance(found, Value):
        return None
    number = max(0.0, found.number)
    return Told(watts=number) if kind == Kind.POWER else Told(amps=number)


def _near(watts: float | None) -> float | None:
    return None if watts is None else round(watts / NEAR_W) * NEAR_W


class Limiting:
    """The limits of one site, but for its budget."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, memory: Mapping[str, Any], *, interval_s: float
    ) -> None:
        """Take what is remembered of each limit, by its subentry, and how often small changes are shown, s."""
        self._hass = hass
        self._memory = memory
        self._interval_s = interval_s
        self._sources = {
            subentry.subentry_id: _Source(hass, subentry, _mapping(memory.get(subentry.subentry_id)))
            for subentry in entry.get_subentries_of_type(SUBENTRY_LIMIT)
        }
        self._controller: Controller | None = None
        self._shown_at = 0.0
        self._announced: dict[str, tuple[float | None, float | None]] = {}
        self.data: Mapping[str, LimitData] = {}

    def go_on(self, before: Limiting) -> None:
        """Take over how the limits stood: control knows that still, and what holds as before is no news."""
        self._controller, self._announced = before._controller, before._announced

    def look(self, controller: Controller, *, now: float) -> None:
        """Tell control what holds, by what Home Assistant's entities and clock say."""
        if not (self._sources or controller.supply_limits):
            return
        local, wall_s = dt_util.now(), time.time()
        offset = local.utcoffset()
        clock = Clock(wall_s=wall_s - now + (0.0 if offset is None else offset.total_seconds()), month=f"{local:%Y-%m}")
        controller.limit({key: source.settings(local, now) for key, source in self._sources.items()}, clock, now=now)
        if self._controller is None:
            self._controller = controller
            self._restore(controller)
        for key, source in self._sources.items():
            average = read_state(self._hass, source.subentry.data.get(CONF_AVERAGE), Kind.POWER)
            if isinstance(average, Value):
                controller.supply_limits[key].tell(max(0.0, average.number), now)
        self._show(controller, now)

    def _restore(self, controller: Controller) -> None:
        for key, limit in controller.supply_limits.items():
            if record := _mapping(_mapping(self._memory.get(key)).get("record")):
                with suppress(ValueError):  # without it, the window is unknown, and the month begins anew
                    limit.restore(record)

    def _show(self, controller: Controller, now: float) -> None:
        fresh = {key: self._data(key, limit.state(now)) for key, limit in controller.supply_limits.items()}
        is_due = now - self._shown_at >= self._interval_s
        if is_due or any(_differ(data, self.data.get(key)) for key, data in fresh.items()):
            self.data, self._shown_at = fresh, now
        for key, data in fresh.items():
            self._announce(key, data)

    def _data(self, key: str, state: LimitState) -> LimitData:
        source, window = self._sources[key], state.window
        return LimitData(
            id=key,
            is_peak=source.limit_kw is not None,
            is_averaged=source.window_s > 0,
            is_current=source.subentry.data.get(CONF_KIND) == Kind.CURRENT,
            set_watts=None if source.limit_kw is None else 1000 * source.limit_kw,
            in_force_watts=None if state.max_amps is not None else _near(state.max_watts),
            in_force_amps=state.max_amps,
            average_watts=None if window is None else _near(window.average_watts),
            expected_watts=None if window is None else _near(window.expected_watts),
            peak_watts=_near(state.peak_watts) if source.window_s else None,
            is_at_risk=None if window is None else window.is_at_risk,
        )

    def _announce(self, key: str, data: LimitData) -> None:
        """Tell in the logbook when a limit from elsewhere comes, changes and goes."""
        if CONF_ENTITY not in self._sources[key].subentry.data:
            return
        holds = data.in_force_watts, data.in_force_amps
        before = self._announced.get(key, (None, None))
        self._announced[key] = holds
        if holds == before:
            return
        watts, amps = holds
        kind = "limit_gone" if holds == (None, None) else "limit_kw" if amps is None else "limit_amps"
        entity_id = er.async_get(self._hass).async_get_entity_id(Platform.SENSOR, DOMAIN, f"{key}_limit_in_force")
        self._hass.bus.async_fire(
            EVENT_DECISION,
            {
                ATTR_ENTITY_ID: entity_id,
                ATTR_NAME: self._sources[key].subentry.title,
                ATTR_KIND: kind,
                "kw": f"{(watts or 0.0) / 1000:g}",
                "amps": f"{amps or 0.0:g}",
            },
        )

    def set(self, limit_id: str, watts: float) -> None:
        """Take what a person set, W."""
        source, shown = self._sources[limit_id], self.data[limit_id]
        source.limit_kw = watts / 1000
        self.data = {**self.data, limit_id: replace(shown, set_watts=watts)}

    def memory(self) -> dict[str, Any]:
        """Return what is remembered of each limit."""
        records = {} if self._controller is None else self._controller.supply_limits
        return {
            key: {**source.memory(), **({"record": records[key].record()} if key in records else {})}
            for key, source in self._sources.items()
        }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _differ(one: LimitData, other: LimitData | None) -> bool:
    """Whether it is worth a state at once: what holds, or whether that is at risk."""
    if other is None:
        return True
    keys = ("set_watts", "in_force_watts", "in_force_amps", "peak_watts", "is_at_risk")
    return any(getattr(one, key) != getattr(other, key) for key in keys)
