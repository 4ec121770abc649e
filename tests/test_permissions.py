"""Who may do what, and what an outsider learns: the tables of SECURITY.md, tried with real accounts at the real API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
import re
from typing import Any, Final

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.models import Group
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.recorder import Recorder
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    MockHAClientWebSocket,
    WebSocketGenerator,
)
from yarl import URL

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.frontend import FOLDER
from tests.conftest import CHARGER_ID, TOKEN, VIN, WEBHOOK_ID, Site

SECURITY: Final = (Path(__file__).parent.parent / "SECURITY.md").read_text()
GROUPS: Final = {
    "administrator": GROUP_ID_ADMIN,
    "any other account": GROUP_ID_USER,
    "account that may only read": GROUP_ID_READ_ONLY,
    "without an account": None,
}
REFUSED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def table(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading, by what is in the first column; with that of its titles, "who"."""
    part = SECURITY.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0] or "who": row[1:] for row in cells}


@dataclass
class Caller:
    """Somebody with an account, or without one."""

    site: Site
    client: TestClient[Any, Any]
    socket: MockHAClientWebSocket | None

    async def says(self, command: str, **data: Any) -> dict[str, Any] | None:
        """Return what the websocket answers; None where it lets nobody in, or refuses that."""
        if self.socket is None:
            return None
        await self.socket.send_json_auto_id({"type": command, **data})
        while (answer := await self.socket.receive_json())["type"] != "result":
            pass
        await self.site.settle()
        if answer["success"]:
            result: dict[str, Any] = answer["result"] or {}
            return result
        error = answer["error"]
        if error["code"] == "unauthorized" or error["message"] == "Unauthorized":
            return None
        assert error["code"] in ("service_validation_error", "home_assistant_error"), answer
        return {}

    async def calls(self, domain: str, action: str, *, answers: bool = False, **data: Any) -> bool:
        """Call an action; one that fails for want of something else was allowed."""
        told = await self.says(
            "call_service", domain=domain, service=action, service_data=data, return_response=answers
        )
        return told is not None

    async def gets(self, path: str, method: str = "GET", **data: Any) -> bool:
        response = await self.client.request(method, path, **({"json": data} if data else {}))
        assert response.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return response.status not in REFUSED | {HTTPStatus.NOT_FOUND}


def device_id(site: Site) -> str:
    device = dr.async_get(site.hass).async_get_device_by_identifier((DOMAIN, site.entry.entry_id), site.entry.entry_id)
    assert device is not None
    return device.id


async def _sees_states(who: Caller) -> bool:
    told = await who.says("subscribe_entities", entity_ids=["sensor.casa_current"])
    return told is not None


async def _sees_card(who: Caller) -> bool:
    return await who.says("amp_sensor/subscribe", device_id=device_id(who.site)) is not None


async def _changes(who: Caller) -> bool:
    changed = {
        await who.calls("number", "set_value", entity_id="number.casa_budget", value=24),
        await who.calls("select", "select_option", entity_id="select.casa_mode", option="strict"),
        await who.calls("number", "set_value", entity_id="number.rocinante_maximum_current", value=15),
        await who.calls("switch", "turn_off", entity_id="switch.rocinante_managed"),
    }
    assert len(changed) == 1
    is_changed = float(who.site.state("number.casa_budget")) == 24
    assert {is_changed} == changed
    return is_changed


async def _asks_readings(who: Caller) -> bool:
    start = "2026-01-01 00:00:00"
    return await who.calls(DOMAIN, "get_readings", answers=True, site=who.site.entry.entry_id, start=start)


async def _shares(who: Caller) -> bool:
    return await who.calls("button", "press", entity_id="button.casa_share_readings")


def _action(action: str, **data: Any) -> Callable[[Caller], Awaitable[bool]]:
    async def call(who: Caller) -> bool:
        return await who.calls(DOMAIN, action, answers=True, site=who.site.entry.entry_id, **data)

    return call


async def _adds(who: Caller) -> bool:
    return await who.gets("/api/config/config_entries/flow", "POST", handler=DOMAIN)


async def _changes_settings(who: Caller) -> bool:
    flow, entry_id = "/api/config/config_entries/{}flow", who.site.entry.entry_id
    again = {"handler": DOMAIN, "context": {"source": "reconfigure"}, "entry_id": entry_id}
    allowed = {
        await who.gets(flow.format("options/"), "POST", handler=entry_id),
        await who.gets(flow.format("subentries/"), "POST", handler=[entry_id, "charger"]),
        await who.gets(flow.format(""), "POST", **again),
    }
    assert len(allowed) == 1
    return allowed.pop()


async def _downloads(who: Caller) -> bool:
    return await who.gets(f"/api/diagnostics/config_entry/{who.site.entry.entry_id}")


