"""A meter that Home Assistant has: what its sensors say becomes readings, and what they do not say is silence."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.amp_sensor.const import CONF_METER, CONF_SUPPLY, DOMAIN
from custom_components.amp_sensor.control import Action, Reading
from custom_components.amp_sensor.diagnostics import async_get_config_entry_diagnostics
from custom_components.amp_sensor.meters.entity import EntityMeter, Kind, Left, Value, read_state
from tests.conftest import CHARGER_ID, FakeCharger

AMPS = {"unit_of_measurement": "A", "device_class": "current"}
WATTS = {"unit_of_measurement": "W", "device_class": "power"}


def phase(number: int, *roles: str) -> dict[str, str]:
    return {role: f"sensor.{role}_{number}" for role in roles}


ONE = {"phases": [phase(1, "current", "power")]}
THREE = {"phases": [phase(number, "current", "power") for number in (1, 2, 3)]}


@dataclass
class Bench:
    """A meter whose sensors and clock are in the hands of the test."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    readings: list[Reading] = field(default_factory=list)
    meter: EntityMeter | None = None

    def start(self, meter: dict[str, Any]) -> EntityMeter:
        def take(reading: Reading) -> bool:
            self.readings.append(reading)
            return True

        self.meter = EntityMeter(self.hass, meter, take, nominal_volts=230)
        self.stop = self.meter.async_start()
        return self.meter

    def say(self, entity_id: str, state: object, unit: str | None = None) -> None:
        """Let a sensor report: amps or watts by its name, or another unit."""
        usual = "A" if "current" in entity_id else "V" if "voltage" in entity_id else "W"
        unit = usual if unit is None else unit
        self.hass.states.async_set(entity_id, str(state), {"unit_of_measurement": unit} if unit else {})

    async def after(self, seconds: float) -> None:
        self.freezer.tick(seconds)
        async_fire_time_changed(self.hass)
        await self.hass.async_block_till_done()

    async def report(self, *amps: float, watts: list[float] | None = None) -> None:
        """Let all sensors of the phases report."""
        for number, each in enumerate(amps, 1):
            self.say(f"sensor.current_{number}", each)
            self.say(f"sensor.power_{number}", (watts or [a * 230 for a in amps])[number - 1])
        await self.hass.async_block_till_done()


