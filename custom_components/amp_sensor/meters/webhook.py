"""A post of the meter becomes a Reading, or a 4xx that says what to mend."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
import json
from math import ceil
import time
from typing import Any, Final

from aiohttp import StreamReader, hdrs
from aiohttp.web import Request, RequestPayloadError, Response, json_response
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from homeassistant.util.json import json_loads
import voluptuous as vol

from ..control import Reading
from ..control.reading import MAX_AMPS as MOST_AMPS, signed
from .endpoint import KNOWN_SENDERS, is_local
from .posts import MAX_USER_AGENT, PostLog, Sender

MAX_BODY_BYTES: Final = 4096
"""Ten times the longest sensible post (three phases, all fields)."""
RATE_PER_S: Final = 4
"""Twice the fastest firmware: one post every 0.5 s while the current moves."""
BURST: Final = 15
"""Posts that may come at once: what a device saved up while Wi-Fi was away for some seconds."""
MAX_ERRORS: Final = 3
"""Errors told at once: whoever mends three finds the fourth in the next answer."""
MAX_SHOWN: Final = 20
"""Characters of a wrong value that an error repeats: enough to recognise it."""

MAX_AMPS: Final = int(MOST_AMPS)
MIN_VOLTS: Final = 50
MAX_VOLTS: Final = 500
"""From 100 V less a deep brown-out to 400 V between phases plus its tolerance."""
MAX_PHASE_WATTS: Final = MAX_AMPS * MAX_VOLTS
MAX_WATTS: Final = 3 * MAX_PHASE_WATTS
MAX_ENERGY_WH: Final = 10**11
"""What an eight-digit kWh register can show."""
MAX_BOOT_ID: Final = 64
"""Characters; a UUID has 36."""
MAX_VERSION: Final = 32
"""Characters; as of `2026.10.0b1+20261126.abcdef0`."""


_ACCEPTED: Final = json.dumps({"accepted": True}).encode()


class Refused(Exception):
    """A post is not accepted; the text says why in words for whoever set up the device."""

    def __init__(self, status: HTTPStatus, text: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.retry_after_s = retry_after_s


class Invalid(vol.Invalid):
    """A field is wrong, told in our own words."""


def _shown(value: object) -> str:
    """Return a value as its sender would recognise it, never longer than a few words."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value)
    if len(text) > MAX_SHOWN:
        text = f"{text[:MAX_SHOWN]}…"
    return f"the text {text}" if isinstance(value, str) else text


class _Number:
    """A finite number within limits. A boolean is not a number."""

    def __init__(self, low: float, high: float) -> None:
        self.limits = f"a number between {low} and {high}"
        self._low = low
        self._high = high

    def __call__(self, value: object) -> float:
        # NaN fails the comparison, the infinities the limits, and an integer too long for a float never becomes one
        if isinstance(value, bool) or not isinstance(value, int | float) or not self._low <= value <= self._high:
            raise Invalid(f"must be {self.limits}, got {_shown(value)}")
        return float(value)


class _Text:
    """A text of limited length. Half a surrogate pair, which JSON can hold and no file, is not printable."""

    def __init__(self, longest: int) -> None:
        self._longest = longest

    def __call__(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > self._longest or not value.isprintable():
            raise Invalid(f"must be a text of up to {self._longest} printable characters, got {_shown(value)}")
        return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"must be true or false, got {_shown(value)}")
    return value


def _phases(value: object) -> list[object]:
    if not isinstance(value, list) or not 1 <= len(value) <= 3:
        raise Invalid(f"must be a list of 1 to 3 objects, one for each phase, got {_shown(value)}")
    if not any(phase is not None for phase in value):
        raise Invalid("must have an object for at least one phase, got null for each")
    return value


