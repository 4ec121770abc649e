"""A charger that is made with ESPHome: compiled for this machine, and told over ESPHome's own protocol."""

from collections.abc import Callable
import contextlib
import fcntl
import hashlib
import math
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import time
from typing import Final, Self, override

from aioesphomeapi import EntityState, NumberState, SensorState, SwitchState
from aioesphomeapi.client import APIClient
from aioesphomeapi.core import APIConnectionError

from custom_components.amp_sensor.control import Action
from simulation.car import Car

from .set_up import PROJECT, set_up
from .wallbox import DeviceError, Wallbox, breathe, until

CONFIGURATION: Final = Path(__file__).parent / "esphome_charger.yaml"
LOCK: Final = PROJECT / "firmware" / "requirements.lock"
BUILD: Final = PROJECT / ".environment" / "esphome-charger"
NAME: Final = "charger"
TELL_S: Final = 5.0
"""How often it tells what it measures although nothing changed, s: such devices have an interval."""
COMPILE_S: Final = 600.0
CONNECTS: Final = 1000
"""Attempts to reach a device that starts, some ten seconds."""


def build() -> Path:
    """Return the program, compiled once for each of its sources. Raises DeviceError, saying what this machine lacks."""
    BUILD.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(CONFIGURATION.read_bytes() + LOCK.read_bytes()).hexdigest()
    program = BUILD / f"{NAME}-{wanted[:16]}"
    with (BUILD / "lock").open("w") as lock:  # two tests may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return program
        set_up("g++")
        python = set_up("esphome")
        shutil.copy2(CONFIGURATION, BUILD / f"{NAME}.yaml")
        done = subprocess.run(  # noqa: S603
            [python, "-m", "esphome", "compile", f"{NAME}.yaml"],
            cwd=BUILD,
            # ninja is installed beside the interpreter
            env={**os.environ, "NO_COLOR": "1", "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMPILE_S,
            check=False,
        )
        if done.returncode:
            raise DeviceError(f"ESPHome could not compile {CONFIGURATION.name}:\n{done.stdout[-3000:]}")
        for old in BUILD.glob(f"{NAME}-*"):
            old.unlink()
        shutil.copy2(BUILD / ".esphome" / "build" / NAME / ".pioenvs" / NAME / "program", program)
    return program


class EsphomeCharger(Wallbox):
    """Use it as an async context manager: the device runs inside, on `port` of 127.0.0.1."""

    def __init__(
        self, car: Car, program: Path, folder: Path, *, clock: Callable[[], float] = time.time, volts: float = 230.0
    ) -> None:
        """Take the program, and a folder for what it remembers."""
        super().__init__(car, clock=clock)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.heard = 0
        """How many commands the device has heard, those of its own at its start left out."""
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._client: APIClient | None = None
        self._keys: dict[int, str] = {}
        self._known: dict[str, float | bool] = {}
        self._shown: dict[str, float | str | bool] = {}
        self._shown_at = -math.inf

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Switch it on."""
        environment = {**os.environ, "API_PORT": str(self.port), "ESPHOME_PREFDIR": str(self._folder)}
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603 -- it returns at once
            [self._program], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._known, self._shown = {}, {}
        for attempt in range(CONNECTS):
            client = APIClient("127.0.0.1", self.port, None, client_info="the car")
            try:
                await client.connect(login=True)
                break
            except APIConnectionError, OSError:
                if attempt == CONNECTS - 1 or self._process.poll() is not None:
                    raise DeviceError("the ESPHome device does not answer") from None
                await breathe()
        self._client = client
        entities, actions = await client.list_entities_services()
        self._keys = {entity.key: entity.name for entity in entities}
        (self._action,) = (action for action in actions if action.name == "car")
        client.subscribe_states(self._take)
        wanted = {"Charging current", "Charging", "Commands"}
        await until(lambda: wanted <= self._known.keys(), "the device's first states")
        await self.show()

    async def stop(self) -> None:
        """Switch it off, as a blackout does."""
        if self._client is not None:
            with contextlib.suppress(APIConnectionError):
                await self._client.disconnect(force=True)
            self._client = None
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    @property
    def shown(self) -> dict[str, float | str | bool]:
        """What it was last told of its car."""
        return self._shown

    async def show(self) -> bool:
        """Let the car catch up, and tell the device of it where anything is new; return whether it was told."""
        self.tick()
        car = self.car
        now: dict[str, float | str | bool] = {
            "amps": round(car.amps, 2),
            "watts": float(round(car.power_w)),
            "volts": round(car.voltage, 1),
            "state": str(car.state),
            "plugged": car.plugged_in,
            "obeys": self.obeys,
        }
        is_due = self._clock() >= self._shown_at + TELL_S
        if self._client is None or (now == self._shown and not is_due):
            return False
        self._shown, self._shown_at = now, self._clock()
        await self._client.execute_service(self._action, {**now})
        return True

    @override
    def hear(self, action: Action, amps: int = 0) -> None:
        if (action is Action.START and self.charging) or (action is Action.STOP and not self.charging):
            return  # as it is
        super().hear(action, amps)

    def _take(self, state: EntityState) -> None:
        """Do to the car what the device was told."""
        name = self._keys.get(state.key)
        known = self._known.get(name or "")
        match state:
            case SensorState(state=count) if name == "Commands":
                self.heard += int(count - self._known.get(name, count))
                self._known[name] = count
            case NumberState(state=amps) if name == "Charging current":
                self._known[name] = amps
                if amps != known and known is not None:
                    self.hear(Action.SET_AMPS, int(amps))
                elif known is None:
                    self.car.set_amps(int(amps))
            case SwitchState(state=on) if name == "Charging":
                self._known[name] = on
                if on != known and known is not None:
                    self.hear(Action.START if on else Action.STOP)
                elif known is None and not on:
                    self.car.stop()
