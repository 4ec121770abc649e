"""A person rehearses with a charger, from the page to the charger and back by the meter."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
import logging
from math import inf
from random import Random
import time
from typing import Any

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryData
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.chargers.tessie import TessieCharger
from custom_components.amp_sensor.const import (
    CONF_LEARNED,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_PROFILE,
    CONF_ROLES,
    CONF_TESSIE_URL,
    CONF_VOLTAGE,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.amp_sensor.control import Mode, Step
from custom_components.amp_sensor.site.coordinator import SiteCoordinator
from simulation.car import Car
from simulation.tessie_server import TessieServer
from tests.conftest import CHARGER_ID, TEXTS, TOKEN, VIN, WEBHOOK_ID, car_data
from tests.test_config_flow import Dialog

BUDGET_A = 25.0
SITE_DATA = {CONF_MAX_AMPS: BUDGET_A, CONF_VOLTAGE: 230, CONF_LOCAL_ONLY: True, CONF_WEBHOOK_ID: WEBHOOK_ID}
WORDS = TEXTS["config_panel"]["rehearsal"]
ROLES: dict[str, Any] = {
    "current": "input_number.amps",
    "pause": "input_boolean.allowed",
    "state": "sensor.box",
    "states": {"charging": ["charging"], "stopped": ["paused"], "disconnected": ["unplugged"]},
    "currents": ["sensor.box_current"],
}


@dataclass
class Home:
    """A site with one charger in a house, second by second."""

    hass: HomeAssistant
    entry: MockConfigEntry
    freezer: FrozenDateTimeFactory
    client: TestClient[Any, Any]
    second: Callable[[], float]
    """Lets the charger live for a second, and returns what it draws then, A."""
    house: float = 5.0
    is_shown: bool = True
    """Whether the meter sees the charger."""
    drawn: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)

    @property
    def coordinator(self) -> SiteCoordinator:
        coordinator: SiteCoordinator = self.entry.runtime_data
        return coordinator

    async def advance(self, seconds: int) -> None:
        """Let time pass; the meter posts every 5 s."""
        for _ in range(seconds):
            self.freezer.tick(1)
            async_fire_time_changed(self.hass)
            amps = self.second()
            self.drawn.append(amps)
            self.totals.append(self.house + amps)
            await self.coordinator.async_idle()
            await self.hass.async_block_till_done()
            if len(self.drawn) % 5 == 0:
                shown = self.house + (amps if self.is_shown else 0.0) + 0.01 * (len(self.drawn) % 2)
                path = async_generate_path(WEBHOOK_ID)
                response = await self.client.post(path, json={"amps": shown, "watts": 230 * shown})
                assert response.status == HTTPStatus.OK
                await self.coordinator.async_idle()
                await self.hass.async_block_till_done()

    async def charges_fully(self) -> bool:
        """Return whether it comes to draw all that it may again."""
        for _ in range(90):
            if self.drawn[-1] == 16:
                return True
            await self.advance(10)
        return False

    async def open(self) -> Dialog:
        """Open the page that says what will happen."""
        flow = self.hass.config_entries.subentries
        context: Any = {"source": SOURCE_RECONFIGURE, "subentry_id": CHARGER_ID}
        result = await flow.async_init((self.entry.entry_id, SUBENTRY_CHARGER), context=context)
        dialog = Dialog(flow, TEXTS["config_subentries"][SUBENTRY_CHARGER], result)
        await dialog.choose("rehearse")
        return dialog

    async def begin(self) -> Dialog:
        dialog = await self.open()
        assert (await dialog.submit({}))["type"] is FlowResultType.SHOW_PROGRESS
        return dialog

    async def rehearse(self) -> tuple[list[str], str]:
        """Rehearse to the end; return which pages were shown meanwhile, and what the last one tells."""
        dialog, shown = await self.begin(), []
        for _ in range(900):
            await self.advance(1)
            result = await dialog.again()
            if result["type"] is FlowResultType.ABORT:
                assert result["reason"] == "rehearsed"
                await self.hass.async_block_till_done()  # what it taught is kept, and the site loaded anew
                return shown, result["description_placeholders"]["results"]
            if result["type"] is FlowResultType.SHOW_PROGRESS and result["progress_action"] not in shown:
                shown.append(result["progress_action"])
        raise AssertionError("it did not end")

    @property
    def cap(self) -> int | None:
        """The most that a rehearsal lets it have."""
        return self.coordinator.controller.chargers[CHARGER_ID].rehearsed

    @property
    def learned(self) -> Any:
        return self.entry.subentries[CHARGER_ID].data.get(CONF_LEARNED)


@pytest.fixture(autouse=True)
def integration(enable_custom_integrations: None, caplog: pytest.LogCaptureFixture) -> None:
    """Let Home Assistant find the integration; each second would be some lines of the log."""
    caplog.set_level(logging.WARNING)


async def move_in(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    client: ClientSessionGenerator,
    data: dict[str, Any],
    second: Callable[[], float],
) -> Home:
    """Set a site up whose charger charges, and let its first minute pass."""
    hass.loop.slow_callback_duration = inf
    charger = ConfigSubentryData(
        data=data, subentry_id=CHARGER_ID, subentry_type=SUBENTRY_CHARGER, title="Box", unique_id=VIN
    )
    entry = MockConfigEntry(
        domain=DOMAIN, title="Casa", unique_id="casa", entry_id="01JSITE", data=SITE_DATA, subentries_data=[charger]
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    home = Home(hass, entry, freezer, await client(), second)
    await home.advance(75)
    return home


@pytest.fixture
async def tesla(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Home]:
    """A Tesla at the simulated Tessie."""
    monkeypatch.setitem(TessieCharger.__init__.__kwdefaults__, "clock", time.time)
    car = Car.endless(rng=Random(1))
    server = TessieServer(rng=Random(2), token=TOKEN, clock=time.time, latency_scale=0)
    server.add_car(VIN, car)

    def second() -> float:
        server.advance()
        return car.amps

    async with server:
        data = car_data(**{CONF_TESSIE_URL: server.url})
        home = await move_in(hass, freezer, hass_client_no_auth, data, second)
        yield home
        await hass.config_entries.async_unload(home.entry.entry_id)


@pytest.fixture
async def box(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hass_client_no_auth: ClientSessionGenerator
) -> AsyncGenerator[Home]:
    """A charger of Home Assistant's own helpers, with a car behind it that follows within two seconds."""
    amps = {"min": 6, "max": 32, "step": 1, "initial": 16, "unit_of_measurement": "A"}
    assert await async_setup_component(hass, "input_number", {"input_number": {"amps": amps}})
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"allowed": {"initial": True}}})
    await hass.async_block_till_done()
    told = [16.0, 16.0]

    def second() -> float:
        number, allowed = hass.states.get("input_number.amps"), hass.states.get("input_boolean.allowed")
        assert number is not None
        assert allowed is not None
        told.append(float(number.state) if allowed.state == "on" else 0.0)
        drawn = told[-3]
        hass.states.async_set("sensor.box", "charging" if drawn else "paused")
        hass.states.async_set("sensor.box_current", str(drawn), {"unit_of_measurement": "A"}, force_update=True)
        return drawn

    second()
    data = {CONF_ROLES: ROLES, CONF_PROFILE: None, CONF_MAX_AMPS_CAR: 16}
    home = await move_in(hass, freezer, hass_client_no_auth, data, second)
    yield home
    await hass.config_entries.async_unload(home.entry.entry_id)


