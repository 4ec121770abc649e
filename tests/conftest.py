"""A site whose time, meter and charger are in the hands of the test."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
import json
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry, ConfigSubentryData
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
from hypothesis import settings
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

import custom_components.amp_sensor
from custom_components.amp_sensor.chargers.charger import Hear
from custom_components.amp_sensor.const import (
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_VOLTAGE,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.amp_sensor.control import ChargerReport, ChargingState, Command, Outcome, Profile
from custom_components.amp_sensor.control.profile import TESSIE
from custom_components.amp_sensor.site.coordinator import SHOW_S, SiteCoordinator
from tests.postgresql import create_database, run_postgresql

collect_ignore = ["browser"]  # without the fixtures of Home Assistant: `scripts/test browser`

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
"""A machine that has more to do fails no test."""

WEBHOOK_ID = "0123456789abcdef"
CHARGER_ID = "01JCHARGER"
VIN = "5YJ3E1EA7KF000316"
TEXTS = json.loads((Path(custom_components.amp_sensor.__file__).parent / "translations" / "en.json").read_text())
TOKEN = "token-of-the-tests"

CHARGING = ChargerReport(
    age_s=2.0,
    state=ChargingState.CHARGING,
    requested_amps=16.0,
    measured_amps=16.0,
    limit_amps=16.0,
    plugged_in=True,
    at_home=True,
)

STOPPED = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0, age_s=0.0)


def car_data(**changes: Any) -> dict[str, Any]:
    """Return the settings of a car as the flow keeps them."""
    return {
        CONF_TESSIE_TOKEN: TOKEN,
        CONF_TESSIE_URL: "http://127.0.0.1:9",
        CONF_CAR_VIN: VIN,
        CONF_MAX_AMPS_CAR: 16,
        CONF_CHARGER_LOCATION: {"latitude": 43.36, "longitude": -8.83, "radius": 100.0},
        **changes,
    }


def add_car(site: Site, subentry_id: str, name: str) -> None:
    """Add another car to a site, as the flow does."""
    site.hass.config_entries.async_add_subentry(
        site.entry,
        ConfigSubentry(
            data=MappingProxyType(car_data(**{CONF_CAR_VIN: name})),
            subentry_id=subentry_id,
            subentry_type=SUBENTRY_CHARGER,
            title=name,
            unique_id=name,
        ),
    )


@dataclass
class FakeCharger:
    """A charger that says and does what the test wants."""

    report: ChargerReport | Exception = CHARGING
    answer: Outcome | Exception = Outcome.ACCEPTED
    poll_s: float = 15.0
    hold: asyncio.Event | None = None
    """While it is there and not set, commands get no answer."""
    calls: list[dict[str, Any]] = field(default_factory=list)
    wakes: int = 0
    awake: Exception | None = None
    """How waking ends."""
    polls: int = 0
    commands: list[Command] = field(default_factory=list)
    profile: Profile = TESSIE
    gone: tuple[str, ...] = ()
    can_wake: bool = True
    knows_battery: bool = True
    switches_phases: bool = False
    switched: list[int] = field(default_factory=list)
    """To how many phases it was switched."""

    async def async_report(self) -> ChargerReport:
        self.polls += 1
        if isinstance(self.report, Exception):
            raise self.report
        return self.report

    async def async_command(self, command: Command) -> Outcome:
        self.commands.append(command)
        if self.hold is not None:
            await self.hold.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def async_listen(self, hear: Hear) -> Callable[[], None]:
        return lambda: None

    def diagnostics(self) -> list[dict[str, Any]]:
        return self.calls

    async def async_switch_phases(self, phases: int) -> None:
        self.switched.append(phases)
        if isinstance(self.answer, Exception):
            raise self.answer

    async def async_wake(self) -> None:
        self.wakes += 1
        if self.awake is not None:
            raise self.awake

    def poll_after_s(self, report: ChargerReport | None, *, commanded: bool) -> float:
        return 10.0 if commanded else self.poll_s


@pytest.fixture(scope="session")
def postgresql() -> Generator[Path]:
    """Run a PostgreSQL server until the last test that wants one."""
    with run_postgresql() as folder:
        yield folder


@pytest.fixture
def recorder_db_url(request: pytest.FixtureRequest, recorder_db_url: str) -> Generator[str]:
    """Give the recorder SQLite in memory; PostgreSQL to tests that are marked BOTH_DATABASES, every second time."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield recorder_db_url
    else:
        with create_database(request.getfixturevalue("postgresql")) as url:
            yield url


