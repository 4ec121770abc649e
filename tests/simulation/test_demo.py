"""The parts of the demo that need no Home Assistant; `scripts/test` runs the whole."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import version
import json
from pathlib import Path
from random import Random
import sqlite3
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from homeassistant import bootstrap, components
import numpy as np
import pytest
import yaml

from custom_components.amp_sensor.const import DOMAIN
from simulation.car import Car
from simulation.demo import BUDGET_A, CAR_MAX_A, TEXTS, Household, parse, recorded, status_line
from simulation.home_assistant import CONFIGURATION, HomeAssistant
from simulation.house import House
from simulation.sensor import PostingSensor

COMPONENTS = Path(components.__file__).parent
PLAYED = {"esphome", "zeroconf", "mqtt", "openevse", "peblar", "tessie"}
"""Home Assistant's own integrations that the demo, and the tests of devices, run."""


def test_whatever_home_assistant_starts_with_finds_its_packages_in_the_locked_version() -> None:
    """Home Assistant would install them by itself otherwise: into this environment, past the lock."""
    configuration = CONFIGURATION.format(latitude=0, longitude=0, url="http://127.0.0.1")
    asked = yaml.safe_load(configuration.replace("!include ", ""))
    waiting = bootstrap.CORE_INTEGRATIONS | bootstrap.DEFAULT_INTEGRATIONS | {*asked, "webhook"} | PLAYED
    seen: set[str] = set()
    wanted: dict[str, str] = {}
    while waiting:
        domain = waiting.pop()
        seen.add(domain)
        manifest = json.loads((COMPONENTS / domain / "manifest.json").read_text())
        wanted |= dict(requirement.split("==") for requirement in manifest.get("requirements", []))
        waiting |= {*manifest.get("dependencies", [])} - seen
    assert {name: version(name) for name in wanted} == wanted


class TestHousehold:
    @pytest.fixture
    def household(self) -> Household:
        house = House(name="made", start_s=0, phases=np.array([[10.0] * 60 + [20.0] * 60]))
        return Household(house, [[Car(rng=Random(1), max_amps=10, charging=True)]], speed=10, budget=25)

    def test_the_recording_runs_at_its_speed_and_begins_again(self, household: Household) -> None:
        amps = []
        for second in (0, 5, 6, 11, 12):
            household.advance(second)
            amps += household.totals
        assert amps == [20, 20, 30, 30, 20]

    def test_energy_and_time_over_budget_are_those_of_real_time(self, household: Household) -> None:
        for second in range(12):
            household.advance(second)
        assert household.over_s == 6
        assert household.house_wh == pytest.approx((5 * 10 + 6 * 20) * 230 / 3600)
        assert household.car_wh == pytest.approx(11 * 10 * (230 - 4) / 3600)

    def test_each_car_is_on_its_phases_and_any_phase_may_be_over(self) -> None:
        house = House(name="made", start_s=0, phases=np.array([[10.0] * 60, [1.0] * 60, [2.0] * 60]))
        one = Car(rng=Random(1), max_amps=10, charging=True)
        three = Car(rng=Random(1), max_amps=6, phases=3, charging=True)
        household = Household(house, [[one, three], [three], [three]], speed=1, budget=25)
        for second in range(11):
            household.advance(second)
        assert household.totals == [26, 7, 8]
        assert household.over_s == 10
        assert household.car_wh == pytest.approx(10 * (10 * (230 - 4) + 3 * 6 * (230 - 2.4)) / 3600)


def test_a_house_of_three_phases_is_busy_on_all_of_them_within_its_first_minutes() -> None:
    house = recorded(3)
    assert house.phases.shape[0] == 3
    assert recorded(1).phases[0, :3600].tolist() == house.phases[0, :3600].tolist()
    assert (house.phases[:, : 3 * 60].max(axis=1) + CAR_MAX_A > BUDGET_A).all()


def test_a_roof_feeds_in_within_minutes_and_there_was_too_little_room_before() -> None:
    (amps,) = recorded(1, sun=True).phases
    assert amps[: 3 * 60].max() + CAR_MAX_A > BUDGET_A
    assert amps[: 5 * 60].min() + CAR_MAX_A < CAR_MAX_A - 10
    assert recorded(3, sun=True).phases[:, : 20 * 60].min(axis=1).max() < 0, "on every phase"


def test_the_status_line_says_how_things_stand_before_and_after_something_is_known() -> None:
    household = Household(
        House(name="made", start_s=0, phases=np.array([[10.0]])),
        [[Car(rng=Random(1), charging=True)]],
        speed=1,
        budget=25,
    )
    household.advance(0)
    now = datetime.fromisoformat("2026-11-22T18:00:00+01:00")
    reasons = json.loads(TEXTS.read_text())["entity"]["sensor"]["reason"]["state"]
    unknown = status_line(household, {}, [{"target_current": "unavailable"}], reasons, now)
    assert unknown == "18:00:00  house  10.0 A  car  16.0 A  total  26.0 A  budget   –   target   –   –"
    car = {"target_current": "14", "reason": "over_budget"}
    known = status_line(household, {"max_amps": "25"}, [car], reasons, now)
    assert known.endswith("budget 25 A  target 14 A  Lowered: over budget")
    both = status_line(household, {"max_amps": "25"}, [car, {"target_current": "6", "reason": "shared"}], reasons, now)
    assert both.endswith(f"budget 25 A  target 14 A |  6 A  Lowered: over budget | {reasons['shared']}")


