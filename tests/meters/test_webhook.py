"""What the meter posts is accepted, or refused in words that whoever set it up understands."""

import asyncio
import gzip
from http import HTTPStatus
import json
import logging
from typing import Any
from unittest.mock import patch

from aiohttp import hdrs
from homeassistant.components.webhook import async_generate_path, async_handle_webhook
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.aiohttp import MockRequest
from hypothesis import given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import CONF_LOCAL_ONLY, CONF_MAX_AMPS, CONF_VOLTAGE, DOMAIN
from custom_components.amp_sensor.control import Reading
from custom_components.amp_sensor.meters.webhook import (
    BURST,
    MAX_BODY_BYTES,
    RATE_PER_S,
    Refused,
    TokenBucket,
    parse,
)
from custom_components.amp_sensor.site.address import with_new_address
from tests.conftest import WEBHOOK_ID, Site

PATH = async_generate_path(WEBHOOK_ID)
LONG = "x" * 3000


def _parse(payload: object) -> Reading:
    return parse(json.dumps(payload).encode(), at=7.0, nominal_volts=230.0).reading


def _refusal(body: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        parse(body, at=0.0, nominal_volts=230.0)
    return refused.value


@pytest.mark.parametrize(
    ("payload", "reading"),
    [
        (
            {"amps": 10.0, "watts": 2200.0},
            Reading(at=7.0, amps=(10.0,), volts=(230.0,), watts=2200.0),
        ),
        (
            {"amps": 0, "watts": -1500, "volts": 241.5, "energy_wh": 12, "boot_id": "a", "rssi": -70, "more": {"a": 1}},
            Reading(at=7.0, amps=(0.0,), volts=(241.5,), watts=-1500.0, energy_wh=12.0, boot_id="a"),
        ),
        (
            {"phases": [{"amps": 1, "watts": 200}, {"amps": 2, "volts": 240}, {"amps": 3, "x": None}], "volts": 220},
            Reading(at=7.0, amps=(1.0, 2.0, 3.0), volts=(220.0, 240.0, 220.0), watts=200.0 + 480.0 + 660.0),
        ),
        (
            {"phases": [{"amps": 1}, {"amps": 2}], "amps": 3, "watts": 500},
            Reading(at=7.0, amps=(1.0, 2.0), volts=(230.0, 230.0), watts=500.0),
        ),
    ],
    ids=["the two that always work", "everything of one phase", "phases alone", "phases and totals"],
)
def test_a_post_becomes_a_reading(payload: dict[str, Any], reading: Reading) -> None:
    assert _parse(payload) == reading


@pytest.mark.parametrize(
    ("payload", "amps", "watts"),
    [
        ({"amps": 17.5, "watts": -4025}, (-17.5,), -4025),
        ({"amps": -3.2, "watts": -736}, (-3.2,), -736),
        ({"amps": -3.2, "watts": 736}, (-3.2,), 736),
        ({"phases": [{"amps": 17.5}], "watts": -4025}, (-17.5,), -4025),
        ({"phases": [{"amps": 5, "watts": 1150}], "watts": -4025}, (5,), -4025),
        ({"phases": [{"amps": 5, "watts": -1150}, {"amps": 2, "watts": 460}]}, (-5, 2), -690),
        ({"phases": [{"amps": 5, "watts": -1150}, {"amps": 2, "watts": 460}], "watts": -700}, (-5, 2), -700),
        ({"phases": [{"amps": -5}, {"amps": 2, "watts": 450}, {"amps": 1}]}, (-5, 2, 1), -1150 + 450 + 230),
        ({"phases": [{"amps": -5, "watts": 1150}, {"amps": 2}]}, (-5, 2), 1150 + 460),
        ({"phases": [{"amps": 5}, {"amps": 4}, {"amps": 6}], "watts": -900}, (5, 4, 6), -900),
        ({"phases": [{"amps": 500}, {"amps": -500}]}, (500, -500), 0),
    ],
)
def test_a_current_has_the_sign_of_its_own_phases_power(
    payload: dict[str, Any], amps: tuple[float, ...], watts: float
) -> None:
    reading = _parse(payload)
    assert reading.amps == amps
    assert reading.watts == watts


@given(
    st.lists(st.tuples(st.floats(-500, 500), st.none() | st.floats(-250e3, 250e3)), min_size=1, max_size=3),
    st.none() | st.floats(-750e3, 750e3),
)
@settings(deadline=None)
def test_the_sign_of_a_phase_never_comes_from_another(
    phases: list[tuple[float, float | None]], total: float | None
) -> None:
    sent = [{"amps": amps} | ({} if watts is None else {"watts": watts}) for amps, watts in phases]
    reading = _parse({"phases": sent} | ({} if total is None else {"watts": total}))
    for (amps, watts), read in zip(phases, reading.known, strict=True):
        power = total if watts is None and len(phases) == 1 else watts
        assert abs(read) == abs(amps)
        assert (read < 0) == (amps < 0 or (amps > 0 and power is not None and power < 0))


def test_a_silent_phase_has_its_place() -> None:
    reading = _parse({"phases": [{"amps": 1, "watts": 200}, None, {"amps": 3, "volts": 240}]})
    assert reading == Reading(at=7.0, amps=(1.0, None, 3.0), volts=(230.0, 230.0, 240.0), watts=920.0)
    assert _parse({"phases": [None, {"amps": 2}]}).amps == (None, 2.0)
    assert _parse({"phases": [{"amps": 2}, None], "watts": -460}).amps == (2.0, None), "the total is of both"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", 'the body is not JSON; it should look like {"amps": 10.0, "watts": 2200.0}'),
        (b'{"amps": nan, "watts": 1}', 'the body is not JSON; it should look like {"amps": 10.0, "watts": 2200.0}'),
        (b"\xff\xfe", 'the body is not JSON; it should look like {"amps": 10.0, "watts": 2200.0}'),
        (b"[" * 4000, 'the body is not JSON; it should look like {"amps": 10.0, "watts": 2200.0}'),
        (b"[1, 2]", 'the body must be an object like {"amps": 10.0, "watts": 2200.0}, got a list of 2'),
        (b"true", 'the body must be an object like {"amps": 10.0, "watts": 2200.0}, got true'),
    ],
)
def test_what_is_no_json_object_is_a_bad_request(body: bytes, text: str) -> None:
    refused = _refusal(body)
    assert refused.status == HTTPStatus.BAD_REQUEST
    assert str(refused) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "{}",
            (
                "amps is missing: send a number between -500 and 500; "
                "watts is missing: send a number between -750000 and 750000"
            ),
        ),
        ('{"amps": 1}', "watts is missing: send a number between -750000 and 750000"),
        ('{"amps": "10", "watts": 1}', 'amps must be a number between -500 and 500, got the text "10"'),
        ('{"amps": true, "watts": 1}', "amps must be a number between -500 and 500, got true"),
        ('{"amps": null, "watts": 1}', "amps must be a number between -500 and 500, got null"),
        ('{"amps": [], "watts": 1}', "amps must be a number between -500 and 500, got a list of 0"),
        ('{"amps": {}, "watts": 1}', "amps must be a number between -500 and 500, got an object"),
        ('{"amps": -500.1, "watts": 1}', "amps must be a number between -500 and 500, got -500.1"),
        ('{"amps": 9200, "watts": 1}', "amps must be a number between -500 and 500, got 9200"),
        ('{"amps": NaN, "watts": 1}', "amps must be a number between -500 and 500, got NaN"),
        ('{"amps": 1, "watts": -Infinity}', "watts must be a number between -750000 and 750000, got -Infinity"),
        ('{"amps": 1e400, "watts": 1}', "amps must be a number between -500 and 500, got Infinity"),
        (
            f'{{"amps": {"9" * 3000}, "watts": 1}}',
            "amps must be a number between -500 and 500, got 99999999999999999999…",
        ),
        (
            f'{{"amps": "{LONG}", "watts": 1}}',
            'amps must be a number between -500 and 500, got the text "xxxxxxxxxxxxxxxxxxx…',
        ),
        ('{"amps": 1, "watts": 1, "volts": 0}', "volts must be a number between 50 and 500, got 0"),
        (
            '{"amps": 1, "watts": 1, "energy_wh": -1}',
            "energy_wh must be a number between 0 and 100000000000, got -1",
        ),
        ('{"amps": 1, "watts": 1, "boot_id": 5}', "boot_id must be a text of up to 64 printable characters, got 5"),
        (
            '{"amps": 1, "watts": 1, "boot_id": "\\ud800"}',
            'boot_id must be a text of up to 64 printable characters, got the text "\\ud800"',
        ),
        ('{"amps": 1, "watts": 1, "version": 3}', "version must be a text of up to 32 printable characters, got 3"),
        (
            f'{{"amps": 1, "watts": 1, "boot_id": "{LONG}"}}',
            'boot_id must be a text of up to 64 printable characters, got the text "xxxxxxxxxxxxxxxxxxx…',
        ),
        ('{"phases": {}}', "phases must be a list of 1 to 3 objects, one for each phase, got an object"),
        ('{"phases": []}', "phases must be a list of 1 to 3 objects, one for each phase, got a list of 0"),
        (
            '{"phases": [{}, {}, {}, {}]}',
            "phases must be a list of 1 to 3 objects, one for each phase, got a list of 4",
        ),
        ('{"phases": [7]}', 'phases[0] must be an object like {"amps": 10.0}, got 7'),
        ('{"phases": [{"amps": 1}, {}]}', "phases[1].amps is missing: send a number between -500 and 500"),
        (
            '{"phases": [{"amps": 1, "watts": 1e9}]}',
            "phases[0].watts must be a number between -250000 and 250000, got 1000000000.0",
        ),
        ('{"phases": [{"amps": 1}], "amps": -501}', "amps must be a number between -500 and 500, got -501"),
        ('{"phases": [null, null]}', "phases must have an object for at least one phase, got null for each"),
        ('{"phases": [null, {"amps": null}]}', "phases[1].amps must be a number between -500 and 500, got null"),
    ],
)
def test_a_wrong_field_is_named_with_its_limit(body: str, text: str) -> None:
    refused = _refusal(body.encode())
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert str(refused) == text


