"""A Tesla, read and commanded through Tessie's cloud."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import math
import re
import time
from typing import Any, Final, NoReturn, override

import aiohttp
from homeassistant.util.json import JsonValueType, json_loads
from homeassistant.util.location import distance
from yarl import URL

from ..const import DEFAULT_RADIUS_M, DEFAULT_TESSIE_URL, MAX_BUDGET_A
from ..control import Action, ChargerReport, ChargingState, Command, Outcome
from ..control.profile import TESSIE
from .charger import (
    Charger,
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

READ_TIMEOUT_S: Final = 15.0  # reads come from Tessie's cache
# Answers take 2.5 s, 8 s at worst in 19 of 20 cases. A car is never woken by a command, and a command that hangs
# keeps the next cut waiting: a warm breaker that carries 1.6 times its rating has half a minute.
COMMAND_TIMEOUT_S: Final = 10.0
WAKE_TIMEOUT_S: Final = 100.0  # Tessie itself gives up after 90 s
MAX_BODY_BYTES: Final = 1_048_576  # a state has some 10 kB; all cars of an account come in one body
MAX_TEXT: Final = 200  # characters of an answer that an error keeps
MAX_RETRY_AFTER_S: Final = 900.0  # our own longest pause: a longer one is more likely a mistake than a wish

SAID_AGAIN_S: Final = 20.0
"""How long a refusal that only a person can fix has to last before it is believed, s. A hiccup of the cloud is shorter
(15 s were seen); a poll that failed is repeated after 30 s, and a command comes a fifth time by then."""
SAID_ONCE_S: Final = 3600.0
"""A refusal that comes later than this after the last, s, is not the same trouble: four of our own longest pauses."""
UNSEEN_S: Final = 600.0
"""How long a plugged in car may go unseen and still be at the same plug, s: two looks at one that sleeps. In less,
hardly anybody unplugs, drives off and plugs in elsewhere."""

CALLS_KEPT: Final = 30  # some ten minutes while a car charges

BUSES_RETRY_S: Final = 5.0  # what others wait when the inside of a car did not wake up
FLOOR_A: Final = 5  # below the floor of Tesla's app a request is only taken when repeated, and telemetry says too much
POLL_COMMANDED_S: Final = 10.0  # when the answer to a command can first be seen
POLL_CONTROLLING_S: Final = 20.0  # Tessie's own copy is some 15 s old
POLL_IDLE_S: Final = 60.0
POLL_AWAY_S: Final = 300.0
STALE_MOVING_S: Final = 120.0  # age of a moving car's data above which it may have stopped, or be elsewhere
STALE_PARKED_S: Final = 300.0  # how much older than the charging data the driving data may be

_MODELS: Final = {"3": "Model 3", "C": "Cybertruck", "R": "Roadster", "S": "Model S", "X": "Model X", "Y": "Model Y"}
"""By the fourth character of a VIN."""
_STATES: Final = {
    "disconnected": ChargingState.DISCONNECTED,
    "nopower": ChargingState.NO_POWER,
    "starting": ChargingState.STARTING,
    "calibrating": ChargingState.STARTING,
    "charging": ChargingState.CHARGING,
    "complete": ChargingState.COMPLETE,
    "stopped": ChargingState.STOPPED,
    "pending": ChargingState.STOPPED,
}
_DRAWING: Final = (ChargingState.STARTING, ChargingState.CHARGING)
_CABLES: Final = ("iec", "sae")  # an empty port says "<invalid>"
_GEARS: Final = ("d", "r", "n")  # in which a car moves; parked, it says "P", null, "SNA" or nothing
TOP_SPEED: Final = 500.0  # in either unit, more than any car has
SUPPLY_V: Final = (80.0, 310.0)
"""What a socket gives, V, from Japan's 100 V under load to America's 277 V and a tenth. Below, the contactor is open (a
car says 2 V then); above, it is the battery at a fast charger."""
MOST_MIN: Final = 6000.0
"""Longer than a household socket of 1 kW takes for the largest battery, minutes."""
LATEST_MS: Final = 1e13  # the year 2286: what is later is no time

_ALREADY_SO: Final = {
    Action.START: ("is_charging", "requested"),
    Action.STOP: ("not_charging", "complete"),
    Action.SET_AMPS: ("requested",),
}
_NOT_NOW: Final = ("is_charging", "not_charging", "complete", "requested")

_KEPT: Final = ("state", "result", "reason", "woke", "error")
_KEPT_OF: Final = {
    "charge_state": (
        *("timestamp", "charging_state", "charge_amps", "charge_current_request", "charge_current_request_max"),
        *("charger_actual_current", "charger_phases", "charger_voltage", "conn_charge_cable"),
        *("scheduled_charging_pending", "battery_level", "charge_limit_soc", "minutes_to_full_charge"),
    ),
    "drive_state": ("timestamp", "gps_as_of", "shift_state", "speed"),
}
"""What is kept of an answer for diagnosis: what this client reads, but for the position."""

_KEY_MISSING: Final = re.compile(r"\bkeys?\b|\bpair|command protocol", re.IGNORECASE)
"""What a 500 says that means the virtual key, in Tessie's or Tesla's words. Any other is a trouble of theirs."""

_PRIVATE: Final = r"https?://\S+|\b[A-HJ-NPR-Z0-9]{17}\b|(?:latitude|longitude)\W{0,9}[-\d.]+|-?\d{1,3}\.\d+"
"""What must not get out: addresses, anything like a VIN, positions. Bounded, as it meets bodies of any make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TessieVehicle:
    """A car of the account."""

    vin: str = field(repr=False)
    name: str
    limit_amps: float | None = None
    """The most that it takes with its present cable and charger, A per phase, by its own account."""


