"""A site that was added, reloaded, disabled and removed leaves nothing behind: fifty times by `TIMES=50`."""

import asyncio
from dataclasses import asdict, dataclass
import gc
import logging
import os
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import Controller
from custom_components.amp_sensor.site.coordinator import SiteCoordinator
from tests.conftest import WEBHOOK_ID, FakeCharger

TIMES = int(os.environ.get("TIMES", "10"))


@dataclass(frozen=True)
class Left:
    """What a site that is gone could leave."""

    tasks: int
    timers: int
    listeners: int
    handles: int
    states: int
    entities: int
    devices: int
    issues: int
    flows: int
    stored: int
    objects: int

    @classmethod
    async def count(cls, hass: HomeAssistant, storage: dict[str, Any]) -> Left:
        await hass.async_block_till_done()
        gc.collect()
        loop = asyncio.get_running_loop()
        return cls(
            tasks=len([task for task in asyncio.all_tasks() if not task.done()]),
            timers=len([each for each in loop._scheduled if not each.cancelled()]),  # type: ignore[attr-defined]
            listeners=sum(hass.bus.async_listeners().values()),
            handles=len(list(Path("/proc/self/fd").iterdir())),  # noqa: ASYNC240
            states=len(hass.states.async_all()),
            entities=len(er.async_get(hass).entities),
            devices=len(dr.async_get(hass).devices),
            issues=len([issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]),
            flows=len(hass.config_entries.flow.async_progress()),
            stored=len([key for key in storage if key.startswith(f"{DOMAIN}.01JSITE")]),
            objects=len([each for each in gc.get_objects() if isinstance(each, SiteCoordinator | Controller)]),
        )


async def test_a_site_that_comes_and_goes_leaves_nothing(  # noqa: PLR0917 -- fixtures
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    charger: FakeCharger,
    hass_storage: dict[str, Any],
) -> None:
    hass.loop.set_debug(False)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # it cannot tell a frozen time
    data, subentries = entry.as_dict(), [dict(each) for each in entry.as_dict()["subentries"]]
    client = None
    counts: list[Left] = []

    async def live(seconds: int) -> None:
        assert client is not None
        for second in range(seconds):
            freezer.tick(1)
            async_fire_time_changed(hass)
            await hass.async_block_till_done()
            if second % 5 == 0:
                await client.post(async_generate_path(WEBHOOK_ID), json={"amps": 20.0 + second, "watts": 4600.0})

    for _ in range(TIMES + 1):
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Casa",
            unique_id="casa",
            entry_id="01JSITE",
            data=data["data"],
            subentries_data=subentries,  # type: ignore[arg-type]
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        client = client or await hass_client_no_auth()
        await live(15)
        assert await hass.config_entries.async_reload(entry.entry_id)
        await live(15)
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
        await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
        assert entry.state is ConfigEntryState.LOADED
        await live(10)
        await hass.config_entries.async_remove(entry.entry_id)
        del entry
        counts.append(await Left.count(hass, hass_storage))
    first, last = asdict(counts[1]), asdict(counts[-1])
    assert last == first
    assert [last[key] for key in ("states", "entities", "devices", "issues", "flows", "stored")] == [0] * 6