@pytest.fixture
def charger() -> Generator[FakeCharger]:
    """Stand in for the car of every site."""
    fake = FakeCharger()
    with patch("custom_components.amp_sensor.TessieCharger", return_value=fake):
        yield fake


@pytest.fixture
def entry(enable_custom_integrations: None) -> MockConfigEntry:
    """A site with one car, not yet added."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Casa",
        unique_id="casa",
        entry_id="01JSITE",
        data={CONF_MAX_AMPS: 25, CONF_VOLTAGE: 230, CONF_LOCAL_ONLY: True, CONF_WEBHOOK_ID: WEBHOOK_ID},
        subentries_data=[
            ConfigSubentryData(
                data=car_data(),
                subentry_id=CHARGER_ID,
                subentry_type=SUBENTRY_CHARGER,
                title="Rocinante",
                unique_id=VIN,
            )
        ],
    )


@dataclass
class Site:
    """A site that is set up."""

    hass: HomeAssistant
    entry: MockConfigEntry
    freezer: FrozenDateTimeFactory
    charger: FakeCharger
    client: TestClient[Any, Any]

    @property
    def coordinator(self) -> SiteCoordinator:
        coordinator: SiteCoordinator = self.entry.runtime_data
        return coordinator

    async def post(self, **reading: Any) -> ClientResponse:
        """Post a reading over HTTP, and let it be dealt with."""
        response = await self.client.post(async_generate_path(self.entry.data[CONF_WEBHOOK_ID]), json=reading)
        await self.settle()
        return response

    async def settle(self) -> None:
        """Let all that happened so far be dealt with, but for an answer that the charger holds back."""
        if self.charger.hold is None or self.charger.hold.is_set():
            await self.coordinator.async_idle()
        else:
            for _ in range(10):
                await asyncio.sleep(0)
        await self.hass.async_block_till_done()

    async def advance(self, seconds: int, *, step_s: int = 1, **reading: Any) -> None:
        """Let time pass, second by second or in larger steps; with a reading, the meter posts it every 5 s."""
        for second in range(step_s, seconds + 1, step_s):
            self.freezer.tick(step_s)
            async_fire_time_changed(self.hass)
            await self.settle()
            if reading and second % 5 == 0:
                assert (await self.post(**reading)).status == HTTPStatus.OK

    async def call(self, domain: str, service: str, entity_id: str, **data: Any) -> None:
        """Call a service on an entity."""
        await self.hass.services.async_call(domain, service, {"entity_id": entity_id, **data}, blocking=True)
        await self.settle()

    def states(self, domain: str) -> dict[str, State]:
        """Return the states of all our entities of a domain."""
        return {state.entity_id: state for state in self.hass.states.async_all(domain)}

    def state(self, entity_id: str) -> str:
        state = self.hass.states.get(entity_id)
        assert state is not None, entity_id
        return state.state


@pytest.fixture
async def site(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    charger: FakeCharger,
) -> AsyncGenerator[Site]:
    """Set up a site, at the beginning of five minutes by the clock: energy is shown ten seconds before they end."""
    hass.loop.slow_callback_duration = inf  # a tick of the frozen clock is no slow callback
    freezer.tick(-dt_util.utcnow().timestamp() % SHOW_S)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    site = Site(hass, entry, freezer, charger, await hass_client_no_auth())
    await site.settle()
    yield site
    if charger.hold is not None:
        charger.hold.set()  # a test that failed halfway would wait for ever


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Show Home Assistant's objects without what differs from run to run."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)