def _phase(value: object) -> dict[str, float] | None:
    """Return what was sent of a phase; null is a phase of which the meter knows nothing just now."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Invalid(f'must be an object like {{"amps": 10.0}}, got {_shown(value)}')
    phase: dict[str, float] = _PHASE(value)
    return phase


def _required(key: str, number: _Number) -> dict[vol.Marker, Callable[[object], object]]:
    return {vol.Required(key, msg=f"is missing: send {number.limits}"): number}


_AMPS = _Number(-MAX_AMPS, MAX_AMPS)
_VOLTS = _Number(MIN_VOLTS, MAX_VOLTS)
_WATTS = _Number(-MAX_WATTS, MAX_WATTS)
_OF_A_PHASE: Final = {vol.Optional("volts"): _VOLTS, vol.Optional("beyond_range"): _flag}
_OPTIONAL: Final = {
    vol.Optional("energy_wh"): _Number(0, MAX_ENERGY_WH),
    vol.Optional("boot_id"): _Text(MAX_BOOT_ID),
    vol.Optional("version"): _Text(MAX_VERSION),
}
_PHASE = vol.Schema(
    _required("amps", _AMPS) | {vol.Optional("watts"): _Number(-MAX_PHASE_WATTS, MAX_PHASE_WATTS)} | _OF_A_PHASE,
    extra=vol.REMOVE_EXTRA,
)
TOTALS_SCHEMA: Final = vol.Schema(
    _required("amps", _AMPS) | _required("watts", _WATTS) | _OF_A_PHASE | _OPTIONAL, extra=vol.REMOVE_EXTRA
)
PHASES_SCHEMA: Final = vol.Schema(
    {
        vol.Required("phases"): vol.All(_phases, [_phase]),
        vol.Optional("amps"): _AMPS,
        vol.Optional("watts"): _WATTS,
    }
    | _OF_A_PHASE
    | _OPTIONAL,
    extra=vol.REMOVE_EXTRA,
)


def _field(path: Sequence[object]) -> str:
    """Return where a value stands, as one would write it: phases[0].amps."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _json(body: bytes) -> object:
    try:
        return json_loads(body)
    except ValueError:
        return json.loads(body)  # eight times slower, and knows NaN: the answer can name its field


@dataclass(frozen=True, kw_only=True)
class Post:
    """What a body holds."""

    reading: Reading
    version: str | None
    """Of what runs on the device, if it says so."""


def parse(body: bytes, *, at: float, nominal_volts: float) -> Post:
    """Return what is in a body that arrived `at` (s), or raise Refused.

    A current has the sign of its own phase's power, which a total is where there is one phase. Where the meter sends
    phases but no power, a phase counts with its current times its voltage.
    """
    try:
        payload = _json(body)
    except ValueError, RecursionError:
        raise Refused(
            HTTPStatus.BAD_REQUEST, 'the body is not JSON; it should look like {"amps": 10.0, "watts": 2200.0}'
        ) from None
    if not isinstance(payload, dict):
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f'the body must be an object like {{"amps": 10.0, "watts": 2200.0}}, got {_shown(payload)}',
        )
    try:
        data: dict[str, Any] = (PHASES_SCHEMA if "phases" in payload else TOTALS_SCHEMA)(payload)
    except vol.MultipleInvalid as invalid:
        text = "; ".join(f"{_field(error.path)} {error.msg}" for error in invalid.errors[:MAX_ERRORS])
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, text) from None
    phases: Sequence[dict[str, float] | None] = data.get("phases", (data,))
    site_volts, total = data.get("volts", nominal_volts), data.get("watts")
    amps: list[float | None] = []
    volts: list[float] = []
    watts = 0.0
    for phase in phases:
        if phase is None:
            amps.append(None)
            volts.append(site_volts)
            continue
        phase_watts = phase.get("watts", total if len(phases) == 1 else None)
        amps.append(phase_amps := signed(phase["amps"], phase_watts))
        volts.append(phase_volts := phase.get("volts", site_volts))
        watts += phase_amps * phase_volts if phase_watts is None else phase_watts
    reading = Reading(
        at=at,
        amps=tuple(amps),
        volts=tuple(volts),
        watts=watts if total is None else total,
        beyond=tuple(number for number, phase in enumerate(phases) if phase and _is_beyond_range(phase, data)),
        energy_wh=data.get("energy_wh"),
        boot_id=data.get("boot_id"),
    )
    return Post(reading=reading, version=data.get("version"))


def _is_beyond_range(phase: Mapping[str, Any], post: Mapping[str, Any]) -> bool:
    """Tell whether more flows than a sensor can show, as its phase says or the whole post."""
    return bool(phase.get("beyond_range", False) or post.get("beyond_range", False))


