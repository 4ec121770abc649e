"""A site in an evening."""

from collections.abc import Awaitable, Callable
import logging
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.chargers.tessie import TessieCharger
from custom_components.amp_sensor.const import CONF_MAX_AMPS_CAR, CONF_ROLES, CONF_TESSIE_URL
from tests.conftest import CHARGER_ID, car_data
from tests.faults.box import ROLES
from tests.faults.evening import Evening, Fault, Hours
from tests.faults.judge import Row

BOX = {CONF_MAX_AMPS_CAR: 16, CONF_ROLES: ROLES}

type Spend = Callable[[Fault, Hours], Awaitable[tuple[Row, list[float]]]]


@pytest.fixture
def spend(  # noqa: PLR0917 -- fixtures
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Spend:
    """Let an evening pass, and return what came of it, and what the car drew each second."""
    caplog.set_level(logging.WARNING)  # an hour of debugging is long
    # A default is bound when its module is loaded, before the clock was frozen
    monkeypatch.setitem(TessieCharger.__init__.__kwdefaults__, "clock", time.time)

    async def spend(fault: Fault, hours: Hours) -> tuple[Row, list[float]]:
        freezer.move_to(fault.clock)
        evening = Evening(hass, freezer, entry, hass_storage, hass_client_no_auth)
        with evening.virtual_time():
            await evening.server.start()
            entry.add_to_hass(hass)
            tessie = car_data(**{CONF_TESSIE_URL: evening.server.url})
            hass.config_entries.async_update_subentry(
                entry, entry.subentries[CHARGER_ID], data=BOX if fault.box else tessie
            )
            row = await evening.run(fault, hours)
            await evening.wait_for(evening.server.stop())  # it waits for what is asleep
        return row, evening.drawn

    return spend
