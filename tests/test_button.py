"""Sharing the readings of a site at the press of a button."""

from collections.abc import Generator
import json
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.persistent_notification import _async_get_or_create_notifications
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import ExtendedJSONEncoder
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from syrupy.assertion import SnapshotAssertion
from yarl import URL

from custom_components.amp_sensor.view.links import LINKS
from tests.conftest import Site

BUTTON = "button.casa_share_readings"
NOTIFICATION = "amp_sensor_share_01JSITE"


@pytest.fixture
def now(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-11-18T09:10:00Z")


@pytest.fixture
def events(hass: HomeAssistant) -> Generator[list[Event]]:
    """All that is told on Home Assistant's bus: what the recorder and the logbook may keep."""
    heard: list[Event] = []
    stop = hass.bus.async_listen("*", heard.append)
    yield heard
    stop()


@pytest.fixture
async def reachable(now: None, site: Site) -> Site:
    """A site whose Home Assistant knows its address."""
    await site.hass.config.async_update(time_zone="Europe/Madrid", external_url="https://example.org")
    return site


def told(site: Site) -> str:
    """Return what the notification says."""
    message: str = _async_get_or_create_notifications(site.hass)[NOTIFICATION]["message"]
    return message


async def test_buttons(site: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
    for entity_id, state in site.states("button").items():
        assert entity_registry.async_get(entity_id) == snapshot(name=f"{entity_id}-entry")
        assert state == snapshot(name=f"{entity_id}-state")


async def test_the_link_is_told_with_how_long_it_lives_and_opens_the_page(reachable: Site) -> None:
    await reachable.call("button", "press", BUTTON)
    before, url, after = told(reachable).split("\n\n")
    assert before == "Whoever has this link sees the readings of Casa until 2026-11-25 10:10, and nothing else:"
    assert after == "The action Revoke view links ends it before."
    link = URL(url)
    assert link.host == "example.org"
    found = reachable.hass.data[LINKS].find(link.name, link.query["key"])
    assert found is not None
    assert not found.names


async def test_the_link_is_nowhere_but_in_the_notification(
    events: list[Event], reachable: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "homeassistant")
    caplog.set_level(logging.DEBUG, "custom_components")
    await reachable.call("button", "press", BUTTON)
    key = URL(told(reachable).split("\n\n")[1]).query["key"]
    seen = json.dumps([event.as_dict() for event in events], cls=ExtendedJSONEncoder)
    states = json.dumps([state.as_dict() for state in reachable.hass.states.async_all()], cls=ExtendedJSONEncoder)
    assert BUTTON in seen
    assert BUTTON in states
    assert key not in seen + states + caplog.text


async def test_pressing_again_makes_another_link_and_the_first_one_stays(reachable: Site) -> None:
    urls = []
    for _ in range(2):
        await reachable.call("button", "press", BUTTON)
        urls.append(URL(told(reachable).split("\n\n")[1]))
    assert urls[0] != urls[1]
    for url in urls:
        assert reachable.hass.data[LINKS].find(url.name, url.query["key"])


async def test_without_an_address_it_says_what_to_do(site: Site) -> None:
    await site.hass.config.async_update(internal_url=None, external_url=None)
    site.hass.config.api = None
    with pytest.raises(ServiceValidationError) as error:
        await site.call("button", "press", BUTTON)
    assert error.value.translation_key == "no_url"


async def test_only_an_administrator_shares(
    reachable: Site, hass_admin_user: MockUser, hass_read_only_user: MockUser
) -> None:
    """As with the action. Somebody who may control everything may still not let others in."""
    hass = reachable.hass
    member = MockUser(id="member").add_to_hass(hass)
    member.mock_policy({"entities": True})
    for user, may in ((hass_read_only_user, False), (member, False), (hass_admin_user, True)):
        press = hass.services.async_call(
            "button", "press", {"entity_id": BUTTON}, blocking=True, context=Context(user_id=user.id)
        )
        if may:
            await press
        else:
            with pytest.raises(Unauthorized):
                await press
        await hass.async_block_till_done()
        assert (NOTIFICATION in _async_get_or_create_notifications(hass)) is may
