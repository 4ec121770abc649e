"""A charger and a meter that announce themselves through MQTT, and the broker that they meet Home Assistant at."""

import asyncio
from collections.abc import Callable
import getpass
import json
from pathlib import Path
import socket
import subprocess
import time
from typing import Any, Final, Self, override

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from custom_components.amp_sensor.control import Action
from simulation.car import Car, CarState

from .set_up import set_up
from .wallbox import DeviceError, Wallbox, breathe, until

CONFIGURATION: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
user {user}
log_type none
"""
CONNECTS: Final = 1000


class Broker:
    """mosquitto, on `port` of 127.0.0.1. Use it as an async context manager."""

    def __init__(self, folder: Path) -> None:
        """Take an empty folder for its configuration. Raises DeviceError where this machine has no mosquitto."""
        self._program = set_up("mosquitto")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(CONFIGURATION.format(port=self.port, user=getpass.getuser()))
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        command: list[str | Path] = [self._program, "-c", self._configuration]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220, S603

        for _ in range(CONNECTS):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                await breathe()
            else:
                return
        raise DeviceError("mosquitto does not listen")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


class MqttDevice:
    """Something that talks to the broker; `prefix` heads its topics, and it says whether it is there."""

    def __init__(self, broker: Broker, prefix: str) -> None:
        """Take the broker, which runs."""
        self.prefix = prefix
        self._broker = broker
        self._client: paho.Client | None = None

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self._client is not None

    async def start(self) -> None:
        """Connect, and say that it is there."""
        loop, connected = asyncio.get_running_loop(), asyncio.Event()
        self._client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.prefix)
        client.will_set(f"{self.prefix}/connected", "offline", retain=True)

        def on_connect(*_: object) -> None:
            loop.call_soon_threadsafe(connected.set)

        def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
            loop.call_soon_threadsafe(self.take, message.topic, message.payload.decode())

        client.on_connect, client.on_message = on_connect, on_message
        client.connect("127.0.0.1", self._broker.port)
        client.loop_start()
        await until(connected.is_set, "the broker to let a device in")
        client.subscribe(f"{self.prefix}/Set/#")
        self.publish("connected", "online")

    def stop(self, *, says_so: bool = True) -> None:
        """Go away; `says_so` is whether the connection is closed, or just gone, which the broker tells the others."""
        if (client := self._client) is None:
            return
        self._client = None
        if says_so:
            client.publish(f"{self.prefix}/connected", "offline", retain=True)
            client.disconnect()
        elif isinstance(connection := client.socket(), socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
        client.loop_stop()

    def publish(self, topic: str, payload: object, *, retain: bool = True) -> None:
        """Publish something under its own head."""
        if self._client is not None:
            self._client.publish(f"{self.prefix}/{topic}", str(payload), retain=retain)

    def announce(self, domain: str, key: str, name: str, **settings: Any) -> None:
        """Tell Home Assistant of an entity."""
        assert self._client is not None  # noqa: S101 -- it was started
        settings = {
            "~": self.prefix,
            "name": name,
            "object_id": f"{self.prefix}-{key}",
            "unique_id": f"{self.prefix}-{key}",
            "availability_topic": "~/connected",
            "state_topic": f"~/{key}",
            "device": {"identifiers": [self.prefix], "name": self.prefix, **self.device()},
            **settings,
        }
        self._client.publish(f"homeassistant/{domain}/{self.prefix}-{key}/config", json.dumps(settings), retain=True)

    def device(self) -> dict[str, str]:
        """Return what it says of itself."""
        return {}

    def take(self, topic: str, payload: str) -> None:
        """Do what it is told."""


class SmartEvse(Wallbox, MqttDevice):
    """A charger as SmartEVSE announces itself (dingo35/SmartEVSE-3.5): amps are in tenths, a mode pauses."""

    def __init__(self, car: Car, broker: Broker, *, clock: Callable[[], float] = time.time) -> None:
        """Put a car to it."""
        Wallbox.__init__(self, car, clock=clock)
        MqttDevice.__init__(self, broker, "SmartEVSE-123456")
        self.heard = 0
        """How many commands it has heard."""
        self._override = 0
        self._mode = "Normal"
        self._shown: dict[str, object] = {}

    @override
    def device(self) -> dict[str, str]:
        return {"manufacturer": "Stegen Electronics", "model": "SmartEVSE v3"}

    @override
    async def start(self) -> None:
        await super().start()
        self._shown = {}
        most = self.car.max_amps
        tenths = {"value_template": "{{ value | int / 10 if value | is_number else none }}"}
        amps = {"unit_of_measurement": "A", "device_class": "current"}
        self.announce(
            "number", "ChargeCurrentOverride", "Charge Current Override",
            command_topic="~/Set/CurrentOverride", min=0, max=most, mode="slider",
            command_template="{{ value | int * 10 }}", **amps, **tenths,
        )  # fmt: skip
        modes = ["Off", "Normal", "Smart", "Solar", "Pause"]
        self.announce("select", "Mode", "Mode", command_topic="~/Set/Mode", options=modes)
        self.announce("sensor", "State", "State")
        self.announce("sensor", "EVPlugState", "EV Plug State")
        self.announce("sensor", "NrOfPhases", "Number Of Phases")
        for phase in (1, 2, 3):
            self.announce("sensor", f"EVCurrentL{phase}", f"EV Current L{phase}", **amps, **tenths)
        self.announce(
            "sensor", "EVChargePower", "EV Charge Power", unit_of_measurement="W", device_class="power"
        )  # fmt: skip
        self.show()

    def show(self) -> bool:
        """Let the car catch up, and publish what is new of it; return whether anything was."""
        self.tick()
        car = self.car
        if car.state is CarState.CHARGING:
            state = "Charging"
        else:
            state = {CarState.DISCONNECTED: "Ready to Charge", CarState.STARTING: "State C OK"}.get(
                car.state, "Charging Stopped"
            )
        now: dict[str, object] = {
            "ChargeCurrentOverride": self._override,
            "Mode": self._mode,
            "State": state,
            "EVPlugState": "Connected" if car.plugged_in else "Disconnected",
            "NrOfPhases": car.phases,
            **{f"EVCurrentL{each}": round(10 * car.amps) if each <= car.phases else 0 for each in (1, 2, 3)},
            "EVChargePower": round(car.power_w),
        }
        new = {key: value for key, value in now.items() if self._shown.get(key) != value}
        if not self.is_on:
            return False
        for key, value in new.items():
            self.publish(key, value)
        self._shown = now
        return bool(new)

    @property
    def shown(self) -> dict[str, object]:
        """What it last published."""
        return self._shown

    @override
    def take(self, topic: str, payload: str) -> None:
        self.heard += 1
        match topic.rpartition("/")[2]:
            case "CurrentOverride":
                if self.obeys:
                    self._override = int(payload)
                self.hear(Action.SET_AMPS, int(payload) // 10 or self.car.max_amps)
            case "Mode" if payload != self._mode:
                if self.obeys:
                    self._mode = payload
                self.hear(Action.STOP if payload in ("Off", "Pause") else Action.START)
        self.show()


class MqttMeter(MqttDevice):
    """A meter of one phase: its current and its power in one message, as gateways of smart meters send them."""

    def __init__(self, broker: Broker) -> None:
        """Take the broker, which runs."""
        super().__init__(broker, "meter")

    @override
    async def start(self) -> None:
        await super().start()
        for key, unit, kind in (("current_l1", "A", "current"), ("power_l1", "W", "power")):
            self.announce(
                "sensor", key, key,
                state_topic="~/reading", value_template=f"{{{{ value_json.{key} }}}}",
                unit_of_measurement=unit, device_class=kind, state_class="measurement",
            )  # fmt: skip

    def tell(self, amps: float) -> None:
        """Publish a reading; its current has no sign."""
        self.publish("reading", json.dumps({"current_l1": round(abs(amps), 2), "power_l1": round(230 * amps)}))
