"""A site whose charger is made of another integration's entities: from the meter to its number and back."""

from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import Reason
from custom_components.amp_sensor.diagnostics import async_get_config_entry_diagnostics
from custom_components.amp_sensor.site.coordinator import SHOW_S, SiteCoordinator
from tests.chargers.box import BROKEN, REFUSED, Box, add_box, box_roles, entity_id_of
from tests.conftest import CHARGER_ID, VIN, WEBHOOK_ID


@dataclass
class House:
    """A house of 25 A with three phases, its sensor, and a charger that hangs on it."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    client: Any
    box: Box
    entry: MockConfigEntry
    other: MockConfigEntry
    amps: float = 5.0
    """What the house draws beside the charger, A on each phase."""
    _posted: float = 0.0

    @property
    def coordinator(self) -> SiteCoordinator:
        coordinator: SiteCoordinator = self.entry.runtime_data
        return coordinator

    @property
    def reason(self) -> Reason | None:
        decision = self.coordinator.data.chargers[CHARGER_ID].decision
        return None if decision is None else decision.reason

    @property
    def total(self) -> float:
        return self.amps + self.box.draws

    @property
    def repairs(self) -> set[str | None]:
        issues = ir.async_get(self.hass).issues.values()
        return {issue.translation_key for issue in issues if issue.domain == DOMAIN and issue.active}

    async def settle(self) -> None:
        await self.coordinator.async_idle()
        await self.hass.async_block_till_done()

    async def run(self, seconds: int, *, step_s: int = 1, house: float | None = None) -> None:
        """Let time pass; the sensor posts every five seconds, and what changes at once."""
        self.amps = self.amps if house is None else house
        for second in range(step_s, seconds + 1, step_s):
            self.freezer.tick(step_s)
            async_fire_time_changed(self.hass)
            await self.settle()
            if second % 5 == 0 or abs(self.total - self._posted) >= 1:
                self._posted = self.total
                path = async_generate_path(self.entry.data[CONF_WEBHOOK_ID])
                phases = [{"amps": round(self.total - second % 2 / 50, 2)}] * 3
                answer = await self.client.post(path, json={"phases": phases})
                assert answer.status == HTTPStatus.OK
                await self.settle()


def _subentry(hass: HomeAssistant, roles: dict[str, Any], **changes: Any) -> ConfigSubentry:
    device_id = next(each.device_id for each in er.async_get(hass).entities.values() if each.platform == "box")
    data = {"roles": roles, "profile": None, "device_id": device_id, "max_amps_car": 16, "phases": [1, 2, 3]}
    return ConfigSubentry(
        data=MappingProxyType({**data, **changes}),
        subentry_id=CHARGER_ID,
        subentry_type="charger",
        title="Box",
        unique_id=device_id,
    )


async def begin(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    client: Any,
    box: Box,
    *,
    settings: dict[str, Any] | None = None,
    **roles: Any,
) -> House:
    """Set up a site with such a charger, and let it see the house for a while."""
    hass.loop.slow_callback_duration = inf
    freezer.tick(-freezer().timestamp() % SHOW_S)
    other = await add_box(hass, box)
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Casa",
        unique_id="casa",
        entry_id="01JSITE",
        data={"max_amps": 25, "voltage": 230, "local_only": True, "webhook_id": WEBHOOK_ID, "supply": "three"},
    )
    entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(entry, _subentry(hass, box_roles(hass, **roles), **(settings or {})))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    house = House(hass, freezer, client, box, entry, other)
    await house.run(70)
    return house


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
async def house(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    enable_custom_integrations: None,
    box: Box,
) -> House:
    hass.loop.slow_callback_duration = inf
    return await begin(hass, freezer, _Lazy(hass_client_no_auth), box)


class _Lazy:
    """A client that is there once Home Assistant's server is."""

    def __init__(self, create: ClientSessionGenerator) -> None:
        self._create = create
        self._client: Any = None

    async def post(self, *args: Any, **kwargs: Any) -> Any:
        if self._client is None:
            self._client = await self._create()
        return await self._client.post(*args, **kwargs)