@pytest.fixture
def bench(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Any:
    bench = Bench(hass, freezer)
    yield bench
    if bench.meter is not None:
        bench.stop()


async def test_a_reading_is_taken_once_all_have_reported(bench: Bench) -> None:
    bench.start(THREE)
    for number in (1, 2, 3):
        bench.say(f"sensor.current_{number}", number + 0.25)
        bench.say(f"sensor.power_{number}", 230 * number)
        await bench.hass.async_block_till_done()
        assert len(bench.readings) == (number == 3)
    (reading,) = bench.readings
    assert reading.amps == (1.25, 2.25, 3.25)
    assert reading.watts == 1380
    assert reading.volts == (230, 230, 230)


async def test_what_is_the_same_again_is_a_report(bench: Bench) -> None:
    bench.start(ONE)
    for _ in range(5):
        await bench.report(4.2)
        await bench.after(5)
    assert len(bench.readings) == 5, "a calm house is not silent"
    assert [reading.amps for reading in bench.readings] == [(4.2,)] * 5


async def test_a_reading_waits_a_second_for_those_that_did_not_report(bench: Bench) -> None:
    bench.start(THREE)
    await bench.report(1.5, 2.5, 3.5)
    await bench.after(3)
    bench.say("sensor.current_1", 9.5)
    await bench.after(0.3)
    assert len(bench.readings) == 1
    await bench.after(0.8)
    assert bench.readings[-1].amps == (9.5, 2.5, 3.5), "the others were told three seconds ago"


async def test_a_phase_that_stays_away_is_silent_and_not_zero(bench: Bench) -> None:
    bench.start(THREE)
    for _ in range(4):
        await bench.report(1.5, 2.5, 3.5)
        await bench.after(5)
    for _ in range(4):
        await bench.report(1.5, 2.5)
        await bench.after(5)
    assert bench.readings[-1].amps == (1.5, 2.5, None)


async def test_a_slow_meter_is_not_taken_for_silent_between_two_reports(bench: Bench) -> None:
    bench.start(THREE)
    for _ in range(5):
        await bench.report(1.5, 2.5, 3.5)
        await bench.after(30)
    bench.say("sensor.current_1", 9.5)
    bench.say("sensor.current_2", 2.5)
    await bench.after(2)
    assert bench.readings[-1].amps == (9.5, 2.5, 3.5), "L3 is 32 s old, and has its habit of 30 s"


@pytest.mark.parametrize(
    ("state", "unit", "why"),
    [
        ("unavailable", "A", Left.UNAVAILABLE),
        ("unknown", "A", Left.UNAVAILABLE),
        ("on", "A", Left.NO_NUMBER),
        ("", "A", Left.NO_NUMBER),
        ("nan", "A", Left.NO_NUMBER),
        ("inf", "A", Left.NO_NUMBER),
        ("4.2", "", Left.UNIT),
        ("4.2", "W", Left.UNIT),
        ("501", "A", Left.RANGE),
        ("600000", "mA", Left.RANGE),
    ],
)
async def test_what_is_no_current_is_silence(bench: Bench, state: str, unit: str, why: Left) -> None:
    meter = bench.start(THREE)
    await bench.report(1.5, 2.5, 3.5)
    await bench.after(1)
    for number in (1, 2):
        bench.say(f"sensor.current_{number}", 4.5)
    bench.say("sensor.current_3", state, unit)
    await bench.after(2)
    assert bench.readings[-1].amps == (4.5, 4.5, None)
    (told,) = [each for each in meter.posts.as_dict()["sensors"] if each["entity_id"] == "sensor.current_3"]
    assert (told["read"], told["left_out"]) == (None, why)


async def test_nothing_known_is_no_reading(bench: Bench) -> None:
    bench.start(ONE)
    bench.say("sensor.current_1", "unavailable")
    bench.say("sensor.power_1", "unavailable")
    await bench.after(2)
    assert not bench.readings


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [("4200", "mA", 4.2), ("4.2", "A", 4.2), ("0.0042", "kA", None)],
)
async def test_a_current_is_converted_by_its_own_unit(
    bench: Bench, value: str, unit: str, expected: float | None
) -> None:
    bench.start({"phases": [phase(1, "current")]})
    bench.say("sensor.current_1", value, unit)
    await bench.after(2)
    assert [reading.amps[0] for reading in bench.readings] == ([pytest.approx(expected)] if expected else [])


async def test_power_and_voltage_are_converted_each_time(bench: Bench) -> None:
    bench.start({"phases": [phase(1, "power", "voltage")]})
    for watts, unit in (("2.3", "kW"), ("2300", "W"), ("2300000", "mW")):
        bench.say("sensor.voltage_1", "235000", "mV")
        bench.say("sensor.power_1", watts, unit)
        await bench.after(2)
        assert bench.readings[-1].amps == (pytest.approx(2300 / 235),)
        assert bench.readings[-1].volts == (235.0,)


async def test_power_alone_leaves_room_for_what_it_does_not_show(bench: Bench) -> None:
    bench.start({"phases": [phase(1, "power")]})
    bench.say("sensor.power_1", 2070)
    await bench.after(2)
    (reading,) = bench.readings
    assert reading.amps == (9.0,), "what is shown was measured"
    assert reading.doubt_amps == (pytest.approx(1.0),), "at a power factor of 0.9 that is 10 A"
    bench.say("sensor.power_1", -2070)
    await bench.after(2)
    assert (bench.readings[-1].amps, bench.readings[-1].doubt_amps) == ((-9.0,), (0.0,))


@pytest.mark.parametrize(("amps", "watts", "expected"), [(4.2, -960, -4.2), (4.2, 960, 4.2), (-4.2, -960, -4.2)])
async def test_a_current_has_the_sign_of_its_own_phase(
    bench: Bench, amps: float, watts: float, expected: float
) -> None:
    bench.start(THREE)
    await bench.report(1.5, amps, 3.5, watts=[345, watts, 805])
    assert bench.readings[-1].amps == (1.5, expected, 3.5)


