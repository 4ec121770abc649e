"""Which meters are proposed, and with which sensors in which place."""

from pathlib import Path
import re
from typing import Any

import homeassistant.components
from homeassistant.components.energy import data as energy_data
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.meters.energy_dashboard import Grid, async_grids
from custom_components.amp_sensor.meters.proposals import KNOWN, async_find, slow_interval_s

DSMR = {
    "instantaneous_current_l1": "current",
    "instantaneous_active_power_l1_positive": "power",
    "instantaneous_active_power_l1_negative": "power",
    "instantaneous_voltage_l1": "voltage",
    "current_electricity_usage": "power",
    "current_electricity_delivery": "power",
    "belgium_current_average_demand": "power",
    "belgium_maximum_demand_current_month": "power",
    "fuse_threshold_l1": "current",
}


def add(
    hass: HomeAssistant, platform: str, sensors: dict[str, str], *, device: str | None = "Meter", prefix: str = ""
) -> dict[str, str]:
    """Add the sensors of a device by the end of their unique ids; return their registry ids."""
    config = next(iter(hass.config_entries.async_entries(platform)), None)
    if config is None:
        config = MockConfigEntry(domain=platform)
        config.add_to_hass(hass)
    device_id = None
    if device is not None:
        identifiers = {(platform, device)}
        registry = dr.async_get(hass)
        device_id = registry.async_get_or_create(
            config_entry_id=config.entry_id, identifiers=identifiers, name=device
        ).id
    return {
        key: er.async_get(hass)
        .async_get_or_create(
            "sensor",
            platform,
            f"{prefix}{key}",
            config_entry=config,
            device_id=device_id,
            original_device_class=kind,
        )
        .id
        for key, kind in sensors.items()
    }


async def only(hass: HomeAssistant) -> dict[str, Any]:
    (proposal,) = await async_find(hass)
    return proposal.meter


async def test_a_p1_meter_is_filled_in_without_its_averages(hass: HomeAssistant) -> None:
    ids = add(hass, "dsmr", DSMR, prefix="serial_")
    assert await only(hass) == {
        "phases": [
            {
                "current": ids["instantaneous_current_l1"],
                "power": ids["instantaneous_active_power_l1_positive"],
                "power_export": ids["instantaneous_active_power_l1_negative"],
                "voltage": ids["instantaneous_voltage_l1"],
            }
        ],
        "power": ids["current_electricity_usage"],
        "power_export": ids["current_electricity_delivery"],
    }


@pytest.mark.parametrize(
    ("platform", "prefix", "keys"),
    [
        (
            "dsmr",
            "s_",
            ("instantaneous_current_l{}", "instantaneous_active_power_l{}_positive", "current_electricity_usage"),
        ),
        ("homewizard", "HWE-P1_5c2fafabcdef_", ("active_current_l{}_a", "active_power_l{}_w", "active_power_w")),
        ("youless", "youless_host_", ("phase_{}_current", "phase_{}_power", "usage")),
        ("fronius", "1234-", ("current_ac_phase_{}", "power_real_phase_{}", "power_real")),
    ],
)
async def test_three_phases_are_in_their_order(
    hass: HomeAssistant, platform: str, prefix: str, keys: tuple[str, str, str]
) -> None:
    current, power, total = keys
    sensors = {current.format(number): "current" for number in (3, 1, 2)}
    sensors |= {power.format(number): "power" for number in (2, 3, 1)} | {total: "power"}
    ids = add(hass, platform, sensors, prefix=prefix)
    assert await only(hass) == {
        "phases": [
            {"current": ids[current.format(number)], "power": ids[power.format(number)]} for number in (1, 2, 3)
        ],
        "power": ids[total],
    }


async def test_a_shelly_with_three_clamps_is_three_phases(hass: HomeAssistant) -> None:
    keys = {f"em:0-{letter}_current": "current" for letter in "abc"}
    keys |= {f"em:0-{letter}_act_power": "power" for letter in "abc"} | {"em:0-total_act_power": "power"}
    ids = add(hass, "shelly", keys, prefix="A1B2C3-")
    assert await only(hass) == {
        "phases": [
            {"current": ids[f"em:0-{letter}_current"], "power": ids[f"em:0-{letter}_act_power"]} for letter in "abc"
        ],
        "power": ids["em:0-total_act_power"],
    }


