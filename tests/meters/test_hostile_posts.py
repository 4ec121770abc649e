"""Whatever comes through the socket: it is answered, nothing of ours fails, and no state is out of range."""

import asyncio
from collections import Counter
from http import HTTPStatus
import logging
from random import Random

from homeassistant.components.webhook import async_generate_path
import pytest

from custom_components.amp_sensor.control import reading
from custom_components.amp_sensor.meters import webhook
from simulation.fuzz import parse, send
from simulation.hostile import GOOD, SEEDS, Attack, Branches, below_us, explore, out_of_range
from tests.conftest import WEBHOOK_ID, Site

PATH = async_generate_path(WEBHOOK_ID)
CASES = 2000


@pytest.fixture
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RATE_PER_S", "BURST"):
        monkeypatch.setattr(webhook, name, 10**9)


@pytest.fixture
def attack(site: Site) -> Attack:
    assert site.client.port is not None
    return Attack(port=site.client.port, path=PATH)


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return who logged an error, and its text; but for aiohttp's access log, which a frozen clock confuses."""
    return [
        (record.name, f"{record.getMessage()} {record.exc_text or ''}")
        for record in caplog.records
        if record.levelno >= (logging.WARNING if record.exc_info else logging.ERROR) and record.name != "aiohttp.access"
    ]


async def test_no_post_does_any_harm(
    no_limit: None, site: Site, attack: Attack, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(send, attack, Random(1), SEEDS, CASES)
    attack.end()
    await site.settle()
    assert [text for logger, text in logged(caplog) if below_us(logger, text) is None] == []
    states = [
        state.as_dict() for domain in ("sensor", "binary_sensor", "number") for state in site.states(domain).values()
    ]
    assert states
    assert out_of_range(states) == []
    statuses = attack.statuses
    assert statuses[200] > CASES / 10, "many are as good as any"
    assert statuses[422] > CASES / 20
    assert (await site.client.post(PATH, data=GOOD)).status == HTTPStatus.OK
    assert site.coordinator.posts.readings > statuses[200], "and those of whom nobody waited for the answer"


async def test_somebody_else_has_a_turn_while_one_connection_is_full_of_posts(site: Site) -> None:
    body = b'{"amps": 1.0, "watts": 230.0}'
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    (_, flood), (reader, other) = [await asyncio.open_connection(site.client.host, site.client.port) for _ in range(2)]
    refused = Counter[str]()

    async def ask() -> None:
        other.write(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        await reader.read()
        refused["before"] = site.coordinator.posts.refused

    flood.write((head + body) * 500)
    await ask()
    flood.close()
    assert refused["before"] < 40


def test_bodies_are_found_that_go_new_ways() -> None:
    found = explore(parse, (webhook, reading), tries=2000, seed=1)
    assert len(found) > len(SEEDS) + 5
    branches = Branches(webhook)
    try:
        assert branches.is_new(lambda: parse(GOOD))
        assert not branches.is_new(lambda: parse(GOOD))
        assert branches.is_new(lambda: parse(b"[]"))
    finally:
        branches.end()


@pytest.mark.parametrize(
    ("state", "unit", "is_wrong"),
    [
        ("499", "A", False),
        ("1001", "A", True),
        ("nan", "V", True),
        ("-1", "kWh", True),
        ("unknown", "A", False),
        ("x", None, False),
    ],
)
def test_a_state_out_of_range_is_found(state: str, unit: str | None, is_wrong: bool) -> None:
    told = [{"entity_id": "sensor.a", "state": state, "attributes": {"unit_of_measurement": unit}}]
    assert bool(out_of_range(told)) is is_wrong


def test_only_what_the_server_logs_by_itself_is_not_ours() -> None:
    told = "Error handling request\naiohttp.http_exceptions.BadHttpMessage: 400, message:\n  Invalid header:\n    x"
    assert below_us("aiohttp.server", told) == "Invalid header:"
    assert below_us("aiohttp.server", f"custom_components/amp_sensor/x.py {told}") is None
    assert below_us("custom_components.amp_sensor", told) is None
