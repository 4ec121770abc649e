"""Decisions that matter are told, rarely enough to be read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from typing import Any

from homeassistant.components.recorder import Recorder
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import Action, Command, Controller, Decision, Reason
from custom_components.amp_sensor.notices.announcer import EVENT_DECISION, LASTS_S, Announcer
from custom_components.amp_sensor.notices.deeds import CAUSES, Deed, Deeds
from simulation.baselines import CONTROLLERS, Rule, Site as SimulatedSite
from simulation.house import load
from simulation.plant import Charger
from simulation.replay import replay
from tests.conftest import CHARGER_ID, TEXTS, Site

TRACE = Path(__file__).parents[2] / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz"
CAP = 16


class Story:
    """Decisions of one charger, one after the other, and what is told of them."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._announcer = Announcer(hass)
        self._deeds = Deeds()
        self._deed: Deed | None = None
        self._events: list[Event] = async_capture_events(hass, EVENT_DECISION)
        self._at = 0.0

    async def decide(
        self,
        target: int,
        reason: Reason = Reason.NO_HEADROOM,
        *,
        after_s: float = 5.0,
        lasts_s: float = LASTS_S,
        cap: int = CAP,
        **numbers: float,
    ) -> dict[str, Any] | None:
        """Return what was told of a decision that sends a command and lasts, if anything was."""
        self._at += after_s
        command = Command(charger_id=CHARGER_ID, action=Action.SET_AMPS, amps=target) if cap else None
        decision = Decision(
            at=self._at,
            charger_id=CHARGER_ID,
            target=target,
            cap=cap,
            reason=reason,
            numbers=numbers,
            command=command,
        )
        self._add(decision)
        self.told_at_once = len(self._events) > 0
        self._at += lasts_s
        self._add(replace(decision, at=self._at, command=None))
        await self._hass.async_block_till_done()
        assert len(self._events) <= 1
        return self._events.pop().data if self._events else None

    def _add(self, decision: Decision) -> None:
        self._deed = self._deeds.add(decision) or self._deed
        self._announcer.add(decision, self._deed, name="Rocinante")

    async def text(self, *args: Any, **kwargs: Any) -> str | None:
        told = await self.decide(*args, **kwargs)
        return None if told is None else TEXTS["config_panel"]["logbook"][told["kind"]].format(**told)


@pytest.fixture
def story(hass: HomeAssistant) -> Story:
    return Story(hass)


async def test_a_cut_says_what_the_house_did(story: Story) -> None:
    assert await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0) is None
    assert (
        await story.text(9, Reason.OVER_BUDGET, house_amps=13.0, budget_amps=25.0, over_amps=4.0)
        == "Lowered to 9 A: the house rose by 8 A"
    )


async def test_the_house_is_not_blamed_for_a_smaller_budget(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=9.0, budget_amps=25.0)
    assert (
        await story.text(7, Reason.OVER_BUDGET, house_amps=9.0, budget_amps=16.0, over_amps=9.0)
        == "Lowered to 7 A: the house draws 9 A of the budget of 16 A"
    )


async def test_a_rise_counts_for_a_minute(story: Story) -> None:
    await story.decide(6, Reason.MINIMUM, house_amps=5.0, budget_amps=25.0)
    await story.decide(6, Reason.MINIMUM, house_amps=22.0, budget_amps=25.0)
    assert (
        await story.text(0, Reason.PAUSED, after_s=61.0, house_amps=22.0, budget_amps=25.0)
        == "Paused: the house draws 22 A of the budget of 25 A, and less than the minimum is left"
    )


async def test_pauses_and_starts_are_told_at_once(story: Story) -> None:
    await story.decide(6, Reason.MINIMUM, house_amps=5.0)
    assert (
        await story.text(0, Reason.PAUSED, house_amps=23.0, budget_amps=25.0)
        == "Paused: the house rose by 18 A, and less than the minimum is left"
    )
    assert story.told_at_once
    assert await story.decide(0, Reason.RESENT, house_amps=23.0) is None, "the same once more"
    assert await story.text(6, Reason.STARTED, house_amps=3.0) == "Started with 6 A: there is room"
    assert story.told_at_once


async def test_what_does_not_last_is_left_to_the_graphs(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0)
    assert await story.decide(9, Reason.OVER_BUDGET, lasts_s=50.0, house_amps=13.0, over_amps=4.0) is None
    assert await story.decide(16, Reason.RAISED, house_amps=5.0) is None
    assert await story.text(9, Reason.OVER_BUDGET, house_amps=13.0) == "Lowered to 9 A: the house rose by 8 A"
    assert not story.told_at_once


async def test_small_changes_are_told_once_they_add_up(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=9.0)
    assert await story.decide(15, Reason.OVER_BUDGET, house_amps=9.0, budget_amps=24.0, over_amps=1.0) is None
    assert (
        await story.text(14, Reason.OVER_BUDGET, house_amps=9.4, budget_amps=24.0, over_amps=1.0)
        == "Lowered to 14 A: the house draws 9 A of the budget of 24 A"
    )
    assert await story.decide(15, Reason.RAISED, house_amps=9.0) is None
    assert await story.text(16, Reason.RAISED, house_amps=9.0) == "Raised to 16 A: there is room"


async def test_a_cut_keeps_its_cause_where_some_of_it_is_given_back(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0)
    assert await story.decide(7, Reason.OVER_BUDGET, lasts_s=30.0, house_amps=15.0, over_amps=6.0) is None
    assert await story.text(9, Reason.RAISED, house_amps=14.0) == "Lowered to 9 A: the house rose by 10 A"


