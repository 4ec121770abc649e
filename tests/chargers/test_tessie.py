"""The client, and commands, against the simulated Tessie over real HTTP."""

import json
import logging
from random import Random
import time
import traceback
from typing import Any
from unittest.mock import MagicMock

import aiohttp
from aiohttp import web
from aiohttp.test_utils import RawTestServer
import pytest

from custom_components.amp_sensor.chargers import tessie
from custom_components.amp_sensor.chargers.charger import (
    ChargerAuthError,
    ChargerBusy,
    ChargerError,
    ChargerGone,
    ChargerKeyMissing,
    ChargerRefused,
    ChargerSubscriptionError,
    ChargerTimeout,
    ChargerUnreachable,
)
from custom_components.amp_sensor.chargers.tessie import CALLS_KEPT, TessieCharger, TessieClient
from custom_components.amp_sensor.control import Action, ChargingState, Command, Outcome
from simulation.car import Car
from simulation.tessie_faults import FAULTS, Scope
from simulation.tessie_server import RETRY_AFTER_S, TessieServer

from .conftest import TOKEN, VIN, Clock, Cloud


def _command(action: Action, amps: int = 0) -> Command:
    return Command(charger_id="car", action=action, amps=amps)


# The account


async def test_vehicles_are_the_active_cars_with_their_names(client: TessieClient, server: TessieServer) -> None:
    server.add_car("LRW3E7FS2NC000001", Car(rng=Random(3)), name="")
    server.add_car("LRW3E7FS2NC000002", Car(rng=Random(3)), is_active=False)

    vehicles = await client.vehicles()

    assert {vehicle.vin: vehicle.name for vehicle in vehicles} == {VIN: "Model 3", "LRW3E7FS2NC000001": "Tesla 0001"}
    assert VIN not in repr(vehicles)


@pytest.mark.parametrize("body", [[], {"results": None}, "text", None, {}])
async def test_a_list_of_cars_that_cannot_be_read_is_an_error(clouded: TessieCharger, cloud: Cloud, body: Any) -> None:
    cloud.say(body)
    with pytest.raises(ChargerUnreachable, match="list of cars"):
        await clouded._client.vehicles()


async def test_nonsense_among_the_cars_is_left_out(session: aiohttp.ClientSession, cloud: Cloud) -> None:
    results = [None, 1, {"vin": None}, {"vin": "../../secret"}, {"vin": VIN, "last_state": 3}]
    cloud.say({"results": results})
    vehicles = await TessieClient(session, TOKEN, f"{cloud.url}/proxy/").vehicles()
    assert [vehicle.name for vehicle in vehicles] == ["Tesla 7000"]
    assert cloud.calls == ["/proxy/vehicles"]