def test_no_more_than_three_errors_are_told_at_once() -> None:
    text = str(_refusal(b'{"amps": -501, "watts": null, "volts": 1, "energy_wh": "x", "boot_id": 1}'))
    assert text.count(";") == 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "amps": st.floats(-500, 500) | _JSON,
        "watts": st.floats(-1e6, 1e6) | _JSON,
        "volts": st.floats(50, 500) | _JSON,
        "phases": st.lists(st.fixed_dictionaries({"amps": st.floats(-500, 500)}) | _JSON, max_size=4) | _JSON,
        "energy_wh": st.floats(0, 1e12) | _JSON,
        "boot_id": st.text() | _JSON,
        "version": st.text() | _JSON,
        "beyond_range": st.booleans() | _JSON,
    },
)


@pytest.mark.parametrize(
    ("told", "is_beyond_range"),
    [
        ({"amps": 24.0, "watts": 5520.0}, False),
        ({"amps": 24.0, "watts": 5520.0, "beyond_range": False}, False),
        ({"amps": 24.0, "watts": 5520.0, "beyond_range": True}, True),
        ({"phases": [{"amps": 24.0}, None, {"amps": 24.0, "beyond_range": True}]}, True),
        ({"phases": [{"amps": 24.0}, {"amps": 1.0, "beyond_range": False}]}, False),
        ({"phases": [{"amps": 24.0}], "beyond_range": True}, True),
    ],
)
def test_a_sensor_may_say_that_more_flows_than_it_can_show(told: dict[str, object], is_beyond_range: bool) -> None:
    post = parse(json.dumps(told).encode(), at=7.0, nominal_volts=230.0)
    assert bool(post.reading.beyond) is is_beyond_range
    assert post.reading.amps[0] == 24.0, "what it shows is the least that flows"


