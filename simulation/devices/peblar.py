"""A Peblar: the two HTTP APIs of its firmware, on 127.0.0.1."""

from collections.abc import Callable
from dataclasses import MISSING, fields
import time
from typing import Any, Final, Self, get_type_hints

from aiohttp import web
import peblar.models

from custom_components.amp_sensor.control import Action
from simulation.car import Car, CarState

from .wallbox import Wallbox

PASSWORD: Final = "not-a-secret"  # noqa: S105 -- opens nothing
TOKEN: Final = "simulated-peblar"  # noqa: S105
LEAST_MA: Final = 6000
"""Less is a pause."""
STATES: Final = {CarState.DISCONNECTED: "State A", CarState.CHARGING: "State C", CarState.NO_POWER: "State E"}


def _filled(model: type, **known: Any) -> dict[str, Any]:
    """Return what the firmware would send of a model: what is known, and nothing of the rest."""
    hints = get_type_hints(model)
    empty = {str: "", int: 0, bool: False}
    return {
        each.metadata["alias"]: empty.get(hints[each.name], {})
        for each in fields(model)
        if "alias" in each.metadata and each.default is MISSING and each.default_factory is MISSING
    } | known


class Peblar(Wallbox):
    """Use it as an async context manager: it listens inside, at `host`."""

    def __init__(self, car: Car, *, clock: Callable[[], float] = time.time) -> None:
        """Put a car to it."""
        super().__init__(car, clock=clock)
        self.limit_ma = 1000 * car.max_amps
        """What it was told last, mA: less than 6 A is a pause."""
        self.polls = 0
        """How often it was asked for its meter."""
        self.host = ""
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Switch it on."""
        app = web.Application()
        versions = {"Firmware": "1.8.1+1+WL-1", "Customization": "Peblar-1.9"}
        pages: dict[str, Callable[[], Any]] = {
            "/api/v1/system/info": self._info,
            "/api/v1/config/user": self._user,
            "/api/v1/config/api-token": lambda: {"ApiToken": TOKEN},
            "/api/v1/config/auth/standalonelist": lambda: {"Tokens": []},
            "/api/v1/statistics/meterhistory": lambda: {"Corrupted": False, "CorruptedSession": [], "Session": []},
            "/api/v1/system/software/automatic-update/current-versions": lambda: versions,
            "/api/v1/system/software/automatic-update/available-versions": lambda: versions,
            "/api/wlac/v1/evinterface": self._interface,
            "/api/wlac/v1/meter": self._meter,
            "/api/wlac/v1/system": self._system,
        }
        for path, answer in pages.items():
            app.router.add_get(path, _page(answer))
        app.router.add_post("/api/v1/auth/login", _page(dict))
        app.router.add_patch("/api/v1/config/user", _page(dict))
        app.router.add_patch("/api/wlac/v1/evinterface", self._patch_interface)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.host = f"127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Switch it off."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def is_on(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    def _info(self) -> dict[str, Any]:
        return _filled(
            peblar.models.PeblarSystemInformation,
            HwMaxCurrent=32, HwHasSocket=True, HwHasMeter=True, CanChargeSinglePhase=True, Hostname="PBLR-0000001",
            ProductPn="6004-2300-8002", ProductSn="23-45-A4O-MOF", ProductModelName="WLAC1-H11R0WE0ICR00",
            ProductVendorName="Peblar", EthMacAddr="02:00:00:00:00:01", WlanStaMacAddr="02:00:00:00:00:02",
            WlanApMacAddr="02:00:00:00:00:03", FwIdent="1.8.1+1+WL-1",
        )  # fmt: skip

    def _user(self) -> dict[str, Any]:
        return _filled(
            peblar.models.PeblarUserConfiguration,
            ConnectedPhases=self.car.phases, CurrentCtrlFixedChargeCurrentLimit=32, HmiBuzzerVolume=1,
            HmiLedIntensityMode="Auto", LocalRestApiAccessMode="ReadWrite", LocalRestApiAllowed=True,
            LocalRestApiEnable=True, ModbusServerAccessMode="ReadOnly", SolarChargingMode="PureSolar",
            PhaseRotation="RST",
            UserDefinedChargeLimitCurrent=32, TimeZone="Europe/Amsterdam",
        )  # fmt: skip

    def _interface(self) -> dict[str, Any]:
        return {
            "ChargeCurrentLimit": self.limit_ma,
            "ChargeCurrentLimitActual": self.limit_ma,
            "ChargeCurrentLimitSource": "Local REST API",
            "CpState": STATES.get(self.car.state, "State B"),
            "Force1Phase": False,
            "LockState": self.car.plugged_in,
        }

    def _meter(self) -> dict[str, Any]:
        self.tick()
        self.polls += 1
        car = self.car
        return {
            "CurrentPhase1": round(1000 * car.amps), "EnergySession": round(1000 * car.energy_added_kwh),
            "EnergyTotal": 703286, "PowerPhase1": round(car.power_w), "PowerTotal": round(car.power_w),
            "VoltagePhase1": round(car.voltage),
        }  # fmt: skip

    def _system(self) -> dict[str, Any]:
        return {
            "ActiveErrorCodes": [], "ActiveWarningCodes": [], "CellularSignalStrength": None,
            "FirmwareVersion": "1.8.1+1+WL-1", "Force1PhaseAllowed": False, "PhaseCount": self.car.phases,
            "ProductPn": "6004-2300-8002", "ProductSn": "23-45-A4O-MOF", "Uptime": 322094, "WlanSignalStrength": -60,
        }  # fmt: skip

    async def _patch_interface(self, request: web.Request) -> web.Response:
        wanted = (await request.json()).get("ChargeCurrentLimit")
        if wanted is not None:
            was_paused = self.limit_ma < LEAST_MA
            if self.obeys:
                self.limit_ma = wanted
            if wanted < LEAST_MA:
                self.hear(Action.STOP)
            else:
                self.hear(Action.SET_AMPS, wanted // 1000)
                if was_paused:
                    self.hear(Action.START)
        return web.json_response({})


def _page(answer: Callable[[], Any]) -> Callable[[web.Request], Any]:
    async def handle(_request: web.Request) -> web.Response:
        return web.json_response(answer())

    return handle