async def _fixes(who: Caller) -> bool:
    return await who.gets("/api/repairs/issues/fix", "POST", handler=DOMAIN, issue_id="none")


async def _sees_repairs(who: Caller) -> bool:
    return await who.says("repairs/list_issues") is not None


async def _removes(who: Caller) -> bool:
    path = f"/api/config/config_entries/entry/{who.site.entry.entry_id}"
    allowed = {await who.gets(f"{path}/reload", "POST"), await who.gets(path, "DELETE")}
    await who.site.hass.async_block_till_done()
    assert allowed == {who.site.entry.state is ConfigEntryState.NOT_LOADED}
    return allowed.pop()


async def _visits(who: Caller) -> bool:
    answer = await who.site.hass.services.async_call(
        DOMAIN, "create_view_link", {"site": who.site.entry.entry_id}, blocking=True, return_response=True
    )
    assert answer is not None
    url = URL(str(answer["url"])).relative()
    assert not await who.gets(str(url.with_query(None)))
    return await who.gets(str(url))


async def _posts(who: Caller) -> bool:
    response = await who.client.post(async_generate_path(WEBHOOK_ID), json={"amps": 1.0, "watts": 230.0})
    return response.status == HTTPStatus.OK and (await response.json())["accepted"] is True


DEEDS: Final[dict[str, Callable[[Caller], Awaitable[bool]]]] = {
    "see states, history and the logbook": _sees_states,
    "see the card, and the dashboard": _sees_card,
    "change the budget, the mode, or what a charger may": _changes,
    "ask for readings (`get_readings`)": _asks_readings,
    "share readings: the button": _shares,
    "make a link (`create_view_link`)": _action("create_view_link"),
    "end all links (`revoke_view_links`)": _action("revoke_view_links"),
    "try other settings (`what_if`)": _action("what_if"),
    "import readings (`import_readings`)": _action("import_readings", path="/nowhere.db"),
    "add a site": _adds,
    "change a site's settings, its address, its chargers": _changes_settings,
    "download diagnostics": _downloads,
    "see which repairs there are": _sees_repairs,
    "fix a repair": _fixes,
    "see the page of a link, with the link": _visits,
    "post a reading, with the webhook's address": _posts,
    "reload or remove a site": _removes,
}


