"""History is in the recorder: what a person wants to look back at, and not more."""

import asyncio

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import StateAttributes, States, StatesMeta
from homeassistant.components.recorder.statistics import list_statistic_ids
from homeassistant.components.recorder.util import session_scope
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from tests.conftest import Site
from tests.postgresql import BOTH_DATABASES

pytestmark = BOTH_DATABASES


@pytest.fixture
async def recorded(recorder_mock: Recorder, site: Site) -> Site:
    """Set up a site with a recorder, which must be there first."""
    return site


def _rows(hass: HomeAssistant) -> dict[str, list[tuple[str, str]]]:
    with session_scope(hass=hass, read_only=True) as session:
        rows = (
            session.query(StatesMeta.entity_id, States.state, StateAttributes.shared_attrs)
            .join(StatesMeta, States.metadata_id == StatesMeta.metadata_id)
            .outerjoin(StateAttributes, States.attributes_id == StateAttributes.attributes_id)
            .order_by(States.state_id)
        )
        found: dict[str, list[tuple[str, str]]] = {}
        for entity_id, state, attributes in rows:
            found.setdefault(entity_id, []).append((state, attributes))
        return found


async def test_what_happens_is_recorded_and_the_numbers_of_the_reason_are_not(recorded: Site) -> None:
    recorded.charger.hold = asyncio.Event()
    for amps in (10.0, 20.0, 30.0):
        await recorded.post(amps=amps, watts=amps * 230)
        await recorded.advance(5)
    recorded.charger.hold.set()
    await recorded.settle()
    await async_wait_recording_done(recorded.hass)
    rows = await get_instance(recorded.hass).async_add_executor_job(_rows, recorded.hass)
    assert [state for state, _ in rows["sensor.casa_current"]][-3:] == ["10.0", "20.0", "30.0"]
    assert [state for state, _ in rows["binary_sensor.casa_over_budget"]][-1] == "on"
    reasons = rows["sensor.rocinante_reason"]
    assert "over_budget" in [state for state, _ in reasons]
    assert not [attributes for _, attributes in reasons if "budget_amps" in attributes]
    assert "sensor.casa_last_reading" not in rows


async def test_an_hour_of_a_noisy_meter_stays_small(recorded: Site) -> None:
    await recorded.call("switch", "turn_off", "switch.rocinante_managed")
    for second in range(0, 900, 5):
        await recorded.advance(5, step_s=5)
        noise = second % 10 / 50
        await recorded.post(amps=10.0 + noise, watts=2300.0 + 100 * noise, volts=230.0 + noise)
    await async_wait_recording_done(recorded.hass)
    rows = await get_instance(recorded.hass).async_add_executor_job(_rows, recorded.hass)
    ours = {entity_id: len(states) for entity_id, states in rows.items()}
    assert ours["sensor.casa_current"] <= 15 + 2, "one a minute"
    assert sum(ours.values()) <= 15 * 9 + 60, "nine that move"


async def test_energy_and_power_have_long_term_statistics(recorded: Site) -> None:
    await recorded.advance(65, amps=20.0, watts=4600.0)
    await async_wait_recording_done(recorded.hass)
    found = await get_instance(recorded.hass).async_add_executor_job(list_statistic_ids, recorded.hass)
    kinds = {item["statistic_id"]: (item["has_mean"], item["has_sum"]) for item in found}
    assert kinds["sensor.casa_energy"] == (False, True)
    assert kinds["sensor.rocinante_energy"] == (False, True)
    assert kinds["sensor.casa_power"] == (True, False)
    assert kinds["sensor.casa_current"] == (True, False)