async def test_a_meter_may_have_two_sensors_of_power(bench: Bench) -> None:
    bench.start({"phases": [phase(1, "current", "power", "power_export")]})
    bench.say("sensor.current_1", 4.2)
    bench.say("sensor.power_1", 0)
    bench.say("sensor.power_export_1", 0.96, "kW")
    await bench.after(2)
    assert (bench.readings[-1].amps, bench.readings[-1].watts) == ((-4.2,), -960)
    bench.say("sensor.current_1", 4.2)
    bench.say("sensor.power_export_1", "unavailable")
    await bench.after(2)
    assert bench.readings[-1].amps == (4.2,), "half of the sign is none: that counts as import"


async def test_power_of_which_half_is_missing_is_silence_and_not_zero(bench: Bench) -> None:
    bench.start({"phases": [phase(1, "power", "power_export")]})
    bench.say("sensor.power_1", 0)
    bench.say("sensor.power_export_1", 460)
    await bench.after(2)
    assert bench.readings[-1].amps == (-2.0,)
    bench.say("sensor.power_1", 0)
    bench.say("sensor.power_export_1", "unavailable")
    await bench.after(2)
    assert len(bench.readings) == 1


@pytest.mark.parametrize("meter", [ONE, {"phases": [phase(1, "current")], "power": "sensor.power_1"}])
async def test_export_that_does_not_fit_its_older_power_may_be_import_by_now(
    bench: Bench, meter: dict[str, Any]
) -> None:
    bench.start(meter)
    await bench.report(20.2, watts=[-4600])
    assert (bench.readings[-1].amps, bench.readings[-1].doubt_amps) == ((-20.2,), (0.0,))
    await bench.after(5)
    bench.say("sensor.current_1", 20.6)
    await bench.after(1.1)
    assert bench.readings[-1].doubt_amps == (0.0,), "about the same flows, so nothing has turned"
    bench.say("sensor.current_1", 30.3)
    await bench.after(1.1)
    reading = bench.readings[-1]
    assert reading.amps[0] is not None
    assert reading.amps[0] + reading.doubt_amps[0] == pytest.approx(30.3), "the sun may have gone, and the oven on"
    bench.say("sensor.power_1", 6900)
    await bench.hass.async_block_till_done()
    bench.say("sensor.current_1", 30.3)
    await bench.after(1.1)
    assert (bench.readings[-1].amps, bench.readings[-1].doubt_amps) == ((30.3,), (0.0,))


async def test_current_and_power_of_one_moment_are_believed_whatever_they_are(bench: Bench) -> None:
    bench.start(ONE)
    await bench.report(3.3, watts=[-230])  # little export, much reactive power
    assert (bench.readings[-1].amps, bench.readings[-1].doubt_amps) == ((-3.3,), (0.0,))


async def test_one_phase_has_the_sign_of_the_total(bench: Bench) -> None:
    bench.start({"phases": [phase(1, "current")], "power": "sensor.power", "power_export": "sensor.power_export"})
    bench.say("sensor.current_1", 4.2)
    bench.say("sensor.power", 0)
    bench.say("sensor.power_export", 960)
    await bench.after(2)
    assert bench.readings[-1].amps == (-4.2,)


async def test_three_phases_with_one_total_count_as_import_and_say_so(bench: Bench) -> None:
    meter = bench.start({"phases": [phase(number, "current") for number in (1, 2, 3)], "power": "sensor.power"})
    for number in (1, 2, 3):
        bench.say(f"sensor.current_{number}", 4.2)
    bench.say("sensor.power", -2800)
    await bench.after(2)
    assert bench.readings[-1].amps == (4.2, 4.2, 4.2)
    assert bench.readings[-1].watts == -2800
    assert meter.posts.sign_unknown


async def test_power_that_comes_more_often_than_the_current_makes_no_readings(bench: Bench) -> None:
    """Tibber sends power every 2 s, and currents every 10 s: an old current is no new reading."""
    bench.start(ONE)
    await bench.report(4.2)
    for _ in range(4):
        bench.say("sensor.power_1", 970)
        await bench.after(2)
    assert len(bench.readings) == 1


async def test_whole_amps_may_be_half_an_amp_more_until_a_fraction_shows(bench: Bench) -> None:
    bench.start(ONE)
    await bench.report(4, watts=[900])
    assert bench.readings[-1].doubt_amps == (0.5,)
    await bench.after(5)
    await bench.report(4.1, watts=[900])
    assert bench.readings[-1].doubt_amps == (0.0,)
    await bench.after(5)
    await bench.report(4, watts=[900])
    assert bench.readings[-1].doubt_amps == (0.0,), "this meter tells fractions"