@asynccontextmanager
async def posting(answer: str = '{"accepted": true}') -> AsyncGenerator[tuple[PostingSensor, list[dict[str, Any]]]]:
    """Give a sensor, and what arrives where it posts to, which answers so."""
    posts: list[dict[str, Any]] = []

    async def webhook(request: web.Request) -> web.Response:
        posts.append(await request.json())
        return web.Response(text=answer)

    app = web.Application()
    app.router.add_post("/", webhook)
    async with TestServer(app) as server, ClientSession() as session:
        yield PostingSensor(session, str(server.make_url("/")), seed=1), posts


class TestPostingSensor:
    @pytest.mark.parametrize(
        ("answer", "accepted"),
        [('{"accepted": true}', 4), ('{"accepted": false}', 0), ("", 0), ("<html>", 0), ("[1]", 0)],
    )
    @pytest.mark.usefixtures("socket_enabled")
    async def test_it_posts_every_five_seconds_and_on_a_step_and_only_true_is_accepted(
        self, answer: str, accepted: int
    ) -> None:
        async with posting(answer) as (sensor, posts):
            for amps in [10.0] * 7 + [20.0] * 4:
                await sensor.tick(amps)
        assert [round(post["amps"]) for post in posts] == [10, 10, 20, 20]
        assert posts[-1]["energy_wh"] == pytest.approx((7 * 10 + 4 * 20) * 230 / 3600, rel=0.01)
        assert (sensor.posted, sensor.accepted) == (4, accepted)

    @pytest.mark.usefixtures("socket_enabled")
    async def test_three_phases_are_posted_as_such(self) -> None:
        async with posting() as (sensor, posts):
            await sensor.tick(10.0, 0.0, 5.0)
        (post,) = posts
        assert [round(phase["amps"]) for phase in post["phases"]] == [10, 0, 5]
        assert [phase["watts"] for phase in post["phases"]] == pytest.approx([2300, 0, 1150], rel=0.05)
        assert "amps" not in post
        assert post["energy_wh"] == pytest.approx(15 * 230 / 3600, abs=0.001)

    @pytest.mark.usefixtures("socket_enabled")
    async def test_what_is_fed_in_is_negative_and_not_counted(self) -> None:
        async with posting() as (sensor, posts):
            await sensor.tick(10.0)
            await sensor.tick(-10.0)
        assert posts[1]["amps"] == pytest.approx(-10, rel=0.05)
        assert posts[1]["watts"] == pytest.approx(-2300, rel=0.05)
        assert posts[1]["energy_wh"] == posts[0]["energy_wh"] > 0

    @pytest.mark.usefixtures("socket_enabled")
    async def test_it_goes_on_where_nobody_answers(self, unused_tcp_port: int) -> None:
        async with ClientSession() as session:
            sensor = PostingSensor(session, f"http://127.0.0.1:{unused_tcp_port}", seed=1)
            await sensor.tick(10.0)
        assert (sensor.posted, sensor.accepted) == (1, 0)


@pytest.fixture
async def home_assistant(socket_enabled: None, tmp_path: Path) -> AsyncGenerator[HomeAssistant]:
    """A Home Assistant that is not started."""
    async with ClientSession() as session:
        yield HomeAssistant(session, tmp_path, home=(0, 0))


async def test_the_recorder_is_counted_for_our_entities_only(home_assistant: HomeAssistant, tmp_path: Path) -> None:
    assert home_assistant.recorded_states(["sensor.a"]) == 0
    database = sqlite3.connect(tmp_path / "home-assistant_v2.db")
    database.executescript(
        "CREATE TABLE states_meta (metadata_id INTEGER, entity_id TEXT);"
        "CREATE TABLE states (state TEXT, metadata_id INTEGER, last_updated_ts REAL);"
        "INSERT INTO states_meta VALUES (1, 'sensor.a'), (2, 'sensor.b'), (3, 'sun.sun');"
        "INSERT INTO states VALUES ('1', 1, 5), ('2', 1, 15), ('1', 2, 25), ('up', 3, 35);"
    )
    database.close()
    assert home_assistant.recorded_states(["sensor.a", "sensor.b", "sensor.c"]) == 3
    assert home_assistant.recorded_states(["sensor.a", "sensor.b", "sensor.c"], since=15) == 2, "without its past"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "gremlins"],
        ["--seconds", "0"],
        ["--speed", "-1"],
        ["--seconds", "x"],
        ["--cars", "3"],
        ["--phases", "2"],
        ["--car-phases", "3"],
    ],
)
def test_nonsense_on_the_command_line_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(arguments)


async def test_it_is_given_this_checkout_and_listens_on_this_machine_only(
    home_assistant: HomeAssistant, tmp_path: Path
) -> None:
    home_assistant._prepare()
    linked = tmp_path / "custom_components" / DOMAIN / "manifest.json"
    assert json.loads(linked.read_text())["domain"] == DOMAIN
    server = json.loads((tmp_path / ".storage" / "http").read_text())["data"]["stable"]
    assert (server["server_host"], server["server_port"]) == (["127.0.0.1"], home_assistant.port)
