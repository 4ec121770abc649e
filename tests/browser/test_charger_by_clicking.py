"""A person, a browser, a real Home Assistant, a charger and a meter at a real broker: a controlled car by clicking.

Both announce themselves through MQTT, as SmartEVSE and gateways of meters do: Home Assistant knows them already.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
import contextlib
from dataclasses import dataclass, field
from itertools import cycle
import os
from pathlib import Path
from random import Random
import re
import tempfile
import time
from typing import Final

from aiohttp import ClientSession
import pytest

from simulation.car import Car
from simulation.devices.mqtt import Broker, MqttMeter, SmartEvse
from simulation.devices.wallbox import DeviceError
from simulation.home_assistant import HomeAssistant
from simulation.plant import BEHIND_PILOT

from .person import Person, chromium, sit_down, written

PICTURES: Final = Path(folder) if (folder := os.environ.get("AMP_SENSOR_PICTURES")) else None
"""Where to put the pictures of the documentation."""
HOUSE_A: Final = 5.0
CAR_MAX_A: Final = 16
BUDGET_A: Final = 25
MOST_PAGES: Final = 8
"""From "Amp Sensor is installed" to "the car is controlled"."""
REHEARSAL_S: Final = 300.0
OTHER_SETTINGS: Final = {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"}


@dataclass
class Home:
    """A Home Assistant that knows a charger and a meter."""

    home_assistant: HomeAssistant
    charger: SmartEvse
    meter: MqttMeter

    states: dict[str, str] = field(default_factory=dict)
    """What Home Assistant shows, a second ago at the most."""

    async def live(self) -> None:
        """Let the car do as its charger is told, the meter see it, and somebody look at all of it, every second."""
        for noise in cycle((0.0, 0.05, 0.1)):  # what says the same again and again says nothing through MQTT
            self.charger.show()
            self.meter.tell(HOUSE_A + noise + self.charger.car.amps)
            shown = await self.home_assistant.call("get_states")
            self.states = {each["entity_id"]: each["state"] for each in shown}
            await asyncio.sleep(1)

    async def until(self, is_so: Callable[[dict[str, str]], bool], seconds: float) -> None:
        """Wait for what Home Assistant shows."""
        async with asyncio.timeout(seconds):
            while not is_so(self.states):  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.5)

    def troubles(self) -> list[str]:
        """Return what Home Assistant's log holds against us."""
        return [
            line
            for line in self.home_assistant.log.splitlines()
            if "amp_sensor" in line and re.search(" (WARNING|ERROR) ", line) and "not been tested by" not in line
        ]


@contextlib.asynccontextmanager
async def at_home() -> AsyncGenerator[Home]:
    """Start a broker, a charger with a hungry car, a meter, and a Home Assistant that has found both."""
    with tempfile.TemporaryDirectory(prefix="amp-sensor-browser-") as folder:
        places = [Path(folder, name) for name in ("broker", "home-assistant")]
        for place in places:
            place.mkdir()
        car = Car(rng=Random("car"), max_amps=CAR_MAX_A, soc=40, charging=True, pace=BEHIND_PILOT)
        async with ClientSession() as session, Broker(places[0]) as broker:
            charger, meter = SmartEvse(car, broker, clock=time.time), MqttMeter(broker)
            async with HomeAssistant(session, places[1], home=(43.36, -8.83)) as home_assistant:
                where = {"broker": "127.0.0.1", "port": broker.port, "other_settings": OTHER_SETTINGS}
                await home_assistant.add_integration("mqtt", [("broker", where)])
                await charger.start()
                await meter.start()
                home = Home(home_assistant, charger, meter)
                living = asyncio.create_task(home.live())
                try:
                    await home.until(lambda states: any("override" in each for each in states), 30)
                    await home.until(lambda states: any("current_l1" in each for each in states), 30)
                    yield home
                finally:
                    living.cancel()
                    charger.stop()
                    meter.stop()


