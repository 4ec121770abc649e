"""The demo's past is one that the recorder believes: its own queries find it, and what if has something to try."""

from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.history import state_changes_during_period
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import numpy as np
import pytest

from simulation.demo import AUTOMATION, BLUEPRINTS
from simulation.home_assistant import DATABASE
from simulation.house import VOLTS, House
from simulation.past import Series, week, write
from simulation.plant import Charger
from simulation.recorder import home_assistant

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
END = (HOUR + timedelta(minutes=7, seconds=3)).timestamp()
"""Lately, and somewhere in an hour and in five minutes: the last of both are not whole."""
HOURS = 26
SECOND = timedelta(seconds=1)
BUDGET_A = 25.0


@pytest.fixture
def house() -> House:
    """A day and two hours, from 16 o'clock by its own clock: 4 A, and 30 A in its last minute."""
    amps = np.full(HOURS * 3600, 4.0)
    amps[-60:] = 30.0
    return House(name="made", start_s=16 * 3600, phases=np.vstack([amps]))


@pytest.fixture
def series(house: House) -> list[Series]:
    return week(house, budget=BUDGET_A, chargers=[Charger(max_amps=16, phases=(1,))], names=["model_3"])


def of(series: list[Series], entity_id: str) -> Series:
    (found,) = (each for each in series if each.entity_id == entity_id)
    return found


def test_a_car_comes_home_in_the_evening_and_takes_what_is_left(series: list[Series]) -> None:
    car = of(series, "sensor.model_3_charging_current").values
    assert np.flatnonzero(car)[[0, -1]].tolist() == [2 * 3600, 10 * 3600 - 1]
    assert set(car[2 * 3600 : 10 * 3600]) == {16.0}
    current, house = (of(series, f"sensor.home_{key}").values for key in ("current", "house_current"))
    assert (current == house + car).all()
    assert (of(series, "sensor.home_headroom").values == BUDGET_A - current).all()
    kwh = (4 * HOURS + 16 * 8 + 26 / 60) * VOLTS / 1000
    assert of(series, "sensor.home_energy").values[-1] == pytest.approx(kwh)


def test_two_cars_have_their_nights_in_turn_and_their_phases() -> None:
    house = House(name="made", start_s=0, phases=np.full((3, 48 * 3600), 12.0))
    chargers = [Charger(max_amps=16, phases=(1,)), Charger(max_amps=16, phases=(1, 2, 3))]
    series = week(house, budget=BUDGET_A, chargers=chargers, names=["one", "two"])
    one, two = (of(series, f"sensor.{name}_charging_current").values for name in ("one", "two"))
    assert one.any()
    assert two.any()
    assert not (one * two).any()
    assert one.max() == two.max() == 13, "what is left of the budget"
    assert (of(series, "sensor.home_current_l2").values == 12 + two).all()
    assert (of(series, "sensor.home_power").values == (36 + one + 3 * two) * VOLTS).all()


@pytest.fixture
async def hass(socket_enabled: None, tmp_path: Path, series: list[Series]) -> AsyncGenerator[HomeAssistant]:
    """A Home Assistant that finds the past in its folder."""
    write(tmp_path / DATABASE, series, end=END)
    async with home_assistant(tmp_path) as hass:
        yield hass


async def test_the_recorder_takes_it_for_its_own(hass: HomeAssistant, series: list[Series]) -> None:
    instance = get_instance(hass)
    start = dt_util.utc_from_timestamp(END) - timedelta(hours=HOURS)

    def states(entity_id: str) -> list[tuple[float, float]]:
        found = state_changes_during_period(hass, start - SECOND, dt_util.utc_from_timestamp(END), entity_id)[entity_id]
        return [(state.last_updated_timestamp - start.timestamp(), float(state.state)) for state in found]

    changes = await instance.async_add_executor_job(states, "sensor.home_current")
    assert changes == [(0, 4), (2 * 3600, 20), (10 * 3600, 4), (HOURS * 3600 - 60, 30)]
    assert await instance.async_add_executor_job(states, "number.home_budget") == [(0, 25)]

    ids = {"sensor.home_current", "sensor.home_energy"}
    for period, length_s in (("hour", 3600), ("5minute", 300)):
        rows = await instance.async_add_executor_job(
            statistics_during_period,
            hass,
            start,
            dt_util.utc_from_timestamp(END - END % length_s),
            ids,
            period,
            None,
            {"mean", "max", "change"},
        )
        current, energy = rows["sensor.home_current"], rows["sensor.home_energy"]
        assert current[-1]["end"] == END - END % length_s
        assert len(current) == int(END // length_s - start.timestamp() // length_s - 1)
        assert {row["mean"] for row in current} >= {4.0, 20.0}
        assert energy[-1]["change"] == pytest.approx(4 * VOLTS / 1000 * length_s / 3600)


async def test_the_recorder_goes_on_where_it_ends(hass: HomeAssistant, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        (first,) = database.execute("SELECT MIN(start) FROM statistics_runs").fetchone()
    assert datetime.fromisoformat(f"{first}+00:00") == HOUR, "the past is not worked out again"


def test_the_example_is_a_blueprint_that_is_shipped() -> None:
    path = BLUEPRINTS / "automation" / AUTOMATION["use_blueprint"]["path"]
    assert path.is_file()
    for name in AUTOMATION["use_blueprint"]["input"]:
        assert f"    {name}:" in path.read_text()
