"""A Tessie of our own: its API over HTTP on 127.0.0.1, the lag of its cloud, and all its troubles."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
import contextlib
from dataclasses import dataclass, field
from email.utils import formatdate
import json
import math
from random import Random
import time
from typing import Any, Final, Self

from aiohttp import web

from .car import Car, CarState
from .tessie_faults import Faults, Scope

LATENCY_MEDIAN_S: Final = 2.5  # commands; with the 95th percentile below: owners' reports
LATENCY_P95_S: Final = 8.0
LATENCY_SIGMA: Final = math.log(LATENCY_P95_S / LATENCY_MEDIAN_S) / 1.645  # 1.645: the normal distribution's 95 %
READ_SHARE: Final = 0.1  # reads come from a cache: a tenth of a command's latency is our assumption
WAKE_S: Final = (10.0, 30.0)
WAKE_PATIENCE_S: Final = 90.0  # after it, Tessie calls waking a failure
HICCUP_PROBABILITY: Final = 0.05  # share of copies that come late: the cloud lags "at times 60 s"
HICCUP_S: Final = 60.0
FROZEN_S: Final = 300.0
HANG_S: Final = 60.0
RETRY_AFTER_S: Final = 45
AWAY_DEGREES: Final = 0.05  # some 5 km
OFF_DEGREES: Final = 0.00135  # 150 m
HEATING_A: Final = 14.0  # some 3 kW: a cold cabin
HTML: Final = "<!DOCTYPE html><html><head><title>One moment</title></head><body>Please wait…</body></html>"

_SCOPES: Final = {"state": Scope.STATE, "wake": Scope.WAKE}
_STATUS_FAULTS: Final[dict[str, tuple[int, str]]] = {
    "unauthorized": (401, "Invalid access token"),
    "token_expired": (401, "token expired (401)"),
    "no_subscription": (402, "An active subscription is required"),
    "forbidden": (403, "Insufficient scope"),
    "vehicle_gone": (404, "Vehicle not found"),
    "car_offline": (408, "vehicle unavailable: vehicle is offline or asleep"),
    "failed_dependency": (424, "Failed dependency"),
    "too_many": (429, "Rate limit exceeded"),
    "too_many_date": (429, "Rate limit exceeded"),
    "too_many_bare": (429, "Rate limit exceeded"),
    "key_missing": (500, "vehicle rejected request: your public key has not been paired with the vehicle"),
    "server_error": (500, "Internal server error"),
    "vehicle_unavailable": (500, "vehicle unavailable"),
    "unavailable": (503, "Service unavailable"),
    "gateway_timeout": (504, "Gateway timeout"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A command as it came in."""

    at: float
    vin: str
    action: str
    amps: int | None = None


@dataclass(slots=True)
class Counters:
    """What the server was asked; failed calls count, as they do at Tesla's."""

    reads: int = 0
    uncached_reads: int = 0
    commands: int = 0
    wakes: int = 0
    commands_away: int = 0
    commands_asleep: int = 0
    received: list[Received] = field(default_factory=list)