class TokenBucket:
    """Lets `rate_per_s` through in the long run, and `burst` at once."""

    def __init__(self, *, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take one and return 0, or return how long to wait for the next, s."""
        self._tokens = min(self._tokens + (now - self._at) * self._rate_per_s, self._burst)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate_per_s
        self._tokens -= 1
        return 0


async def _async_read(request: Request) -> bytes:
    """Return the body, never reading more than is allowed: Content-Length may be missing, or a lie."""
    content = request.content  # once: for what comes through the websocket, each access begins at the start
    body = b""
    try:
        while chunk := await content.read(MAX_BODY_BYTES + 1 - len(body)):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise Refused(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body must not be longer than {MAX_BODY_BYTES} bytes"
                )
    except ConnectionError:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body broke off before its end") from None
    except RequestPayloadError:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            "the body is not encoded as its Content-Encoding says: send JSON as it is, without one",
        ) from None
    return body


def sender_of(request: Request) -> Sender:
    """Return who posted."""
    return _sender(request.remote, request.headers.get(hdrs.USER_AGENT, "").strip()[:MAX_USER_AGENT])


@lru_cache(maxsize=KNOWN_SENDERS)
def _sender(address: str | None, user_agent: str) -> Sender:
    return Sender(address=address, user_agent=user_agent)


class Receiver:
    """Answers the posts that arrive at one webhook, and hands their readings on."""

    def __init__(
        self,
        take: Callable[[Reading], bool],
        *,
        nominal_volts: float,
        local_only: bool,
        show_version: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        """`take` gets each reading, and tells whether there still is somebody to take it.

        `show_version` gets the version of the device's program, whenever it is another one than before.
        """
        self.posts = PostLog()
        self.local_only = local_only
        self._take = take
        self._show_version = show_version
        self._nominal_volts = nominal_volts
        self._bucket = TokenBucket(rate_per_s=RATE_PER_S, burst=BURST)

    async def async_handle(self, hass: HomeAssistant, webhook_id: str, request: Request) -> Response:
        """Answer one post. It must never raise: Home Assistant would answer 200, and log the webhook's id."""
        sender = sender_of(request)
        try:
            post = await self._async_read(hass, request)
        except Refused as refused:
            return await async_refuse(self.posts, sender, refused, request)
        if post.version != self.posts.version:
            self._show_version(post.version)
        self.posts.accept(sender, post.reading, at=dt_util.utcnow(), version=post.version)
        return Response(body=_ACCEPTED, content_type="application/json")

    async def _async_read(self, hass: HomeAssistant, request: Request) -> Post:
        if self.local_only and not is_local(hass, request.remote):
            raise Refused(HTTPStatus.FORBIDDEN, "readings are taken from the local network only")
        if request.method != hdrs.METH_POST:
            raise Refused(
                HTTPStatus.METHOD_NOT_ALLOWED, "this is where the sensor posts its readings: only POST is understood"
            )
        if wait_s := self._bucket.take(time.monotonic()):
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"too many readings: at most {RATE_PER_S} a second, {BURST} at once",
                retry_after_s=ceil(wait_s),
            )
        body = await _async_read(request)
        post = parse(body, at=time.monotonic(), nominal_volts=self._nominal_volts)
        if not self._take(post.reading):
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE, "the site is just being set up again: try again soon", retry_after_s=5
            )
        return post


async def async_refuse(posts: PostLog, sender: Sender, refused: Refused, request: Request) -> Response:
    """Answer a post that is not taken, and take note of it."""
    # The server answers all that waits on a connection in one go: after each refusal somebody else has a turn
    await asyncio.sleep(0)
    posts.refuse(sender, at=dt_util.utcnow(), now=time.monotonic(), status=refused.status, text=str(refused))
    headers = {} if refused.retry_after_s is None else {"Retry-After": str(refused.retry_after_s)}
    response = json_response({"accepted": False, "error": str(refused)}, status=refused.status, headers=headers)
    if hdrs.CONTENT_ENCODING in request.headers:
        _leave_unread(request, response)
    return response


def _leave_unread(request: Request, response: Response) -> None:
    """Keep the server from reading on after the answer: it logs an exception for each body that cannot be decoded."""
    response.force_close()
    if isinstance(request.content, StreamReader):  # nothing reads on in what comes through the websocket
        request.content.feed_eof()
