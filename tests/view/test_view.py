"""Somebody with a link sees the readings, and nothing else; without one, nothing."""

import csv
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
import io
from pathlib import Path
import re
from typing import Any

from aiohttp import ClientResponse
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.persistent_notification import _async_get_or_create_notifications
from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from yarl import URL

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.history.intervals import Interval
from custom_components.amp_sensor.view import VENDOR_URL, window
from custom_components.amp_sensor.view.links import LINKS, Links
from tests.conftest import TEXTS, TOKEN, VIN, WEBHOOK_ID, Site

NOW = datetime(2026, 11, 18, 9, 10, tzinfo=UTC)
SECRETS = (TOKEN, VIN, VIN[-4:], WEBHOOK_ID, "01JSITE", "01jsite", "Casa", "Rocinante", "Madrid", "43.36", "8.83")


@pytest.fixture
def now(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


@pytest.fixture
async def watched(now: None, recorder_mock: Recorder, site: Site) -> Site:
    """A site that has drawn 10 A and then 20 A, whose Home Assistant knows its address."""
    await site.hass.config.async_update(time_zone="Europe/Madrid", external_url="https://example.org")
    await site.call("switch", "turn_off", "switch.rocinante_managed")
    for amps in (10.0, 20.0):
        await site.post(amps=amps, watts=amps * 230)
        await site.advance(120, step_s=30)
    await async_wait_recording_done(site.hass)
    return site


async def create(site: Site, **data: Any) -> dict[str, Any]:
    answer = await site.hass.services.async_call(
        DOMAIN, "create_view_link", {"site": "01JSITE", **data}, blocking=True, return_response=True
    )
    assert answer is not None
    return answer


async def revoke(site: Site) -> Any:
    return await site.hass.services.async_call(
        DOMAIN, "revoke_view_links", {"site": "01JSITE"}, blocking=True, return_response=True
    )


async def visit(site: Site, url: str | URL, **query: str) -> ClientResponse:
    """Open an address as a browser without an account does."""
    return await site.client.get(URL(url).relative().update_query(query))


def links(page: str, url: str) -> dict[str, URL]:
    found = re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>([^<]+)</a>', page)
    return {text.strip(): URL(url).join(URL(link.replace("&amp;", "&"))) for link, text in found}


async def test_the_page_shows_readings_to_somebody_without_an_account(watched: Site) -> None:
    link = await create(watched)
    assert link["url"].startswith("https://example.org/api/amp_sensor/view/")
    assert link["expires"] == "2026-11-25T09:14:00+00:00"
    response = await visit(watched, link["url"], interval="5_minutes")
    page = await response.text()
    assert response.status == HTTPStatus.OK
    assert '<time datetime="2026-11-18T10:10:00+01:00">2026-11-18 10:10</time>' in page
    assert ">20.0</td>" in page
    assert "2026-11-18 09:55" not in page, "nobody was there yet"
    assert 'data-budget-amps="25"' in page
    assert TEXTS["config_panel"]["view"]["expires"].format(time="2026-11-25 10:14") in page


async def test_the_same_numbers_come_as_json_and_csv(watched: Site) -> None:
    url = (await create(watched))["url"]
    page = await (await visit(watched, url, interval="15_minutes")).text()
    downloads = links(page, url)
    answer = await (await visit(watched, downloads["JSON"])).json()
    assert (answer["interval"], answer["page"], answer["budget_amps"]) == ("15_minutes", 1, 25)
    (row,) = (row for row in answer["rows"] if row["max_amps"] is not None)
    assert (row["start"], row["max_amps"]) == ("2026-11-18T10:00:00+01:00", 20.0)
    assert 14 < row["mean_amps"] < 16
    response = await visit(watched, downloads["CSV"])
    assert response.headers["Content-Disposition"] == 'attachment; filename="readings.csv"'
    table = list(csv.DictReader(io.StringIO(await response.text())))
    assert [float(line["max_amps"]) for line in table if line["max_amps"]] == [20.0]
    assert len(table) == len(answer["rows"])


@pytest.mark.parametrize("interval", Interval)
async def test_it_leads_to_every_interval_and_page(watched: Site, interval: Interval) -> None:
    url = (await create(watched))["url"]
    page = await (await visit(watched, url)).text()
    to_interval = links(page, url)[TEXTS["selector"]["interval"]["options"][interval]]
    page = await (await visit(watched, to_interval)).text()
    older = links(page, url)["← Older"]
    assert older.query["page"] == "2"
    response = await visit(watched, older)
    page = await response.text()
    assert response.status == HTTPStatus.OK
    assert TEXTS["config_panel"]["view"]["nothing"] in page
    assert links(page, url)["Newer →"].query["page"] == "1"


@pytest.mark.parametrize("query", [{"page": "999999"}, {"page": "-1"}, {"page": "x"}, {"interval": "second"}])
async def test_what_there_is_not_leads_to_the_nearest(watched: Site, query: dict[str, str]) -> None:
    assert (await visit(watched, (await create(watched))["url"], **query)).status == HTTPStatus.OK


@pytest.mark.parametrize("form", ["", "/readings.json", "/readings.csv"])
async def test_it_gives_nothing_else_away(watched: Site, form: str) -> None:
    url = URL((await create(watched))["url"])
    response = await visit(watched, url.with_path(url.path + form).with_query(url.query))
    text = f"{await response.text()}{response.headers}"
    assert response.status == HTTPStatus.OK
    assert [secret for secret in SECRETS if secret in text] == []
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "style=" not in text
    assert not re.search(r"<script(?![^>]*src=)", text)


async def test_names_are_told_where_their_owner_wants_it(watched: Site) -> None:
    url = (await create(watched, names=True))["url"]
    page = await (await visit(watched, url)).text()
    assert "<h1>Casa · Readings</h1>" in page
    assert page.count("Rocinante") == 2, "in the legend and in the table"
    answer = await (await visit(watched, links(page, url)["JSON"])).json()
    assert answer["chargers"] == ["Rocinante"]
    await revoke(watched)
    page = await (await visit(watched, url)).text()
    assert "Casa" not in page


async def test_house_and_charger_share_the_average(watched: Site) -> None:
    url = (await create(watched))["url"]
    page = await (await visit(watched, url, interval="15_minutes")).text()
    answer = await (await visit(watched, links(page, url)["JSON"])).json()
    (row,) = (row for row in answer["rows"] if row["max_amps"] is not None)
    assert answer["chargers"] == ["Charger"]
    assert row["mean_charger_1_amps"] == 16, "as the car says"
    assert row["mean_house_amps"] == pytest.approx(row["mean_amps"] - 16, abs=0.001)


@pytest.mark.parametrize(("phases", "told"), [(None, 0), ([1], 0), ([1, 2, 3], 1)])
async def test_on_several_phases_only_a_charger_on_all_of_them_is_a_part_of_the_current(
    watched: Site, phases: list[int] | None, told: int
) -> None:
    (charger,) = watched.entry.subentries.values()
    if phases is not None:
        watched.hass.config_entries.async_update_subentry(
            watched.entry, charger, data={**charger.data, "phases": phases}
        )
        await watched.hass.async_block_till_done()
    for _ in range(30):
        await watched.post(phases=[{"amps": amps, "watts": amps * 230} for amps in (17.0, 18.0, 19.0)])
        await watched.advance(5)
    url = (await create(watched))["url"]
    page = await (await visit(watched, url)).text()
    assert len((await (await visit(watched, links(page, url)["JSON"])).json())["chargers"]) == told
    assert f'data-chargers="{told}"' in page


async def test_its_parts_come_from_home_assistant_and_nowhere_else(watched: Site) -> None:
    page = await (await visit(watched, (await create(watched))["url"])).text()
    parts = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert len(parts) == 4
    for part in parts:
        response = await watched.client.get(part)
        assert response.status == HTTPStatus.OK, part
        assert response.content_type in ("text/javascript", "text/css")
    assert (await watched.client.get(f"{VENDOR_URL}/LICENSE")).status == HTTPStatus.OK
    assert "http" not in "".join(re.findall(r'(?:src|href)="([^"]+)"', page))


async def test_a_changed_link_is_refused_and_nobody_is_alarmed(watched: Site) -> None:
    first, second = URL((await create(watched))["url"]), URL((await create(watched))["url"])
    key = first.query["key"]
    for wrong in (
        first.with_query(None),
        first.with_query(key=key[:-2]),
        first.with_query(second.query),
        first.with_path("/api/amp_sensor/view/0123456789abcdef").with_query(first.query),
    ):
        response = await visit(watched, wrong)
        assert response.status == HTTPStatus.NOT_FOUND
        assert TEXTS["config_panel"]["view"]["not_valid"] in await response.text()
    assert (await visit(watched, first)).status == HTTPStatus.OK
    assert not _async_get_or_create_notifications(watched.hass), "as of an attack"


@pytest.fixture
async def api(hass: HomeAssistant) -> None:
    """Set up Home Assistant's interface for programs, which comes before any site."""
    assert await async_setup_component(hass, "api", {})


async def test_a_link_opens_nothing_else_of_home_assistant(api: None, site: Site) -> None:
    await site.hass.config.async_update(external_url="https://example.org")
    url = URL((await create(site))["url"])
    assert (await site.client.get(URL("/api/states").with_query(url.query))).status == HTTPStatus.UNAUTHORIZED


async def test_a_link_expires(watched: Site) -> None:
    url = (await create(watched, days=1))["url"]
    watched.freezer.tick(timedelta(hours=23, minutes=59))
    assert (await visit(watched, url)).status == HTTPStatus.OK
    watched.freezer.tick(timedelta(minutes=2))
    assert (await visit(watched, url)).status == HTTPStatus.NOT_FOUND
    await create(watched)
    assert len(watched.hass.data[LINKS]._links) == 1, "what expired is forgotten"


async def test_a_link_outlives_a_restart_and_a_revoked_one_does_not_come_back(watched: Site) -> None:
    url = (await create(watched))["url"]
    hass = watched.hass
    hass.data[LINKS] = await Links.async_load(hass)
    assert (await visit(watched, url)).status == HTTPStatus.OK
    assert (await visit(watched, url, interval="day")).status == HTTPStatus.OK
    assert await revoke(watched) == {"revoked": 1}
    assert (await visit(watched, url)).status == HTTPStatus.NOT_FOUND
    hass.data[LINKS] = await Links.async_load(hass)
    assert (await visit(watched, url)).status == HTTPStatus.NOT_FOUND


async def test_the_store_does_not_hold_the_link(watched: Site, hass_storage: dict[str, Any]) -> None:
    url = URL((await create(watched))["url"])
    assert url.query["key"] not in str(hass_storage["amp_sensor.view_links"])


async def test_a_site_that_is_not_loaded_asks_to_come_back(watched: Site) -> None:
    url = (await create(watched))["url"]
    await watched.hass.config_entries.async_unload(watched.entry.entry_id)
    response = await visit(watched, url)
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert TEXTS["config_panel"]["view"]["not_now"] in await response.text()
    await watched.hass.config_entries.async_remove(watched.entry.entry_id)
    assert (await visit(watched, url)).status == HTTPStatus.NOT_FOUND, "its links went with it"


async def test_a_site_that_was_never_loaded_can_be_removed(
    watched: Site, hass_storage: dict[str, Any], entry: MockConfigEntry
) -> None:
    await create(watched)
    await watched.hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    del watched.hass.data[LINKS]
    await watched.hass.config_entries.async_remove(entry.entry_id)
    assert hass_storage["amp_sensor.view_links"]["data"] == {}


async def test_without_a_recorder_the_page_asks_to_come_back(site: Site) -> None:
    await site.hass.config.async_update(external_url="https://example.org")
    response = await visit(site, (await create(site))["url"])
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("days", [0, 91])
async def test_a_link_lasts_a_day_to_a_season(watched: Site, days: int) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await create(watched, days=days)
    assert error.value.translation_key == "days_out_of_range"
    assert error.value.translation_placeholders == {"days": str(days), "limit": "90"}


async def test_without_an_address_there_is_no_link(site: Site) -> None:
    await site.hass.config.async_update(internal_url=None, external_url=None)
    site.hass.config.api = None
    with pytest.raises(ServiceValidationError) as error:
        await create(site)
    assert error.value.translation_key == "no_url"


@pytest.mark.parametrize("action", ["create_view_link", "revoke_view_links"])
async def test_only_an_administrator_gives_and_takes_links(
    watched: Site, hass_read_only_user: MockUser, action: str
) -> None:
    with pytest.raises(Unauthorized):
        await watched.hass.services.async_call(
            DOMAIN,
            action,
            {"site": "01JSITE"},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


@pytest.mark.parametrize("interval", Interval)
def test_pages_follow_each_other(interval: Interval) -> None:
    today = date(2026, 11, 18)
    pages = [window(today, interval, page) for page in range(1, 6)]
    assert pages[0][0] <= today < pages[0][1]
    assert [start for start, _ in pages[:-1]] == [end for _, end in pages[1:]]


def test_the_plotting_library_has_its_licence() -> None:
    folder = Path(__file__).parents[2] / "custom_components" / DOMAIN / "view" / "vendor"
    assert "MIT License" in (folder / "LICENSE").read_text()
    assert "Leon Sorokin" in (folder / "LICENSE").read_text()