class _Vehicle:
    """A car, and the cloud's copy of it: late, and frozen while it sleeps."""

    def __init__(self, vin: str, car: Car, name: str, *, is_active: bool, server: TessieServer, now: float) -> None:
        self.vin = vin
        self.car = car
        self.name = name
        self.is_active = is_active
        self.frozen_until = -math.inf
        self._server = server
        self._next_copy = now
        self._copies: deque[tuple[float, dict[str, Any]]] = deque()
        car.tick(now)
        self.shown = self._copy()

    def advance(self, now: float) -> None:
        """Move car and copy on to `now`."""
        server = self._server
        while self._next_copy <= now:
            at = self._next_copy
            self.car.tick(at)
            if not self.car.asleep:
                lag = server.lag_s
                if lag and server.rng.random() < HICCUP_PROBABILITY:
                    lag = HICCUP_S
                self._copies.append((at + lag, self._copy()))
            self._next_copy += server.sync_s
        self.car.tick(now)
        while self._copies and self._copies[0][0] <= now and now >= self.frozen_until:
            self.shown = self._copies.popleft()[1]

    def _copy(self) -> dict[str, Any]:
        """Return the state as the car tells it at this moment, with the car's own time."""
        car = self.car
        drawing = car.amps > 0
        actual = round(car.amps)
        if drawing and car.request < 5:
            actual = max(actual, 5)  # below the app's floor, the car tells more than it draws
        latitude, longitude = self._server.home
        missing_kwh = max(0.0, car.charge_limit_soc - car.soc) / 100 * car.battery_kwh
        return {
            "vin": self.vin,
            "display_name": self.name,
            "state": "online",
            "charge_state": {
                "timestamp": int(car.now * 1000),
                "charging_state": str(car.state),
                "charge_amps": car.request,
                "charge_current_request": car.request,
                "charge_current_request_max": car.limit,
                "charger_actual_current": actual,
                "charger_pilot_current": car.max_amps if car.plugged_in else None,
                "charger_phases": (1 if car.phases == 1 else 2) if drawing else None,
                "charger_voltage": round(car.voltage) if drawing else 2,
                "charger_power": round(car.power_w / 1000),
                "battery_level": int(car.soc),
                "charge_limit_soc": int(car.charge_limit_soc),
                "charge_energy_added": round(car.energy_added_kwh, 2),
                "charge_enable_request": car.state is not CarState.STOPPED,
                "charge_port_latch": "Engaged" if car.plugged_in else "Disengaged",
                "conn_charge_cable": "IEC" if car.plugged_in else "<invalid>",
                "scheduled_charging_pending": car.scheduled,
                "minutes_to_full_charge": round(missing_kwh / car.power_w * 60_000) if drawing else 0,
            },
            "drive_state": {
                "timestamp": int(car.now * 1000),
                "gps_as_of": int(car.now if car.driving else car.parked_at),
                "latitude": latitude if car.at_home else latitude + AWAY_DEGREES,
                "longitude": longitude,
                "shift_state": "D" if car.driving else None,
                "speed": 30 if car.driving else None,
            },
            "vehicle_config": {"car_type": "model3", "driver_assist": "TeslaAP3"},
            "vehicle_state": {"timestamp": int(car.now * 1000), "car_version": "2026.38.6 abcdef012345"},
        }