@pytest.fixture
async def parts(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Set up all of Home Assistant that takes part; ask for it before the site."""
    for component in ("api", "config", "diagnostics", "repairs", "logbook", "history"):
        assert await async_setup_component(hass, component, {})


@pytest.fixture(params=GROUPS)
async def who(  # noqa: PLR0917
    parts: None,
    request: pytest.FixtureRequest,
    site: Site,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
) -> Caller:
    """Somebody of each kind."""
    hass = site.hass
    await hass.config.async_update(external_url="https://example.org")
    group_id = GROUPS[request.param]
    if group_id is None:
        return Caller(site, await hass_client_no_auth(), None)
    group = await hass.auth.async_get_group(group_id)
    user = MockUser(groups=[group]).add_to_hass(hass)
    refresh = await hass.auth.async_create_refresh_token(user, "http://example.com/")
    token = hass.auth.async_create_access_token(refresh)
    return Caller(site, await hass_client(token), await hass_ws_client(hass, token))


async def test_everybody_may_do_what_the_table_says_and_no_more(who: Caller, request: pytest.FixtureRequest) -> None:
    rights = table("Who may do what")
    assert rights.pop("who") == [*GROUPS]
    assert list(rights) == [*DEEDS]
    column = [*GROUPS].index(request.node.callspec.params["who"])
    found = {deed: "yes" if await do(who) else "no" for deed, do in DEEDS.items()}
    assert found == {deed: may[column] for deed, may in rights.items()}


async def test_who_may_not_see_an_entity_gets_no_readings(
    parts: None, site: Site, hass_ws_client: WebSocketGenerator, hass_client: ClientSessionGenerator
) -> None:
    policy = {"entities": {"entity_ids": {"sensor.casa_current": {POLICY_READ: True}}}}
    guest = MockUser(groups=[Group(name="guests", policy=policy)]).add_to_hass(site.hass)
    refresh = await site.hass.auth.async_create_refresh_token(guest, "http://example.com/")
    token = site.hass.auth.async_create_access_token(refresh)
    who = Caller(site, await hass_client(token), await hass_ws_client(site.hass, token))
    assert await _sees_states(who)
    assert not await _asks_readings(who)
    assert not await _sees_card(who)


# Without an account


@pytest.mark.parametrize("expected_lingering_timers", [True])  # the server's, of a clock that stands
async def test_without_an_account_nobody_is_let_in_by_the_websocket(site: Site) -> None:
    assert await async_setup_component(site.hass, "websocket_api", {})
    async with site.client.ws_connect("/api/websocket") as socket:
        assert (await socket.receive_json())["type"] == "auth_required"
        await socket.send_json({"id": 1, "type": "amp_sensor/subscribe", "device_id": device_id(site)})
        assert (await socket.receive_json())["type"] == "auth_invalid"


async def told(response: ClientResponse) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in response.headers.items() if name not in ("Date", "X-Trace")}
    return response.status, await response.read(), headers


METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH")


@pytest.mark.parametrize("method", METHODS)
async def test_a_link_that_is_not_valid_looks_the_same_whatever_is_wrong_with_it(
    parts: None, site: Site, method: str
) -> None:
    await site.hass.config.async_update(external_url="https://example.org")
    answers = [
        await site.hass.services.async_call(
            DOMAIN, "create_view_link", {"site": "01JSITE"}, blocking=True, return_response=True
        )
        for _ in range(2)
    ]
    first, second = (URL(str(answer["url"])).relative() for answer in answers if answer is not None)
    wrong = (
        first.with_query(None),
        first.with_query(key=""),
        first.with_query(key="ä" * 9),
        first.with_query(key=first.query["key"][:-1]),
        first.with_query(second.query),
        first.with_name("0123456789abcdef").with_query(first.query),
        first.with_name("nothing"),
    )
    seen = [await told(await site.client.request(method, url)) for url in wrong]
    assert all(each == seen[0] for each in seen), "nobody learns which links there are"
    if method == "GET":
        assert seen[0][0] == HTTPStatus.NOT_FOUND
    else:
        assert seen[0][0] in (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED)
        assert await told(await site.client.request(method, first)) == seen[0], "nor with another method"


async def test_how_long_a_wrong_key_takes_tells_nothing_of_the_right_one(
    parts: None, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is compared is a digest, as long as any other, by what takes as long wherever they differ."""
    await site.hass.config.async_update(external_url="https://example.org")
    answer = await site.hass.services.async_call(
        DOMAIN, "create_view_link", {"site": "01JSITE"}, blocking=True, return_response=True
    )
    assert answer is not None
    link = URL(str(answer["url"])).relative()
    compared: list[tuple[int, int]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return compare_digest(one, other)

    monkeypatch.setattr("custom_components.amp_sensor.view.links.hmac.compare_digest", compare)
    for key in ("", "x", link.query["key"][:-1], "x" * 1000):
        assert (await site.client.get(link.with_query(key=key))).status == HTTPStatus.NOT_FOUND
    assert compared == [(64, 64)] * 4


@pytest.mark.parametrize("method", METHODS)
async def test_only_who_knows_a_webhooks_address_learns_that_there_is_one(site: Site, method: str) -> None:
    """Home Assistant answers in the same way at every address that is none, and so does any that is nearly ours."""
    unknown = ("0" * 64, WEBHOOK_ID[:-1], f"{WEBHOOK_ID}0", WEBHOOK_ID.upper())
    seen = [await told(await site.client.request(method, async_generate_path(each))) for each in unknown]
    assert all(each == seen[0] for each in seen)
    status, text, headers = await told(await site.client.request(method, async_generate_path(WEBHOOK_ID)))
    assert status < HTTPStatus.INTERNAL_SERVER_ERROR
    for secret in (WEBHOOK_ID, TOKEN, VIN, CHARGER_ID, "Casa", "Rocinante", "25"):
        assert secret not in f"{text!r} {headers}"


async def test_an_outsider_gets_our_files_and_nothing_of_a_site(parts: None, site: Site) -> None:
    assert await async_setup_component(site.hass, "frontend", {})
    for path in (
        "/api/amp_sensor/view/nothing",
        "/amp_sensor/view/view.css",
        "/amp_sensor/vendor/LICENSE",
        "/amp_sensor/view/",
        "/amp_sensor/view/..%2f..%2fconst.py",
        "/amp_sensor/",
    ):
        response = await site.client.get(URL(path, encoded=True))
        text = await response.text()
        assert response.status < HTTPStatus.INTERNAL_SERVER_ERROR
        for secret in (WEBHOOK_ID, TOKEN, VIN, "01JSITE", "Casa", "Rocinante", "CONF_"):
            assert secret not in text, path
    served = (FOLDER, FOLDER.parents[1] / "view" / "static")
    shipped = {path.suffix for folder in served for path in folder.rglob("*.*")}
    assert shipped == {".js", ".css"}, "all that is served to whoever asks"


def test_what_an_outsider_learns_is_written_down() -> None:
    rows = table("What an outsider learns")
    assert rows.pop("where")
    assert len(rows) >= 5
    assert all(re.search(r"\w", "".join(row)) for row in rows.values())