class Pages:
    """Counts the pages that somebody goes through."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.seen: list[str] = []

    async def page(self, title: str) -> None:
        """See the next page, which fits the screen and which all can read."""
        await self.person.see(title)
        self.seen.append(title)
        width = await self.person.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0, f"the page {title} is wider than the screen"


async def add_site(pages: Pages, home: Home) -> None:
    """Go from nothing to a site with a meter and a charger."""
    person, step = pages.person, "config.step"
    await person.go("/config/integrations/dashboard")
    await person.press("Add integration")
    await person.page.get_by_placeholder("Search for a brand name").locator("visible=true").fill("Amp Sensor")
    await person.choose("Amp Sensor")

    await pages.page(written(f"{step}.user.title"))
    await person.choose(written(f"{step}.user.menu_options.which_meter"))
    await pages.page(written(f"{step}.which_meter.title"))
    await person.submit()
    await pages.page(written(f"{step}.meter_shown.title"))
    await person.see(re.compile(r"\d+\.\d A"))
    await person.choose(written(f"{step}.meter_shown.menu_options.use_meter"))
    await pages.page(written(f"{step}.site.title"))
    await person.fill(written(f"{step}.site.data.name"), "Home")
    await person.fill(written(f"{step}.site.data.max_amps"), str(BUDGET_A))
    await person.submit()
    await pages.page(written(f"{step}.charger.title"))
    await person.choose(written(f"{step}.charger.menu_options.device"))
    await pages.page(written(f"{step}.device.title"))
    await person.see(re.compile("SmartEVSE"))
    await person.picture("flow-charger")
    await person.submit()
    await pages.page(written(f"{step}.entities.title"))
    await person.submit()
    await pages.page(re.sub(r"\*\*|\{charger\}.*", "", written("config.create_entry.charger")).strip())
    await person.press("Skip and finish")


async def rehearse(person: Person) -> list[str]:
    """Rehearse from the menu of the charger; return what the last page tells."""
    texts = "config_subentries.charger"
    await person.go("/config/integrations/integration/amp_sensor")
    await person.press(written(f"{texts}.initiate_flow.reconfigure"))
    await person.choose(written(f"{texts}.step.reconfigure.menu_options.rehearse"))
    await person.see(written(f"{texts}.step.rehearse.title"))
    await person.press(written(f"{texts}.step.rehearse.submit"))
    await person.see(re.compile("Lowering to the minimum|Waiting until"))
    last = person.page.get_by_text("You can rehearse again at any time").locator("visible=true").first
    await last.wait_for(timeout=1000 * REHEARSAL_S)
    text = await person.page.get_by_role("listitem").filter(has_text="worked").all_inner_texts()
    await person.picture("flow-rehearsal")
    await person.press("Close")
    return text


async def journey(size: str, scheme: str) -> None:
    async with at_home() as home, chromium() as browser:
        person = await sit_down(
            browser, home.home_assistant.url, size=size, scheme=scheme, pictures=PICTURES if size == "phone" else None
        )
        pages = Pages(person)
        try:
            began_at = time.monotonic()
            await add_site(pages, home)
            took_s = time.monotonic() - began_at
            await home.until(lambda states: any(each.startswith("sensor.smartevse") for each in states), 30)
            print(f"{size}: {len(pages.seen)} pages, {took_s:.0f} s")
            assert len(pages.seen) <= MOST_PAGES
            told = await rehearse(person)
            assert len(told) == 3, told
            assert {each.action for each in home.charger.told} == {"set_amps", "stop", "start"}
        except Exception as error:
            error.add_note(f"The page showed:\n{await person.page.locator('body').aria_snapshot()}")
            error.add_note(f"The charger was told {home.charger.told}, and the states are {home.states}")
            raise
        assert person.complaints == []
        assert home.troubles() == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_a_known_charger_and_meter_are_controlled_after_a_few_pages(size: str, scheme: str) -> None:
    try:
        asyncio.run(journey(size, scheme))
    except DeviceError as error:
        if not str(error).startswith("MISSING"):
            raise
        pytest.skip(str(error))
