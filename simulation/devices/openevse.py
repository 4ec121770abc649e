"""An OpenEVSE: its HTTP API and its WebSocket, on 127.0.0.1 (firmware 5; docs of ESP32_WiFi_V4.x)."""

from collections.abc import Callable
import time
from typing import Any, Final, Self

from aiohttp import WSMsgType, web

from custom_components.amp_sensor.control import Action
from simulation.car import Car, CarState

from .wallbox import Wallbox

SERIAL: Final = "1234567890AB"
STATES: Final = {
    CarState.DISCONNECTED: (1, "not connected"),
    CarState.STOPPED: (2, "connected"),
    CarState.COMPLETE: (2, "connected"),
    CarState.STARTING: (2, "connected"),
    CarState.NO_POWER: (7, "no ground"),
    CarState.CHARGING: (3, "charging"),
}
SLEEPING: Final = (254, "sleeping")


class OpenEvse(Wallbox):
    """Use it as an async context manager: it listens inside, at `host`."""

    def __init__(self, car: Car, *, clock: Callable[[], float] = time.time) -> None:
        """Put a car to it."""
        super().__init__(car, clock=clock)
        self.override: dict[str, Any] = {}
        """What its user has set by hand: what holds, as long as it is there."""
        self.host = ""
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._shown: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Switch it on."""
        app = web.Application()
        app.router.add_get("/config", self._get_config)
        app.router.add_get("/status", self._get_status)
        app.router.add_get("/override", self._get_override)
        app.router.add_post("/override", self._post_override)
        app.router.add_delete("/override", self._delete_override)
        app.router.add_get("/ws", self._get_socket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.host = f"127.0.0.1:{self._port}"
        self._shown = {}

    async def stop(self) -> None:
        """Switch it off."""
        for each in [*self._sockets]:
            await each.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def is_on(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    @property
    def shown(self) -> dict[str, Any]:
        """What it last told of itself."""
        return self._shown

    def _status(self) -> dict[str, Any]:
        car = self.car
        is_off = self.override.get("state") == "disabled" and car.plugged_in
        number, text = SLEEPING if is_off else STATES[car.state]
        return {
            "mode": "STA", "wifi_client_connected": 1, "eth_connected": 0,
            "state": number, "status": "disabled" if is_off else "active", "vehicle": int(car.plugged_in), "colour": 4,
            "amp": round(1000 * car.amps), "voltage": round(car.voltage), "power": round(car.power_w),
            "pilot": car.request, "max_current": car.max_amps, "session_energy": round(car.energy_added_kwh * 1000),
            "total_energy": 1234.5, "total_day": 1.0, "total_week": 2.0, "total_month": 3.0, "total_year": 4.0,
            "elapsed": 60, "temp": 300, "temp1": 300, "temp2": False, "temp3": False, "temp4": False, "srssi": -60,
            "divertmode": 1, "manual_override": int(bool(self.override)), "ota_update": 0, "freeram": 100000,
            "gfcicount": 0, "nogndcount": 0, "stuckcount": 0, "shaper": 0,
            **({"status": text} if text != "active" else {}),
        }  # fmt: skip

    async def show(self) -> bool:
        """Let the car catch up, and push what is new of it; return whether anything was."""
        self.tick()
        now = self._status()
        new = {key: value for key, value in now.items() if self._shown.get(key, ...) != value}
        if not new or not self.is_on:
            return False
        self._shown = now
        for each in [*self._sockets]:
            await each.send_json(new)
        return bool(self._sockets)

    async def _get_config(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "firmware": "8.2.3", "protocol": "5.1.0", "version": "5.1.2", "buildenv": "openevse_wifi_v1",
                "wifi_serial": SERIAL, "service": 2, "hostname": "openevse", "evse_serial": "",
                "max_current_soft": self.car.max_amps,
                "min_current_hard": 6, "max_current_hard": 32, "scale": 220, "offset": 0, "diode_check": True,
                "gfci_check": True, "ground_check": True, "relay_check": True, "vent_check": True, "temp_check": True,
                "charge_mode": "fast", "divert_enabled": False, "current_shaper_enabled": False, "mqtt_enabled": False,
            }
        )  # fmt: skip

    async def _get_status(self, _request: web.Request) -> web.Response:
        self.tick()
        return web.json_response(self._status())

    async def _get_override(self, _request: web.Request) -> web.Response:
        return web.json_response(self.override)

    async def _post_override(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        before = self.override
        if self.obeys:
            self.override = dict(wanted)
        if (amps := wanted.get("charge_current")) is not None and amps != before.get("charge_current"):
            self.hear(Action.SET_AMPS, int(amps))
        if (state := wanted.get("state")) is not None and state != before.get("state"):
            is_off = before.get("state") == "disabled"
            if state == "disabled" or is_off:
                self.hear(Action.STOP if state == "disabled" else Action.START)
        return web.json_response({"msg": "Created"}, status=201)

    async def _delete_override(self, _request: web.Request) -> web.Response:
        if self.override.get("state") == "disabled":
            self.hear(Action.START)
        self.override = {}
        return web.json_response({"msg": "Deleted"})

    async def _get_socket(self, request: web.Request) -> web.WebSocketResponse:
        server = web.WebSocketResponse()
        await server.prepare(request)
        self._sockets.add(server)
        try:
            async for message in server:
                if message.type is WSMsgType.TEXT and "ping" in message.data:
                    await server.send_json({"pong": 1})
        finally:
            self._sockets.discard(server)
        return server
