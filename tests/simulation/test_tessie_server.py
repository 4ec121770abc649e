"""The simulated Tessie speaks and fails like the real one."""

import asyncio
from collections.abc import AsyncIterator
import math
from random import Random
import statistics
from typing import Any

import aiohttp
import pytest

from simulation.car import Car, CarState
from simulation.tessie_faults import FAULTS, Faults, Scope
from simulation.tessie_server import LATENCY_MEDIAN_S, LATENCY_P95_S, LATENCY_SIGMA, TessieServer

VIN = "5YJ3E1EA7KF317000"
NOW = 1_700_000_000.0


class Clock:
    """Wall clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Caller:
    """Calls the server with the right token, unless told otherwise."""

    def __init__(self, session: aiohttp.ClientSession, server: TessieServer) -> None:
        self.session = session
        self.server = server

    async def __call__(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        options = {"headers": {"Authorization": f"Bearer {self.server.token}"}} | options
        async with self.session.request(method, self.server.url + path, **options) as response:
            return response.status, await response.json()

    async def state(self) -> Any:
        return (await self("GET", f"/{VIN}/state"))[1]

    async def command(self, action: str, **query: str) -> Any:
        return (await self("POST", f"/{VIN}/command/{action}", params=query))[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def car() -> Car:
    return Car.endless(rng=Random(1))


@pytest.fixture
async def server(socket_enabled: None, clock: Clock, car: Car) -> AsyncIterator[TessieServer]:
    server = TessieServer(rng=Random(2), clock=clock, sleep=clock.sleep, latency_scale=0)
    server.add_car(VIN, car)
    async with server:
        yield server


@pytest.fixture
async def call(server: TessieServer) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(session, server)


# The API


async def test_state_has_the_documented_fields(call: Caller, clock: Clock) -> None:
    state = await call.state()
    assert state["charge_state"] == {
        "timestamp": int(NOW * 1000),
        "charging_state": "Charging",
        "charge_amps": 16,
        "charge_current_request": 16,
        "charge_current_request_max": 16,
        "charger_actual_current": 16,
        "charger_pilot_current": 16,
        "charger_phases": 1,
        "charger_voltage": 224,
        "charger_power": 4,
        "battery_level": 20,
        "charge_limit_soc": 80,
        "charge_energy_added": 0,
        "charge_enable_request": True,
        "charge_port_latch": "Engaged",
        "conn_charge_cable": "IEC",
        "scheduled_charging_pending": False,
        "minutes_to_full_charge": state["charge_state"]["minutes_to_full_charge"],
    }
    assert state["drive_state"] == {
        "timestamp": int(NOW * 1000),
        "gps_as_of": int(NOW),
        "latitude": 43.36,
        "longitude": -8.83,
        "shift_state": None,
        "speed": None,
    }
    assert (state["vin"], state["display_name"], state["state"]) == (VIN, "Test", "online")


async def test_three_phases_are_called_two_and_idle_none(call: Caller, server: TessieServer) -> None:
    server.add_car("THREE", Car(rng=Random(1), phases=3, charging=True))
    server.add_car("IDLE", Car(rng=Random(1), plugged_in=False))
    _, three = await call("GET", "/THREE/state")
    _, idle = await call("GET", "/IDLE/state")
    assert (three["charge_state"]["charger_phases"], three["charge_state"]["charger_power"]) == (2, 11)
    assert (idle["charge_state"]["charger_phases"], idle["charge_state"]["conn_charge_cable"]) == (None, "<invalid>")


async def test_vehicles(call: Caller, server: TessieServer) -> None:
    server.add_car("OLD", Car(rng=Random(1)), is_active=False)
    _, cars = await call("GET", "/vehicles")
    assert [(car["vin"], car["is_active"], car["last_state"] is None) for car in cars["results"]] == [
        (VIN, True, False),
        ("OLD", False, True),
    ]
    _, cars = await call("GET", "/vehicles", params={"only_active": "true"})
    assert len(cars["results"]) == 1
    server.remove_car(VIN)
    assert await call("GET", f"/{VIN}/state") == (404, {"error": "Vehicle not found"})


async def test_location_and_status(call: Caller, car: Car, clock: Clock) -> None:
    assert await call("GET", f"/{VIN}/location") == (
        200,
        {"latitude": 43.36, "longitude": -8.83, "address": "1 Example Street", "saved_location": None},
    )
    assert await call("GET", f"/{VIN}/status") == (200, {"status": "awake"})
    car.stop()
    assert await call("GET", f"/{VIN}/status") == (200, {"status": "waiting_for_sleep"})
    clock.now += 3600
    assert await call("GET", f"/{VIN}/status") == (200, {"status": "asleep"})


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "Access token is required"),
        ({"Authorization": "Basic abc"}, "Access token is required"),
        ({"Authorization": "Bearer wrong"}, "Invalid access token"),
    ],
)
async def test_who_asks_must_say_so(call: Caller, headers: dict[str, str], error: str) -> None:
    assert await call("GET", "/vehicles", headers=headers) == (401, {"error": error})


@pytest.mark.parametrize(
    ("action", "query"),
    [
        ("set_charging_amps", {}),
        ("set_charging_amps", {"amps": "16.0"}),
        ("set_charging_amps", {"amps": "-1"}),
        ("start_charging", {"wait_for_completion": "True"}),
        ("start_charging", {"max_attempts": "4"}),
    ],
)
async def test_parameters_are_checked(call: Caller, action: str, query: dict[str, str]) -> None:
    status, _ = await call("POST", f"/{VIN}/command/{action}", params=query)
    assert status == 400


async def test_a_post_needs_a_content_length(server: TessieServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    head = f"POST /{VIN}/command/stop_charging HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}"
    writer.write(f"{head}\r\n\r\n".encode())
    assert b" 411 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_commands_are_posted(server: TessieServer) -> None:
    headers = {"Authorization": f"Bearer {server.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{server.url}/{VIN}/command/stop_charging") as response,
    ):
        assert response.status == 405


async def test_commands_reach_the_car_and_its_reasons_come_back(call: Caller, car: Car, clock: Clock) -> None:
    assert await call.command("set_charging_amps", amps="9", wait_for_completion="true") == {"result": True}
    assert car.request == 9
    assert await call.command("start_charging") == {"result": False, "reason": "is_charging"}
    assert await call.command("stop_charging") == {"result": True}
    assert await call.command("stop_charging") == {"result": False, "reason": "not_charging"}
    assert [(received.action, received.amps) for received in call.server.counters.received] == [
        ("set_charging_amps", 9),
        ("start_charging", None),
        ("stop_charging", None),
        ("stop_charging", None),
    ]


async def test_without_waiting_the_answer_comes_first(call: Caller, car: Car) -> None:
    assert await call.command("stop_charging", wait_for_completion="false") == {"result": True}
    for _ in range(3):
        await asyncio.sleep(0)
    assert car.state is CarState.STOPPED


# The cloud's copy


async def test_the_copy_lags(call: Caller, clock: Clock) -> None:
    await call.command("set_charging_amps", amps="8")
    seen = []
    for _ in range(120):
        clock.now += 1
        state = await call.state()
        seen.append(
            (state["charge_state"]["charge_current_request"], clock.now - state["charge_state"]["timestamp"] / 1000)
        )
    requests = [request for request, _ in seen]
    ages = [age for _, age in seen]
    assert 10 <= requests.index(8) <= 80
    assert requests == sorted(requests, reverse=True)
    assert 5 <= statistics.median(ages) <= 25
    assert max(ages) <= 80


async def test_a_copy_is_never_fresher_than_it_says(call: Caller, server: TessieServer, car: Car, clock: Clock) -> None:
    server.lag_s = 0
    clock.now += 100
    car.tick(clock.now)  # somebody looked at the car before the cloud did
    assert (await call.state())["charge_state"]["timestamp"] == clock.now * 1000


async def test_the_copy_of_a_sleeping_car_is_frozen(call: Caller, car: Car, clock: Clock) -> None:
    car.stop()
    clock.now += 7200
    state = await call.state()
    assert car.asleep
    assert state["state"] == "asleep"
    assert state["charge_state"]["charging_state"] == "Stopped"
    assert state["charge_state"]["timestamp"] < (NOW + 1000) * 1000

    call.server.faults.inject("asleep_offline")
    assert (await call.state())["state"] == "offline"
    call.server.faults.inject("asleep_bare")
    assert await call.state() == {"state": "offline"}
    assert car.asleep


async def test_reading_past_the_cache_keeps_a_car_awake(call: Caller, server: TessieServer, car: Car) -> None:
    await call("GET", f"/{VIN}/state", params={"use_cache": "false"})
    assert (server.counters.reads, server.counters.uncached_reads) == (1, 1)


async def test_position_and_age_of_it(call: Caller, server: TessieServer, car: Car, clock: Clock) -> None:
    server.lag_s = 0
    clock.now += 7200
    assert (await call.state())["drive_state"]["gps_as_of"] == NOW
    car.drive_away()
    clock.now += 60
    drive = (await call.state())["drive_state"]
    assert (drive["shift_state"], drive["gps_as_of"]) == ("D", clock.now)
    assert drive["latitude"] > 43.4


# Latency, wakes, counters


async def test_latency_is_as_owners_report(socket_enabled: None, clock: Clock) -> None:
    rng = Random(1)
    drawn = sorted(rng.lognormvariate(math.log(LATENCY_MEDIAN_S), LATENCY_SIGMA) for _ in range(4000))
    assert drawn[2000] == pytest.approx(LATENCY_MEDIAN_S, rel=0.1)
    assert drawn[3800] == pytest.approx(LATENCY_P95_S, rel=0.1)

    server = TessieServer(rng=Random(2), clock=clock, sleep=clock.sleep)
    server.add_car(VIN, Car.endless(rng=Random(1)))
    async with server, aiohttp.ClientSession() as session:
        call = Caller(session, server)
        waits = []
        for amps in range(100):
            before = clock.now
            await call.command("set_charging_amps", amps=str(6 + amps % 10))
            waits.append(clock.now - before)
        assert statistics.median(waits) == pytest.approx(LATENCY_MEDIAN_S, rel=0.3)
        server.faults.inject("slow")
        before = clock.now
        for _ in range(20):
            await call.command("set_charging_amps", amps="8")
        assert (clock.now - before) / 20 > 3 * statistics.mean(waits)


async def test_a_command_wakes_a_car_and_is_counted(socket_enabled: None, call: Caller, car: Car, clock: Clock) -> None:
    counters = call.server.counters
    car.stop()
    clock.now += 3600
    assert await call.command("start_charging") == {"result": True, "woke": True}
    assert (counters.commands, counters.wakes, counters.commands_asleep, counters.commands_away) == (1, 1, 1, 0)
    car.drive_away()
    assert await call.command("start_charging") == {"result": False, "reason": "disconnected"}
    assert (counters.commands, counters.commands_away) == (2, 1)


async def test_waking(call: Caller, car: Car, clock: Clock) -> None:
    car.stop()
    clock.now += 3600
    call.server.faults.inject("wake_fails", count=1)
    assert await call("POST", f"/{VIN}/wake") == (200, {"result": False})
    assert await call("POST", f"/{VIN}/wake") == (200, {"result": True})
    assert not car.asleep
    assert call.server.counters.wakes == 1


# Faults (what they do to a client is in the client's tests)


def test_faults_strike_by_count_schedule_and_probability() -> None:
    faults = Faults(Random(1))
    faults.inject("unavailable", count=2)
    assert [faults.strike(Scope.ANY, 0) for _ in range(3)] == [{"unavailable"}, {"unavailable"}, set()]
    faults.clear()
    faults.inject("unavailable", start=10, end=20)
    assert [bool(faults.strike(Scope.ANY, now)) for now in (9, 10, 19, 20)] == [False, True, True, False]
    faults.clear()
    faults.inject("unavailable", probability=0.3)
    assert sum(bool(faults.strike(Scope.ANY, 0)) for _ in range(1000)) == pytest.approx(300, abs=60)


def test_faults_keep_to_their_calls() -> None:
    faults = Faults(Random(1))
    faults.inject("lost")
    faults.inject("frozen")
    assert faults.strike(Scope.COMMAND, 0) == {"lost"}
    assert faults.strike(Scope.STATE, 0) == {"frozen"}
    assert faults.strike(Scope.ANY, 0) == set()
    with pytest.raises(KeyError):
        faults.inject("no_such_fault")


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_says_what_it_is(name: str) -> None:
    assert FAULTS[name].about
    assert 0 < FAULTS[name].probability <= 1


async def test_a_frozen_copy_thaws(call: Caller, clock: Clock) -> None:
    call.server.faults.inject("frozen", count=1)
    await call.state()
    for _ in range(29):
        clock.now += 10
        assert (await call.state())["charge_state"]["timestamp"] == NOW * 1000
    clock.now += 60
    assert (await call.state())["charge_state"]["timestamp"] > (NOW + 250) * 1000


async def test_fields_go_missing_null_and_wrong(call: Caller) -> None:
    whole = await call.state()
    for fault in ("missing_fields", "null_fields", "wrong_types"):
        call.server.faults.inject(fault, count=10)
        states = [await call.state() for _ in range(10)]
        assert any(state != whole for state in states)
        call.server.faults.clear()
    assert await call.state() == whole


async def test_unknown_state_and_no_position(call: Caller) -> None:
    call.server.faults.inject("unknown_state")
    call.server.faults.inject("no_position")
    state = await call.state()
    assert state["charge_state"]["charging_state"] == "Levitating"
    assert (state["drive_state"]["latitude"], state["drive_state"]["longitude"]) == (None, None)


async def test_where_it_is_and_whether_it_moves_can_be_told_wrong(
    call: Caller, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("position_off", end=NOW + 25)
    assert (await call.state())["drive_state"]["latitude"] == pytest.approx(43.36 + 150 / 111_000, abs=1e-5)
    clock.now += 25
    assert (await call.state())["drive_state"]["latitude"] == 43.36
    for fault, gear in {"gear_empty": "", "gear_sna": "SNA"}.items():
        server.faults.inject(fault, count=1)
        assert (await call.state())["drive_state"]["shift_state"] == gear
    assert (await call.state())["drive_state"]["shift_state"] is None


@pytest.mark.parametrize(
    ("fault", "condition"),
    [
        ("user_amps", lambda car: car.request < 16),
        ("user_stop", lambda car: car.state is CarState.STOPPED),
        ("heats", lambda car: car.active),
        ("limit_drop", lambda car: (car.limit, car.request) == (12, 12)),
        ("no_power", lambda car: car.state is CarState.NO_POWER),
        ("unplugged", lambda car: not car.plugged_in),
    ],
)
async def test_car_and_owner_do_what_they_do(call: Caller, car: Car, fault: str, condition: Any) -> None:
    call.server.faults.inject(fault, count=1)
    await call.state()
    assert condition(car)


async def test_a_lost_command_is_accepted_and_not_applied(call: Caller, car: Car) -> None:
    call.server.faults.inject("lost", count=1)
    assert await call.command("set_charging_amps", amps="8") == {"result": True}
    assert car.request == 16


async def test_stopping_does_not_wait_for_those_who_hang(server: TessieServer) -> None:
    server.faults.inject("hang")
    async with aiohttp.ClientSession() as session:
        call = asyncio.create_task(Caller(session, server).state())
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            await server.stop()
        assert await call == {"error": "Gateway timeout"}


async def test_nobody_gets_through_while_it_is_cut_off(call: Caller, server: TessieServer) -> None:
    assert "charge_state" in await call.state()
    await server.cut()
    with pytest.raises(aiohttp.ClientConnectionError):
        await call.state()
    await server.mend()
    assert "charge_state" in await call.state()


async def test_who_waits_for_an_answer_when_it_is_cut_off_gets_none(call: Caller, server: TessieServer) -> None:
    server.faults.inject("hang")
    waiting = asyncio.create_task(call.state())
    await asyncio.sleep(0.05)
    await server.cut()
    with pytest.raises(aiohttp.ClientConnectionError):
        await waiting