async def test_three_channels_are_phases_and_two_are_nobody_knows_what(hass: HomeAssistant) -> None:
    ids = add(hass, "shelly", {"emeter_0-current": "current", "emeter_1-current": "current"}, prefix="A1-")
    assert await async_find(hass) == []
    ids |= add(hass, "shelly", {"emeter_2-current": "current"}, prefix="A1-")
    assert await only(hass) == {"phases": [{"current": ids[f"emeter_{number}-current"]} for number in (0, 1, 2)]}


async def test_the_codes_of_a_smart_message_tell_the_phase(hass: HomeAssistant) -> None:
    keys = {f"1-0:{code}.7.0*255": "current" for code in (31, 51, 71)}
    keys |= {f"1-0:{code}.7.0*255": "power" for code in (36, 56, 76)} | {"1-0:16.7.0*255": "power"}
    ids = add(hass, "edl21", keys, prefix="1ESY_")
    meter = await only(hass)
    assert [phase["current"] for phase in meter["phases"]] == [ids[f"1-0:{code}.7.0*255"] for code in (31, 51, 71)]
    assert [phase["power"] for phase in meter["phases"]] == [ids[f"1-0:{code}.7.0*255"] for code in (36, 56, 76)]
    assert meter["power"] == ids["1-0:16.7.0*255"]


async def test_tibber_has_its_power_apart(hass: HomeAssistant) -> None:
    ids = add(
        hass,
        "tibber",
        {"currentL1": "current", "power": "power", "powerProduction": "power", "averagePower": "power"},
        prefix="home_rt_",
    )
    assert await only(hass) == {
        "phases": [{"current": ids["currentL1"]}],
        "power": ids["power"],
        "power_export": ids["powerProduction"],
    }


async def test_a_plug_of_the_same_maker_is_no_supply_meter(hass: HomeAssistant) -> None:
    add(hass, "homewizard", {"active_power_w": "power"}, prefix="HWE-SKT_1_", device="Socket")
    meter = add(hass, "homewizard", {"active_power_w": "power"}, prefix="HWE-P1_2_", device="P1")
    first, second = await async_find(hass)
    assert first.is_known
    assert first.meter == {"phases": [{"power": meter["active_power_w"]}]}
    assert not second.is_known


async def test_what_is_disabled_is_not_proposed(hass: HomeAssistant) -> None:
    ids = add(hass, "dsmr", {"instantaneous_current_l1": "current"}, prefix="s_")
    registry = er.async_get(hass)
    entity_id = registry.async_get(ids["instantaneous_current_l1"]).entity_id  # type: ignore[union-attr]
    registry.async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    assert await async_find(hass) == []


async def test_a_device_that_nobody_knows_is_proposed_last_and_only_where_it_is_clear(hass: HomeAssistant) -> None:
    add(hass, "mqtt", {"x_l1_current": "current", "x_l2_current": "current", "x_l3_current": "current"}, device="Three")
    add(hass, "mqtt", {"plug_current": "current", "plug_power": "power"}, device="Plug")
    add(hass, "mqtt", {"a": "current", "b": "current", "c2": "current"}, device="Muddle")
    add(hass, "teleinfo", {"IINST": "current"}, prefix="021_", device="Linky")
    found = [proposal.title for proposal in await async_find(hass)]
    assert found == ["Linky (teleinfo)", "Three (mqtt)", "Plug (mqtt)"]


async def test_sensors_without_a_device_stand_for_themselves(hass: HomeAssistant) -> None:
    ids = add(hass, "template", {"of the house": "current", "other": "voltage"}, device=None)
    hass.states.async_set("sensor.loose", "4.2", {"device_class": "power", "friendly_name": "Loose"})
    first, second = await async_find(hass)
    assert first.meter == {"phases": [{"current": ids["of the house"]}]}
    assert (second.title, second.meter) == ("Loose", {"phases": [{"power": "sensor.loose"}]})