async def test_a_wrong_token_asks_its_owner(session: aiohttp.ClientSession, server: TessieServer) -> None:
    for token in ("wrong", "", "two\nlines", "ö"):
        with pytest.raises(ChargerAuthError):
            await TessieClient(session, token, server.url).vehicles()


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://[", "http://user:word@127.0.0.1:1"])
async def test_an_address_that_is_none_is_unreachable(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(ChargerUnreachable) as raised:
        await TessieClient(session, TOKEN, url).vehicles()
    assert raised.value.outcome is Outcome.FAILED


async def test_nobody_listens(session: aiohttp.ClientSession, server: TessieServer) -> None:
    await server.stop()
    with pytest.raises(ChargerUnreachable, match="no connection") as raised:
        await TessieClient(session, TOKEN, server.url).stop_charging(VIN)
    assert raised.value.outcome is Outcome.FAILED


# Faults

BLOCKED = {
    "unauthorized": ChargerAuthError,
    "token_expired": ChargerAuthError,
    "no_subscription": ChargerSubscriptionError,
    "forbidden": ChargerAuthError,
    "vehicle_gone": ChargerGone,
    "car_offline": ChargerUnreachable,
    "failed_dependency": ChargerUnreachable,
    "too_many": ChargerBusy,
    "too_many_date": ChargerBusy,
    "too_many_bare": ChargerBusy,
    "forbidden_page": ChargerUnreachable,
    "bad_gateway": ChargerTimeout,
    "unavailable": ChargerUnreachable,
    "gateway_timeout": ChargerTimeout,
    "html": ChargerTimeout,
    "empty": ChargerTimeout,
    "truncated": ChargerTimeout,
    "cut_off": ChargerTimeout,
    "huge": ChargerTimeout,
    "hang": ChargerTimeout,
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("READ_TIMEOUT_S", "COMMAND_TIMEOUT_S", "WAKE_TIMEOUT_S"):
        monkeypatch.setattr(tessie, name, 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("fault", "error"), BLOCKED.items())
async def test_each_fault_has_its_error(
    client: TessieClient, server: TessieServer, fault: str, error: type[ChargerError]
) -> None:
    server.faults.inject(fault)
    for call in (client.state(VIN), client.set_charging_amps(VIN, 8)):
        with pytest.raises(error) as raised:
            await call
        assert type(raised.value) is error


async def test_a_list_instead_of_a_state_is_unreachable(charger: TessieCharger, server: TessieServer) -> None:
    server.faults.inject("wrong_type")
    with pytest.raises(ChargerUnreachable):
        await charger.async_report()
    with pytest.raises(ChargerTimeout):
        await charger.async_command(_command(Action.STOP))


async def test_a_read_survives_one_reset_of_an_old_connection(charger: TessieCharger, server: TessieServer) -> None:
    await charger.async_report()
    server.faults.inject("reset", count=1)
    assert (await charger.async_report()).measured_amps == 16


async def test_a_reset_command_is_not_repeated(charger: TessieCharger, server: TessieServer) -> None:
    await charger.async_report()
    server.faults.inject("reset")
    with pytest.raises(ChargerTimeout) as raised:
        await charger.async_command(_command(Action.SET_AMPS, 8))
    assert raised.value.outcome is Outcome.UNKNOWN
    assert server.counters.commands == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", ["applied_then_timeout", "applied_then_reset"])
async def test_applied_and_never_answered_is_an_unknown_outcome(
    charger: TessieCharger, server: TessieServer, car: Car, fault: str
) -> None:
    server.faults.inject(fault)
    with pytest.raises(ChargerTimeout) as raised:
        await charger.async_command(_command(Action.SET_AMPS, 8))
    assert raised.value.outcome is Outcome.UNKNOWN
    assert car.request == 8
    assert server.counters.commands == 1


async def test_a_lost_command_looks_accepted(charger: TessieCharger, server: TessieServer, car: Car) -> None:
    server.faults.inject("lost")
    assert await charger.async_command(_command(Action.SET_AMPS, 8)) is Outcome.ACCEPTED
    assert car.request == 16


@pytest.mark.parametrize(("fault", "wait_s"), [("too_many", 45), ("too_many_date", 45), ("too_many_bare", 0)])
async def test_retry_after_is_honoured(charger: TessieCharger, server: TessieServer, fault: str, wait_s: float) -> None:
    assert RETRY_AFTER_S == 45
    server.faults.inject(fault)
    with pytest.raises(ChargerBusy) as raised:
        await charger.async_report()
    assert raised.value.retry_after_s == pytest.approx(wait_s, abs=1)
    assert raised.value.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("0", 0),
        ("-5", 0),
        ("9" * 400, 900),
        ("1000000000", 900),
        ("7200000", 900),
        ("901", 900),
        ("900", 900),
        ("-1000000000", 0),
        ("7.5", 0),
        ("NaN", 0),
        ("", 0),
        ("²", 0),
        ("soon", 0),
        ("1e3", 0),
        ("nan", 0),
        ("inf", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 900),
        ("Tue, 14 Nov 2023 22:43:20 GMT", 900),  # half an hour ahead
        ("Tue, 14 Nov 2023 22:18:20 GMT", 300),
        ("Mon, 01 Jan 0001 00:00:00 -0000", 0),
        ("Mon, 32 Foo 99999999 99:99:99", 0),
    ],
)
async def test_retry_after_is_bounded(clouded: TessieCharger, cloud: Cloud, header: str, wait_s: float) -> None:
    cloud.status, cloud.headers = 429, {"Retry-After": header}
    with pytest.raises(ChargerBusy, match=r"^Tessie answered 429$") as raised:
        await clouded.async_report()
    assert raised.value.retry_after_s == wait_s