def test_what_is_neither_true_nor_false_is_refused() -> None:
    refused = _refusal(b'{"amps": 24.0, "watts": 5520.0, "beyond_range": "no"}')
    assert str(refused) == 'beyond_range must be true or false, got the text "no"'


@given(st.binary() | (_JSON | _FIELDS).map(lambda payload: json.dumps(payload).encode()))
@settings(max_examples=500, deadline=None)
def test_whatever_arrives_is_a_sane_reading_or_a_short_refusal(body: bytes) -> None:
    answer: Reading | Refused
    try:
        answer = parse(body, at=0.0, nominal_volts=230.0).reading
    except Refused as refused:
        answer = refused
    if isinstance(answer, Refused):
        assert answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert 10 < len(str(answer)) < 400
    else:
        assert 1 <= len(answer.amps) == len(answer.volts) <= 3
        assert answer.known
        assert all(-500 <= amps <= 500 for amps in answer.known)
        assert all(50 <= volts <= 500 for volts in answer.volts)
        assert abs(answer.watts) <= 750000


@given(st.lists(st.floats(0, 3), max_size=100))
def test_the_bucket_lets_the_burst_through_and_the_rate_after_it(gaps: list[float]) -> None:
    bucket = TokenBucket(rate_per_s=4, burst=15)
    now = 1000.0
    allowed = 0
    for gap in gaps:
        now += gap
        wait_s = bucket.take(now)
        assert 0 <= wait_s <= 0.25
        allowed += wait_s == 0
        assert allowed <= 15 + 4 * (now - 1000.0) + 1e-6
    assert bucket.take(now + 0.251) == 0