async def test_a_meter_that_cuts_off_fractions_is_found_out_by_its_power(bench: Bench) -> None:
    bench.start(ONE)
    for _ in range(3):
        await bench.report(4, watts=[4.8 * 230])
        await bench.after(5)
    assert [reading.doubt_amps for reading in bench.readings] == [(0.5,), (0.5,), (1.0,)]


async def test_a_restless_sensor_makes_four_readings_a_second_at_most(bench: Bench) -> None:
    bench.start({"phases": [phase(1, "current")]})
    for number in range(100):
        bench.say("sensor.current_1", 4 + number / 100)
        await bench.after(0.05)
    assert len(bench.readings) <= 21


async def test_a_renamed_sensor_is_followed(bench: Bench) -> None:
    registry = er.async_get(bench.hass)
    entry = registry.async_get_or_create("sensor", "dsmr", "x", suggested_object_id="current_1")
    meter = bench.start({"phases": [{"current": entry.id}]})
    bench.say("sensor.current_1", 4.2)
    await bench.after(2)
    registry.async_update_entity("sensor.current_1", new_entity_id="sensor.current_of_the_meter")
    bench.hass.states.async_remove("sensor.current_1")
    await bench.hass.async_block_till_done()
    bench.say("sensor.current_of_the_meter", 5.2)
    await bench.after(2)
    assert [reading.amps for reading in bench.readings] == [(4.2,), (5.2,)]
    assert not meter.missing


async def test_a_sensor_that_is_removed_and_comes_back_is_heard_again(bench: Bench) -> None:
    registry = er.async_get(bench.hass)
    entry = registry.async_get_or_create("sensor", "dsmr", "x", suggested_object_id="current_1")
    meter = bench.start({"phases": [{"current": entry.id}]})
    bench.say("sensor.current_1", 4.2)
    await bench.after(2)
    registry.async_remove("sensor.current_1")
    bench.hass.states.async_remove("sensor.current_1")
    await bench.after(2)
    assert meter.missing == ["sensor.current_1"]
    assert registry.async_get_or_create("sensor", "dsmr", "x", suggested_object_id="current_1").id == entry.id
    await bench.hass.async_block_till_done()
    bench.say("sensor.current_1", 5.2)
    await bench.after(2)
    assert [reading.amps for reading in bench.readings] == [(4.2,), (5.2,)]
    assert not meter.missing


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    state=st.one_of(st.floats().map(str), st.text(max_size=10), st.sampled_from(["unavailable", "unknown"])),
    unit=st.sampled_from(["A", "mA", "kW", "V", "%", None]),
)
async def test_whatever_a_state_is_it_is_a_number_in_range_or_silence(
    hass: HomeAssistant, state: str, unit: str | None
) -> None:
    hass.states.async_set("sensor.any", state, {"unit_of_measurement": unit})
    found = read_state(hass, "sensor.any", Kind.CURRENT)
    assert isinstance(found, Left) or (
        isinstance(found, Value) and isfinite(found.number) and abs(found.number) <= 500 and unit in ("A", "mA")
    )


# The whole path


