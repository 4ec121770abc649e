"""A recorded evening, second by second, in a Home Assistant whose other integrations talk to devices over real sockets.

Its clock is frozen and moves when all that a second brings has arrived everywhere: an evening takes as long as the
devices need for it.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.const import CONF_WEBHOOK_ID, EVENT_CALL_SERVICE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.chargers.proposal import propose
from custom_components.amp_sensor.const import (
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_PROFILE,
    CONF_ROLES,
    CONF_VOLTAGE,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.amp_sensor.control import Action
from custom_components.amp_sensor.site.coordinator import SiteCoordinator
from simulation.devices.wallbox import DeviceError, Wallbox, breathe, until
from simulation.house import load
from simulation.plant import NORMAL, Sensor

TRACE = Path(__file__).parents[2] / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz"
START_H = 57.0
"""A busy morning: the car is lowered, paused, and started again."""
BUDGET_A = 25
TOLERANCE_A = 0.3
"""Over budget by no more than this does not count, as in a replay."""
FAR_OVER_A = 2.5
"""A tenth: what a breaker holds (IEC 60898: 13 %)."""
LONGEST_OVER_S, LONGEST_FAR_OVER_S = 30, 8
"""From a step of the house until the car has followed: a small excess is given time to end by itself."""
EVENING_MIN = 25
CAR_MAX_A = 16
SOON_S = 90
WEBHOOK_ID = "0123456789abcdef"


@dataclass
class Account:
    """What came of an evening, or of a part of it."""

    seconds: int = 0
    over_s: int = 0
    longest_over_s: int = 0
    """On end, s."""
    longest_far_over_s: int = 0
    """On end by more than a breaker holds for good, s."""
    house_ah: float = 0.0
    car_ah: float = 0.0
    commands: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """For how long each was shown, s."""

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {seconds} s" for reason, seconds in self.reasons.items())
        return (
            f"{self.seconds} s: {self.commands} commands; over {self.over_s} s, longest {self.longest_over_s} s, "
            f"by more than {FAR_OVER_A} A {self.longest_far_over_s} s; "
            f"house {self.house_ah:.1f} Ah, car {self.car_ah:.1f} Ah; {reasons}"
        )


def entity_of(hass: HomeAssistant, platform: str, domain: str, ending: str) -> str:
    """Return the registry id of an entity, by what its unique id or its translation key ends with."""
    (found,) = (
        entry
        for entry in er.async_get(hass).entities.values()
        if entry.platform == platform and entry.domain == domain
        if ending == entry.translation_key or entry.unique_id.lower().replace(" ", "_").endswith(ending)
    )
    return found.id


def device_of(hass: HomeAssistant, entry: Any) -> str:
    """Return the id of the first device of a config entry."""
    return dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)[0].id


@dataclass
class Evening:
    """House, charger and Home Assistant."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    wallbox: Wallbox
    arrive: Callable[[], Awaitable[None]] = field(init=False)
    """Lets all that has to do with the charger arrive, both ways."""
    post: Callable[[tuple[float, ...]], Awaitable[None]] | None = None
    """Lets the meter tell what it measures; by itself, it is a sensor that posts."""
    new_client: ClientSessionGenerator | None = None
    """Makes what such a sensor posts with."""
    start_h: float = START_H
    load: float | None = None
    """What the house draws, A; as recorded by itself."""
    second: int = 0
    calls: list[tuple[int, str]] = field(default_factory=list)
    """What was told to a charger, and in which second."""
    entry: MockConfigEntry = field(init=False)

    def __post_init__(self) -> None:
        self._house = load(TRACE).window(start_h=self.start_h, hours=6).phases[0].tolist()
        self._sensor = Sensor(NORMAL, report_delta=1.0, seed=1)
        self.hass.loop.set_debug(
            False
        )  # a traceback for each of some hundred thousand callbacks takes half of the time
        self.hass.bus.async_listen(EVENT_CALL_SERVICE, self._count)

    @callback
    def _count(self, event: Event[Any]) -> None:
        data = event.data
        if data["domain"] in ("number", "switch", "select"):
            told = data["service_data"].get("value", data["service_data"].get("option", ""))
            self.calls.append((self.second, f"{data['service']} {told}".strip()))

    @property
    def coordinator(self) -> SiteCoordinator:
        coordinator: SiteCoordinator = self.entry.runtime_data
        return coordinator

    async def add_site(
        self,
        *,
        device_id: str,
        profile: str | None = None,
        roles: dict[str, Any] | None = None,
        meter: dict[str, Any] | None = None,
    ) -> None:
        """Set our integration up with a charger in Home Assistant: one that is known, or with these roles."""
        known, proposed = propose(self.hass, device_id)
        assert (known and known.key) == profile
        roles = roles or proposed
        charger = {CONF_ROLES: roles, CONF_PROFILE: profile, "device_id": device_id, CONF_MAX_AMPS_CAR: CAR_MAX_A}
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            unique_id="home",
            data={
                CONF_MAX_AMPS: BUDGET_A,
                CONF_VOLTAGE: 230,
                CONF_LOCAL_ONLY: True,
                CONF_WEBHOOK_ID: WEBHOOK_ID,
                **({"meter": meter} if meter else {}),
            },
            subentries_data=[
                ConfigSubentryData(
                    data=MappingProxyType(charger),
                    subentry_id="01JCHARGER",
                    subentry_type=SUBENTRY_CHARGER,
                    title="Charger",
                    unique_id="charger",
                )
            ],
        )
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        assert self.entry.state is ConfigEntryState.LOADED
        if self.new_client is not None:
            self._client: TestClient[Any, Any] = await self.new_client()
        await self.settle()

    async def settle(self) -> None:
        """Let all be dealt with that does not wait for the clock."""
        await self.arrive()
        for _ in range(3):  # what is decided is told, and what is told is heard of
            await self.coordinator.async_idle()
            await self.arrive()
        await self.hass.async_block_till_done()

    def shown(self, key: str) -> str | None:
        """Return what an entity of our charger shows."""
        for each in er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id):
            if each.unique_id == f"01JCHARGER_{key}":
                state = self.hass.states.get(each.entity_id)
                return None if state is None else state.state
        raise KeyError(key)

    async def live(self, minutes: float, until_s: Callable[[], bool] | None = None) -> Account:
        """Let time pass, until something is so or for so long; return what came of it."""
        account = Account()
        told, over_s, far_s = len(self.calls), 0, 0
        for _ in range(round(minutes * 60)):
            if until_s is not None and until_s():
                break
            self.freezer.tick(1)
            async_fire_time_changed(self.hass)
            self.wallbox.tick()
            await self.settle()
            amps = self._house[self.second] if self.load is None else self.load
            car = self.wallbox.car.amps
            total = amps + car
            reading = self._sensor.sample(self.second, (total,))
            self.second += 1
            if reading is not None:
                await (self.post or self._post)(tuple(amps or 0.0 for amps in reading.amps))
                await self.settle()
            account.seconds += 1
            account.house_ah += amps / 3600
            account.car_ah += car / 3600
            over_s = over_s + 1 if total > BUDGET_A + TOLERANCE_A and car > 0 else 0
            account.over_s += over_s > 0
            far_s = far_s + 1 if total > BUDGET_A + FAR_OVER_A and car > 0 else 0
            account.longest_over_s = max(account.longest_over_s, over_s)
            account.longest_far_over_s = max(account.longest_far_over_s, far_s)
            reason = self.shown("reason") or "none"
            account.reasons[reason] = account.reasons.get(reason, 0) + 1
        account.commands = len(self.calls) - told
        return account

    async def _post(self, amps: tuple[float, ...]) -> None:
        watts = sum(amps) * 230.0
        response = await self._client.post(async_generate_path(WEBHOOK_ID), json={"amps": amps[0], "watts": watts})
        assert response.status == HTTPStatus.OK

    async def reload(self, entry: Any) -> None:
        """Reload another integration, while all waits."""
        assert await self.hass.config_entries.async_reload(entry.entry_id)
        await self.settle()

    async def spend(
        self,
        *,
        over_s: float = LONGEST_OVER_S,
        far_over_s: float = LONGEST_FAR_OVER_S,
        actions: Iterable[Action] = (Action.SET_AMPS, Action.STOP, Action.START),
    ) -> Account:
        """Let the recorded house live, in which the car has to be lowered, paused, and started again."""
        account = await self.live(EVENING_MIN)
        print(f"\n{account}")
        assert account.longest_over_s <= over_s
        assert account.longest_far_over_s <= far_over_s
        assert account.car_ah > 1.5
        assert {told.action for told in self.wallbox.told} == {*actions}
        return account

    async def survive(
        self,
        *,
        leave: Callable[[], Awaitable[None]],
        come_back: Callable[[], Awaitable[None]],
        reload: Callable[[], Awaitable[None]],
        is_back: Callable[[], bool],
        far_over_s: float = LONGEST_FAR_OVER_S,
    ) -> None:
        """Let all go wrong that does: a charger that does not obey, that is gone, whose integration is loaded anew."""
        box, car = self.wallbox, self.wallbox.car
        self.load = 8.0
        await self.live(4, lambda: 14 <= car.amps <= 16.5 and self.second > 30)

        box.obeys = False
        self.load = 15.0
        deaf = await self.live(0.75)
        box.obeys = True
        heard = await self.live(1.5)
        print(f"\nIt does not obey for 45 s: {deaf}\nIt obeys again: {heard}")
        assert deaf.commands >= 2, "what had no effect is told again"
        assert heard.longest_over_s <= LONGEST_OVER_S
        assert car.amps + self.load <= BUDGET_A + TOLERANCE_A

        self.load = 8.0
        await self.live(6, lambda: car.amps >= 12)
        assert car.amps >= 12, "it trusts the charger again"
        await leave()
        gone = await self.live(1)
        print(f"It is gone: {gone}")
        await come_back()
        came = await self.live(5, is_back)
        assert is_back(), "Home Assistant found it again"
        self.load = 17.0
        again = await self.live(1)
        print(f"It is back after {came.seconds} s: {again}")
        assert again.longest_far_over_s <= far_over_s
        assert car.amps + self.load <= BUDGET_A + TOLERANCE_A

        self.load = 8.0
        await self.live(6, lambda: car.amps >= 12)
        await reload()
        await self.settle()
        self.load = 17.0
        reloaded = await self.live(1)
        print(f"Its integration was loaded anew: {reloaded}")
        assert reloaded.longest_far_over_s <= far_over_s
        assert car.amps + self.load <= BUDGET_A + TOLERANCE_A


