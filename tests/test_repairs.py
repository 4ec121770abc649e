"""What a person should mend is told once, says what to do, and goes by itself."""

from http import HTTPStatus
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.components.webhook import async_generate_path
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.webhook import with_new_address
from tests.conftest import TEXTS, Site

_FLOW = "/api/repairs/issues/fix"


@pytest.fixture
async def repairs(hass: HomeAssistant) -> None:
    """Let Home Assistant show the pages of repairs; ask for it before the site."""
    assert await async_setup_component(hass, "repairs", {})


def _issues(site: Site) -> dict[str, ir.IssueEntry]:
    """Return the repairs that are shown, and check that a person can read and understand them."""
    issues = {issue.issue_id: issue for issue in ir.async_get(site.hass).issues.values() if issue.domain == DOMAIN}
    for issue in issues.values():
        texts = TEXTS["issues"][issue.translation_key]
        if issue.is_fixable:
            texts = {**texts, **texts["fix_flow"]["step"]["confirm"]}
        for text in ("title", "description"):
            assert texts[text].format(**(issue.translation_placeholders or {}))
    return issues


async def _start(client: TestClient[Any, Any], issue_id: str) -> Any:
    """Open the page of a repair."""
    response = await client.post(_FLOW, json={"handler": DOMAIN, "issue_id": issue_id})
    assert response.status == HTTPStatus.OK, await response.text()
    return await response.json()


async def _go_on(client: TestClient[Any, Any], flow_id: str, user_input: dict[str, Any] | None = None) -> Any:
    """Go on with what was typed; without that, look again."""
    path = f"{_FLOW}/{flow_id}"
    response = await (client.get(path) if user_input is None else client.post(path, json=user_input))
    assert response.status == HTTPStatus.OK, await response.text()
    return await response.json()


# Posts to an address that the site does not have any more


async def _used_old_address(site: Site) -> str:
    old = async_generate_path(site.entry.data[CONF_WEBHOOK_ID])
    site.hass.config_entries.async_update_entry(site.entry, data=with_new_address(site.entry.data))
    await site.hass.async_block_till_done()
    assert (await site.client.post(old)).status == HTTPStatus.GONE
    assert _issues(site)
    return old


async def test_an_old_address_can_be_forgotten(repairs: None, site: Site, hass_client: ClientSessionGenerator) -> None:
    old = await _used_old_address(site)
    client = await hass_client()
    form = await _start(client, f"old_address_{site.entry.entry_id}")
    assert form["step_id"] == "confirm"
    texts = TEXTS["issues"]["old_address"]["fix_flow"]["step"]["confirm"]
    assert texts["description"].format(**form["description_placeholders"])
    result = await _go_on(client, form["flow_id"], {})
    assert result["type"] == "create_entry"
    await site.hass.async_block_till_done()
    assert not _issues(site)
    assert await (await site.client.post(old)).read() == b""
    assert not _issues(site)


async def test_a_repair_that_is_no_longer_needed_says_so(
    repairs: None, site: Site, hass_client: ClientSessionGenerator
) -> None:
    await _used_old_address(site)
    client = await hass_client()
    form = await _start(client, f"old_address_{site.entry.entry_id}")
    site.coordinator.issues.set("old_address", site.entry.entry_id, is_wrong=False)
    result = await _go_on(client, form["flow_id"], {})
    assert (result["type"], result["reason"]) == ("abort", "gone")
    assert TEXTS["issues"]["old_address"]["fix_flow"]["abort"]["gone"]