NEEDS_PERSON = {
    "unauthorized": ChargerAuthError,
    "token_expired": ChargerAuthError,
    "forbidden": ChargerAuthError,
    "no_subscription": ChargerSubscriptionError,
    "vehicle_gone": ChargerGone,
    "key_missing": ChargerKeyMissing,
}


def test_errors_say_whether_a_person_is_needed() -> None:
    assert all(error.needs_person for error in NEEDS_PERSON.values())
    for error in (ChargerError, ChargerUnreachable, ChargerTimeout, ChargerBusy, ChargerRefused):
        assert not error.needs_person


async def _failure(charger: TessieCharger, call: str = "command") -> ChargerError:
    """Return how a call fails."""
    with pytest.raises(ChargerError) as raised:
        await (charger.async_report() if call == "read" else charger.async_command(_command(Action.SET_AMPS, 8)))
    return raised.value


@pytest.mark.parametrize(
    ("fault", "call"),
    [(name, call) for name in NEEDS_PERSON for call in ("read", "command") if FAULTS[name].scope is Scope.ANY]
    + [(name, "command") for name in NEEDS_PERSON if FAULTS[name].scope is Scope.COMMAND],
)
async def test_what_only_a_person_can_fix_is_believed_once_it_was_said_for_a_while(
    charger: TessieCharger, server: TessieServer, clock: Clock, fault: str, call: str
) -> None:
    server.faults.inject(fault)
    for wait_s in (0, 2, 4, 8):  # as a cut is tried again, and a hiccup of 15 s passes
        clock.now += wait_s
        error = await _failure(charger, call)
        assert type(error) is ChargerUnreachable
        assert error.outcome is Outcome.FAILED
        assert error.body
    clock.now += 16
    assert type(await _failure(charger, call)) is NEEDS_PERSON[fault]
    clock.now += 86_400
    assert type(await _failure(charger, call)) is NEEDS_PERSON[fault], "until it works"

    server.faults.clear()
    await charger.async_report()
    await charger.async_command(_command(Action.SET_AMPS, 8))
    server.faults.inject(fault)
    assert type(await _failure(charger, call)) is ChargerUnreachable, "forgotten"