class TessieServer:
    """Serves any number of cars under one token. Use it as an async context manager; `url` is where it listens.

    Time passes for cars and cloud whenever a call comes in or `advance` is called. `clock` is a wall clock (seconds
    since 1970), `sleep` lets the latency pass; both can be virtual. `latency_scale` 0 answers at once.
    """

    def __init__(
        self,
        *,
        rng: Random,
        token: str = "simulated-token",  # noqa: S107 -- opens nothing
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        latency_scale: float = 1.0,
        sync_s: float = 15.0,
        lag_s: float = 5.0,
        home: tuple[float, float] = (43.36, -8.83),
        takes_get: bool = False,
    ) -> None:
        """Make a server without cars.

        The cloud's copy is taken every `sync_s` and shown `lag_s` later (0: at once, without hiccups).
        `home` is latitude and longitude, in degrees, of a car that is at home. `takes_get`: commands may also come as
        the library of Home Assistant's own integration sends them, with "10.0" for amps.
        """
        self.rng = rng
        self.token = token
        self.clock = clock
        self.sync_s = sync_s
        self.lag_s = lag_s
        self.home = home
        self.latency_scale = latency_scale
        self.faults = Faults(rng)
        self.counters = Counters()
        self.url = ""
        self._sleep = sleep
        self._takes_get = takes_get
        self._vehicles: dict[str, _Vehicle] = {}
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/vehicles", self._get_vehicles)
        app.router.add_get("/{vin}/state", self._get_state)
        app.router.add_get("/{vin}/status", self._get_status)
        app.router.add_get("/{vin}/location", self._get_location)
        app.router.add_post("/{vin}/wake", self._post_wake)
        app.router.add_get("/auth/tesla_scopes", self._get_scopes)
        command = "/{vin}/command/{action:set_charging_amps|start_charging|stop_charging}"
        app.router.add_post(command, self._post_command)
        if takes_get:
            app.router.add_get(command, self._post_command)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    def add_car(self, vin: str, car: Car, *, name: str = "Test", is_active: bool = True) -> None:
        """Put a car into the account. An inactive one is listed without a state."""
        self._vehicles[vin] = _Vehicle(vin, car, name, is_active=is_active, server=self, now=self.clock())

    def shown(self, vin: str) -> Mapping[str, Any]:
        """Return what the cloud shows of a car now."""
        return self._vehicles[vin].shown

    def remove_car(self, vin: str) -> None:
        """Take a car out of the account."""
        del self._vehicles[vin]

    def advance(self) -> None:
        """Let cars and cloud catch up with the clock; call it, not `Car.tick`, before looking at a car."""
        now = self.clock()
        for vehicle in self._vehicles.values():
            vehicle.advance(now)

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        await self._runner.setup()
        await self._listen(port)
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _listen(self, port: int) -> None:
        await web.TCPSite(self._runner, "127.0.0.1", port).start()

    async def cut(self) -> None:
        """Drop all connections, and refuse any more."""
        for site in list(self._runner.sites):
            await site.stop()
        assert self._runner.server is not None  # noqa: S101 -- it has been started
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def mend(self) -> None:
        """Listen again, where it did before."""
        await self._listen(int(self.url.rpartition(":")[2]))

    async def stop(self) -> None:
        """Answer what hangs, and end."""
        self._closing.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> Any:
        """Count the call, let its latency pass, check who asks, and let the faults strike."""
        self.advance()
        counters = self.counters
        is_command = "action" in request.match_info
        scope = Scope.COMMAND if is_command else _SCOPES.get(request.path.rpartition("/")[2], Scope.ANY)
        vehicle = self._vehicles.get(request.match_info.get("vin", ""))
        if is_command:
            counters.commands += 1
            counters.commands_away += vehicle is not None and not vehicle.car.at_home
            counters.commands_asleep += vehicle is not None and vehicle.car.asleep
        elif request.method == "GET":
            counters.reads += 1
        hits = request["faults"] = self.faults.strike(scope, self.clock())
        latency = self.rng.lognormvariate(math.log(LATENCY_MEDIAN_S), LATENCY_SIGMA)
        latency *= (5 if "slow" in hits else 1) * (1 if is_command else READ_SHARE)
        arrival = self.rng.uniform(0.5, 0.95)  # when within the latency the car hears of a command
        await self._pass(latency * arrival)

        if request.method == "POST" and "Content-Length" not in request.headers:
            return _error(411, "Length required")
        match request.headers.get("Authorization", "").split():
            case ["Bearer", self.token]:
                pass
            case ["Bearer", _]:
                return _error(401, "Invalid access token")
            case _:
                return _error(401, "Access token is required")
        if "vin" in request.match_info and vehicle is None:
            return _error(404, "Vehicle not found")
        if (early := await self._fail_early(request, hits)) is not None:
            return early
        response = await handler(request)
        await self._pass(latency * (1 - arrival))
        if isinstance(response, web.Response) and response.status == 200:
            return await self._spoil(request, response, hits)
        return response

    async def _fail_early(self, request: web.Request, hits: set[str]) -> web.StreamResponse | None:
        """Return the answer where a fault strikes before anything was done."""
        for name, (status, text) in _STATUS_FAULTS.items():
            if name in hits:
                response = _error(status, text)
                if name == "too_many":
                    response.headers["Retry-After"] = str(RETRY_AFTER_S)
                elif name == "too_many_date":
                    response.headers["Retry-After"] = formatdate(self.clock() + RETRY_AFTER_S, usegmt=True)
                return response
        for name, status in {"forbidden_page": 403, "bad_gateway": 502, "html": 200}.items():
            if name in hits:
                return web.Response(status=status, text=HTML, content_type="text/html")
        if "wrong_type" in hits:
            return web.json_response(["result", None, 1])
        if "empty" in hits:
            return web.Response(content_type="application/json")
        if "hang" in hits:
            return await self._hang()
        if "reset" in hits:
            return _reset(request)
        return None

    async def _spoil(self, request: web.Request, response: web.Response, hits: set[str]) -> web.StreamResponse:
        """Return the answer, or what a fault leaves of it after everything was done."""
        body = response.body
        assert isinstance(body, bytes)  # noqa: S101 -- all our answers are JSON texts
        if "applied_then_timeout" in hits:
            return await self._hang()
        if "applied_then_reset" in hits:
            return _reset(request)
        if "truncated" in hits:
            return web.Response(body=body[: len(body) // 2], content_type="application/json")
        if "huge" in hits:
            return web.Response(body=body + b" " * 8_000_000, content_type="application/json")
        if "cut_off" in hits:
            half = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
            await half.prepare(request)
            await half.write(body[: len(body) // 2])
            assert request.transport is not None  # noqa: S101 -- it has just been written to
            request.transport.close()
            return half
        return response

    async def _get_vehicles(self, request: web.Request) -> web.Response:
        only_active = request.query.get("only_active") == "true"
        return web.json_response(
            {
                "results": [
                    {"vin": vin, "is_active": vehicle.is_active, "last_state": _shown(vehicle, request["faults"])}
                    for vin, vehicle in self._vehicles.items()
                    if vehicle.is_active or not only_active
                ]
            }
        )

    async def _get_scopes(self, _request: web.Request) -> web.Response:
        return web.json_response({"scopes": ["vehicle_device_data", "vehicle_cmds", "vehicle_charging_cmds"]})

    async def _get_state(self, request: web.Request) -> web.Response:
        vehicle = self._vehicles[request.match_info["vin"]]
        hits = request["faults"]
        self._meddle(vehicle.car, hits)
        if request.query.get("use_cache") == "false":
            self.counters.uncached_reads += 1
            vehicle.car.wake()  # as the real one keeps cars awake
        if "frozen" in hits:
            vehicle.frozen_until = self.clock() + FROZEN_S
        state = _shown(vehicle, hits)
        if "unknown_state" in hits and state and "charge_state" in state:
            state["charge_state"]["charging_state"] = "Levitating"
        if state and "drive_state" in state:
            _misplace(state["drive_state"], hits)
        for part in (state, (state or {}).get("charge_state"), (state or {}).get("drive_state")):
            for key in list(part or {}):
                if part is None or self.rng.random() > 1 / 3:
                    continue
                if "wrong_types" in hits:
                    part[key] = self.rng.choice([True, "NaN", [], {"value": 1}, -1e300, ""])
                if "null_fields" in hits:
                    part[key] = None
                if "missing_fields" in hits:
                    del part[key]
        return web.json_response(state)

    async def _get_status(self, request: web.Request) -> web.Response:
        car = self._vehicles[request.match_info["vin"]].car
        idle = "awake" if car.active else "waiting_for_sleep"
        return web.json_response({"status": "asleep" if car.asleep else idle})

    async def _get_location(self, request: web.Request) -> web.Response:
        drive = self._vehicles[request.match_info["vin"]].shown["drive_state"]
        return web.json_response(
            {
                "latitude": drive["latitude"],
                "longitude": drive["longitude"],
                "address": "1 Example Street",
                "saved_location": None,
            }
        )

    async def _post_wake(self, request: web.Request) -> web.Response:
        if "wake_fails" in request["faults"]:
            await self._pass(WAKE_PATIENCE_S)
            return web.json_response({"result": False})
        await self._wake(self._vehicles[request.match_info["vin"]].car)
        return web.json_response({"result": True})

    async def _post_command(self, request: web.Request) -> web.Response:
        vin, action, hits = request.match_info["vin"], request.match_info["action"], request["faults"]
        query, car = request.query, self._vehicles[vin].car
        amps: int | None = None
        wait = query.get("wait_for_completion", "true")
        if wait not in ("true", "false") or query.get("max_attempts", "1") not in ("1", "2", "3"):
            return _error(400, "Invalid parameter")
        if action == "set_charging_amps":
            text = query.get("amps", "")
            if not (text.removesuffix(".0") if self._takes_get else text).isdecimal():
                return _error(400, "amps must be a whole number")
            amps = int(float(text))
        self.counters.received.append(Received(at=self.clock(), vin=vin, action=action, amps=amps))
        if "could_not_wake_buses" in hits or "refused" in hits:
            reason = "could_not_wake_buses" if "could_not_wake_buses" in hits else "flux_capacitor_unavailable"
            return web.json_response({"result": False, "reason": reason})
        if "lost" in hits:
            return web.json_response({"result": True})
        if wait == "false":
            task = asyncio.create_task(self._apply_later(car, action, amps))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return web.json_response({"result": True})
        woke = {"woke": True} if car.asleep else {}
        await self._wake(car)
        answer = _apply(car, action, amps)
        return web.json_response({"result": False, "reason": answer} if answer else {"result": True} | woke)

    def _meddle(self, car: Car, hits: set[str]) -> None:
        """Let the owner, and the mains, do what they do."""
        if "user_amps" in hits:
            car.set_amps(self.rng.randint(5, car.limit))
        if "user_stop" in hits:
            car.stop()
        if "limit_drop" in hits:
            car.set_limit(max(5, car.limit * 3 // 4))
        if "heats" in hits:
            car.heat(HEATING_A)
        if "no_power" in hits:
            car.set_mains(on=False)
        if "unplugged" in hits:
            car.unplug()

    async def _apply_later(self, car: Car, action: str, amps: int | None) -> None:
        await self._pass(self.rng.lognormvariate(math.log(LATENCY_MEDIAN_S), LATENCY_SIGMA))
        await self._wake(car)
        _apply(car, action, amps)

    async def _wake(self, car: Car) -> None:
        if car.asleep:
            self.counters.wakes += 1
            await self._pass(self.rng.uniform(*WAKE_S))
            car.wake()

    async def _pass(self, seconds: float) -> None:
        """Let latency pass."""
        if self.latency_scale:
            await self._sleep(seconds * self.latency_scale)
        self.advance()

    async def _hang(self) -> web.Response:
        """Answer only when it no longer matters (real time: it is the client's patience that is tried)."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), HANG_S)
        return _error(504, "Gateway timeout")


def _apply(car: Car, action: str, amps: int | None) -> str | None:
    """Let a command arrive in the car; return its reason for not obeying."""
    if amps is not None:
        return car.set_amps(amps)
    return car.start() if action == "start_charging" else car.stop()


def _misplace(drive: dict[str, Any], hits: set[str]) -> None:
    """Spoil what a state tells of where a car is, and whether it moves."""
    if "position_off" in hits:
        drive["latitude"] += OFF_DEGREES
    if "no_position" in hits:
        drive.update(latitude=None, longitude=None)
    for name, gear in (("gear_empty", ""), ("gear_sna", "SNA")):
        if name in hits and drive["shift_state"] is None:
            drive["shift_state"] = gear


def _shown(vehicle: _Vehicle, hits: set[str]) -> dict[str, Any] | None:
    """Return a copy of what the cloud shows of a car."""
    if not vehicle.is_active:
        return None
    state: dict[str, Any] = json.loads(json.dumps(vehicle.shown))
    if vehicle.car.asleep:
        state["state"] = "offline" if "asleep_offline" in hits else "asleep"
        if "asleep_bare" in hits:
            return {"state": state["state"]}
    return state


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _reset(request: web.Request) -> web.Response:
    """Drop the connection; the answer goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
