"""What surrounds the person at the browser: a real Home Assistant, the car and its cloud, and a sensor to switch on."""

import asyncio
from collections.abc import AsyncGenerator
import contextlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from random import Random
import tempfile
from typing import Final

from aiohttp import ClientSession

from simulation.car import Car
from simulation.home_assistant import HomeAssistant
from simulation.sensor import PostingSensor
from simulation.tessie_server import TessieServer

HOUSE_A: Final = 9.0
CAR_MAX_A: Final = 16
PATIENCE_S: Final = 30


@dataclass
class Home:
    """Use it through `at_home`."""

    home_assistant: HomeAssistant
    tessie: TessieServer
    session: ClientSession
    car: Car
    folder: Path
    living: asyncio.Task[None] | None = None
    house_amps: float = HOUSE_A

    def switch_on_sensor(self, url: str) -> None:
        """Let the sensor post to this address from now on."""
        if self.living is not None:
            self.living.cancel()
        self.living = asyncio.create_task(self._live(PostingSensor(self.session, url, seed=1)))

    async def _live(self, sensor: PostingSensor) -> None:
        while True:
            self.tessie.advance()
            await sensor.tick(HOUSE_A + self.car.amps)
            await asyncio.sleep(1)

    async def add_meter(self) -> None:
        """Let Home Assistant have a meter, made of helpers, which shows what the house and the car draw from now on."""
        await self.home_assistant.call(
            "input_number/create", name="Clamp", min=0, max=100, step=0.1, unit_of_measurement="A", mode="box"
        )
        await self.home_assistant.add_integration(
            "template",
            [
                ("user", {"next_step_id": "sensor"}),
                (
                    "sensor",
                    {
                        "name": "Current of the meter",
                        "state": "{{ states('input_number.clamp') }}",
                        "unit_of_measurement": "A",
                        "device_class": "current",
                        "state_class": "measurement",
                    },
                ),
            ],
        )
        self.living = asyncio.create_task(self._live_clamp())

    async def _live_clamp(self) -> None:
        noise_a = 0.0
        while True:
            self.tessie.advance()
            noise_a = 0.1 - noise_a
            data = {"entity_id": "input_number.clamp", "value": round(self.house_amps + self.car.amps + noise_a, 1)}
            await self.home_assistant.post("/api/services/input_number/set_value", data)
            await asyncio.sleep(1)

    async def is_told(self, url: str, status: HTTPStatus) -> None:
        """Post by hand until it is answered like this: while a site is loaded anew, Home Assistant says 200 to all."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self.session.post(url, json={"amps": 10.0, "watts": 2300.0}) as response:
                    if response.status == status:
                        return
                await asyncio.sleep(0.2)

    async def state(self, entity_id: str) -> str | None:
        """Return an entity's state as Home Assistant has it."""
        states = await self.home_assistant.call("get_states")
        return next((state["state"] for state in states if state["entity_id"] == entity_id), None)

    async def becomes(self, entity_id: str, wanted: str) -> None:
        """Wait for a state."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.state(entity_id) != wanted:  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.2)

    async def car_draws_at_most(self, amps: float) -> None:
        """Wait until the car is lowered to this, but goes on charging."""
        async with asyncio.timeout(PATIENCE_S):
            while not 0 < self.car.amps <= amps:  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.2)

    async def site_id(self) -> str:
        """Return the id of the site, once it is loaded: a repair loads it anew."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                (site,) = await self.home_assistant.call("config_entries/get", domain="amp_sensor")
                if site["state"] == "loaded":
                    return str(site["entry_id"])
                await asyncio.sleep(0.2)

    def our_troubles(self) -> list[str]:
        """Return the warnings and errors in Home Assistant's log that are about us."""
        return [
            line
            for line in self.home_assistant.log.splitlines()
            if "amp_sensor" in line
            and (" WARNING " in line or " ERROR " in line)
            # It says this of every custom integration
            and "not been tested by Home Assistant" not in line
        ]


@contextlib.asynccontextmanager
async def at_home() -> AsyncGenerator[Home]:
    """Start Home Assistant, a Tessie, and a car that is plugged in and hungry."""
    car = Car(rng=Random("car"), max_amps=CAR_MAX_A, soc=40, charging=True)
    with tempfile.TemporaryDirectory(prefix="amp-sensor-browser-") as folder:
        async with ClientSession() as session, TessieServer(rng=Random("cloud")) as tessie:
            tessie.add_car("5YJ3E1EA7KF000316", car, name="Model 3")
            async with HomeAssistant(session, Path(folder), home=tessie.home) as home_assistant:
                home = Home(home_assistant, tessie, session, car, Path(folder))
                try:
                    yield home
                finally:
                    if home.living is not None:
                        home.living.cancel()