async def add(hass: HomeAssistant, domain: str, *pages: dict[str, Any]) -> Any:
    """Add one of Home Assistant's integrations through its pages; return its entry, which is loaded."""
    assert await async_setup_component(hass, "homeassistant", {})
    flow = await hass.config_entries.flow.async_init(domain, context={"source": "user"})
    for typed in pages:
        flow = await hass.config_entries.flow.async_configure(flow["flow_id"], typed)
    assert flow["type"] == "create_entry", flow
    entry = flow["result"]
    await until(lambda: entry.state is ConfigEntryState.LOADED, f"{domain} to be loaded")
    await hass.async_block_till_done()
    return entry


async def until_later(hass: HomeAssistant, freezer: FrozenDateTimeFactory, condition: Callable[[], bool]) -> None:
    """Wait for something that takes some seconds by the clock as well."""
    for _ in range(SOON_S):
        freezer.tick(1)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        for _ in range(4):  # and some time for what is outside
            await breathe()
            if condition():
                return
    raise DeviceError("waited in vain")


async def until_state(hass: HomeAssistant, entity_id: str, condition: Callable[[str], bool]) -> None:
    """Wait until an entity shows something."""

    def holds() -> bool:
        state = hass.states.get(entity_id)
        return state is not None and condition(state.state)

    await until(holds, f"{entity_id}, which is {hass.states.get(entity_id)}")
