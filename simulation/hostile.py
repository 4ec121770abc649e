"""Hostile posts: whatever may arrive at a webhook through a socket, and what must not come of it."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from compression import gzip, zlib, zstd
from dataclasses import dataclass, field
from enum import StrEnum
import json
import math
from random import Random
import re
import socket
import sys
from types import CodeType, ModuleType
from typing import Any, Final

MIB: Final = 1 << 20
SLOW: Final = 50
"""Senders that never end, at any time."""
PATIENCE_S: Final = 2.0
"""How long an answer may take before nobody waits for it any more, s."""
STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
GOOD: Final = b'{"amps": 10.0, "watts": 2300.0}'
SEEDS: Final = (
    GOOD,
    b'{"phases": [{"amps": 1, "watts": -200, "volts": 240}, null, {"amps": 2, "beyond_range": true}], "energy_wh": 5}',
    b'{"amps": -1.5, "watts": 1e3, "volts": 231.5, "energy_wh": 12, "boot_id": "a", "beyond_range": false}',
)
MUTATED: Final = (
    b"-",
    b"e308",
    b"1e400",
    b"NaN",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'"',
    b"[",
    b"]",
    b"{",
    b"}",
    b"\xff",
)

VALUES: Final = (
    None,
    True,
    False,
    0,
    -1,
    12,
    10**30,
    1e308,
    math.nan,
    -math.inf,
    230.5,
    -500,
    500.1,
    "",
    "10",
    "\0",
    "é\ud800",
)
KEYS: Final = ("amps", "watts", "volts", "phases", "energy_wh", "boot_id", "beyond_range", "", "x")
CODINGS: Final = ("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-32", "latin-1", "cp500")
LONG: Final = (b"[" * 4000, b'{"a":' * 800, b'{"amps":' + b"9" * 4000 + b"}", GOOD.ljust(4096), GOOD.ljust(4097))


def _value(rng: Random, depth: int = 0) -> object:
    """Make up something that JSON can hold."""
    match rng.randrange(8 if depth < 3 else 6):
        case 6:
            return [_value(rng, depth + 1) for _ in range(rng.randrange(5))]
        case 7:
            return {rng.choice(KEYS): _value(rng, depth + 1) for _ in range(rng.randrange(5))}
        case kind if kind < 3:
            return rng.choice(VALUES)
    return round(rng.uniform(-600, 600), rng.randrange(6))


def _reading(rng: Random) -> dict[str, object]:
    """Make up what may be a reading, of which something may be wrong."""
    amps = [{"amps": rng.uniform(-500, 500), "watts": rng.uniform(-3e5, 3e5)} for _ in range(rng.randrange(1, 4))]
    made: dict[str, object] = {"amps": rng.uniform(-510, 510), "watts": rng.uniform(-8e5, 8e5)}
    made |= {"phases": amps} if rng.random() < 0.3 else {}
    made |= {"volts": rng.uniform(40, 510)} if rng.random() < 0.3 else {}
    made |= {"energy_wh": rng.uniform(-1, 1e6), "boot_id": rng.choice("ab")} if rng.random() < 0.3 else {}
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        made[rng.choice(KEYS)] = _value(rng)
    return made


def _body(rng: Random, found: Sequence[bytes]) -> bytes:
    match rng.randrange(16):
        case 0:
            return rng.randbytes(rng.randrange(200))
        case 1:
            return rng.choice(LONG)
        case 2 | 3:
            return rng.choice(found)
        case 4 | 5 | 6:
            return changed(rng.choice(found), rng.choice(found), rng)
        case 7 | 8:
            return json.dumps(_value(rng)).encode(rng.choice(CODINGS), "replace")
    return json.dumps(_reading(rng)).encode(rng.choice(CODINGS), "replace")


PACKS: Final[Sequence[tuple[str, Callable[[bytes], bytes]]]] = (
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", lambda body: zlib.compress(body, wbits=-15)),
    ("zstd", zstd.compress),
    ("gzip", lambda body: gzip.compress(body)[:-9]),
    ("deflate", lambda body: zlib.compress(body)[:-5]),
)
BOMBS: Final = tuple((name, pack(b" " * (16 * MIB))) for name, pack in PACKS[:4])
ENCODINGS: Final = (None, "gzip", "deflate", "zstd", "br", "identity", "GZIP", "x", "gzip, gzip", "\x01")
METHODS: Final = ("GET", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "BREW", "CONNECT")
TYPES: Final = (None, "text/html; charset=x", "multipart/form-data", "application/x-www-form-urlencoded", "\xff")


class Framing(StrEnum):
    """How a request says where its body ends."""

    LENGTH = "its length"
    SHORT = "too short a length"
    LONG = "too long a length"
    ABSURD = "an absurd length"
    TWICE = "two lengths"
    CHUNKED = "chunks"
    BROKEN = "broken chunks"
    BOTH = "length and chunks"
    NONE = "nothing"

    @property
    def is_complete(self) -> bool:
        """Whether a server need not wait for more."""
        return self not in (Framing.LONG, Framing.BROKEN)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request as it goes through a socket."""

    method: str
    encoding: str | None
    content_type: str | None
    header: str | None
    body: bytes
    framing: Framing
    cut: int
    """Where it is sent in two parts."""
    ends: bool
    """Whether it is sent to its end."""

    def wire(self, path: str, *, close: bool) -> bytes:
        """Return its bytes."""
        size, body, framing = len(self.body), self.body, self.framing
        chunked = f"{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        lines = [f"{self.method} {path} HTTP/1.1", "Host: x", *(["Connection: close"] if close else [])]
        if self.encoding is not None:
            lines.append(f"Content-Encoding: {self.encoding}")
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        if self.header is not None:
            lines.append(f"X-Hostile: {self.header}")
        lengths: Mapping[Framing, Sequence[object]] = {
            Framing.LENGTH: (size,),
            Framing.SHORT: (size // 2,),
            Framing.LONG: (size + 1000,),
            Framing.ABSURD: ("-1" if size % 2 else "9" * 30,),
            Framing.TWICE: (size, size + 1),
            Framing.BOTH: (size,),
        }
        lines += [f"Content-Length: {length}" for length in lengths.get(framing, ())]
        if framing in (Framing.CHUNKED, Framing.BROKEN, Framing.BOTH):
            lines.append("Transfer-Encoding: chunked")
            body = chunked.replace(b"\r\n0", b"\r\nzz") if framing is Framing.BROKEN else chunked
        return "\r\n".join((*lines, "", "")).encode("latin-1", "replace") + body


def made_up(rng: Random, found: Sequence[bytes]) -> Case:
    """Make up a request; `found` are bodies that are worth a change. Most have little that is wrong."""
    body, encoding = _body(rng, found), None
    if rng.random() < 0.1:
        pack, encoding = rng.choice(PACKS), rng.choice(ENCODINGS)
        packed = rng.choice(BOMBS)[1] if rng.random() < 0.2 else pack[1](body)
        body, encoding = packed, pack[0] if rng.random() < 0.7 else encoding
    return Case(
        method="POST" if rng.random() < 0.9 else rng.choice(METHODS),
        encoding=encoding,
        content_type="application/json" if rng.random() < 0.8 else rng.choice(TYPES),
        header=rng.randbytes(10).decode("latin-1") if rng.random() < 0.03 else None,
        body=body,
        framing=Framing.LENGTH if rng.random() < 0.7 else rng.choice((Framing.CHUNKED, *Framing)),
        cut=rng.randrange(400),
        ends=rng.random() < 0.97,
    )


class Hostile(AssertionError):
    """What must not come of any post did."""


@dataclass(kw_only=True)
class Attack:
    """Sends cases to one webhook, and counts what comes of them."""

    port: int
    path: str
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    """Connections that the server ended, or on which it said nothing for long."""
    _slow: deque[socket.socket] = field(default_factory=deque)

    def send(self, *cases: Case) -> None:
        """Send cases on one connection. Raises Hostile where the server says that it failed."""
        self.sent += len(cases)
        *others, last = [case.wire(self.path, close=case is cases[-1]) for case in cases]
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        try:
            head, tail = last[: cases[-1].cut], last[cases[-1].cut :]
            connection.sendall(b"".join(others) + head)
            if not cases[-1].ends or not all(case.framing.is_complete for case in cases):
                self._leave(connection)
                return
            connection.sendall(tail)
            answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        except OSError:
            answer = b""
        connection.close()
        statuses = [int(status) for status in STATUS.findall(answer)]
        self.unanswered += not statuses
        self.statuses.update(statuses)
        if any(status >= 500 for status in statuses):
            raise Hostile(f"answered with {statuses}: {answer[:500]!r}")

    def _leave(self, connection: socket.socket) -> None:
        """Leave a sender where it is, and let the one go that has been there for longest."""
        self.unanswered += 1
        self._slow.append(connection)
        if len(self._slow) > SLOW:
            self._slow.popleft().close()

    def end(self) -> None:
        """Let all of them go."""
        while self._slow:
            self._slow.popleft().close()


LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "A": (-1000, 1000),  # a headroom is a budget and what is exported
    "W": (-750_000, 750_000),
    "V": (50, 500),
    "%": (-4000, 4000),
    "kWh": (0, 1e8),
}