async def test_the_second_poll_tells_a_revoked_token(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("unauthorized")
    await _failure(charger, "read")
    clock.now += 30
    assert type(await _failure(charger, "read")) is ChargerAuthError


async def test_reads_that_work_say_nothing_of_commands(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("key_missing")
    await _failure(charger)
    clock.now += 30
    await charger.async_report()
    await charger.async_wake()
    assert type(await _failure(charger)) is ChargerKeyMissing


@pytest.mark.parametrize("between", ["unavailable", "no_subscription", "too_many", "forbidden_page", "html"])
async def test_another_trouble_in_between_makes_it_the_first_again(
    charger: TessieCharger, server: TessieServer, clock: Clock, between: str
) -> None:
    for fault in ("unauthorized", between, "unauthorized", between):
        server.faults.clear()
        server.faults.inject(fault)
        assert not (await _failure(charger, "read")).needs_person
        clock.now += 30


@pytest.mark.parametrize("between", ["unavailable", "too_many", "forbidden_page"])
async def test_what_is_believed_outlasts_the_troubles_of_the_network(
    charger: TessieCharger, server: TessieServer, clock: Clock, between: str
) -> None:
    server.faults.inject("unauthorized")
    await _failure(charger, "read")
    clock.now += 30
    await _failure(charger, "read")
    server.faults.clear()
    server.faults.inject(between)
    assert not (await _failure(charger, "read")).needs_person
    server.faults.clear()
    server.faults.inject("unauthorized")
    assert type(await _failure(charger, "read")) is ChargerAuthError


async def test_two_hiccups_hours_apart_are_two_hiccups(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("key_missing")
    assert type(await _failure(charger)) is ChargerUnreachable
    clock.now += 7200
    assert type(await _failure(charger)) is ChargerUnreachable
    clock.now -= 3600  # somebody set the clock
    assert type(await _failure(charger)) is ChargerUnreachable
    clock.now += 30
    assert type(await _failure(charger)) is ChargerKeyMissing


async def test_a_refusal_by_the_car_shows_that_token_and_key_are_right(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    for fault in ("key_missing", "refused", "key_missing"):
        server.faults.clear()
        server.faults.inject(fault)
        assert type(await _failure(charger)) is ChargerUnreachable
        clock.now += 30


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\n <!DOCTYPE html><html><title>Just a moment</title></html>", "text/plain"),
        (b"", "text/html; charset=utf-8"),
        (b"<?xml version='1.0'?><html/>", "application/xhtml+xml"),
    ],
)
async def test_a_page_is_the_word_of_a_proxy_however_often_it_comes(
    clouded: TessieCharger, cloud: Cloud, clock: Clock, body: bytes, kind: str
) -> None:
    cloud.body, cloud.headers = body, {"Content-Type": kind}
    for cloud.status in (401, 402, 403, 404, 500):
        for _ in range(3):
            for call in ("read", "command"):
                assert type(await _failure(clouded, call)) is ChargerUnreachable
            clock.now += 300


async def test_a_wake_up_call_needs_a_person_as_any_other(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("forbidden")
    with pytest.raises(ChargerUnreachable):
        await charger.async_wake()
    clock.now += 60
    with pytest.raises(ChargerAuthError):
        await charger.async_wake()


async def test_the_account_is_told_of_a_wrong_token_at_once(client: TessieClient, server: TessieServer) -> None:
    server.faults.inject("unauthorized", count=1)
    with pytest.raises(ChargerAuthError):
        await client.vehicles()


@pytest.mark.parametrize(
    ("body", "is_missing"),
    [
        (b'{"error":"vehicle rejected request: your public key has not been paired with the vehicle"}', True),
        (b"The virtual key is missing: https://tesla.com/_ak/tessie.com", True),
        (b"Not paired", True),
        (b"Tesla Vehicle Command Protocol required", True),
        (b"", False),
        (b"Internal server error", False),
        (b"vehicle unavailable: vehicle is offline or asleep", False),
        (b"monkey business at the keyboard", False),
    ],
)
async def test_only_a_500_that_speaks_of_the_key_is_a_missing_key(
    clouded: TessieCharger, cloud: Cloud, clock: Clock, body: bytes, is_missing: bool
) -> None:
    """Whatever else fails at Tessie or in the car mends itself: a person who pairs the key again finds nothing."""
    cloud.status, cloud.body, cloud.headers = 500, body, {"Content-Type": "application/json"}
    await _failure(clouded)
    clock.now += 30
    error = await _failure(clouded)
    assert (type(error) is ChargerKeyMissing) is is_missing
    assert error.outcome is Outcome.FAILED


async def test_a_500_on_a_read_is_no_missing_key(clouded: TessieCharger, cloud: Cloud) -> None:
    cloud.status = 500
    with pytest.raises(ChargerUnreachable):
        await clouded.async_report()


async def test_a_missing_list_of_cars_is_not_a_missing_car(clouded: TessieCharger, cloud: Cloud) -> None:
    cloud.status, cloud.body = 404, b"No vehicles here"
    with pytest.raises(ChargerUnreachable, match="No vehicles here"):
        await clouded._client.vehicles()


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_the_token_follows_no_redirect(session: aiohttp.ClientSession, status: int, is_elsewhere: bool) -> None:
    """Neither to another path of its address, nor to another address."""
    asked: list[str] = []
    stolen: list[str | None] = []

    async def steal(request: web.BaseRequest) -> web.Response:
        stolen.append(request.headers.get("Authorization"))
        return web.json_response({"results": []})

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/thief":
            return await steal(request)
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": target})

    async with RawTestServer(steal) as thief, RawTestServer(answer) as server:
        target = str(thief.make_url("/thief")) if is_elsewhere else "/thief"
        client = TessieClient(session, TOKEN, str(server.make_url("/")))
        for call in (
            client.vehicles(),
            client.state(VIN),
            client.wake(VIN),
            client.stop_charging(VIN),
        ):
            with pytest.raises(ChargerError, match=str(status)):
                await call
    assert asked == ["/vehicles", f"/{VIN}/state", f"/{VIN}/wake", f"/{VIN}/command/stop_charging"]
    assert not stolen


# Secrets


def _assert_silent(error: BaseException, *secrets: str) -> None:
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error)
    shown += getattr(error, "body", "")
    for secret in secrets:
        assert secret.casefold() not in shown.casefold()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.scope is not Scope.STATE])
