"""A charger and a meter that announce themselves through MQTT, a real broker, and Home Assistant's own integration."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest

from simulation.car import Car
from simulation.devices.mqtt import Broker, MqttMeter, SmartEvse
from simulation.devices.wallbox import DeviceError, breathe
from simulation.plant import BEHIND_PILOT
from tests.real.evening import CAR_MAX_A, Evening, add, entity_of, until, until_later

OTHER = {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"}
"""What the page is sent with where nobody opens its other settings."""


@pytest.fixture
async def broker(socket_enabled: None, freezer: FrozenDateTimeFactory, tmp_path: Path) -> AsyncIterator[Broker]:
    try:
        broker = Broker(tmp_path)
    except DeviceError as error:
        pytest.skip(str(error))
    async with broker:
        yield broker


@dataclass
class Home:
    """A Home Assistant at the broker, and our site with both devices."""

    hass: HomeAssistant
    broker: Broker
    charger: SmartEvse
    meter: MqttMeter
    mqtt: Any
    evening: Evening
    lost: int = 0

    def state(self, domain: str, ending: str) -> State:
        entry = er.async_get(self.hass).async_get(entity_of(self.hass, "mqtt", domain, ending))
        assert entry is not None
        state = self.hass.states.get(entry.entity_id)
        assert state is not None
        return state

    @property
    def is_there(self) -> bool:
        return self.charger.is_on and self.state("number", "chargecurrentoverride").state != "unavailable"

    async def arrive(self) -> None:
        """Let the charger hear what it was told, and Home Assistant see what its car does."""
        charger = self.charger
        if not self.is_there:
            self.lost = len(self.evening.calls) - charger.heard  # whatever is told now is told to nobody
            await breathe()  # time for the broker, too
            return
        await until(lambda: charger.heard >= len(self.evening.calls) - self.lost, "the charger to hear a command")
        charger.show()
        await until(self.shows, "what the car does to be seen")

    def shows(self) -> bool:
        """Whether Home Assistant shows what the charger published."""
        shown = self.charger.shown
        numbers = self.state("sensor", "evcurrentl1").state, self.state("number", "chargecurrentoverride").state
        if {"unknown", "unavailable"} & {*numbers}:
            return False
        amps, override = (float(number) * 10 for number in numbers)
        return (
            self.state("sensor", "-state").state == shown["State"]
            and self.state("select", "-mode").state == shown["Mode"]
            and round(amps) == shown["EVCurrentL1"]
            and round(override) == shown["ChargeCurrentOverride"]
        )

    async def post(self, amps: tuple[float, ...]) -> None:
        """Let the meter publish, and Home Assistant see it."""
        self.meter.tell(amps[0])
        if self.state("sensor", "power_l1").state != "unavailable":
            watts = str(round(230 * amps[0]))
            await until(lambda: self.state("sensor", "power_l1").state == watts, "a reading to be seen")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Home Assistant gives a broker five seconds, in which a busy machine may not come to it."""
    monkeypatch.setattr("homeassistant.components.mqtt.client.MQTT_TIMEOUT", 60)


@pytest.fixture
async def home(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    enable_custom_integrations: None,
    broker: Broker,
    tmp_path: Path,
) -> AsyncIterator[Home]:
    (tmp_path / "configuration.yaml").touch()  # that is looked at for YAML of MQTT
    hass.config.config_dir = str(tmp_path)
    charger = SmartEvse(Car.endless(rng=Random(1), max_amps=CAR_MAX_A, pace=BEHIND_PILOT), broker, clock=time.time)
    meter = MqttMeter(broker)
    mqtt = await add(hass, "mqtt", {"broker": "127.0.0.1", "port": broker.port, "other_settings": OTHER})
    await charger.start()
    await meter.start()
    meter.tell(16.0)
    evening = Evening(hass=hass, freezer=freezer, wallbox=charger)
    home = Home(hass, broker, charger, meter, mqtt, evening)
    evening.arrive, evening.post = home.arrive, home.post

    def is_there() -> bool:
        states = {state.entity_id: state.state for state in hass.states.async_all(("sensor", "number", "select"))}
        return len(states) == 11 and not {"unknown", "unavailable"} & set(states.values())

    await until_later(hass, freezer, is_there)
    device_id = next(entry.device_id for entry in er.async_get(hass).entities.values() if entry.domain == "number")
    await evening.add_site(
        device_id=device_id,
        profile="smartevse",
        meter={
            "phases": [
                {
                    "current": entity_of(hass, "mqtt", "sensor", "current_l1"),
                    "power": entity_of(hass, "mqtt", "sensor", "power_l1"),
                }
            ]
        },
    )
    yield home
    charger.stop()
    meter.stop()


async def test_an_evening_stays_within_the_budget(home: Home) -> None:
    await home.evening.spend()


async def test_it_survives_what_goes_wrong(home: Home) -> None:
    async def leave() -> None:
        home.charger.stop(says_so=False)
        await until(lambda: home.state("number", "chargecurrentoverride").state == "unavailable", "it to be gone")

    await home.evening.survive(
        leave=leave,
        come_back=home.charger.start,
        reload=lambda: home.evening.reload(home.mqtt),
        is_back=lambda: home.is_there,
    )