async def test_a_silent_sensor_is_named(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0)
    assert await story.text(8, Reason.METER_SILENT, silence_s=31.0) == "Lowered to 8 A: no readings from the sensor"
    assert await story.text(0, Reason.METER_FROZEN, silence_s=121.0) == "Paused: no readings from the sensor"


async def test_a_sensor_that_cannot_be_right_is_named(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0)
    assert (
        await story.text(8, Reason.METER_WRONG, house_amps=9.0, silence_s=31.0)
        == "Lowered to 8 A: the sensor shows less than the car draws"
    )
    assert (
        await story.text(0, Reason.PHASE_SILENT, house_amps=9.0, silence_s=121.0)
        == "Paused: one phase is not reported any more"
    )


async def test_the_house_is_not_blamed_for_another_charger(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=2.0)
    assert (
        await story.text(9, Reason.SHARED, house_amps=4.0, over_amps=7.0)
        == "Lowered to 9 A: another charger gets its part"
    )
    assert await story.text(0, Reason.WAITING_FOR_TURN, house_amps=18.0) == "Paused: it is another charger's turn"


async def test_a_limit_below_what_the_car_can_charge_with_is_named(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=2.0)
    assert await story.text(0, Reason.LIMIT_TOO_LOW) == "Paused: it may have less than it can charge with"


def test_whatever_is_told_has_a_text() -> None:
    assert {kind for kinds in CAUSES.values() for kind in kinds} <= set(TEXTS["config_panel"]["logbook"])


async def test_a_cut_that_is_said_again_keeps_its_cause(story: Story) -> None:
    """The car did not react to a first cut, and then has to stop: nobody knows what the house draws."""
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0)
    assert await story.text(0, Reason.RESENT, silence_s=121.0) == "Paused: no readings from the sensor"


async def test_a_lower_maximum_needs_no_reason(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0)
    assert await story.text(8, Reason.AT_MAXIMUM, house_amps=5.0, cap=8) == "Lowered to 8 A"


async def test_what_happened_while_it_was_not_ours_is_not_told(story: Story) -> None:
    await story.decide(16, Reason.AT_MAXIMUM, house_amps=5.0)
    assert await story.decide(0, Reason.UNPLUGGED, cap=0) is None
    assert await story.decide(8, Reason.ADOPTING) is None


def _counted(announcer: Announcer) -> Callable[[SimulatedSite], Rule]:
    """Let a controller's decisions be told."""

    class Told(Controller):
        deeds = Deeds()
        deed: Deed | None = None

        def decide(self, *, now: float) -> tuple[Decision, ...]:
            decisions = super().decide(now=now)
            for decision in decisions:
                self.deed = self.deeds.add(decision) or self.deed
                announcer.add(decision, self.deed, name="Rocinante")
            return decisions

    def create(site: SimulatedSite) -> Rule:
        rule = CONTROLLERS["amp_sensor"](site)
        rule.__class__ = Told
        return rule

    return create


async def test_a_recorded_house_fills_a_page_a_day(hass: HomeAssistant) -> None:
    events = async_capture_events(hass, EVENT_DECISION)
    house = load(TRACE).window(start_h=24, hours=48)
    result = replay(house, _counted(Announcer(hass)), budget=25, chargers=(Charger(max_amps=16),))
    await hass.async_block_till_done()
    assert 50 <= len(events) / result.days <= 80, "entries a day, with a car that charges around the clock"
    assert result.commands_per_h * 24 > 1.5 * len(events) / result.days
    assert {event.data["kind"] for event in events} >= {"lowered_house_rose", "raised", "paused_house_rose", "started"}
    told = [CAP, *(event.data["amps"] for event in events)]
    assert all(before != after for before, after in pairwise(told)), "each entry is news"


@pytest.fixture
async def logbook(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Set up the logbook, before anybody serves pages."""
    assert await async_setup_component(hass, "logbook", {})


async def test_the_logbook_says_it_in_words(logbook: None, site: Site, hass_client: ClientSessionGenerator) -> None:
    hass = site.hass
    start = dt_util.utcnow() - timedelta(seconds=1)
    await site.advance(20, amps=18.0, watts=4140.0)
    await site.post(amps=32.0, watts=7360.0)
    lowered = dt_util.utcnow()
    await site.advance(65, amps=24.9, watts=5727.0)
    await async_wait_recording_done(hass)
    client = await hass_client()
    response = await client.get(f"/api/logbook/{start.isoformat().replace('+00:00', 'Z')}")
    assert response.status == HTTPStatus.OK
    (entry,) = [row for row in await response.json() if row.get("domain") == DOMAIN]
    assert entry["name"] == "Rocinante"
    assert entry["message"].startswith("Lowered to ")
    assert entry["message"].endswith(" A: the house rose by 14 A")
    assert dt_util.parse_datetime(entry["when"]) == lowered, "it stands where it was done"
    assert entry["entity_id"] == "sensor.rocinante_charging_control"


async def test_an_automation_can_use_it(site: Site, device_registry: dr.DeviceRegistry) -> None:
    events = async_capture_events(site.hass, EVENT_DECISION)
    await site.advance(20, amps=18.0, watts=4140.0)
    await site.post(amps=32.0, watts=7360.0)
    await site.advance(65, amps=24.9, watts=5727.0)
    (event,) = events
    device = device_registry.async_get_device_by_identifier((DOMAIN, CHARGER_ID), site.entry.entry_id)
    assert device is not None
    assert event.data["device_id"] == device.id
    assert event.data["reason"] == "over_budget"
    assert event.data["amps"] == site.charger.commands[0].amps
    assert event.data["rise_amps"] == 14
    assert event.data["house_amps"] == 16
    assert event.data["budget_amps"] == 25
    assert event.data["over_amps"] == 7