async def test_no_fault_lets_a_secret_out(
    charger: TessieCharger,
    client: TessieClient,
    server: TessieServer,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.inject(fault)
    secrets = (TOKEN, VIN, server.url, server.url.removeprefix("http://"), "43.36", "8.83")
    calls = [
        client.vehicles,
        lambda: client.wake(VIN),
        charger.async_report,
        lambda: charger.async_command(_command(Action.SET_AMPS, 8)),
        lambda: charger.async_command(_command(Action.STOP)),
    ]
    for call in calls:
        try:
            await call()
        except ChargerError as error:
            _assert_silent(error, *secrets)
    for secret in secrets:
        # asyncio's own debugging names the sockets that the *server* has
        assert not [text for name, _, text in caplog.record_tuples if secret in text and name != "asyncio"]


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 408, 418, 424, 429, 500, 502, 503, 504, 522])
async def test_what_the_cloud_echoes_stays_inside(clouded: TessieCharger, cloud: Cloud, status: int) -> None:
    url = f"{cloud.url}/{VIN}/state"
    cloud.status = status
    cloud.body = (
        f"GET {url}?a=1 for {VIN.lower()} and 7SAYGDEE0PF000002 with Bearer {TOKEN} at 43.3623, -8.83 and\n"
        '{"latitude": 43, "longitude":-8} on 127.0.0.1 failed'
    ).encode()
    with pytest.raises(ChargerError) as raised:
        await clouded.async_report()
    _assert_silent(raised.value, TOKEN, VIN, "http:", "127.0.0.1", "7SAYGDEE0PF000002", "43.", ": 43", "-8")
    if status != 200:
        assert raised.value.body.startswith("GET … for … and … with Bearer … at …")
        assert str(raised.value) == f"Tessie answered {status}: {raised.value.body}"


async def test_a_secret_at_the_end_of_a_long_text_is_not_cut_in_half(clouded: TessieCharger, cloud: Cloud) -> None:
    cloud.status, cloud.body = 400, b"x " * 95 + TOKEN.encode()
    with pytest.raises(ChargerUnreachable) as raised:
        await clouded.async_command(_command(Action.STOP))
    _assert_silent(raised.value, TOKEN[:8])
    assert len(raised.value.body) <= 200