@dataclass(slots=True)
class _Refusal:
    """What a kind of call was last refused for where only a person can fix that.

    Networks, proxies and clouds say such things by mistake. So it is believed once it was said again, and nothing else
    in between; from then on until a call succeeds.
    """

    kind: type[ChargerError] | None = None
    first_at: float = 0.0
    last_at: float = 0.0

    @property
    def is_believed(self) -> bool:
        """Whether it was said for long enough."""
        return self.kind is not None and self.last_at - self.first_at >= SAID_AGAIN_S

    def add(self, error: ChargerError, now: float) -> None:
        """Take another error of this kind of call."""
        if self.is_believed and (type(error) is self.kind or not error.needs_person):
            return
        if not error.needs_person:
            self.kind = None
            return
        if type(error) is not self.kind or not 0 <= now - self.last_at <= SAID_ONCE_S:
            self.kind, self.first_at = type(error), now
        self.last_at = now


class TessieClient:
    """Tessie's API, as far as charging needs it. Each method is one attempt, and raises only ChargerError.

    No error or log line holds the token, a VIN, an address, or a position.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: str,
        base_url: str = DEFAULT_TESSIE_URL,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Use an account; `clock` is a wall clock (seconds since 1970), which a date in Retry-After is held against."""
        self._session = session
        self._token = token
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self.calls: deque[Mapping[str, Any]] = deque(maxlen=CALLS_KEPT)
        """The last calls and what came of them, free of secrets."""

    async def vehicles(self) -> tuple[TessieVehicle, ...]:
        """Return the account's active cars."""
        answer = await self._request("GET", "vehicles", timeout_s=READ_TIMEOUT_S, only_active="true")
        results = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(results, list):
            raise ChargerUnreachable("Tessie's list of cars cannot be read")
        vehicles = []
        for result in results:
            if isinstance(result, dict) and isinstance(vin := result.get("vin"), str) and vin.isalnum():
                state = _section(result, "last_state")
                name = state.get("display_name")
                name = name if isinstance(name, str) and name else f"Tesla {vin[-4:]}"
                limit_amps = _limit_amps(_section(state, "charge_state"))
                vehicles.append(TessieVehicle(vin=vin, name=name, limit_amps=limit_amps))
        return tuple(vehicles)

    async def state(self, vin: str) -> Mapping[str, JsonValueType]:
        """Return the cloud's copy of a car's state; it never wakes the car. Any field can be missing or wrong."""
        answer = await self._request("GET", vin, "state", timeout_s=READ_TIMEOUT_S)
        if not isinstance(answer, dict):
            raise ChargerUnreachable("Tessie's answer is not the state of a car")
        return answer

    async def wake(self, vin: str) -> bool:
        """Wake a car, which only a person may ask for; return whether it woke up."""
        answer = await self._request("POST", vin, "wake", timeout_s=WAKE_TIMEOUT_S)
        return isinstance(answer, dict) and answer.get("result") is True

    async def set_charging_amps(self, vin: str, amps: int) -> str | None:
        """Set the request, A per phase. Return None once it is done, or the reason why it was not, in small letters."""
        return await self._command(vin, "set_charging_amps", amps=str(amps))

    async def start_charging(self, vin: str) -> str | None:
        """Start charging; return as `set_charging_amps` does."""
        return await self._command(vin, "start_charging")

    async def stop_charging(self, vin: str) -> str | None:
        """Stop charging; return as `set_charging_amps` does."""
        return await self._command(vin, "stop_charging")

    async def _command(self, vin: str, action: str, **query: str) -> str | None:
        # One attempt at Tessie's end too: repeating is for the controller, which by then wants other amps.
        query |= {"wait_for_completion": "true", "max_attempts": "1"}
        answer = await self._request("POST", vin, "command", action, timeout_s=COMMAND_TIMEOUT_S, **query)
        match answer:
            case {"result": True}:
                return None
            case {"result": False, **rest}:
                return self._scrub(str(rest.get("reason") or "no reason given"), vin).casefold()
        raise ChargerTimeout("Tessie's answer to a command cannot be read")

    async def _request(self, method: str, *path: str, timeout_s: float, **query: str) -> JsonValueType:
        """Return the answer to one call, and remember how it went."""
        call: dict[str, Any] = {
            "at": datetime.fromtimestamp(self._clock(), UTC).isoformat(),
            "call": "/".join(path[1:] or path),
            "amps": query.get("amps"),
        }
        began = time.monotonic()
        try:
            answer = await self._ask(call, method, *path, timeout_s=timeout_s, **query)
            call["answer"] = self._known(answer)
        except ChargerError as error:
            call["error"] = f"{type(error).__name__}: {error}"
            raise
        finally:
            call["duration_s"] = round(time.monotonic() - began, 3)
            self.calls.append(call)
        return answer

    async def _ask(
        self, call: dict[str, Any], method: str, *path: str, timeout_s: float, **query: str
    ) -> JsonValueType:
        vin = path[0] if len(path) > 1 else ""
        if not (self._token.isascii() and self._token.isprintable()):
            raise ChargerAuthError("The token has characters that no token has")
        try:
            async with self._session.request(
                method,
                URL(self._base_url).joinpath(*path),
                params=query,
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,  # the token is for this address only
            ) as response:
                call["status"] = response.status
                body = await _read(response)
        # Their texts name the address, and so the VIN: none of them gets through.
        except TimeoutError:
            raise ChargerTimeout(f"Tessie did not answer within {timeout_s:g} s") from None
        except aiohttp.ClientConnectorError, aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError:
            raise ChargerUnreachable("There is no connection to Tessie") from None
        except aiohttp.ClientError:
            raise ChargerTimeout("The connection to Tessie broke before the answer") from None
        except ValueError:
            raise ChargerUnreachable("Tessie's address or the token cannot be used") from None
        if response.status != HTTPStatus.OK:
            is_page = response.content_type == "text/html" or body.lstrip()[:1] == b"<"
            self._raise_for(response, self._scrub(body.decode(errors="replace"), vin), path, is_page=is_page)
        try:
            return json_loads(body)
        except ValueError:
            # What it holds is not kept: it may be half a state, with the position of the car.
            raise ChargerTimeout(f"Tessie's answer is no JSON ({len(body)} bytes)") from None

    def _raise_for(
        self, response: aiohttp.ClientResponse, body: str, path: tuple[str, ...], *, is_page: bool
    ) -> NoReturn:
        """Raise the error that a status stands for; a page (HTML) is not Tessie's, but of some proxy on the way."""
        status = response.status
        kind: type[ChargerError] = ChargerUnreachable
        match status:
            case 401 | 403:
                kind = ChargerAuthError
            case 402:
                kind = ChargerSubscriptionError
            case 404 if len(path) > 1:
                kind = ChargerGone
            case 429:
                kind = ChargerBusy
            case 500 if "command" in path and _KEY_MISSING.search(body):
                kind = ChargerKeyMissing
            case 408 | 424 | 500 | 503:
                pass  # it got no further than Tessie
            case _ if status > 500:
                kind = ChargerTimeout
        if is_page and kind.needs_person:
            kind = ChargerUnreachable
        error = kind(f"Tessie answered {status}: {body[:MAX_TEXT]}" if body else f"Tessie answered {status}")
        if isinstance(error, ChargerAuthError):
            error.missing_scope = status == HTTPStatus.FORBIDDEN
        error.body = body[:MAX_TEXT]
        error.retry_after_s = self._retry_after_s(response.headers.get("Retry-After", ""))
        raise error

    def _retry_after_s(self, header: str) -> float:
        """Return how long a Retry-After asks to wait, s: it holds seconds or a date."""
        try:
            wait_s = float(header) if header.isdecimal() else parsedate_to_datetime(header).timestamp() - self._clock()
        except ValueError, OverflowError:
            return 0.0
        return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)

    def _known(self, answer: JsonValueType) -> dict[str, Any]:
        """Return of an answer what this client reads, and no more: the rest is where the car is, and whose it is."""
        if not isinstance(answer, dict):
            return {"type": type(answer).__name__}
        known: dict[str, Any] = {key: self._value(answer[key]) for key in _KEPT if key in answer}
        for name, keys in _KEPT_OF.items():
            if section := _section(answer, name):
                known[name] = {key: self._value(section[key]) for key in keys if key in section}
        return known

    def _value(self, value: JsonValueType) -> JsonValueType:
        if isinstance(value, str):
            return self._scrub(value, "")[:MAX_TEXT]
        return value if value is None or isinstance(value, bool | int | float) else type(value).__name__

    def _scrub(self, text: str, vin: str) -> str:
        """Return a text on one line, without what must not get out."""
        own = [re.escape(secret) for secret in (self._token, vin, URL(self._base_url).host) if secret]
        return " ".join(re.sub("|".join([*own, _PRIVATE]), "…", text, flags=re.IGNORECASE).split())