async def test_an_accepted_post_is_shown(site: Site) -> None:
    response = await site.post(amps=10.0, watts=2200.0)
    assert response.status == HTTPStatus.OK
    assert await response.json() == {"accepted": True}
    assert site.state("sensor.casa_current") == "10.0"
    assert site.state("sensor.casa_power") == "2200"


@pytest.mark.parametrize(("amps", "watts", "shown"), [(-3.2, -736.0, "-3.2"), (17.5, -4025.0, "-17.5")])
async def test_export_is_shown_as_such(site: Site, amps: float, watts: float, shown: str) -> None:
    assert (await site.post(amps=amps, watts=watts)).status == HTTPStatus.OK
    assert site.state("sensor.casa_current") == shown
    assert site.state("sensor.casa_power") == f"{watts:.0f}"


async def test_a_refusal_is_json_and_changes_nothing(site: Site) -> None:
    await site.post(amps=10.0, watts=2200.0)
    response = await site.post(amps=-510.0, watts=2200.0)
    assert response.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert await response.json() == {
        "accepted": False,
        "error": "amps must be a number between -500 and 500, got -510.0",
    }
    assert site.state("sensor.casa_current") == "10.0"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_long_body_is_refused(site: Site, chunked: bool) -> None:
    body = b" " * (MAX_BODY_BYTES - 30) + b'{"amps": 10.0, "watts": 2200.0}'

    async def chunks() -> Any:
        yield body[:100]
        yield body[100:]

    response = await site.client.post(PATH, data=chunks() if chunked else body)
    assert response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert await response.json() == {"accepted": False, "error": "the body must not be longer than 4096 bytes"}
    response = await site.client.post(PATH, data=body[1:])
    assert response.status == HTTPStatus.OK


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log calls an error, but for aiohttp's access log, which cannot cope with a frozen clock."""
    return [
        f"{record.name}: {record.getMessage()} {record.exc_text}"
        for record in caplog.records
        if record.levelno >= logging.ERROR and record.name != "aiohttp.access"
    ]


