"""What the charger makes of the cloud's picture of the car."""

import math
from random import Random
from typing import Any
from unittest.mock import AsyncMock

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.amp_sensor.chargers.charger import ChargerError, ChargerUnreachable
from custom_components.amp_sensor.chargers.tessie import TessieCharger, TessieClient
from custom_components.amp_sensor.const import MAX_BUDGET_A
from custom_components.amp_sensor.control import ChargerReport, ChargingState
from simulation.car import Car
from simulation.tessie_server import TessieServer

from .conftest import HOME, NOW, VIN, Clock, Cloud, create_charger


def _state(charge: dict[str, Any] | None = None, drive: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    return {
        "state": "online",
        "charge_state": {
            "timestamp": int(NOW * 1000),
            "charging_state": "Charging",
            "charge_amps": 16,
            "charge_current_request": 16,
            "charge_current_request_max": 16,
            "charger_actual_current": 16,
            "conn_charge_cable": "IEC",
            "scheduled_charging_pending": False,
        }
        | (charge or {}),
        "drive_state": {
            "timestamp": int(NOW * 1000),
            "gps_as_of": int(NOW) - 7200,
            "latitude": HOME[0],
            "longitude": HOME[1],
            "shift_state": None,
            "speed": None,
        }
        | (drive or {}),
    } | top


async def _reported(clock: Clock, *states: Any) -> ChargerReport:
    """Return the last report of a charger that is shown these states, one after the other."""
    client = AsyncMock(TessieClient)
    charger = create_charger(client, clock)
    for state in states:
        client.state.return_value = state
        report = await charger.async_report()
    return report


# The picture of the car


async def test_a_report_tells_what_the_car_does(charger: TessieCharger, clock: Clock) -> None:
    clock.now += 7
    assert await charger.async_report() == ChargerReport(
        age_s=7,
        state=ChargingState.CHARGING,
        requested_amps=16,
        measured_amps=16,
        phases=1,
        volts=224,
        limit_amps=16,
        plugged_in=True,
        at_home=True,
        battery_percent=20,
        limit_percent=80,
    )


async def test_a_report_tells_how_long_until_the_battery_is_full_enough(clock: Clock) -> None:
    assert (await _reported(clock, _state({"minutes_to_full_charge": 90}))).full_in_s == 5400


async def test_what_cannot_be_true_of_the_battery_is_not_told(clock: Clock) -> None:
    charge = {"battery_level": 101, "charge_limit_soc": -1, "minutes_to_full_charge": 0}
    report = await _reported(clock, _state(charge))
    assert report.battery_percent is report.limit_percent is report.full_in_s is None


@pytest.mark.parametrize(
    ("word", "state", "plugged_in"),
    [
        ("Disconnected", ChargingState.DISCONNECTED, False),
        ("DISCONNECTED", ChargingState.DISCONNECTED, False),
        ("NoPower", ChargingState.NO_POWER, True),
        ("no_power", ChargingState.NO_POWER, True),
        ("No Power", ChargingState.NO_POWER, True),
        ("starting", ChargingState.STARTING, True),
        ("Calibrating", ChargingState.STARTING, True),
        ("CHARGING", ChargingState.CHARGING, True),
        ("Complete", ChargingState.COMPLETE, True),
        ("Stopped", ChargingState.STOPPED, True),
        ("Pending", ChargingState.STOPPED, True),
        ("Unknown", ChargingState.UNKNOWN, None),
        ("Levitating", ChargingState.UNKNOWN, None),
        ("<invalid>", ChargingState.UNKNOWN, None),
        ("", ChargingState.UNKNOWN, None),
        (None, ChargingState.UNKNOWN, None),
        (3, ChargingState.UNKNOWN, None),
        (["Disconnected"], ChargingState.UNKNOWN, None),
    ],
)
async def test_charging_states(clock: Clock, word: Any, state: ChargingState, plugged_in: bool | None) -> None:
    report = await _reported(clock, _state({"charging_state": word, "conn_charge_cable": "<invalid>"}))
    assert (report.state, report.plugged_in) == (state, plugged_in)
    assert report.scheduled is (word == "Pending")


@pytest.mark.parametrize(
    ("said", "phases"), [([1], 1), ([2], 3), ([3], 3), ([None], None), ([2, None], 3), ([2, 1], 1), ([2, 7], 3)]
)
async def test_three_phases_are_called_two_and_an_idle_car_has_those_it_had(
    clock: Clock, said: list[int | None], phases: int | None
) -> None:
    report = await _reported(clock, *(_state({"charger_phases": number}) for number in said))
    assert report.phases == phases


@pytest.mark.parametrize("said", ["3", 0, 4, True, 1.5, math.nan])
async def test_what_is_no_number_of_phases_tells_none(clock: Clock, said: Any) -> None:
    assert (await _reported(clock, _state({"charger_phases": said}))).phases is None


@pytest.mark.parametrize(
    ("charge", "volts"),
    [
        ({"charger_voltage": 231}, 231),
        ({"charger_voltage": 85}, 85),  # Japan's 100 V under load
        ({"charger_voltage": 304}, 304),  # America's 277 V
        ({"charger_voltage": 2}, None),  # the contactor is open
        ({"charger_voltage": 79}, None),
        ({"charger_voltage": 392}, None),  # the battery's, at a fast charger
        ({"charger_voltage": "231"}, None),
        ({"charger_voltage": True}, None),
        ({"charger_voltage": math.nan}, None),
        ({"charger_voltage": None}, None),
        ({"charger_voltage": 231, "charging_state": "Stopped", "charger_actual_current": 0}, None),  # of before
        ({"charger_voltage": 231, "charging_state": "Complete", "charger_actual_current": 14}, 231),  # heats
        ({"charger_voltage": 231, "charging_state": "Starting", "charger_actual_current": 0}, 231),
    ],
)
async def test_volts_are_told_while_it_draws(clock: Clock, charge: dict[str, Any], volts: float | None) -> None:
    assert (await _reported(clock, _state(charge))).volts == volts


@pytest.mark.parametrize(("voltage", "phases", "volts"), [(230.0, 1, 224), (230.0, 3, 224), (240.0, 1, 234)])
async def test_cars_tell_how_they_are_fed(
    charger: TessieCharger, server: TessieServer, voltage: float, phases: int, volts: float
) -> None:
    server.add_car(VIN, Car.endless(rng=Random(1), voltage=voltage, phases=phases))
    report = await charger.async_report()
    assert (report.phases, report.volts) == (phases, volts)


@pytest.mark.parametrize("state", ["Charging", "Complete", "Stopped", "Starting", "NoPower", "Pending", "Levitating"])
async def test_what_it_draws_is_told_in_every_state(clock: Clock, state: str) -> None:
    report = await _reported(clock, _state({"charging_state": state, "charger_actual_current": 14}))
    assert report.measured_amps == 14


@pytest.mark.parametrize("end", ["complete", "stopped"])
async def test_a_car_that_heats_its_cabin_says_what_it_draws(
    charger: TessieCharger, server: TessieServer, car: Car, clock: Clock, end: str
) -> None:
    if end == "complete":
        car.unplug()
        car.soc = car.charge_limit_soc
        car.plug()
    else:
        car.stop()
    server.faults.inject("heats", count=1)
    await charger.async_report()
    clock.now += 60
    report = await charger.async_report()
    assert (report.state, report.measured_amps, report.phases) == (end, 14, 1)
    await charger._client.set_charging_amps(VIN, 6)
    clock.now += 60
    assert (await charger.async_report()).measured_amps == 6, "its limit bounds it"


@pytest.mark.parametrize(("cable", "plugged_in"), [("IEC", True), ("sae", True), ("<invalid>", None), (None, None)])
async def test_an_unknown_state_leaves_the_plug_to_the_cable(clock: Clock, cable: Any, plugged_in: bool | None) -> None:
    report = await _reported(clock, _state({"charging_state": "Levitating", "conn_charge_cable": cable}))
    assert report.plugged_in is plugged_in


async def test_a_schedule_shows_until_the_car_charges(clock: Clock) -> None:
    pending = {"scheduled_charging_pending": True}
    assert (await _reported(clock, _state(pending | {"charging_state": "Stopped"}))).scheduled
    assert not (await _reported(clock, _state(pending))).scheduled
    assert not (
        await _reported(clock, _state({"scheduled_charging_pending": "no", "charging_state": "Stopped"}))
    ).scheduled


@pytest.mark.parametrize(
    ("charge", "amps"),
    [
        ({}, (16, 16, 16)),
        ({"charge_current_request": None}, (16, 16, 16)),
        ({"charge_current_request": None, "charge_amps": 7}, (7, 16, 16)),
        ({"charge_current_request": 0}, (0, 16, 16)),
        ({"charge_current_request": 3, "charger_actual_current": 5}, (3, 3, 16)),
        ({"charge_current_request": 3, "charger_actual_current": 14}, (3, 14, 16)),  # still falling, or heating
        ({"charge_current_request": 0, "charger_actual_current": 4}, (0, 4, 16)),
        ({"charge_current_request": math.nan}, (16, 16, 16)),
        ({"charge_current_request_max": math.inf}, (16, 16, None)),
        ({"charger_actual_current": 10**400}, (16, None, 16)),
        ({"charge_current_request": 16, "charger_actual_current": 3}, (16, 3, 16)),
        ({"charge_current_request_max": 0}, (16, 16, None)),
        ({"charge_current_request_max": "16"}, (16, 16, None)),
        ({"charger_actual_current": None}, (16, None, 16)),
        ({"charger_actual_current": True}, (16, None, 16)),
        ({"charger_actual_current": -3}, (16, None, 16)),
        ({"charger_actual_current": 65_535}, (16, None, 16)),
    ],
)
async def test_amps(clock: Clock, charge: dict[str, Any], amps: tuple[float | None, ...]) -> None:
    report = await _reported(clock, _state(charge))
    assert (report.requested_amps, report.measured_amps, report.limit_amps) == amps


@pytest.mark.parametrize("timestamp", [None, "now", True, -1, [NOW], math.nan, math.inf, 10**400, 1e300])
async def test_undated_data_is_of_no_age_that_could_be_trusted(clock: Clock, timestamp: Any) -> None:
    assert (await _reported(clock, _state({"timestamp": timestamp}))).age_s == math.inf


async def test_a_clock_ahead_of_ours_makes_a_negative_age(clock: Clock) -> None:
    assert (await _reported(clock, _state({"timestamp": (NOW + 3) * 1000}))).age_s == -3


async def test_an_awake_car_that_tells_nothing_of_charging_is_no_report(clock: Clock) -> None:
    for state in (
        {"state": "online"},
        {},
        _state(charge_state=None),
        _state(state="waiting_for_sleep", charge_state={}),
    ):
        with pytest.raises(ChargerUnreachable):
            await _reported(clock, state)


# Where it is

AWAY = {"latitude": HOME[0] + 0.05}
NOWHERE = {"latitude": None, "longitude": None}


@pytest.mark.parametrize(
    ("drive", "at_home"),
    [
        ({}, True),  # parked: a position of two hours ago still holds
        ({"shift_state": "P"}, True),
        ({"latitude": HOME[0] + 0.0008}, True),  # 89 m
        ({"latitude": HOME[0] + 0.001}, False),  # 111 m
        (AWAY, False),
        ({"latitude": -HOME[0], "longitude": HOME[1] + 180}, False),  # the other side of the world
        (NOWHERE, None),
        ({"longitude": None}, None),
        ({"latitude": "43.36"}, None),
        ({"latitude": 431.0}, None),
        ({"latitude": True}, None),
        ({"shift_state": "D"}, None),  # moving: it was here two hours ago
        ({"shift_state": "D", "gps_as_of": NOW - 5}, True),
        ({"shift_state": "D", "gps_as_of": None}, None),
        *(({"shift_state": gear}, None) for gear in ("D", "R", "N", "d", "r", " n ")),
        *(({"shift_state": gear}, True) for gear in ("", "SNA", "sna", "p", "?", "<invalid>", "Drive", 0, True, [])),
        ({"speed": 30}, None),
        ({"speed": 1}, None),
        ({"shift_state": "", "speed": 30}, None),
        *(({"speed": speed}, True) for speed in (0, 0.4, -3, "30", True, math.nan, math.inf, 10**400)),
        ({"latitude": 0, "longitude": 0.0}, None),  # no position, in numbers
        ({"timestamp": (NOW - 3600) * 1000}, None),  # that it is parked was an hour ago
        ({"timestamp": None}, True),
    ],
)
async def test_at_home(clock: Clock, drive: dict[str, Any], at_home: bool | None) -> None:
    assert (await _reported(clock, _state({"charging_state": "Disconnected"}, drive))).at_home is at_home
    assert (await _reported(clock, _state({}, drive))).at_home is at_home


PLUGGED = _state()
NEAR = {"latitude": HOME[0] + 0.00135}  # 150 m off
UNPLUGGED = {"charging_state": "Disconnected"}
UNKNOWN = {"charging_state": None, "conn_charge_cable": None}


@pytest.mark.parametrize("drive", [NOWHERE, NEAR, AWAY, {"timestamp": 0}, {"latitude": 0, "longitude": 0}])
async def test_a_plugged_in_car_cannot_have_left(clock: Clock, drive: dict[str, Any]) -> None:
    lost = _state({}, drive)
    alone = (await _reported(clock, lost)).at_home

    assert alone is not True
    assert (await _reported(clock, PLUGGED, lost)).at_home
    assert (await _reported(clock, PLUGGED, lost, lost, lost)).at_home
    assert (await _reported(clock, PLUGGED, _state(UNKNOWN, drive))).at_home is alone
    assert (await _reported(clock, PLUGGED, _state(UNKNOWN, drive), lost)).at_home
    assert (await _reported(clock, PLUGGED, _state(UNPLUGGED, drive))).at_home is alone
    assert (await _reported(clock, PLUGGED, _state(UNPLUGGED, drive), lost)).at_home is alone
    assert (await _reported(clock, PLUGGED, _state({}, NOWHERE | {"shift_state": "D"}), lost)).at_home is alone
    assert (await _reported(clock, PLUGGED, _state({}, NOWHERE | {"speed": 30}), lost)).at_home is alone
    undated = {"shift_state": "R", "timestamp": None, "gps_as_of": NOW - 5}
    assert (await _reported(clock, PLUGGED, _state({}, NOWHERE | undated), lost)).at_home is alone
    assert (await _reported(clock, _state(UNPLUGGED), lost)).at_home is alone


async def test_that_it_drove_here_before_it_was_plugged_in_says_nothing(clock: Clock) -> None:
    before = {"shift_state": "D", "timestamp": (NOW - 150) * 1000}
    assert (await _reported(clock, PLUGGED, _state({}, before))).at_home
    assert (await _reported(clock, PLUGGED, _state({}, before), _state({}, NEAR))).at_home


async def test_a_car_that_was_never_seen_at_home_is_where_its_position_is(clock: Clock) -> None:
    away = _state({}, AWAY)
    assert (await _reported(clock, away, away)).at_home is False
    assert (await _reported(clock, away, _state({}, NOWHERE))).at_home is None
    # as after a restart of Home Assistant while it charges at home, and its position is off: until that is right
    near = _state({}, NEAR)
    assert (await _reported(clock, near)).at_home is False
    assert (await _reported(clock, near, PLUGGED)).at_home
    assert (await _reported(clock, near, PLUGGED, near)).at_home


async def _seen(clock: Clock, *looks: tuple[float, dict[str, Any], dict[str, Any] | None]) -> list[bool | None]:
    """Return where a car is thought to be, which is looked at after so many seconds each; None for data: asleep."""
    client = AsyncMock(TessieClient)
    charger = create_charger(client, clock)
    seen = []
    for wait_s, drive, charge in looks:
        clock.now += wait_s
        stamp = {"timestamp": clock.now * 1000}
        asleep = {"state": "asleep"}
        client.state.return_value = asleep if charge is None else _state(charge | stamp, drive | stamp)
        seen.append((await charger.async_report()).at_home)
    return seen


async def test_a_car_that_was_out_of_sight_may_have_been_plugged_in_elsewhere(clock: Clock) -> None:
    assert await _seen(clock, (0, {}, {}), (300, AWAY, {}), (300, AWAY, {})) == [True, True, True]
    assert await _seen(clock, (0, {}, {}), (1800, AWAY, {}), (20, NOWHERE, {})) == [True, False, None]
    assert await _seen(clock, (0, {}, {}), (1800, NOWHERE, {}), (20, {}, {})) == [True, None, True]


async def test_a_plug_that_is_not_told_of_any_more_says_less_than_a_newer_position(clock: Clock) -> None:
    later = {"timestamp": (NOW + 1200) * 1000}
    assert (await _reported(clock, PLUGGED, _state({}, AWAY | later))).at_home is False
    assert (await _reported(clock, PLUGGED, _state({}, later))).at_home


async def test_a_sleeping_car_is_not_out_of_sight(clock: Clock) -> None:
    night = [(300.0, {}, None)] * 100
    assert all(await _seen(clock, (0, {}, {}), *night, (300, NEAR, {})))
    # but one that nobody looked at for hours may sleep anywhere
    assert (await _seen(clock, (0, {}, {}), (7200, {}, None), *night, (300, AWAY, {})))[-1] is False


async def test_a_position_that_is_off_for_a_while_changes_nothing(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("position_off", start=NOW + 30, end=NOW + 55)
    for _ in range(12):
        assert (await charger.async_report()).at_home is True
        clock.now += 10


@pytest.mark.parametrize("fault", ["gear_empty", "gear_sna"])
async def test_a_parked_car_without_a_gear_is_at_home(
    charger: TessieCharger, server: TessieServer, clock: Clock, fault: str
) -> None:
    clock.now += 7200  # since it got its position
    server.faults.inject(fault)
    assert (await charger.async_report()).at_home is True


async def test_nobody_knows_where_a_car_without_a_position_is(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("no_position")
    for _ in range(3):
        report = await charger.async_report()
        assert (report.plugged_in, report.at_home) == (True, None)
        assert charger.poll_after_s(report, commanded=False) == 60
        clock.now += 60


async def test_a_car_that_drives_off_is_away(charger: TessieCharger, car: Car, clock: Clock) -> None:
    car.drive_away()
    clock.now += 60
    report = await charger.async_report()
    assert (report.plugged_in, report.at_home) == (False, False)


# Asleep


@pytest.mark.parametrize("fault", [None, "asleep_bare", "asleep_offline"])
async def test_a_sleeping_car_keeps_its_last_report(
    charger: TessieCharger, server: TessieServer, car: Car, clock: Clock, fault: str | None
) -> None:
    if fault:
        server.faults.inject(fault)
    car.stop()
    clock.now += 300
    awake = await charger.async_report()
    clock.now += 7200
    asleep = await charger.async_report()

    assert car.asleep
    assert asleep.asleep
    assert not awake.asleep
    assert asleep.age_s > 6000
    assert (asleep.state, asleep.plugged_in, asleep.at_home) == (ChargingState.STOPPED, True, True)
    assert (server.counters.wakes, server.counters.commands) == (0, 0)


@pytest.mark.parametrize("word", ["asleep", "ASLEEP", "offline"])
async def test_a_car_first_seen_asleep(clock: Clock, word: str) -> None:
    report = await _reported(clock, {"state": word})
    assert report == ChargerReport(age_s=math.inf, state=ChargingState.UNKNOWN, asleep=True)


@pytest.mark.parametrize("last", [_state(state="offline"), {"state": "offline"}])
async def test_a_charging_car_that_goes_offline_has_lost_its_radio(clock: Clock, last: dict[str, Any]) -> None:
    report = await _reported(clock, _state(), last)
    assert (report.state, report.asleep) == (ChargingState.CHARGING, False)


# How often to look


@pytest.mark.parametrize(
    ("report", "wait_s"),
    [
        (None, 60),
        ({"state": ChargingState.CHARGING, "at_home": True}, 20),
        ({"state": ChargingState.UNKNOWN, "at_home": True}, 20),
        ({"state": ChargingState.STOPPED, "at_home": True}, 60),
        ({"state": ChargingState.CHARGING, "at_home": None}, 60),
        ({"state": ChargingState.CHARGING, "at_home": False}, 300),
        ({"state": ChargingState.STOPPED, "at_home": True, "asleep": True}, 300),
    ],
)
def test_polling_follows_the_situation(report: dict[str, Any] | None, wait_s: float) -> None:
    charger = create_charger(AsyncMock(TessieClient), Clock())
    told = ChargerReport(age_s=0, **report) if report else None
    assert charger.poll_after_s(told, commanded=False) == wait_s
    assert charger.poll_after_s(told, commanded=True) == 10


# Anything at all

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400) | st.just(-(10**400))
WHOLE = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["online", "asleep", "offline"]) | ANYTHING,
        "charge_state": st.fixed_dictionaries(
            {
                key: st.just(value) | ANYTHING
                for key, value in (_state()["charge_state"] | {"charger_phases": 3, "charger_voltage": 230}).items()
            }
        ),
        "drive_state": st.fixed_dictionaries(
            {
                key: st.just(value) | ANYTHING
                for key, value in (_state()["drive_state"] | {"shift_state": "D", "speed": 30}).items()
            }
        ),
    },
)