async def test_a_house_that_rises_lowers_the_number(house: House) -> None:
    assert house.box.writes == [], "all fits"
    await house.run(10, house=15.0)
    assert house.box.writes == [10.0]
    assert house.total <= 25
    await house.run(400, house=5.0)
    assert house.box.amps == 16.0, "and given back"


async def test_what_does_not_fit_at_all_is_paused_and_started_again(house: House) -> None:
    await house.run(60, house=24.0)
    assert house.box.writes[-1] == "off"
    assert house.box.draws == 0
    await house.run(500, house=5.0)
    assert house.box.draws == 16.0


async def test_where_nothing_pauses_zero_does(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    enable_custom_integrations: None,
) -> None:
    box = Box(zero_pauses=True)
    house = await begin(hass, freezer, _Lazy(hass_client_no_auth), box, pause=None)
    await house.run(60, house=24.0)
    assert box.amps == 0
    await house.run(500, house=5.0)
    assert box.draws == 16.0
    assert all(each == 0 or each >= 6 for each in box.writes if not isinstance(each, str))


async def test_what_can_only_be_switched_is_switched(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    enable_custom_integrations: None,
    box: Box,
) -> None:
    house = await begin(hass, freezer, _Lazy(hass_client_no_auth), box, current=None)
    minimum = hass.states.get("number.box_minimum_current")
    assert minimum is not None
    assert minimum.state == "16", "it takes all or nothing"
    await house.run(60, house=15.0)
    assert box.writes == ["off"]
    await house.run(500, house=5.0)
    assert box.writes == ["off", "on"]
    assert box.draws == 16.0


async def test_a_change_of_its_state_is_known_at_once(house: House) -> None:
    house.box.change(plugged=False)
    await house.run(2)
    assert house.reason is Reason.UNPLUGGED
    house.box.change(plugged=True)
    await house.run(2)
    report = house.coordinator.data.chargers[CHARGER_ID].report
    assert report is not None
    assert report.plugged_in is True


async def test_an_unavailable_charger_recovers_by_itself(house: House) -> None:
    house.box.change(available=False)
    await house.run(600, step_s=5)
    assert house.coordinator.data.chargers[CHARGER_ID].report is None
    assert not house.box.writes
    house.box.change(available=True)
    await house.run(2)
    assert house.coordinator.data.chargers[CHARGER_ID].report is not None
    await house.run(15, house=15.0)
    assert house.box.writes == [10.0]


async def test_a_reload_of_its_integration_is_survived(house: House) -> None:
    assert await house.hass.config_entries.async_unload(house.other.entry_id)
    await house.run(30)
    assert await house.hass.config_entries.async_setup(house.other.entry_id)
    await house.run(5)
    await house.run(15, house=15.0)
    assert house.box.writes == [10.0]
    assert house.repairs == set()


async def test_an_integration_that_comes_late_is_waited_for(house: House) -> None:
    assert await house.hass.config_entries.async_unload(house.other.entry_id)
    assert await house.hass.config_entries.async_reload(house.entry.entry_id)
    await house.run(20)
    assert house.reason is Reason.NO_REPORT
    assert await house.hass.config_entries.async_setup(house.other.entry_id)
    await house.run(3)
    assert house.reason is not Reason.NO_REPORT
    await house.run(70)
    await house.run(15, house=15.0)
    assert house.box.writes == [10.0]


async def test_a_renamed_number_is_followed(house: House) -> None:
    registry = er.async_get(house.hass)
    registry.async_update_entity(entity_id_of(house.hass, "limit"), new_entity_id="number.other_name")
    await house.run(5)
    await house.run(15, house=15.0)
    assert house.box.writes == [10.0]
    assert house.repairs == set()


