"""What the charger makes of the cloud's picture of the car."""

import math
from typing import Any
from unittest.mock import AsyncMock

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.amp_sensor.chargers.charger import ChargerError, ChargerUnreachable
from custom_components.amp_sensor.chargers.tessie import TessieCharger, TessieClient
from custom_components.amp_sensor.control import ChargerReport, ChargingState
from simulation.car import Car
from simulation.tessie_server import TessieServer

from .conftest import HOME, NOW, Clock, Cloud, create_charger


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
        limit_amps=16,
        plugged_in=True,
        at_home=True,
    )


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


@pytest.mark.parametrize(("said", "phases"), [([1], 1), ([2], 3), ([3], 3), ([None], 1), ([2, None], 3), ([2, 1], 1)])
async def test_three_phases_are_called_two_and_an_idle_car_has_those_it_had(
    clock: Clock, said: list[int | None], phases: int
) -> None:
    report = await _reported(clock, *(_state({"charger_phases": number}) for number in said))
    assert report.phases == phases


@pytest.mark.parametrize("said", ["3", 0, 4, True])
async def test_what_is_no_number_of_phases_is_one(clock: Clock, said: Any) -> None:
    assert (await _reported(clock, _state({"charger_phases": said}))).phases == 1


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
        ({"charge_current_request": 0}, (0, 0, 16)),
        ({"charge_current_request": 3, "charger_actual_current": 5}, (3, 3, 16)),
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


@pytest.mark.parametrize("timestamp", [None, "now", True, -1, [NOW]])
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
        ({"shift_state": "?"}, None),
        ({"speed": 30}, None),
        ({"speed": 0}, True),
        ({"timestamp": (NOW - 3600) * 1000}, None),  # that it is parked was an hour ago
        ({"timestamp": None}, True),
    ],
)
async def test_at_home(clock: Clock, drive: dict[str, Any], at_home: bool | None) -> None:
    assert (await _reported(clock, _state({"charging_state": "Disconnected"}, drive))).at_home is at_home
    assert (await _reported(clock, _state({}, drive))).at_home is at_home


async def test_a_plugged_in_car_cannot_have_left(clock: Clock) -> None:
    plugged, nowhere, unplugged = _state(), _state({}, NOWHERE), _state({"charging_state": "Disconnected"}, NOWHERE)
    unknown = _state({"charging_state": None, "conn_charge_cable": None}, NOWHERE)

    assert (await _reported(clock, plugged, nowhere)).at_home
    assert (await _reported(clock, plugged, _state({}, {"timestamp": 0}))).at_home
    assert (await _reported(clock, plugged, unknown)).at_home is None
    assert (await _reported(clock, plugged, unknown, nowhere)).at_home
    assert (await _reported(clock, plugged, unplugged)).at_home is None
    assert (await _reported(clock, plugged, unplugged, nowhere)).at_home is None
    assert (await _reported(clock, plugged, _state({}, NOWHERE | {"shift_state": "D"}), nowhere)).at_home is None
    assert (await _reported(clock, plugged, _state({}, AWAY), nowhere)).at_home is None
    assert (await _reported(clock, _state({"charging_state": "Disconnected"}), nowhere)).at_home is None


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