@settings(max_examples=500, deadline=None)
@given(states=st.lists(WHOLE, min_size=1, max_size=4))
async def test_whatever_a_state_holds_makes_a_valid_report(states: list[Any]) -> None:
    client = AsyncMock(TessieClient)
    charger = create_charger(client, Clock())
    for state in states:
        client.state.return_value = state
        try:
            report = await charger.async_report()
        except ChargerUnreachable:
            assert not state.get("charge_state")
            continue
        # the report has looked at its own numbers; these it leaves to who makes it
        assert not math.isnan(report.age_s)
        for amps in (report.requested_amps, report.measured_amps, report.limit_amps):
            assert amps is None or 0 <= amps <= MAX_BUDGET_A
        assert report.limit_amps != 0
        assert report.volts is None or 80 <= report.volts <= 310
        assert report.phases in (None, 1, 3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=10,
)
NONSENSE = JSON.filter(lambda value: not (isinstance(value, str) and value.strip().casefold() == "disconnected"))
CHARGE = st.fixed_dictionaries({}, optional=dict.fromkeys(_state()["charge_state"], NONSENSE))
DRIVE = st.fixed_dictionaries(
    {},
    # a position at the charger is no nonsense
    optional=dict.fromkeys(_state()["drive_state"], NONSENSE)
    | {"latitude": NONSENSE.filter(lambda value: not isinstance(value, float) or abs(value - HOME[0]) > 0.1)},
)
STATE = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["online", "asleep", "offline"]) | NONSENSE,
        "charge_state": CHARGE | NONSENSE,
        "drive_state": DRIVE | NONSENSE,
    },
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(STATE | NONSENSE, min_size=1, max_size=3))
async def test_nonsense_makes_no_facts(clouded: TessieCharger, cloud: Cloud, states: list[Any]) -> None:
    # what a hypothetical car told before is not to help another
    charger = create_charger(clouded._client, Clock())
    for state in states:
        cloud.say(state)
        try:
            report = await charger.async_report()
        except ChargerError:
            continue
        assert report.plugged_in is not False
        assert report.at_home is not True
        for amps in (report.requested_amps, report.measured_amps, report.limit_amps):
            assert amps is None or 0 <= amps <= 125


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary() | st.text().map(str.encode) | st.just(b"[" * 100_000), status=st.integers(200, 599))
async def test_any_bytes_make_a_charger_error_at_most(
    clouded: TessieCharger, cloud: Cloud, body: bytes, status: int
) -> None:
    cloud.body, cloud.status = body, status
    with pytest.raises(ChargerError):
        await clouded.async_report()