async def test_a_removed_number_ends_in_a_repair_that_names_it(house: House) -> None:
    limit = entity_id_of(house.hass, "limit")
    er.async_get(house.hass).async_remove(limit)
    await house.run(70)
    assert house.repairs == {"charger_entity_gone"}
    issue = ir.async_get(house.hass).async_get_issue(DOMAIN, f"charger_entity_gone_{CHARGER_ID}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["entities"] == limit
    assert await house.hass.config_entries.async_reload(house.other.entry_id)
    await house.run(5)
    assert house.repairs == set()
    await house.run(15, house=15.0)
    assert house.box.writes == [10.0]


@pytest.mark.parametrize("failure", [REFUSED, BROKEN])
async def test_a_refused_value_is_tried_again(
    house: House, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    house.box.failure = failure
    await house.run(20, house=15.0)
    assert house.box.writes == []
    house.box.failure = None
    await house.run(70)
    assert house.box.writes == [10.0]
    assert VIN not in caplog.text.replace(f"{VIN}_", ""), "but for the names of the entities"


async def test_a_number_that_shows_nothing_is_set_once(house: House) -> None:
    house.box.change(shows=False)
    await house.run(40)
    house.box.writes.clear()
    await house.run(200, house=15.0)
    assert house.box.writes == [10.0]
    await house.run(400, house=5.0)
    assert house.box.amps == 16.0


async def test_one_that_may_not_be_set_often_is_not_and_says_so(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    enable_custom_integrations: None,
    box: Box,
) -> None:
    house = await begin(hass, freezer, _Lazy(hass_client_no_auth), box, settings={"profile": "ocpp"})
    await house.run(10, house=11.0)
    assert box.writes == [14.0]
    await house.run(20, house=13.0)
    assert box.writes == [14.0]
    assert house.reason is Reason.WRITE_TOO_SOON
    await house.run(40)
    assert box.writes == [14.0, 12.0], "once a minute had passed"


async def test_a_car_that_is_away_is_never_told_anything(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    enable_custom_integrations: None,
    box: Box,
) -> None:
    hass.states.async_set("device_tracker.car", "not_home")
    house = await begin(hass, freezer, _Lazy(hass_client_no_auth), box, place="device_tracker.car")
    await house.run(120, house=30.0)
    assert house.reason is Reason.AWAY
    assert box.writes == []
    hass.states.async_set("device_tracker.car", "home")
    await house.run(30)
    assert box.writes == ["off"]


async def test_another_writer_is_named(house: House) -> None:
    await house.run(40, house=17.0)  # more than a charger is given to show a limit from before
    for time in range(3):
        assert house.box.amps == 8, "we lowered it"
        context = Context(parent_id="whatever began it")
        attributes = {"friendly_name": "Follow the sun", "last_triggered": time}
        house.hass.states.async_set("automation.sun", "on", attributes, context=context)
        data = {"entity_id": entity_id_of(house.hass, "limit"), "value": 15}
        await house.hass.services.async_call("number", "set_value", data, blocking=True, context=context)
        await house.run(40)
    await house.run(5)
    assert house.repairs == {"other_writer_known"}
    issue = ir.async_get(house.hass).async_get_issue(DOMAIN, f"other_writer_known_{CHARGER_ID}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["writer"] == "Follow the sun"


async def test_its_device_and_its_range_are_its_own(house: House) -> None:
    current = er.async_get(house.hass).async_get("sensor.box_target_current")
    assert current is not None
    device = dr.async_get(house.hass).async_get(current.device_id or "")
    assert isinstance(device, dr.DeviceEntry)
    assert (device.manufacturer, device.model) == ("Boxes", "B1")
    maximum = house.hass.states.get("number.box_maximum_current")
    assert maximum is not None
    assert (maximum.attributes["min"], maximum.attributes["max"]) == (6, 80)
    assert house.hass.states.get("switch.box_may_be_woken") is None, "there is nothing to wake it with"


async def test_diagnostics_hold_no_vin(house: House) -> None:
    roles = {**box_roles(house.hass), "power": f"sensor.{VIN.lower()}_power"}
    subentry = house.entry.subentries[CHARGER_ID]
    house.hass.config_entries.async_update_subentry(
        house.entry, subentry, data={**subentry.data, "roles": roles, "device_id": VIN}
    )
    await house.hass.async_block_till_done()
    assert house.entry.state is ConfigEntryState.LOADED
    await house.run(10)
    told = str(await async_get_config_entry_diagnostics(house.hass, house.entry))
    assert "sensor." in told
    assert VIN.lower() not in told.lower()
