"""Whatever is in the file of the links, the sites are set up, and links that can be read go on."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.view.links import LINKS
from tests.conftest import FakeCharger

KEY = f"{DOMAIN}.view_links"
LINK = {"entry_id": "01JSITE", "expires": 4e9, "digest": "00"}


@pytest.mark.parametrize(
    "data",
    [
        None,
        "nonsense",
        [LINK],
        {"a": LINK, "b": None},
        {"a": LINK, "b": "x"},
        {"a": LINK, "b": {**LINK, "expires": "tomorrow"}},
        {"a": LINK, "b": {**LINK, "digest": "é"}},
        {"a": LINK, "b": {**LINK, "names": "yes"}},
        *({"a": LINK, "b": {k: v for k, v in LINK.items() if k != key}} for key in LINK),
    ],
    ids=str,
)
async def test_links_that_cannot_be_read_are_left_out_and_told(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: MockConfigEntry, charger: FakeCharger, data: Any
) -> None:
    hass_storage[KEY] = {"version": 1, "minor_version": 1, "key": KEY, "data": data}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert hass.data[LINKS].find("b", "anything") is None
    ended = await hass.data[LINKS].async_revoke(entry.entry_id)
    assert ended == (1 if isinstance(data, dict) else 0)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"memory_damaged_{entry.entry_id}")
    if data is None:
        return  # in a test, there is no file that it could be in
    assert issue is not None
    assert issue.translation_placeholders == {"site": "Casa", "parts": KEY}


async def test_links_of_before_go_on(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: MockConfigEntry, charger: FakeCharger
) -> None:
    hass_storage[KEY] = {"version": 1, "minor_version": 1, "key": KEY, "data": {"a": LINK}}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert not ir.async_get(hass).issues
    assert await hass.data[LINKS].async_revoke(entry.entry_id) == 1