def model_of(vin: str) -> str | None:
    """Return which model a car is."""
    return _MODELS.get(vin[3:4])


class TessieCharger(Charger):
    """One car at its charger."""

    profile = TESSIE

    def __init__(
        self,
        client: TessieClient,
        vin: str,
        *,
        latitude: float,
        longitude: float,
        radius_m: float = DEFAULT_RADIUS_M,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take charge of a car that counts as at home within `radius_m` of its charger (degrees).

        `clock` is a wall clock (seconds since 1970), `sleep` waits between two attempts.
        """
        self._client = client
        self._vin = vin
        self._location = (latitude, longitude)
        self._radius_m = radius_m
        self._clock = clock
        self._sleep = sleep
        self._last: ChargerReport | None = None
        self._last_told_at = -math.inf
        self._at_plug_at = -math.inf
        """When it was last known to be plugged in at home, s."""
        # Apart, as reads may go on working where commands do not, and a sleeping car wakes without the key.
        self._reads, self._commands, self._wakes = _Refusal(), _Refusal(), _Refusal()

    @override
    async def async_report(self) -> ChargerReport:
        """Return the cloud's picture of the car; of one that sleeps, the last there was."""
        state = await self._weigh(self._reads, self._client.state(self._vin))
        charge = _section(state, "charge_state")
        link = _word(state, "state")
        if charge:
            told_at = _number(charge, "timestamp", 0, LATEST_MS)
            self._last_told_at = -math.inf if told_at is None else told_at / 1000
            self._last = self._parse(charge, _section(state, "drive_state"))
        elif link not in ("asleep", "offline"):
            raise ChargerUnreachable("Tessie's answer tells nothing about charging")
        # Offline is how newer cars sleep. But one that was charging when last seen has only lost its radio.
        last = self._last or ChargerReport(age_s=math.inf, state=ChargingState.UNKNOWN)
        asleep = link == "asleep" or (link == "offline" and last.state not in _DRAWING)
        now = self._clock()
        if asleep and now - self._at_plug_at <= UNSEEN_S:
            self._at_plug_at = now  # its data is old, but it has not gone anywhere
        return replace(last, age_s=now - self._last_told_at, asleep=asleep)

    @override
    async def async_command(self, command: Command) -> Outcome:
        """Carry out a command, once; 1–4 A are said twice, as the car takes them only then."""
        repeats = 2 if command.action is Action.SET_AMPS and 0 < command.amps < FLOOR_A else 1
        for _ in range(repeats):
            outcome = await self._async_command(command)
            if outcome is not Outcome.ACCEPTED:
                break
        return outcome

    @override
    def diagnostics(self) -> Sequence[Mapping[str, Any]]:
        """Return the last calls."""
        return tuple(self._client.calls)

    @property
    @override
    def knows_battery(self) -> bool:
        """Tessie does."""
        return True

    @property
    @override
    def can_wake(self) -> bool:
        """Tessie can."""
        return True

    @override
    async def async_wake(self) -> None:
        """Wake the car; it takes up to 100 s."""
        if not await self._weigh(self._wakes, self._client.wake(self._vin)):
            raise ChargerUnreachable("The car did not wake up")

    @override
    def poll_after_s(self, report: ChargerReport | None, *, commanded: bool) -> float:
        """Return how long the next look can wait, s. Looking costs nothing but calls: it does not wake the car."""
        if commanded:
            return POLL_COMMANDED_S
        if report is None:
            return POLL_IDLE_S
        if report.asleep or report.at_home is False:
            return POLL_AWAY_S
        return POLL_CONTROLLING_S if report.at_home and report.state.draws else POLL_IDLE_S

    async def _weigh[AnswerT](self, refusal: _Refusal, call: Awaitable[AnswerT]) -> AnswerT:
        """Return the answer to a call. What only a person can fix is a hiccup until it was said again."""
        try:
            answer = await call
        except ChargerError as error:
            refusal.add(error, self._clock())
            if not error.needs_person or refusal.is_believed:
                raise
            hiccup = ChargerUnreachable(str(error))
            hiccup.body, hiccup.retry_after_s = error.body, error.retry_after_s
            raise hiccup from None
        refusal.kind = None
        return answer

    async def _async_command(self, command: Command) -> Outcome:
        reason = await self._weigh(self._commands, self._send(command))
        if reason == "could_not_wake_buses":
            await self._sleep(BUSES_RETRY_S)
            reason = await self._weigh(self._commands, self._send(command))
        if reason is None or reason in _ALREADY_SO[command.action]:
            return Outcome.ACCEPTED
        if reason in _NOT_NOW:
            return Outcome.REFUSED
        if reason == "disconnected":
            raise ChargerRefused("The car is not plugged in")
        raise ChargerUnreachable(f"The car did not obey: {reason[:MAX_TEXT]}")

    async def _send(self, command: Command) -> str | None:
        if command.action is Action.SET_AMPS:
            return await self._client.set_charging_amps(self._vin, command.amps)
        if command.action is Action.START:
            return await self._client.start_charging(self._vin)
        return await self._client.stop_charging(self._vin)

    def _parse(self, charge: Mapping[str, JsonValueType], drive: Mapping[str, JsonValueType]) -> ChargerReport:
        """Return what a state tells, without its age. Whatever cannot be true is taken for missing."""
        word = _word(charge, "charging_state")
        state = _STATES.get(word, ChargingState.UNKNOWN)
        if state is not ChargingState.UNKNOWN:
            plugged_in: bool | None = state is not ChargingState.DISCONNECTED
        else:
            plugged_in = True if _word(charge, "conn_charge_cable") in _CABLES else None

        requested = _amps(charge, "charge_current_request")
        if requested is None:
            requested = _amps(charge, "charge_amps")
        measured = _amps(charge, "charger_actual_current")
        # Below its floor a car says that it draws the floor. If it says more, it still falls, or heats its cabin.
        if requested is not None and measured is not None and 0 < requested < FLOOR_A >= measured:
            measured = min(measured, requested)

        pending = charge.get("scheduled_charging_pending") is True and state not in _DRAWING
        return ChargerReport(
            age_s=math.inf,
            state=state,
            requested_amps=requested,
            measured_amps=measured,
            phases=self._phases(charge),
            volts=_number(charge, "charger_voltage", *SUPPLY_V) if measured or state in _DRAWING else None,
            limit_amps=_limit_amps(charge),
            plugged_in=plugged_in,
            at_home=self._is_at_home(charge, drive, plugged_in=plugged_in),
            scheduled=pending or word == "pending",
            battery_percent=_number(charge, "battery_level", 0, 100),
            limit_percent=_number(charge, "charge_limit_soc", 0, 100),
            full_in_s=60 * minutes if (minutes := _number(charge, "minutes_to_full_charge", 1, MOST_MIN)) else None,
        )

    def _phases(self, charge: Mapping[str, JsonValueType]) -> int | None:
        """Return how many phases the car charges from: a Tesla says 2 for three too, and nothing while it is idle."""
        phases = _number(charge, "charger_phases", 1, 3)
        if phases not in (1, 2, 3):
            return None if self._last is None else self._last.phases
        return 1 if phases == 1 else 3

    def _is_at_home(
        self, charge: Mapping[str, JsonValueType], drive: Mapping[str, JsonValueType], *, plugged_in: bool | None
    ) -> bool | None:
        """Return whether the car is at its charger; None where nobody knows.

        Once it was plugged in there, its cable tells better than its position, which may be off by a street or missing.
        That holds until it is seen unplugged or driving, or its plug was not seen for long enough to have been either.
        Of a car that was plugged in already when we began, its position has to tell once.
        """
        at_home = self._is_position_at_home(charge, drive)
        placed_at = max(
            (_number(drive, "timestamp", 0, LATEST_MS) or 0.0) / 1000, _number(drive, "gps_as_of", 0, LATEST_MS) or 0.0
        )
        is_driving = _is_moving(drive) and self._clock() - placed_at <= STALE_MOVING_S
        if plugged_in is False or is_driving:
            self._at_plug_at = -math.inf
        elif plugged_in:
            if at_home or max(self._last_told_at, placed_at) - self._at_plug_at <= UNSEEN_S:
                self._at_plug_at = max(self._at_plug_at, self._last_told_at)
                return True
            self._at_plug_at = -math.inf
        return at_home

    def _is_position_at_home(
        self, charge: Mapping[str, JsonValueType], drive: Mapping[str, JsonValueType]
    ) -> bool | None:
        """Return whether the car's position is at its charger; None where the position is missing or out of date.

        A parked car may have got its position hours ago (`gps_as_of`): it has not moved since. What must be as fresh as
        the charging data is that it is parked. A moving car's position must itself be fresh.
        """
        latitude, longitude = _number(drive, "latitude", -90, 90), _number(drive, "longitude", -180, 180)
        if latitude is None or longitude is None or latitude == longitude == 0:
            return None  # zeros are said by what has no position; there is only sea
        charge_ms = _number(charge, "timestamp", 0, LATEST_MS)
        drive_ms = _number(drive, "timestamp", 0, LATEST_MS)
        if _is_moving(drive):
            fixed_at = _number(drive, "gps_as_of", 0, LATEST_MS)
            if fixed_at is None or self._clock() - fixed_at > STALE_MOVING_S:
                return None
        elif charge_ms is not None and drive_ms is not None and (charge_ms - drive_ms) / 1000 > STALE_PARKED_S:
            return None
        metres = distance(latitude, longitude, *self._location)  # None on the other side of the world
        return metres is not None and metres <= self._radius_m


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body; raise ClientPayloadError for one without end."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise aiohttp.ClientPayloadError
    return bytes(body)


def _section(state: Mapping[str, JsonValueType], key: str) -> Mapping[str, JsonValueType]:
    value = state.get(key)
    return value if isinstance(value, dict) else {}


def _word(section: Mapping[str, JsonValueType], key: str) -> str:
    """Return a text without regard to case, blanks and underscores; "" where there is none."""
    value = section.get(key)
    return re.sub(r"[\s_]", "", value).casefold() if isinstance(value, str) else ""


def _number(section: Mapping[str, JsonValueType], key: str, low: float, high: float) -> float | None:
    value = section.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return float(value)


def _amps(section: Mapping[str, JsonValueType], key: str) -> float | None:
    return _number(section, key, 0, MAX_BUDGET_A)


def _limit_amps(charge: Mapping[str, JsonValueType]) -> float | None:
    return _amps(charge, "charge_current_request_max") or None


def _is_moving(drive: Mapping[str, JsonValueType]) -> bool:
    """Return whether a car is in a gear that moves it, or has a speed: any other word is no reason to think so."""
    return _word(drive, "shift_state") in _GEARS or _number(drive, "speed", 1, TOP_SPEED) is not None
