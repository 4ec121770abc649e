"""Charging with surplus at a real site: what the meter and a home battery say becomes what a car may have."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.amp_sensor.chargers.charger import ChargerUnreachable
from custom_components.amp_sensor.const import SUBENTRY_BATTERY
from custom_components.amp_sensor.control import Action, ChargeWith, Outcome
from tests.conftest import CHARGER_ID, CHARGING, STOPPED, Site

SELECT = "select.rocinante_charge_with"


@dataclass
class Roof:
    """A car that does as it is told, and a meter that shows what it draws beside the house and its roof."""

    site: Site
    amps: int = 16
    """What the car draws, A; 0 while it stands."""
    limit: int = 16
    _obeyed: int = 0

    async def run(self, seconds: int, *, house: float) -> None:
        """Let time pass; of the house and the roof together `house` A flow in."""
        for _ in range(0, seconds, 5):
            for command in self.site.charger.commands[self._obeyed :]:
                if command.action is Action.SET_AMPS:
                    self.limit = command.amps
                    self.amps = min(self.amps, 1) * command.amps
                else:
                    self.amps = self.limit if command.action is Action.START else 0
            self._obeyed = len(self.site.charger.commands)
            drawn = replace(CHARGING, measured_amps=float(self.amps)) if self.amps else STOPPED
            self.site.charger.report = replace(drawn, age_s=0.0, requested_amps=float(self.limit))
            total = round(house + self.amps + len(self.site.charger.commands) % 2 / 50, 2)
            assert (await self.site.post(amps=total, watts=230 * total)).status == HTTPStatus.OK
            await self.site.advance(5)

    async def choose(self, option: str) -> None:
        await self.site.call("select", "select_option", SELECT, option=option)


@pytest.fixture
async def roof(site: Site) -> Roof:
    """A site that has exported, and was watched for a while."""
    roof = Roof(site)
    await roof.run(70, house=-18.0)
    return roof


def add_battery(site: Site, **settings: Any) -> None:
    data = {"power": "sensor.battery_power", "positive": "charging", "first_until_percent": 100} | settings
    site.hass.config_entries.async_add_subentry(
        site.entry,
        ConfigSubentry(
            data=MappingProxyType(data),
            subentry_id="01JBATTERY",
            subentry_type=SUBENTRY_BATTERY,
            title="Battery",
            unique_id="sensor.battery_power",
        ),
    )


async def test_what_to_charge_with_appears_once_the_meter_has_shown_that_power_flows_out(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0)
    assert SELECT not in site.states("select")
    await site.post(amps=-10.0, watts=-2300.0)
    assert site.state(SELECT) == "grid"
    assert site.state("number.rocinante_left_to_the_grid") == "0.0"
    assert site.state("number.rocinante_surplus_start_after") == "5.0"
    assert site.state("number.rocinante_surplus_stop_after") == "10.0"
    assert await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()
    assert site.state(SELECT) == "grid"


async def test_the_car_gets_what_is_left_over_and_no_more(roof: Roof) -> None:
    await roof.choose("surplus_only")
    await roof.run(60, house=-18.0)
    assert roof.amps == 16, "there is enough: nothing is stopped only because it was chosen"
    await roof.run(60, house=-9.5)
    assert roof.amps == 9
    assert roof.site.state("sensor.rocinante_reason") == "surplus"
    assert roof.site.state("sensor.rocinante_charging_control") == "limited"
    await roof.site.call("number", "set_value", "number.rocinante_left_to_the_grid", value=460)
    await roof.run(60, house=-9.5)
    assert roof.amps == 7


async def test_it_stops_after_ten_minutes_of_half_its_minimum_and_starts_after_five_with_surplus(roof: Roof) -> None:
    await roof.choose("surplus_only")
    await roof.run(500, house=-2.5)
    assert roof.amps == 5
    await roof.run(150, house=-2.5)
    assert roof.amps == 0
    assert roof.site.state("sensor.rocinante_reason") == "waiting_for_surplus"
    assert roof.site.state("sensor.rocinante_charging_control") == "paused"
    await roof.run(280, house=-9.5)
    assert roof.amps == 0
    await roof.run(90, house=-9.5)
    assert roof.amps == 9


async def test_minimum_plus_surplus_never_stops_for_want_of_sun(roof: Roof) -> None:
    await roof.choose("minimum_plus_surplus")
    await roof.run(900, house=4.0)
    assert roof.amps == 5
    await roof.run(300, house=-9.5)
    assert roof.amps == 9


async def test_what_was_chosen_is_kept(roof: Roof) -> None:
    await roof.choose("surplus_only")
    await roof.site.call("number", "set_value", "number.rocinante_left_to_the_grid", value=200)
    await roof.site.call("number", "set_value", "number.rocinante_surplus_start_after", value=2)
    await roof.site.call("number", "set_value", "number.rocinante_surplus_stop_after", value=3)
    assert await roof.site.hass.config_entries.async_reload(roof.site.entry.entry_id)
    await roof.site.settle()
    settings = roof.site.coordinator.data.chargers[CHARGER_ID].settings
    assert settings.charge_with is ChargeWith.SURPLUS_ONLY
    assert (settings.reserve_w, settings.start_after_s, settings.stop_after_s) == (200, 120, 180)
    assert roof.amps == 16, "a reload stops nothing"


async def test_a_meter_that_never_showed_a_direction_is_told_why_it_is_refused(site: Site) -> None:
    site.hass.states.async_set("sensor.battery_power", "0", {"unit_of_measurement": "W"})
    add_battery(site)
    await site.hass.async_block_till_done()
    await site.settle()
    await site.post(amps=10.0, watts=2300.0)
    with pytest.raises(ServiceValidationError) as error:
        await site.call("select", "select_option", SELECT, option="surplus_only")
    assert error.value.translation_key == "no_sign"
    await site.call("select", "select_option", SELECT, option="grid")


async def test_what_a_battery_gives_is_no_surplus_and_what_it_takes_only_once_it_is_full_enough(roof: Roof) -> None:
    hass = roof.site.hass
    hass.states.async_set("sensor.battery_power", "-2.3", {"unit_of_measurement": "kW"})
    hass.states.async_set("sensor.battery_charge", "60", {"unit_of_measurement": "%"})
    add_battery(roof.site, state_of_charge="sensor.battery_charge", first_until_percent=80)
    await hass.async_block_till_done()
    await roof.choose("minimum_plus_surplus")
    await roof.run(120, house=-16.5)
    assert roof.amps == 6, "10 A of the 16 come out of the battery"
    hass.states.async_set("sensor.battery_power", "920", {"unit_of_measurement": "W"})
    await roof.run(240, house=-8.5)
    assert roof.amps == 8, "the battery comes first"
    hass.states.async_set("sensor.battery_charge", "80", {"unit_of_measurement": "%"})
    await roof.run(240, house=-8.5)
    assert roof.amps == 12, "what it takes is the car's now"
    hass.states.async_set("sensor.battery_power", "unavailable")
    await roof.run(60, house=-8.5)
    assert roof.amps == 5
    assert roof.site.state("sensor.rocinante_reason") == "surplus_unknown"


@pytest.mark.parametrize(
    ("mode", "answer", "switched"),
    [
        ("balanced", Outcome.ACCEPTED, [3]),
        ("balanced", ChargerUnreachable("gone"), [3]),
        ("monitor", Outcome.ACCEPTED, []),
    ],
    ids=["it works", "it fails", "monitor"],
)
async def test_a_charger_that_can_is_switched_while_it_stands(
    hass: HomeAssistant, site: Site, mode: str, answer: Outcome | Exception, switched: list[int]
) -> None:
    site.charger.switches_phases = True
    assert await hass.config_entries.async_reload(site.entry.entry_id)
    site.charger.report = replace(STOPPED, phases=1, age_s=0.0)
    phases = [{"amps": -20.0, "watts": -4600.0}] * 3
    await site.advance(70, phases=phases)
    await site.call("select", "select_option", "select.casa_mode", option=mode)
    site.charger.answer = answer
    site.coordinator.controller.chargers[CHARGER_ID].paused = True
    await site.call("select", "select_option", SELECT, option="surplus_only")
    await site.advance(320, step_s=5, phases=phases)
    assert site.charger.switched == switched
    if switched:
        told = [each["answer"] for each in site.coordinator.answers if "phases" in each]
        assert told == ["accepted" if answer is Outcome.ACCEPTED else "ChargerUnreachable: gone"]
