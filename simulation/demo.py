"""The whole of it, live: a real Home Assistant, a recorded house, a sensor that posts, and what charges.

That is a Tesla or two behind a Tessie, or a charger that is made with ESPHome.

Everything is on this machine (127.0.0.1) and in a folder that is gone afterwards.
"""

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
import contextlib
from dataclasses import asdict, dataclass
from datetime import datetime
import json
from pathlib import Path
from random import Random
import shutil
import signal
import sys
import tempfile
import time
from typing import Any, Final
import webbrowser

from aiohttp import ClientSession
import numpy as np

from custom_components.amp_sensor.const import (
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_PROTECTION,
    CONF_SUPPLY,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_VOLTAGE,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.amp_sensor.control import Supply

from . import past
from .car import TESLA, Car, CarState
from .devices.esphome import EsphomeCharger, build
from .devices.wallbox import DeviceError
from .home_assistant import DATABASE, HomeAssistant, HomeAssistantError
from .house import VOLTS, House, load, load_sun
from .plant import BEHIND_PILOT, STATES, Charger
from .sensor import PostingSensor
from .tessie_faults import FAULTS
from .tessie_server import TessieServer

TRACES: Final = Path(__file__).parent / "traces"
HOUSE: Final = TRACES / "uci_sceaux_2007jan_1min.csv.gz"
ROOF: Final = TRACES / "pv_serf_east_2022mar_1min.csv.gz"
STARTS_H: Final = (57 + 4 / 60, 119 + 7 / 60, 159 + 11 / 60)
"""A busy morning of the trace, its third day a little after nine: the house moves between 9 and 19 A. Where there are
three phases, the others have two more of its busy times."""
SUNRISE_H: Final = 127 + 41 / 60
"""Where it begins with a roof: breakfast is cooked, and half an hour later the sun gives more than the house takes."""
ROOFS: Final = 1.5
"""Of 4.6 kW: what a house with electric heating would have."""
BLUEPRINTS: Final = Path(__file__).parent.parent / "blueprints"
AUTOMATION: Final = {
    "alias": "Tell me when we are over budget",
    "use_blueprint": {
        "path": f"{DOMAIN}/over_budget.yaml",
        "input": {
            "over_budget": "binary_sensor.home_over_budget",
            "headroom": "sensor.home_headroom",
            "after": {"seconds": 5},
        },
    },
}
"""An example, made of a blueprint as somebody would fill it in. With its usual 30 s it would have nothing to tell."""
BUDGET_A: Final = 25
"""A usual main breaker. House and a car at its maximum are over it within the first minute."""
CAR_MAX_A: Final = 16
SPEED: Final = 6.0
"""So that a minute of the trace, whose rows are a minute apart, takes 10 s: something happens all the time."""
SEED: Final = 1
CARS: Final = {"5YJ3E1EA7KF000316": "Model 3", "7SAYGDEE8NF000612": "Model Y"}
ESPHOME_ENTITIES: Final = (
    "Charging current", "Charging", "State", "Vehicle", "Measured current", "Measured power", "Measured voltage",
)  # fmt: skip
"""What the charger that is made with ESPHome calls them."""
ESPHOME_STATES: Final = {str(state): str(STATES[state]) for state in CarState}
"""What its texts mean."""
STATUS_S: Final = 5.0
ENTITIES_S: Final = 60.0
"""How long Home Assistant may take to set up another car, on a slow machine."""
TOLERANCE_A: Final = 0.3
"""Over budget by no more than this does not count, as in a replay."""
DASHBOARD: Final = "amp-sensor"
GRAPH_HOURS: Final = 1
TEXTS: Final = Path(__file__).parent.parent / "custom_components" / DOMAIN / "translations" / "en.json"


@dataclass(kw_only=True)
class Summary:
    """What a run came to: the last line, as JSON."""

    ok: bool = False
    """Whether readings arrived, each car was commanded, and the recorder kept what was seen of the site and of each.

    Also whether each entity that was given a past went on after it.
    """
    seconds: float = 0.0
    readings_posted: int = 0
    readings_accepted: int = 0
    commands: int = 0
    """Commands that reached the cloud, failed ones included."""
    cars_commanded: int = 0
    seconds_over_budget: float = 0.0
    """For how long house and cars truly drew more than the budget together, on any phase."""
    energy_kwh_house: float = 0.0
    energy_kwh_car: float = 0.0
    recorder_states: int = 0
    """States of our entities in the recorder's database, counted after Home Assistant stopped."""


class Household:
    """House and cars on one supply: the truth that the sensor measures."""

    def __init__(self, house: House, cars: Sequence[Sequence[Car]], *, speed: float, budget: float) -> None:
        """`cars` are those on each phase.

        `speed` is that of the recording, which begins again at its end; the cars' time is real, as everybody's.
        """
        self.house_amps: list[float] = []
        self.car_amps: list[float] = []
        self.totals: list[float] = []
        """What flows on each phase, A."""
        self.house_wh = 0.0
        self.car_wh = 0.0
        self.over_s = 0.0
        self._house = house
        self._on_phase = cars
        self._cars = [*dict.fromkeys(car for there in cars for car in there)]
        self._speed = speed
        self._budget = budget
        self._elapsed_s = 0.0

    def advance(self, elapsed_s: float) -> None:
        """Move on to `elapsed_s` since the beginning; the cars must already be there."""
        step_s = elapsed_s - self._elapsed_s
        self._elapsed_s = elapsed_s
        self.house_amps = self._house.phases[:, int(elapsed_s * self._speed) % self._house.seconds].tolist()
        self.car_amps = [car.amps for car in self._cars]
        self.totals = [
            amps + sum(car.amps for car in there) for amps, there in zip(self.house_amps, self._on_phase, strict=True)
        ]
        self.house_wh += sum(self.house_amps) * VOLTS * step_s / 3600
        self.car_wh += sum(car.power_w for car in self._cars) * step_s / 3600
        if max(self.totals) > self._budget + TOLERANCE_A:
            self.over_s += step_s


def recorded(phases: int, *, sun: bool = False) -> House:
    """Return the house that the demo begins with: of several phases, each is another time of the recording.

    It goes on at the recording's beginning where that ends: so what is last is also what was before.
    """
    (amps,) = load(HOUSE).phases
    starts = [round(start_h * 3600) for start_h in (SUNRISE_H if sun else STARTS_H[0], *STARTS_H[1:])][:phases]
    house = House(name=HOUSE.name, start_s=starts[0], phases=np.vstack([np.roll(amps, -start) for start in starts]))
    return house.under_sun(ROOFS * load_sun(ROOF)) if sun else house


def say(text: str) -> None:
    """Tell the person who watches."""
    print(text, flush=True)


def site_page(phases: int, name: str = "Home") -> dict[str, Any]:
    """Return what is typed about the site."""
    return {
        "name": name,
        CONF_MAX_AMPS: BUDGET_A,
        CONF_VOLTAGE: int(VOLTS),
        CONF_SUPPLY: {1: Supply.SINGLE, 3: Supply.THREE}[phases],
        CONF_LOCAL_ONLY: True,
        CONF_PROTECTION: {},
    }


async def add_esphome(home_assistant: HomeAssistant, device: EsphomeCharger, *, phases: int) -> tuple[str, str]:
    """Add the device through Home Assistant's own integration, and the site with it, as `add_site` does."""
    known = await home_assistant.add_integration("esphome", [("user", {"host": "127.0.0.1", "port": device.port})])
    entities: dict[str, str] = {}
    async with asyncio.timeout(ENTITIES_S):
        while len(entities) < len(ESPHOME_ENTITIES):
            await asyncio.sleep(0.2)
            registry = await home_assistant.call("config/entity_registry/list")
            own = [each for each in registry if each["config_entry_id"] == known["entry_id"]]
            entities = {each["original_name"]: each["entity_id"] for each in own} if own else {}
            entities = {name: entities[name] for name in ESPHOME_ENTITIES if name in entities}
    commands = {
        "current": entities["Charging current"],
        "pause": entities["Charging"],
        "pause_state": "off",
        "resume_state": "on",
    }
    reports = {
        "state": entities["State"],
        "plugged": entities["Vehicle"],
        "currents": [entities["Measured current"]],
        "power": entities["Measured power"],
        "voltage": entities["Measured voltage"],
    }
    shown = await home_assistant.add_integration(
        DOMAIN,
        [
            ("user", {"next_step_id": "site"}),
            ("site", site_page(phases)),
            ("charger", {"next_step_id": "device"}),
            ("device", {"other": {"other_device": own[0]["device_id"]}}),
            ("entities", {CONF_MAX_AMPS_CAR: CAR_MAX_A, "commands": commands, "reports": reports}),
            ("states", {meaning: [text] for text, meaning in ESPHOME_STATES.items()}),
            ("webhook", {}),
            ("reading", {"next_step_id": "finish"}),
        ],
    )
    return shown["address"], shown["entry_id"]


async def add_site(
    home_assistant: HomeAssistant, tessie: TessieServer, *, phases: int, vins: Sequence[str], name: str = "Home"
) -> tuple[str, str]:
    """Add a site with its cars as a person would; return the address for its sensor, and the id of its entry.

    `vins` are all the cars in the account that no site has yet.
    """
    latitude, longitude = tessie.home
    place = {"latitude": latitude, "longitude": longitude, "radius": 100}
    account = {CONF_TESSIE_TOKEN: tessie.token, "server": {CONF_TESSIE_URL: tessie.url}}
    car = {CONF_MAX_AMPS_CAR: CAR_MAX_A, CONF_CHARGER_LOCATION: place}
    first, *others = vins
    shown = await home_assistant.add_integration(
        DOMAIN,
        [
            ("user", {"next_step_id": "site"}),
            ("site", site_page(phases, name)),
            ("charger", {"next_step_id": "tesla"}),
            ("tesla", account),
            *([("which_car", {CONF_CAR_VIN: first})] if others else []),  # it is asked only where there are several
            ("car", car),
            ("webhook", {}),
            ("reading", {"next_step_id": "finish"}),
        ],
    )
    for position, vin in enumerate(others, start=1):
        await home_assistant.add_subentry(
            shown["entry_id"],
            SUBENTRY_CHARGER,
            [
                ("user", {"next_step_id": "known_account"}),
                *([("which_car", {CONF_CAR_VIN: vin})] if position < len(others) else []),
                ("car", car),
            ],
        )
    return shown["address"], shown["entry_id"]


async def find_entities(
    home_assistant: HomeAssistant, entry_id: str, *, cars: int
) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the entity ids of the site and of each of its cars, by key."""
    chargers = await home_assistant.call("config_entries/subentries/list", entry_id=entry_id)
    assert len(chargers) == cars  # noqa: S101 -- they were just added
    owners: dict[str, dict[str, str]] = {}
    async with asyncio.timeout(ENTITIES_S):  # another car sets the site up anew, in the background
        while len(owners) < 1 + cars:
            owners = {}
            for entity in await home_assistant.call("config/entity_registry/list"):
                if entity["platform"] == DOMAIN:
                    owner, _, key = entity["unique_id"].partition("_")
                    owners.setdefault(owner, {})[key] = entity["entity_id"]
            await asyncio.sleep(0.1)
    return owners[entry_id], [owners[charger["subentry_id"]] for charger in chargers]


async def show_dashboard(home_assistant: HomeAssistant) -> None:
    """Add the integration's own dashboard, and make it the page that everybody sees first."""
    await home_assistant.call(
        "lovelace/dashboards/create",
        url_path=DASHBOARD,
        title="Amp Sensor",
        icon="mdi:ev-station",
        show_in_sidebar=True,
    )
    strategy = {"type": "custom:amp-sensor", "hours_to_show": GRAPH_HOURS}
    await home_assistant.call("lovelace/config/save", url_path=DASHBOARD, config={"strategy": strategy})
    await home_assistant.call("frontend/set_system_data", key="core", value={"default_panel": DASHBOARD})


async def add_automation(home_assistant: HomeAssistant) -> None:
    """Make an automation of a blueprint, as the editor does."""
    await home_assistant.post("/api/config/automation/config/over_budget", AUTOMATION)


def remember(folder: Path, house: House, phases: Sequence[tuple[int, ...]], names: Sequence[str]) -> list[str]:
    """Put a past and the blueprints into a folder for Home Assistant, and return the entities that have a past.

    `phases` are those that each car loads.
    """
    chargers = [Charger(max_amps=CAR_MAX_A, phases=each) for each in phases]
    slugs = [name.lower().replace(" ", "_") for name in names]
    series = past.week(house, budget=BUDGET_A, chargers=chargers, names=slugs)
    past.write(folder / DATABASE, series, end=float(int(time.time())))
    shutil.copytree(BLUEPRINTS, folder / "blueprints")
    return [each.entity_id for each in series]


def status_line(
    household: Household,
    site: Mapping[str, str],
    cars: Sequence[Mapping[str, str]],
    reasons: Mapping[str, str],
    now: datetime,
) -> str:
    """Say how things stand, in one line: the truth of house and cars, and the states that Home Assistant shows.

    Several phases, and several cars, stand side by side.
    """

    def amps(states: Mapping[str, str], key: str) -> str:
        try:
            return f"{float(states[key]):2.0f} A"
        except KeyError, ValueError:
            return "  – "

    def drawn(each: Sequence[float]) -> str:
        return " |".join(f"{value:5.1f}" for value in each)

    given = [car.get("reason", "–") for car in cars]
    return (
        f"{now:%H:%M:%S}  house {drawn(household.house_amps)} A  car {drawn(household.car_amps)} A"
        f"  total {drawn(household.totals)} A  budget {amps(site, 'max_amps')}"
        f"  target {' | '.join(amps(car, 'target_current') for car in cars)}"
        f"  {' | '.join(reasons.get(reason, reason) for reason in given)}"
    )


async def live(
    household: Household, tessie: TessieServer, device: EsphomeCharger | None, sensor: PostingSensor
) -> None:
    """Let house, cars and sensor live, second by second."""
    began = time.monotonic()
    second = 0
    while True:
        tessie.advance()
        if device is not None:
            await device.show()
        household.advance(time.monotonic() - began)
        await sensor.tick(*household.totals)
        second += 1
        await asyncio.sleep(max(0.0, began + second - time.monotonic()))


async def tell(
    household: Household, home_assistant: HomeAssistant, site: Mapping[str, str], cars: Sequence[Mapping[str, str]]
) -> None:
    """Print a status line every few seconds."""
    reasons = json.loads(TEXTS.read_text())["entity"]["sensor"]["reason"]["state"]
    while True:
        await asyncio.sleep(STATUS_S)
        home_assistant.check()
        states = {each["entity_id"]: each["state"] for each in await home_assistant.call("get_states")}
        shown = [
            {key: states[entity_id] for key, entity_id in owner.items() if entity_id in states}
            for owner in (site, *cars)
        ]
        say(status_line(household, shown[0], shown[1:], reasons, datetime.now().astimezone()))


async def trouble(tessie: TessieServer, fault: str) -> None:
    """Switch a fault on, once the car was commanded for the first time: so that one sees both how it is and was."""
    while not tessie.counters.commands:  # noqa: ASYNC110 -- the server counts, and tells nobody
        await asyncio.sleep(1)
    say(f"From now on: {FAULTS[fault].about}")
    tessie.faults.inject(fault, probability=FAULTS[fault].probability)


type Onlooker = Callable[[Household, TessieServer, str], Coroutine[Any, Any, None]]
"""What looks at the truth and at the address of Home Assistant, for as long as they live."""


async def run(options: argparse.Namespace, summary: Summary, onlooker: Onlooker | None = None) -> None:
    """Start everything, let it run, and sum up, whatever ends it."""
    vins = [*CARS][: options.cars]
    is_tesla = options.charger == "tessie"
    names = [CARS[vin] for vin in vins] if is_tesla else ["Charger"]
    pace = TESLA if is_tesla else BEHIND_PILOT
    cars = [
        Car(
            rng=Random(f"{SEED} {vin}"), max_amps=CAR_MAX_A, phases=options.car_phases, soc=40, charging=True, pace=pace
        )
        for vin in vins
    ]
    everywhere = options.phases == 1 or options.car_phases > 1
    on_phase = [cars if everywhere else cars[phase : phase + 1] for phase in range(options.phases)]
    loaded = [tuple(phase for phase, there in enumerate(on_phase, 1) if car in there) for car in cars]
    house = recorded(options.phases, sun=options.sun)
    household = Household(house, on_phase, speed=options.speed, budget=BUDGET_A)
    owners: list[dict[str, str]] = []
    remembered: list[str] = []
    lived_from = 0.0
    with tempfile.TemporaryDirectory(prefix="amp-sensor-demo-") as folder:
        async with (
            ClientSession() as session,
            TessieServer(rng=Random(f"{SEED} cloud")) as tessie,
            contextlib.AsyncExitStack() as stack,
        ):
            device = None
            if is_tesla:
                for vin, car in zip(vins, cars, strict=True):
                    tessie.add_car(vin, car, name=CARS[vin])
            else:
                say("Building a charger with ESPHome (a minute, the first time)…")
                program = await asyncio.to_thread(build)
                device = await stack.enter_async_context(
                    EsphomeCharger(cars[0], program, Path(tempfile.mkdtemp(dir=folder)))
                )
            sensor = None
            home_assistant = HomeAssistant(session, Path(folder), home=tessie.home)
            try:
                say("Starting Home Assistant with a week of history (half a minute, the first time)…")
                remembered = await asyncio.to_thread(remember, Path(folder), house, loaded, names)
                lived_from = time.time()
                async with home_assistant:
                    say("Adding Amp Sensor, a sensor and what charges, through the same pages as you would…")
                    webhook, entry_id = (
                        await add_site(home_assistant, tessie, phases=options.phases, vins=vins)
                        if device is None
                        else await add_esphome(home_assistant, device, phases=options.phases)
                    )
                    site, chargers = await find_entities(home_assistant, entry_id, cars=options.cars)
                    owners = [site, *chargers]
                    await add_automation(home_assistant)
                    await show_dashboard(home_assistant)
                    sensor = PostingSensor(session, webhook, seed=SEED)
                    say(f"\n  {home_assistant.url}\n")
                    say(
                        f"A house near Paris, recorded in January 2007, {options.speed:g} times as fast as it was"
                        f"{', with the sun of a roof in Colorado' if options.sun else ''}. "
                        f"Its main breaker, and so the budget: {BUDGET_A} A. "
                        f"{'Its car takes' if len(cars) == 1 else 'Each of its cars takes'} up to {CAR_MAX_A} A."
                    )
                    if not options.headless:
                        await asyncio.to_thread(webbrowser.open, home_assistant.url)
                    began = time.monotonic()
                    try:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(options.seconds), asyncio.TaskGroup() as group:
                                group.create_task(live(household, tessie, device, sensor))
                                group.create_task(tell(household, home_assistant, site, chargers))
                                if onlooker is not None:
                                    group.create_task(onlooker(household, tessie, home_assistant.url))
                                if options.fault:
                                    group.create_task(trouble(tessie, options.fault))
                    finally:
                        summary.seconds = round(time.monotonic() - began, 1)
                        say("Stopping…")
            finally:
                if sensor is not None:
                    summary.readings_posted, summary.readings_accepted = sensor.posted, sensor.accepted
                summary.commands = tessie.counters.commands if device is None else device.heard
                summary.cars_commanded = (
                    len({received.vin for received in tessie.counters.received})
                    if device is None
                    else int(bool(device.told))
                )
                summary.seconds_over_budget = round(household.over_s, 1)
                summary.energy_kwh_house = round(household.house_wh / 1000, 3)
                summary.energy_kwh_car = round(household.car_wh / 1000, 3)
                states = [home_assistant.recorded_states(owner.values(), since=lived_from) for owner in owners]
                summary.recorder_states = sum(states)
                over = [each for each in remembered if not home_assistant.recorded_states([each], since=lived_from)]
                if states and over:
                    say(f"Nothing went on after the past of {', '.join(over)}")
                summary.ok = bool(
                    summary.readings_accepted
                    and summary.cars_commanded == len(cars)
                    and states
                    and all(states)
                    and not over
                )


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""

    def positive(text: str) -> float:
        if not 0 < (value := float(text)) < 1e6:
            raise ValueError
        return value

    faults = "\n".join(f"  {name:22} {fault.about}" for name, fault in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description=__doc__,
        epilog=f"faults:\n{faults}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=positive, metavar="N", help="end after so long; default: at Ctrl-C")
    parser.add_argument("--headless", action="store_true", help="open no browser")
    parser.add_argument(
        "--speed", type=positive, default=SPEED, metavar="X", help=f"of the house's recording only; default: {SPEED:g}"
    )
    parser.add_argument("--cars", type=int, choices=(1, 2), default=1, help="on one supply; default: 1")
    parser.add_argument("--phases", type=int, choices=(1, 3), default=1, help="of the house; default: 1")
    parser.add_argument(
        "--car-phases",
        type=int,
        choices=(1, 3),
        default=1,
        help="that each car loads in a house of three: 1 (the default) is L1 for the first, L2 for the second",
    )
    parser.add_argument("--sun", action="store_true", help="on the roof: what is fed in is negative")
    parser.add_argument(
        "--fault", choices=FAULTS, metavar="NAME", help="let this go wrong at Tessie, once the car was commanded"
    )
    parser.add_argument(
        "--charger", choices=("tessie", "esphome"), default="tessie", help="what charges; default: tessie"
    )
    options = parser.parse_args(arguments)
    if options.charger == "esphome" and (options.cars > 1 or options.fault):
        parser.error("--charger esphome is one charger, which Tessie's faults do not concern")
    if options.car_phases > options.phases:
        parser.error("a car on three phases needs --phases 3")
    return options


async def _run_until_told(options: argparse.Namespace, summary: Summary) -> None:
    """Run, until a signal ends it early; a second signal leaves Home Assistant no time to write."""
    task = asyncio.ensure_future(run(options, summary))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> int:
    """Run the demo; 0 only where everything worked."""
    options = parse()
    summary = Summary()
    try:
        asyncio.run(_run_until_told(options, summary))
    except* (HomeAssistantError, DeviceError) as group:
        summary.ok = False
        for error in group.exceptions:
            print(error, file=sys.stderr)
    print(json.dumps(asdict(summary)))
    return 0 if summary.ok else 1


if __name__ == "__main__":
    sys.exit(main())