async def test_a_tesla_is_lowered_paused_and_started_while_somebody_looks(tesla: Home) -> None:
    shown, results = await tesla.rehearse()
    assert shown[-3:] == ["rehearse_lower", "rehearse_stop", "rehearse_start"]
    lowered, paused, started = results.split("\n")
    assert lowered.startswith("- Lowering to 5 A worked: the meter fell by 1")
    assert paused.startswith("- Pausing worked: the meter fell by ")
    assert started.startswith("- Starting with 5 A worked: the meter rose by ")
    assert min(tesla.drawn) == 0
    assert max(tesla.totals) <= BUDGET_A
    assert tesla.learned["latency_s"] >= 0
    assert tesla.learned["phases"] == [1]


async def test_a_charger_of_entities_is_lowered_paused_and_started(box: Home) -> None:
    shown, results = await box.rehearse()
    assert shown[-3:] == ["rehearse_lower", "rehearse_stop", "rehearse_start"]
    assert results.count("worked") == 3, results
    assert "Lowering to 6 A worked: the meter fell by 10.0 A" in results
    assert box.learned["phases"] == [1]
    assert await box.charges_fully(), "afterwards it is controlled as before"
    assert max(box.totals) <= BUDGET_A


async def test_it_can_be_repeated_and_what_it_taught_is_used(box: Home) -> None:
    await box.rehearse()
    assert box.coordinator.controller.chargers[CHARGER_ID].latency_s == box.learned["latency_s"]
    assert await box.charges_fully()
    _, results = await box.rehearse()
    assert results.count("worked") == 3, results


