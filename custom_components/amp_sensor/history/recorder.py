"""What we ask of Home Assistant's recorder, which nothing documents for integrations.

This depends on `homeassistant.components.recorder` and `homeassistant.helpers.recorder`, as of 2026.10. Whatever takes
no coroutine waits for the database: it is for the recorder's executor.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, cast

from homeassistant.components.recorder.const import DOMAIN as RECORDER
from homeassistant.components.recorder.history import get_significant_states, state_changes_during_period
from homeassistant.components.recorder.models import StatisticData, StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    get_last_statistics,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.const import COMPRESSED_STATE_LAST_UPDATED, COMPRESSED_STATE_STATE
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.recorder import get_instance

from ..const import DOMAIN

Metadata = StatisticMetaData
"""What statistics of our own are."""
NewRow = StatisticData
"""An hour of them."""
Row = StatisticsRow
"""What is kept of an hour or five minutes, of any statistics."""
type Rows = Mapping[str, list[Row]]
"""The same by the ids of the statistics."""
type _Value = Literal["change", "last_reset", "max", "mean", "min", "state", "sum"]


def is_recorded(hass: HomeAssistant) -> bool:
    """Tell whether there is a recorder."""
    return RECORDER in hass.config.components


async def async_in_recorder[ResultT](hass: HomeAssistant, job: Callable[..., ResultT], *args: Any) -> ResultT:
    """Run something in the recorder's executor."""
    return await get_instance(hass).async_add_executor_job(job, *args)


def statistics(
    hass: HomeAssistant,
    start: datetime,
    end: datetime,
    ids: set[str],
    *,
    period: Literal["hour", "5minute"],
    values: set[_Value],
    units: dict[str, str] | None = None,
) -> Rows:
    """Return the rows of some statistics; `units` are those wanted, by the classes of units."""
    return statistics_during_period(hass, start, end, ids, period, units, values)


def last_sum_start(hass: HomeAssistant, statistic_id: str) -> float | None:
    """Return when the last hour began that has a sum, s (Unix); None if there is none."""
    last = get_last_statistics(hass, 1, statistic_id, True, {"sum"})
    return last[statistic_id][0]["start"] if last else None


def states(hass: HomeAssistant, start: datetime, end: datetime, entity_id: str) -> list[State]:
    """Return what an entity was, with its attributes; the first is what it was at the start."""
    return state_changes_during_period(hass, start, end, entity_id).get(entity_id, [])


def bare_states(
    hass: HomeAssistant, start: datetime, end: datetime, entity_id: str, *, with_start: bool
) -> Iterator[tuple[float, str | None]]:
    """Give when an entity changed, s (Unix), and what to, without its attributes."""
    found = get_significant_states(
        hass,
        start,
        end,
        [entity_id],
        include_start_time_state=with_start,
        significant_changes_only=False,
        minimal_response=True,
        no_attributes=True,
        compressed_state_format=True,
    )
    for state in cast("list[dict[str, Any]]", found.get(entity_id, [])):
        yield state[COMPRESSED_STATE_LAST_UPDATED], state[COMPRESSED_STATE_STATE]


def metadata(*, statistic_id: str, name: str, unit: str, unit_class: str, has_sum: bool) -> Metadata:
    """Describe statistics of our own: of a counter, or of a mean."""
    return StatisticMetaData(
        source=DOMAIN,
        statistic_id=statistic_id,
        name=name,
        mean_type=StatisticMeanType.NONE if has_sum else StatisticMeanType.ARITHMETIC,
        has_sum=has_sum,
        unit_class=unit_class,
        unit_of_measurement=unit,
    )


def async_add(hass: HomeAssistant, described: Metadata, rows: Iterable[NewRow]) -> None:
    """Let the recorder keep statistics of our own, as soon as it comes to it."""
    async_add_external_statistics(hass, described, rows)


async def async_kept(hass: HomeAssistant) -> None:
    """Wait until the recorder has done what it was asked for so far."""
    # Not its async_block_till_done: that does not wait for the task which is under way
    future: asyncio.Future[None] = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(future))
    await future