async def test_the_energy_dashboard_tells_which_device_is_at_the_grid(
    recorder_mock: Recorder, hass: HomeAssistant
) -> None:
    """Home Assistant has no public way to ask for that: this fails where the way that is used has moved."""
    add(hass, "mqtt", {"plug_current": "current", "plug_power": "power"}, device="Plug")
    ids = add(hass, "mqtt", {"grid_power": "power", "grid_energy": "energy"}, device="Grid")
    registry = er.async_get(hass)
    energy = registry.async_get(ids["grid_energy"]).entity_id  # type: ignore[union-attr]
    assert await async_grids(hass) == []
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()
    manager = await energy_data.async_get_manager(hass)
    source = energy_data.ENERGY_SOURCE_SCHEMA(
        [
            {
                "type": "grid",
                "stat_energy_from": energy,
                "stat_energy_to": None,
                "stat_cost": None,
                "entity_energy_price": None,
                "number_energy_price": None,
                "stat_compensation": None,
                "entity_energy_price_export": None,
                "number_energy_price_export": None,
                "cost_adjustment_day": 0,
            }
        ]
    )
    await manager.async_update({"energy_sources": source})
    assert await async_grids(hass) == [Grid(power=None, export=None, entities=(energy,))]
    assert [proposal.title for proposal in await async_find(hass)] == ["Grid (mqtt)", "Plug (mqtt)"]


async def test_power_that_only_the_energy_dashboard_knows_is_proposed(
    recorder_mock: Recorder, hass: HomeAssistant
) -> None:
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()
    hass.states.async_set("sensor.from", "1200", {"unit_of_measurement": "W"})
    manager = await energy_data.async_get_manager(hass)
    manager.data = {
        "energy_sources": [
            {
                "type": "grid",
                "stat_energy_from": "sensor.kwh",
                "stat_energy_to": None,
                "stat_cost": "sensor.cost",
                "power_config": {"stat_rate_from": "sensor.from", "stat_rate_to": "sensor.to"},
            }
        ]
    }  # type: ignore[typeddict-item]
    (proposal,) = await async_find(hass)
    assert proposal.meter == {"phases": [{"power": "sensor.from", "power_export": "sensor.to"}]}


@pytest.mark.parametrize(("options", "seconds"), [({}, 30), ({"time_between_update": 5}, 5)])
async def test_how_often_a_p1_meter_reports_is_an_option(
    hass: HomeAssistant, options: dict[str, Any], seconds: float
) -> None:
    MockConfigEntry(domain="dsmr", options=options).add_to_hass(hass)
    add(hass, "dsmr", DSMR, prefix="s_")
    assert slow_interval_s(hass, await only(hass)) == (seconds, "time_between_update")


# Held to what is installed


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (
            "dsmr",
            [
                *(f"instantaneous_current_l{n}" for n in "123"),
                *(f"instantaneous_active_power_l{n}_positive" for n in "123"),
                *(f"instantaneous_active_power_l{n}_negative" for n in "123"),
                *(f"instantaneous_voltage_l{n}" for n in "123"),
                "current_electricity_usage",
                "current_electricity_delivery",
            ],
        ),
        ("homewizard", [f"active_{what}" for n in "123" for what in (f"current_l{n}_a", f"power_l{n}_w")]),
        ("tibber", ["currentL1", "currentL2", "currentL3", "power", "powerProduction", "voltagePhase1"]),
        ("youless", ["usage", "phase_1_current", "phase_3_power", "phase_2_voltage"]),
        ("edl21", [f"1-0:{code}.7.0*255" for code in (31, 32, 36, 51, 52, 56, 71, 72, 76, 16)]),
        ("shelly", ["a_current", "b_act_power", "c_voltage", "total_act_power", "current_em1", "power_em1"]),
        ("fronius", ["current_ac_phase_1", "power_real_phase_3", "voltage_ac_phase_2", "power_real"]),
        ("teleinfo", ["IINST"]),
    ],
)
def test_the_keys_are_those_of_the_installed_home_assistant(platform: str, expected: list[str]) -> None:
    source = Path(homeassistant.components.__path__[0], platform, "sensor.py").read_text()
    assert set(expected) <= set(re.findall(r'"([^"\n]+)"', source))
    assert platform in KNOWN


def test_every_known_integration_is_held_to_its_source() -> None:
    (mark,) = test_the_keys_are_those_of_the_installed_home_assistant.pytestmark  # type: ignore[attr-defined]
    assert {platform for platform, _ in mark.args[1]} == KNOWN.keys()