@pytest.mark.parametrize("part", ["h", "1", "-", "latitude", "1.", "http://"])
def test_a_text_of_four_times_the_length_takes_four_times_as_long_to_search(part: str) -> None:
    client = TessieClient(MagicMock(), TOKEN)

    def seconds(length: int) -> float:
        times = []
        for _ in range(5):
            before = time.thread_time()
            client._scrub(part * (length // len(part)), VIN)
            times.append(time.thread_time() - before)
        return min(times)

    assert seconds(80_000) < 8 * seconds(20_000), "where each character were held against each, it would be 16 times"


async def test_a_reason_is_searched_too(clouded: TessieCharger, cloud: Cloud) -> None:
    cloud.say({"result": False, "reason": f"{VIN} is at 43.3623,-8.8312"})
    with pytest.raises(ChargerUnreachable, match="… is at …,…") as raised:
        await clouded.async_command(_command(Action.STOP))
    _assert_silent(raised.value, VIN)


# Commands


async def test_commands_reach_the_car(charger: TessieCharger, server: TessieServer, car: Car, clock: Clock) -> None:
    assert await charger.async_command(_command(Action.SET_AMPS, 9)) is Outcome.ACCEPTED
    clock.now += 30
    report = await charger.async_report()
    assert (car.amps, report.requested_amps, report.measured_amps, report.limit_amps) == (9, 9, 9, 16)

    assert await charger.async_command(_command(Action.STOP)) is Outcome.ACCEPTED
    clock.now += 30
    report = await charger.async_report()
    assert (report.state, report.measured_amps) == (ChargingState.STOPPED, 0)

    assert await charger.async_command(_command(Action.START)) is Outcome.ACCEPTED
    clock.now += 16
    assert (await charger.async_report()).state in (ChargingState.STARTING, ChargingState.CHARGING)
    assert [received.action for received in server.counters.received] == [
        "set_charging_amps",
        "stop_charging",
        "start_charging",
    ]


async def test_reading_never_asks_the_car(charger: TessieCharger, server: TessieServer) -> None:
    await charger.async_report()
    assert (server.counters.reads, server.counters.uncached_reads, server.counters.wakes) == (1, 0, 0)


async def test_what_is_so_already_counts_as_done(charger: TessieCharger, clock: Clock) -> None:
    assert await charger.async_command(_command(Action.START)) is Outcome.ACCEPTED  # is_charging
    assert await charger.async_command(_command(Action.STOP)) is Outcome.ACCEPTED
    assert await charger.async_command(_command(Action.STOP)) is Outcome.ACCEPTED  # not_charging
    assert await charger.async_command(_command(Action.START)) is Outcome.ACCEPTED
    assert await charger.async_command(_command(Action.START)) is Outcome.ACCEPTED  # requested


async def test_a_full_car_refuses_to_start(charger: TessieCharger, car: Car) -> None:
    car.unplug()
    car.soc = car.charge_limit_soc
    car.plug()
    assert await charger.async_command(_command(Action.START)) is Outcome.REFUSED


async def test_an_unplugged_car_refuses_until_it_is_plugged_in(charger: TessieCharger, car: Car) -> None:
    car.unplug()
    with pytest.raises(ChargerRefused) as raised:
        await charger.async_command(_command(Action.START))
    assert raised.value.outcome is Outcome.REFUSED
    car.plug()
    car.stop()
    assert await charger.async_command(_command(Action.START)) is Outcome.ACCEPTED


async def test_an_unheard_of_refusal_is_tried_again_later(charger: TessieCharger, server: TessieServer) -> None:
    server.faults.inject("refused")
    with pytest.raises(ChargerUnreachable, match="flux_capacitor_unavailable") as raised:
        await charger.async_command(_command(Action.STOP))
    assert raised.value.outcome is Outcome.FAILED


async def test_buses_that_did_not_wake_get_one_more_chance(
    charger: TessieCharger, server: TessieServer, clock: Clock
) -> None:
    server.faults.inject("could_not_wake_buses", count=1)
    before = clock.now
    assert await charger.async_command(_command(Action.STOP)) is Outcome.ACCEPTED
    assert clock.now - before == 5

    server.faults.inject("could_not_wake_buses")
    server.counters.commands = 0
    with pytest.raises(ChargerUnreachable, match="could_not_wake_buses"):
        await charger.async_command(_command(Action.START))
    assert server.counters.commands == 2


async def test_low_amps_are_said_twice(charger: TessieCharger, server: TessieServer, car: Car, clock: Clock) -> None:
    assert await charger.async_command(_command(Action.SET_AMPS, 3)) is Outcome.ACCEPTED
    clock.now += 30
    report = await charger.async_report()
    assert (server.counters.commands, car.request, car.amps) == (2, 3, 3)
    assert report.measured_amps == 3  # although the car says 5


async def test_low_amps_that_are_refused_are_not_said_again(clouded: TessieCharger, cloud: Cloud) -> None:
    cloud.say({"result": False, "reason": "complete"})
    assert await clouded.async_command(_command(Action.SET_AMPS, 3)) is Outcome.REFUSED
    assert len(cloud.calls) == 1


@pytest.mark.parametrize("body", [{}, {"result": "true"}, {"result": 1}, {"result": None}, [], None, True])
async def test_an_answer_without_result_leaves_the_outcome_open(
    clouded: TessieCharger, cloud: Cloud, body: Any
) -> None:
    cloud.say(body)
    with pytest.raises(ChargerTimeout) as raised:
        await clouded.async_command(_command(Action.STOP))
    assert raised.value.outcome is Outcome.UNKNOWN


async def test_what_a_cloud_said_is_kept_without_secrets(clouded: TessieCharger, cloud: Cloud) -> None:
    secrets = (TOKEN, VIN, VIN.lower(), "43.36", "8.83")
    planted = f"{TOKEN} {VIN} {VIN.lower()} latitude 43.3612 -8.8301"
    cloud.say(
        {
            "vin": VIN,
            "display_name": planted,
            "state": planted,
            "reason": {"deep": planted},
            "charge_state": {"charging_state": planted, "charge_amps": 16, "conn_charge_cable": None, "more": planted},
            "drive_state": {"latitude": 43.36, "longitude": -8.83, "speed": 3, "shift_state": [planted]},
        }
    )
    charger = clouded
    await charger.async_report()
    cloud.say({"result": False, "reason": planted})
    with pytest.raises(ChargerUnreachable):
        await charger.async_command(Command(charger_id="car", action=Action.SET_AMPS, amps=8))
    cloud.say([planted])
    with pytest.raises(ChargerUnreachable):
        await charger.async_report()
    cloud.status, cloud.body = 502, planted.encode()
    with pytest.raises(ChargerError):
        await charger.async_report()
    state, command, shape, error = charger.diagnostics()
    assert not [secret for secret in secrets if secret in json.dumps(charger.diagnostics())]
    assert (state["call"], state["status"], state["at"]) == ("state", 200, "2023-11-14T22:13:20+00:00")
    assert state["answer"]["charge_state"]["charge_amps"] == 16
    assert state["answer"]["drive_state"] == {"speed": 3, "shift_state": "list"}
    assert (command["call"], command["amps"]) == ("command/set_charging_amps", "8")
    assert command["answer"]["result"] is False
    assert shape["answer"] == {"type": "list"}
    assert error["status"] == 502
    assert error["error"].startswith("ChargerTimeout: Tessie answered 502")
    assert "answer" not in error
    for _ in range(2 * CALLS_KEPT):
        with pytest.raises(ChargerError):
            await charger.async_report()
    assert len(charger.diagnostics()) == CALLS_KEPT


async def test_a_person_can_wake_a_car(charger: TessieCharger, server: TessieServer, car: Car, clock: Clock) -> None:
    car.stop()
    clock.now += 3600
    server.advance()
    assert car.asleep
    server.faults.inject("wake_fails", count=1)
    with pytest.raises(ChargerUnreachable, match="did not wake up"):
        await charger.async_wake()
    await charger.async_wake()
    assert not car.asleep
