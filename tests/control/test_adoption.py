"""Control begins in the middle of things: the car is charging, and meter and cloud tell of it one after the other."""

import pytest

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargingState,
    Command,
    Controller,
    Reading,
    SiteSettings,
)

CHARGING = ChargerReport(
    age_s=2.0,
    state=ChargingState.CHARGING,
    requested_amps=16.0,
    measured_amps=16.0,
    limit_amps=16.0,
    plugged_in=True,
    at_home=True,
)


@pytest.mark.parametrize("meter_first", [True, False])
def test_a_car_that_is_found_charging_is_lowered_not_stopped(meter_first: bool) -> None:
    controller = Controller(SiteSettings(max_amps=25), now=0)
    controller.set_charger("car", ChargerSettings(max_amps=16), now=0)
    commands: list[Command] = []
    for tell_meter in (meter_first, not meter_first):
        if tell_meter:
            controller.add_reading(Reading(at=1, amps=(28.0,), volts=(230.0,), watts=6440.0))
        else:
            controller.add_report("car", CHARGING, now=1)
        commands += [decision.command for decision in controller.decide(now=1) if decision.command]
    assert controller.house_current() == 12.0
    (command,) = commands
    assert command.action is Action.SET_AMPS
    assert 5 <= command.amps < 16