@dataclass
class Home:
    """A site that is measured by real entities."""

    hass: HomeAssistant
    entry: MockConfigEntry
    freezer: FrozenDateTimeFactory
    charger: FakeCharger

    async def settle(self) -> None:
        await self.entry.runtime_data.async_idle()
        await self.hass.async_block_till_done()

    async def draw(self, amps: float, seconds: int, *, every_s: int = 5) -> None:
        """Let the house draw so much, and its meter report it."""
        for second in range(seconds):
            if second % every_s == 0:
                await self.hass.services.async_call(
                    "input_number", "set_value", {"entity_id": "input_number.current", "value": amps}, blocking=True
                )
            self.freezer.tick(1)
            async_fire_time_changed(self.hass)
            await self.settle()

    async def silence(self, seconds: int, step_s: int = 1) -> None:
        for _ in range(seconds // step_s):
            self.freezer.tick(step_s)
            async_fire_time_changed(self.hass)
            await self.settle()

    def state(self, entity_id: str) -> str:
        state = self.hass.states.get(entity_id)
        assert state is not None
        return state.state

    def issues(self) -> dict[str, ir.IssueEntry]:
        issues = ir.async_get(self.hass).issues
        return {str(issue.translation_key): issue for (domain, _), issue in issues.items() if domain == DOMAIN}


@pytest.fixture
async def home(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry, charger: FakeCharger
) -> Home:
    settings_ = {"min": 0, "max": 100, "step": 0.01, "unit_of_measurement": "A", "initial": 0}
    assert await async_setup_component(hass, "input_number", {"input_number": {"current": settings_}})
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry,
        data={**entry.data, CONF_SUPPLY: "single", CONF_METER: {"phases": [{"current": "input_number.current"}]}},
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    home = Home(hass, entry, freezer, charger)
    await home.settle()
    return home


async def test_the_car_is_lowered_when_the_sensor_rises(home: Home) -> None:
    await home.draw(18.3, 10)
    assert home.state("sensor.casa_current") == "18.3"
    assert not home.charger.commands
    await home.draw(30.3, 6)
    (command,) = home.charger.commands
    assert (command.charger_id, command.action) == (CHARGER_ID, Action.SET_AMPS)
    assert 5 <= command.amps <= 11


@pytest.mark.parametrize("every_s", [10, 30, 60])
async def test_a_slow_meter_keeps_its_car_charging(home: Home, every_s: int) -> None:
    await home.draw(18.3, 10 * every_s, every_s=every_s)
    assert home.state("binary_sensor.casa_connected") == "on"
    assert not home.charger.commands, "nothing is lowered between two reports of a calm house"
    await home.silence(5 * every_s + 120)
    assert home.charger.commands[-1].action is Action.STOP, "silence is silence all the same"
    assert home.state("binary_sensor.casa_connected") == "off"


async def test_the_energy_of_a_slow_meter_is_counted(home: Home) -> None:
    await home.draw(18.3, 20 * 60, every_s=60)
    energy_wh = home.entry.runtime_data.controller.meter.energy_wh
    assert energy_wh == pytest.approx(18.3 * 230 * 19 / 60, rel=0.01)


async def test_ten_silent_minutes_are_told_in_words_that_fit(home: Home) -> None:
    await home.draw(18.3, 10)
    await home.silence(660, 5)
    assert "sensors_silent" in home.issues()
    assert "meter_silent" not in home.issues()
    await home.draw(18.4, 6)
    assert "sensors_silent" not in home.issues()


async def test_a_missing_sensor_is_named_until_it_is_back(home: Home) -> None:
    await home.draw(18.3, 10)
    state = home.hass.states.get("input_number.current")
    assert state is not None
    home.hass.states.async_remove("input_number.current")
    await home.silence(50)
    assert "meter_entity_gone" not in home.issues(), "an integration that is reloaded is back by then"
    await home.silence(40)
    placeholders = home.issues()["meter_entity_gone"].translation_placeholders
    assert placeholders == {"site": "Casa", "entities": "input_number.current"}
    home.hass.states.async_set("input_number.current", "12.5", state.attributes)
    await home.silence(15)
    assert "meter_entity_gone" not in home.issues()
    assert home.entry.runtime_data.controller.meter.last.amps == (12.5,)


async def test_a_report_names_the_sensors_and_what_they_said(home: Home) -> None:
    await home.draw(18.3, 10)
    told = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert told["readings"]["sensors"] == [
        {
            "place": "L1",
            "role": "current",
            "entity_id": "input_number.current",
            "interval_s": 5.0,
            "read": 18.3,
            "left_out": None,
        }
    ]


async def test_a_site_starts_before_its_sensors_do(home: Home) -> None:
    attributes = home.hass.states.get("input_number.current").attributes  # type: ignore[union-attr]
    home.hass.states.async_remove("input_number.current")
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settle()
    assert home.state("number.casa_budget") == "25"
    home.hass.states.async_set("input_number.current", "unavailable", attributes)
    await home.silence(30, 5)
    assert home.entry.runtime_data.controller.meter.last is None
    home.hass.states.async_set("input_number.current", "12.5", attributes)
    await home.silence(5)
    assert home.state("sensor.casa_current") == "12.5"
    assert not home.issues()