async def test_a_charger_behind_another_meter_is_told_so(box: Home) -> None:
    box.house, box.is_shown = 2.0, False
    box.coordinator.async_configure(replace(box.coordinator.data.settings, max_amps=60))
    box.house = 20.0
    await box.advance(60)
    _, results = await box.rehearse()
    assert WORDS["unseen"].format(step=WORDS["lower"]) in results
    assert box.learned is None
    assert box.cap is None


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.MONITOR])
async def test_without_control_nothing_is_sent_and_the_page_says_why(box: Home, mode: Mode) -> None:
    box.coordinator.async_configure(replace(box.coordinator.data.settings, mode=mode))
    await box.advance(1)
    _, results = await box.rehearse()
    assert results == "- " + WORDS["not_begun"].format(reason="Control is off")
    assert box.drawn[-1] == 16


async def test_a_house_without_room_is_left_alone(box: Home) -> None:
    box.house = 21.0
    await box.advance(30)
    _, results = await box.rehearse()
    assert results.startswith("- " + WORDS["not_begun"].split(":")[0])
    assert box.learned is None


async def test_closing_the_page_gives_the_charger_back(box: Home) -> None:
    dialog = await box.begin()
    for _ in range(120):
        await box.advance(1)
        if box.drawn[-1] == 0:
            break
    assert box.cap is not None
    box.hass.config_entries.subentries.async_abort(dialog.result["flow_id"])
    await box.advance(1)
    assert box.cap is None
    assert await box.charges_fully()


async def test_a_reload_ends_it(box: Home) -> None:
    dialog = await box.begin()
    await box.advance(10)
    assert await box.hass.config_entries.async_reload(box.entry.entry_id)
    await box.advance(1)
    result = await dialog.again()
    if result["type"] is not FlowResultType.ABORT:
        result = await dialog.again()
    assert WORDS["interrupted"] in result["description_placeholders"]["results"]
    assert box.cap is None
    assert await box.charges_fully()


async def test_two_at_a_time_are_refused(box: Home) -> None:
    first = await box.begin()
    second = await box.open()
    assert (await second.submit({}))["reason"] == "rehearsal_elsewhere"
    assert first.result["type"] is FlowResultType.SHOW_PROGRESS


async def test_a_site_that_is_not_loaded_is_named(box: Home) -> None:
    dialog = await box.open()
    assert await box.hass.config_entries.async_unload(box.entry.entry_id)
    assert (await dialog.submit({}))["reason"] == "not_loaded"


async def test_the_house_comes_first(box: Home) -> None:
    dialog = await box.begin()
    while box.coordinator.controller.rehearsal is None or box.coordinator.controller.rehearsal.step is not Step.STOP:
        await box.advance(1)
    box.house = 40.0
    await box.advance(60)
    assert box.drawn[-1] == 0
    box.house = 5.0
    assert await box.charges_fully()
    assert (await dialog.again())["type"] is FlowResultType.ABORT
    await box.hass.async_block_till_done()


async def test_a_rehearsal_that_fails_holds_nothing_down(
    box: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    await box.begin()
    for _ in range(60):
        await box.advance(1)
        if box.cap is not None:
            break
    monkeypatch.setattr("custom_components.amp_sensor.control.rehearsal.Rehearsal.look", fail)
    await box.advance(1)
    assert box.cap is None
    assert "a failure in its rehearsal" in caplog.text
    assert await box.charges_fully()