def out_of_range(states: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the states with a unit that no meter can bring about."""
    found = []
    for state in states:
        low, high = LIMITS.get(state["attributes"].get("unit_of_measurement"), (-math.inf, math.inf))
        if state["state"] in ("unknown", "unavailable") or low == -math.inf:
            continue
        try:
            is_sane = low <= float(state["state"]) <= high
        except ValueError:
            is_sane = False
        if not is_sane:
            found.append(f"{state['entity_id']}: {state['state']}")
    return found


def below_us(logger: str, text: str) -> str | None:
    """Return what the server below Home Assistant logged by itself, in short; None where that was not all.

    It answers some bodies before it asks anybody: docs/reliability.md tells which.
    """
    if logger != "aiohttp.server" or "amp_sensor" in text:
        return None
    _, _, why = text.rpartition("message:")
    return why.strip().splitlines()[0]


class Branches:
    """Tells whether a call goes a way through some modules that none went before."""

    TOOL: Final = 4  # of the two that nobody has reserved

    def __init__(self, *modules: ModuleType) -> None:
        """Look at each branch of these modules once."""
        monitoring = sys.monitoring
        self._is_new = False
        self.count = 0
        monitoring.use_tool_id(self.TOOL, "hostile")
        monitoring.restart_events()  # those that an earlier one has seen
        events = monitoring.events.BRANCH_LEFT | monitoring.events.BRANCH_RIGHT
        for event in (monitoring.events.BRANCH_LEFT, monitoring.events.BRANCH_RIGHT):
            monitoring.register_callback(self.TOOL, event, self._see)
        for code in (code for module in modules for code in _codes_in(module)):
            monitoring.set_local_events(self.TOOL, code, events)

    def _see(self, _code: CodeType, _offset: int, _to: int) -> object:
        self._is_new = True
        self.count += 1
        return sys.monitoring.DISABLE

    def is_new(self, call: Callable[[], object]) -> bool:
        """Call it, and tell."""
        self._is_new = False
        call()
        return self._is_new

    def end(self) -> None:
        """Look no more."""
        sys.monitoring.free_tool_id(self.TOOL)


def _codes(code: CodeType) -> Iterable[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _codes_in(module: ModuleType) -> Iterable[CodeType]:
    """Return the code of all functions and methods of a module."""
    for value in vars(module).values():
        for each in (value, *(vars(value).values() if isinstance(value, type) else ())):
            function = getattr(each, "fget", each)
            if getattr(function, "__module__", None) == module.__name__ and hasattr(function, "__code__"):
                yield from _codes(function.__code__)


def explore(call: Callable[[bytes], object], modules: Sequence[ModuleType], *, tries: int, seed: int) -> list[bytes]:
    """Return bodies that go each another way through some modules, found by changing those that did before."""
    rng, branches, found = Random(seed), Branches(*modules), list(SEEDS)
    try:
        for _ in range(tries):
            body = changed(rng.choice(found), rng.choice(found), rng)
            if branches.is_new(lambda body=body: call(body)):  # type: ignore[misc]
                found.append(body)
    finally:
        branches.end()
    return found


def changed(body: bytes, other: bytes, rng: Random) -> bytes:
    """Return a body with a few changes, some with parts of another."""
    for _ in range(rng.randint(1, 4)):
        at, to = sorted(rng.randrange(len(body) + 1) for _ in range(2))
        match rng.randrange(5):
            case 0:
                body = body[:at] + body[to:]
            case 1:
                body = body[:at] + rng.choice(MUTATED) + body[to if rng.random() < 0.5 else at :]
            case 2:
                body = body[:at] + rng.randbytes(1) + body[at + 1 :]
            case 3:
                body = body[:at] + other[rng.randrange(len(other) + 1) :]
            case _:
                body = body[:to] + body[at:]
    return body[:6000]
