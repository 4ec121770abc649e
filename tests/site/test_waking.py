"""A sleeping car that we paused is woken through Tessie, where its owner allows that: over HTTP, to a simulated car."""

from http import HTTPStatus
from math import inf
from random import Random
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.chargers.tessie import TessieCharger
from custom_components.amp_sensor.const import CONF_TESSIE_URL
from custom_components.amp_sensor.site.coordinator import SiteCoordinator
from simulation.car import Car, CarState
from simulation.tessie_server import TessieServer
from tests.conftest import CHARGER_ID, TOKEN, VIN, WEBHOOK_ID, Site, car_data


@pytest.mark.parametrize("allowed", [False, True])
async def test_it_is_woken_once_there_is_room_if_its_owner_allows_that(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    *,
    allowed: bool,
) -> None:
    monkeypatch.setitem(TessieCharger.__init__.__kwdefaults__, "clock", time.time)
    hass.loop.slow_callback_duration = inf
    car = Car(rng=Random(1), soc=20.0, max_amps=16, charging=True, sleep_after_s=120.0)
    server = TessieServer(rng=Random(2), token=TOKEN, clock=time.time, latency_scale=0.0)
    server.add_car(VIN, car)
    async with server:
        entry.add_to_hass(hass)
        hass.config_entries.async_update_subentry(
            entry, entry.subentries[CHARGER_ID], data=car_data(**{CONF_TESSIE_URL: server.url})
        )
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        coordinator: SiteCoordinator = entry.runtime_data
        client = await hass_client_no_auth()
        switch = hass.states.get("switch.rocinante_may_be_woken")
        assert switch is not None
        assert switch.state == "off"
        if allowed:
            data = {"entity_id": "switch.rocinante_may_be_woken"}
            await hass.services.async_call("switch", "turn_on", data, blocking=True)

        async def run(seconds: int, house: float) -> None:
            for _ in range(0, seconds, 5):
                freezer.tick(5)
                async_fire_time_changed(hass)
                server.advance()
                amps = house + car.amps
                post: dict[str, Any] = {"amps": amps, "watts": 230 * amps}
                answer = await client.post(async_generate_path(WEBHOOK_ID), json=post)
                assert answer.status == HTTPStatus.OK
                await coordinator.async_idle()
                await hass.async_block_till_done()

        await run(90, house=5.0)
        await run(1200, house=24.0)
        assert car.asleep
        assert server.counters.wakes == 0, "there is no room for it"
        await run(900, house=5.0)
        assert server.counters.wakes == allowed
        assert (car.state is CarState.CHARGING) == allowed
        assert server.counters.commands_asleep == 0
        told = {issue.translation_key for issue in ir.async_get(hass).issues.values() if issue.active}
        assert ("asleep_while_paused" in told) == (not allowed)


async def test_that_it_may_be_woken_is_remembered(site: Site) -> None:
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    assert await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()
    assert site.state("switch.rocinante_may_be_woken") == "on"