async def _post_raw(site: Site, encoding: str, body: bytes, *, path: str = PATH, method: str = "POST") -> bytes:
    """Send a body under the name of an encoding, head and body apart, and return all that comes until the end."""
    server = site.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    for part in (head.encode(), body):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "GZIP"])
async def test_a_body_that_cannot_be_decoded_is_refused_without_a_trace(
    site: Site, caplog: pytest.LogCaptureFixture, encoding: str
) -> None:
    answer = await _post_raw(site, encoding, b'{"amps": 10.0, "watts": 2200.0}')
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"the body is not encoded as its Content-Encoding says: send JSON as it is, without one" in answer
    assert not _errors(caplog)
    assert (await site.post(amps=1.0, watts=230.0)).status == HTTPStatus.OK


@pytest.mark.parametrize("why", ["flood", "method", "old address", "from outside", "too long"])
async def test_whatever_is_refused_before_it_is_decoded_leaves_no_trace_either(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    method, body = "POST", b"x" * 3000
    match why:
        case "flood":
            for _ in range(BURST):
                await site.client.post(PATH, json={"amps": 1.0, "watts": 230.0})
            expected = HTTPStatus.TOO_MANY_REQUESTS
        case "method":
            method, expected = "PUT", HTTPStatus.METHOD_NOT_ALLOWED
        case "old address":
            site.hass.config_entries.async_update_entry(site.entry, data=with_new_address(site.entry.data))
            await site.hass.async_block_till_done()
            expected = HTTPStatus.GONE
        case "from outside":
            monkeypatch.setattr("homeassistant.util.network.is_local", lambda address: False)
            expected = HTTPStatus.FORBIDDEN
        case _:
            body, expected = gzip.compress(b" " * 1_000_000), HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert (await _post_raw(site, "gzip", body, method=method)).startswith(f"HTTP/1.1 {expected} ".encode())
    assert not _errors(caplog)


async def test_what_is_packed_well_is_taken(site: Site) -> None:
    body = gzip.compress(b'{"amps": 10.0, "watts": 2200.0}')
    answer = await site.client.post(PATH, data=body, headers={hdrs.CONTENT_ENCODING: "gzip"})
    assert await answer.json() == {"accepted": True}


async def test_an_encoding_that_the_server_refuses_before_us_tells_no_secret(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the package Brotli, aiohttp answers and logs that by itself: it must not do more than that."""
    answer = await _post_raw(site, "br", b'{"amps": 10.0, "watts": 2200.0}')
    assert b" 400 " in answer.splitlines()[0]
    assert WEBHOOK_ID not in "".join(_errors(caplog))
    assert (await site.post(amps=1.0, watts=230.0)).status == HTTPStatus.OK


async def test_a_device_that_hangs_up_halfway_leaves_no_error(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    server = site.client.server
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{{".encode())
    await writer.drain()
    await asyncio.sleep(0)
    writer.close()
    await writer.wait_closed()
    assert (await site.post(amps=1.0, watts=230.0)).status == HTTPStatus.OK
    assert not _errors(caplog)


async def test_a_hundred_slow_senders_keep_nobody_waiting(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    server = site.client.server
    body = b'{"amps": 5.0, "watts": 1150.0}'
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    writers = []
    for number in range(100):
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write((head + body)[: len(head) + number % len(body) if number % 2 else number % len(head)])
        writers.append(writer)
    await site.advance(5)
    status = (await site.post(amps=12.0, watts=2760.0)).status
    for writer in writers:
        writer.close()
    assert status == HTTPStatus.OK
    assert site.state("sensor.casa_current") == "12.0"
    assert (await site.post(amps=13.0, watts=2990.0)).status == HTTPStatus.OK
    assert not _errors(caplog)


async def test_too_many_posts_are_asked_to_come_back(site: Site) -> None:
    reading = {"amps": 10.0, "watts": 2200.0}
    for _ in range(BURST):
        assert (await site.client.post(PATH, json=reading)).status == HTTPStatus.OK
    response = await site.client.post(PATH, json=reading)
    assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    assert response.headers[hdrs.RETRY_AFTER] == "1"
    assert await response.json() == {"accepted": False, "error": "too many readings: at most 4 a second, 15 at once"}
    await site.advance(1)
    statuses = [(await site.client.post(PATH, json=reading)).status for _ in range(RATE_PER_S + 1)]
    assert statuses == [HTTPStatus.OK] * RATE_PER_S + [HTTPStatus.TOO_MANY_REQUESTS]


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
async def test_only_posts_are_taken_and_the_secret_stays_out_of_the_log(
    site: Site, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    caplog.set_level(logging.INFO)
    caplog.clear()
    response = await site.client.request(method, PATH)
    assert response.status == HTTPStatus.METHOD_NOT_ALLOWED
    if method != "HEAD":
        assert (await response.json())["error"] == (
            "this is where the sensor posts its readings: only POST is understood"
        )
    await site.post(amps=-1)
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("aiohttp.access", "asyncio"))]
    assert not [message for message in ours if WEBHOOK_ID in message]


async def test_a_duplicate_is_accepted(site: Site) -> None:
    for _ in range(2):
        assert (await site.post(amps=10.0, watts=2200.0, energy_wh=5.0, boot_id="a")).status == HTTPStatus.OK
    assert site.state("sensor.casa_current") == "10.0"


@pytest.mark.parametrize(("local_only", "accepted"), [(True, False), (False, True)])
async def test_local_only_keeps_the_internet_out(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    local_only: bool,
    accepted: bool,
) -> None:
    site.hass.config_entries.async_update_entry(site.entry, data={**site.entry.data, CONF_LOCAL_ONLY: local_only})
    await site.hass.async_block_till_done()
    monkeypatch.setattr("homeassistant.util.network.is_local", lambda address: False)
    response = await site.client.post(PATH, json={"amps": 10.0, "watts": 2200.0})
    if accepted:
        assert await response.json() == {"accepted": True}
    else:
        assert response.status == HTTPStatus.FORBIDDEN
        assert await response.json() == {"accepted": False, "error": "readings are taken from the local network only"}
    assert WEBHOOK_ID not in "\n".join(r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING)


@pytest.mark.parametrize("remote", [None, "nobody knows"])
async def test_who_comes_from_nowhere_comes_from_outside(site: Site, remote: str | None) -> None:
    request = MockRequest(b'{"amps": 3.0, "watts": 690.0}', "test", method="POST", remote=remote)
    response = await async_handle_webhook(site.hass, WEBHOOK_ID, request)
    assert response.status == HTTPStatus.FORBIDDEN


async def test_a_post_while_the_site_is_unloaded_is_not_accepted(site: Site) -> None:
    """The last readings before the end count, and the device learns that later ones did not."""
    unloading = []

    async def stop(*, ended: Any) -> None:
        await type(site.coordinator).async_stop(site.coordinator, ended=ended)
        unloading.append(await site.client.post(PATH, json={"amps": 10.0, "watts": 2200.0}))

    with patch.object(site.coordinator, "async_stop", stop):
        await site.hass.config_entries.async_unload(site.entry.entry_id)
    (response,) = unloading
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers[hdrs.RETRY_AFTER] == "5"
    assert (await response.json())["accepted"] is False


# A new address


async def _new_address(site: Site) -> str:
    """Give the site a new address, as the dialog does, and return the path of the old one."""
    path = async_generate_path(site.entry.data[CONF_WEBHOOK_ID])
    site.hass.config_entries.async_update_entry(site.entry, data=with_new_address(site.entry.data))
    await site.hass.async_block_till_done()
    assert site.entry.data[CONF_WEBHOOK_ID] not in path
    return path


def _issue(site: Site) -> ir.IssueEntry | None:
    return ir.async_get(site.hass).async_get_issue(DOMAIN, f"old_address_{site.entry.entry_id}")


async def test_an_old_address_is_gone_and_whoever_still_uses_it_is_told(site: Site) -> None:
    old = await _new_address(site)
    assert await (await site.post(amps=10.0, watts=2200.0)).json() == {"accepted": True}
    assert _issue(site) is None
    response = await site.client.post(old, json={"amps": 40.0, "watts": 9200.0})
    assert response.status == HTTPStatus.GONE
    assert "no longer used" in (await response.json())["error"]
    await site.settle()
    assert site.state("sensor.casa_current") == "10.0"
    issue = _issue(site)
    assert issue is not None
    assert issue.is_fixable
    assert issue.translation_placeholders == {"site": "Casa", "client": "127.0.0.1"}
    await site.advance(3500, step_s=50)
    await site.client.post(old, json={"amps": 40.0, "watts": 9200.0})
    await site.advance(3500, step_s=50)
    assert _issue(site), "it still comes"
    await site.advance(200, step_s=50)
    assert _issue(site) is None


async def test_an_old_address_is_watched_for_thirty_days_and_over_restarts(site: Site) -> None:
    first = await _new_address(site)
    site.freezer.tick(29 * 86400)
    second = await _new_address(site)
    for path in (first, second):
        assert (await site.client.post(path)).status == HTTPStatus.GONE
    site.freezer.tick(2 * 86400)
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    assert (await site.client.post(first)).status == HTTPStatus.OK, "as any address that nobody knows"
    assert (await site.client.post(second)).status == HTTPStatus.GONE


async def test_nothing_accepts_once_the_site_is_unloaded(site: Site) -> None:
    assert await site.hass.config_entries.async_unload(site.entry.entry_id)
    response = await site.client.post(PATH, json={"amps": 10.0, "watts": 2200.0})
    assert await response.read() == b""
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    assert await (await site.post(amps=10.0, watts=2200.0)).json() == {"accepted": True}


async def test_one_device_may_post_to_two_sites(site: Site) -> None:
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Garage",
        data={CONF_MAX_AMPS: 16, CONF_VOLTAGE: 120, CONF_LOCAL_ONLY: True, CONF_WEBHOOK_ID: "fedcba9876543210"},
    )
    other.add_to_hass(site.hass)
    assert await site.hass.config_entries.async_setup(other.entry_id)
    assert other.state is ConfigEntryState.LOADED
    reading = {"amps": 10.0, "watts": 1200.0, "boot_id": "same", "energy_wh": 5.0}
    for _ in range(BURST):  # each has a limit of its own
        assert (await site.client.post(PATH, json=reading)).status == HTTPStatus.OK
        response = await site.client.post(async_generate_path("fedcba9876543210"), json=reading)
        assert response.status == HTTPStatus.OK
    await site.settle()
    await other.runtime_data.async_idle()
    assert site.state("sensor.casa_headroom") == "15.0"
    assert site.state("sensor.garage_headroom") == "6.0"
    assert site.state("sensor.garage_voltage") == "120"


async def test_a_post_may_come_through_home_assistants_cloud_or_websocket(site: Site) -> None:
    request = MockRequest(b'{"amps": 3.0, "watts": 690.0}', "test", method="POST", remote="127.0.0.1")
    response = await async_handle_webhook(site.hass, WEBHOOK_ID, request)
    assert response.body == b'{"accepted": true}'
    await site.settle()
    assert site.state("sensor.casa_current") == "3.0"


async def test_the_answer_waits_for_no_cloud(site: Site) -> None:
    site.charger.hold = asyncio.Event()
    await site.advance(65, amps=20.0, watts=4600.0)
    response = await site.post(amps=40.0, watts=9200.0)
    assert await response.json() == {"accepted": True}
    assert site.charger.commands, "the command was sent, and has no answer yet"
    assert not site.charger.hold.is_set()
    site.charger.hold.set()
    await site.settle()
