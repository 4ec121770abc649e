"""A person adds and changes sites and cars, makes every mistake on the way, and gets there."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Generator
import io
import json
from pathlib import Path
from random import Random
import shlex
from typing import Any
from unittest.mock import AsyncMock, patch

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryData,
)
from homeassistant.const import CONF_NAME, CONF_WEBHOOK_ID
from homeassistant.core import DOMAIN as HOMEASSISTANT_DOMAIN, HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.data_entry_flow import FlowResultType, InvalidData, section
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from custom_components.amp_sensor import async_setup_entry
from custom_components.amp_sensor.const import (
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_CONNECTED_TIMEOUT,
    CONF_DEAD_BAND,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_OLD_WEBHOOKS,
    CONF_PHASES,
    CONF_PROTECTION,
    CONF_PUBLISH_INTERVAL,
    CONF_RATING,
    CONF_SUBENTRY_ID,
    CONF_SUPPLY,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_TIME,
    CONF_TOLERANCE,
    CONF_VOLTAGE,
    DEFAULT_TESSIE_URL,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.amp_sensor.flows.device import qr_code
from custom_components.amp_sensor.meters.device_config import KITS, Kit, Recipe
from simulation.car import Car
from simulation.tessie_server import TessieServer

TOKEN = "token-of-the-tests"
OLD_TOKEN = "token-that-was-revoked"
VIN, OTHER_VIN = "5YJ3E1EA7KF000316", "7SAYGDEE9PF001234"
HOME = {"latitude": 43.36, "longitude": -8.83, "radius": 100.0}
RANDOM = Random(1)
INTERNAL, EXTERNAL = "http://192.168.1.2:8123", "https://home.example.org"

BREAKER = {CONF_KIND: "mcb_c", CONF_TOLERANCE: 0, CONF_TIME: 60}
SETTINGS = {CONF_MAX_AMPS: 25, CONF_VOLTAGE: 230, CONF_LOCAL_ONLY: True, CONF_PROTECTION: BREAKER}
SITE = {CONF_NAME: "Casa Ana", **SETTINGS}
SMALL_SITE = {**SITE, CONF_MAX_AMPS: 20}
"""A site that each of the kits can measure."""
CAR = {CONF_MAX_AMPS_CAR: 16, CONF_CHARGER_LOCATION: HOME}

TEXTS = json.loads(
    (Path(__file__).parent.parent / "custom_components" / DOMAIN / "translations" / "en.json").read_text()
)


@pytest.fixture(autouse=True)
def integration(enable_custom_integrations: None) -> Generator[AsyncMock]:
    """Let Home Assistant find the integration; setting a site up is not what most tests here are about."""
    with patch("custom_components.amp_sensor.async_setup_entry", return_value=True) as setup:
        yield setup


@pytest.fixture(autouse=True)
async def addresses(hass: HomeAssistant) -> None:
    """Home Assistant knows where it can be reached, and where home is."""
    await async_process_ha_core_config(
        hass,
        {
            "internal_url": INTERNAL,
            "external_url": EXTERNAL,
            "latitude": HOME["latitude"],
            "longitude": HOME["longitude"],
        },
    )


@pytest.fixture(autouse=True)
def no_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Whatever a test does, neither token nor VIN may end up in the log."""
    caplog.set_level("DEBUG")
    yield
    text = "\n".join(record.getMessage() for record in caplog.get_records("call")) + caplog.text
    for secret in (TOKEN, OLD_TOKEN, VIN, OTHER_VIN):
        assert secret not in text


@pytest.fixture
async def tessie(socket_enabled: None) -> AsyncGenerator[TessieServer]:
    """A Tessie with one car."""
    server = TessieServer(rng=RANDOM, token=TOKEN, latency_scale=0)
    server.add_car(VIN, Car(rng=RANDOM), name="Red")
    async with server:
        yield server


class EspHomeLoader(yaml.SafeLoader):
    """Takes the names of ESPHome's secrets for their values."""


EspHomeLoader.add_constructor("!secret", lambda loader, node: node.value)


def account(tessie: TessieServer, token: str = TOKEN) -> dict[str, Any]:
    return {CONF_TESSIE_TOKEN: token, "server": {CONF_TESSIE_URL: tessie.url}}


def car_data(url: str, vin: str = VIN, token: str = TOKEN) -> dict[str, Any]:
    return {CONF_TESSIE_TOKEN: token, CONF_TESSIE_URL: url, CONF_CAR_VIN: vin, **CAR}


def add_site(hass: HomeAssistant, name: str = "Casa Ana", cars: list[dict[str, Any]] | None = None) -> MockConfigEntry:
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=name,
        unique_id="".join(name.casefold().split()),
        data={**SETTINGS, CONF_WEBHOOK_ID: "the-id"},
        subentries_data=[
            ConfigSubentryData(data=car, subentry_type=SUBENTRY_CHARGER, title="Red", unique_id=car[CONF_CAR_VIN])
            for car in cars or []
        ],
    )
    entry.add_to_hass(hass)
    return entry


def only_car(entry: ConfigEntry) -> ConfigSubentry:
    (subentry,) = entry.subentries.values()
    return subentry


def check(result: Any, texts: dict[str, Any]) -> Any:
    """Check that a person can read and understand what a flow shows, and return it."""
    shown = json.dumps([result.get("description_placeholders"), result.get("title"), result.get("errors")])
    for secret in (TOKEN, OLD_TOKEN, VIN, OTHER_VIN):
        assert secret not in shown
    placeholders = result.get("description_placeholders") or {}
    match result["type"]:
        case FlowResultType.ABORT:
            if result.get("translation_domain") != HOMEASSISTANT_DOMAIN:
                assert texts["abort"][result["reason"]].format(**placeholders)
        case FlowResultType.MENU:
            step = texts["step"][result["step_id"]]
            assert step.get("description", "x").format(**placeholders)
            assert set(result["menu_options"]) <= set(step["menu_options"]) == set(step["menu_option_descriptions"])
        case FlowResultType.SHOW_PROGRESS:
            assert texts["step"][result["step_id"]]["title"]
            assert texts["progress"][result["progress_action"]].format(**placeholders)
        case FlowResultType.FORM:
            step = texts["step"][result["step_id"]]
            fields = result["data_schema"].schema if result["data_schema"] else {}
            sections = {str(key): value for key, value in fields.items() if isinstance(value, section)}
            for name, inner in sections.items():
                _check_fields({str(key) for key in inner.schema.schema}, step["sections"][name], placeholders)
                assert step["sections"][name]["name"]
            _check_fields({str(key) for key in fields} - set(sections), step, placeholders)
            assert step["title"].format(**placeholders)
            assert step.get("description", "x").format(**placeholders)
            for error in (result["errors"] or {}).values():
                assert texts["error"][error].format(**placeholders)
    return result


def _check_fields(fields: set[str], texts: dict[str, Any], placeholders: dict[str, str]) -> None:
    assert fields <= set(texts.get("data", {}))
    for field in fields:
        assert texts["data_description"][field].format(**placeholders)


def typed(result: Any) -> dict[str, Any]:
    """Return what a form already holds when it is shown."""
    return _typed(result["data_schema"].schema)


def _typed(schema: dict[Any, Any]) -> dict[str, Any]:
    values = {}
    for key, kind in schema.items():
        if isinstance(kind, section):
            values[str(key)] = _typed(kind.schema.schema)
        elif key.description:
            values[str(key)] = key.description["suggested_value"]
    return values


async def until(hass: HomeAssistant, condition: Callable[[], bool]) -> None:
    """Wait for what happens by itself, in the coordinator's own task and over real HTTP."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 -- nothing announces it
            await asyncio.sleep(0.01)
    await hass.async_block_till_done()


class Dialog:
    """One window in which somebody goes through a flow."""

    def __init__(self, manager: Any, texts: dict[str, Any], result: Any) -> None:
        self._manager = manager
        self._texts = texts
        self.result = check(result, texts)

    async def submit(self, user_input: dict[str, Any] | None = None) -> Any:
        user_input = {} if user_input is None else user_input
        self.result = check(await self._manager.async_configure(self.result["flow_id"], user_input), self._texts)
        return self.result

    async def choose(self, option: str) -> Any:
        return await self.submit({"next_step_id": option})

    async def finish(self, user_input: dict[str, Any] | None = None) -> Any:
        """Go on from the page with the address to the end, without waiting for the sensor."""
        await self.submit(user_input)
        return await self.choose("finish")

    async def again(self) -> Any:
        """See what the window shows once the progress has an end, as the frontend does when it is told."""
        self.result = check(await self._manager.async_configure(self.result["flow_id"]), self._texts)
        return self.result


async def new_site(hass: HomeAssistant) -> Dialog:
    flow = hass.config_entries.flow
    dialog = Dialog(flow, TEXTS["config"], await flow.async_init(DOMAIN, context={"source": SOURCE_USER}))
    await dialog.choose("site")
    return dialog


async def new_site_with_car(hass: HomeAssistant) -> Dialog:
    dialog = await new_site(hass)
    await dialog.submit(SITE)
    await dialog.choose("tesla")
    return dialog


async def new_car(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.subentries
    context: Any = {"source": SOURCE_USER}
    result = await flow.async_init((entry.entry_id, SUBENTRY_CHARGER), context=context)
    return Dialog(flow, TEXTS["config_subentries"][SUBENTRY_CHARGER], result)


async def change_car(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.subentries
    context: Any = {"source": SOURCE_RECONFIGURE, "subentry_id": only_car(entry).subentry_id}
    result = await flow.async_init((entry.entry_id, SUBENTRY_CHARGER), context=context)
    dialog = Dialog(flow, TEXTS["config_subentries"][SUBENTRY_CHARGER], result)
    await dialog.choose("settings")
    return dialog


async def change_site(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    return Dialog(hass.config_entries.flow, TEXTS["config"], await entry.start_reconfigure_flow(hass))


async def change_options(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.options
    return Dialog(flow, TEXTS["options"], await flow.async_init(entry.entry_id))


def to_copy(page: Any, field: str = "text") -> str:
    """Return what a page offers to copy, and check that it has a button for that: it is a read-only template."""
    assert page["data_schema"].schema[field].serialize()["selector"] == {"template": {"read_only": True}}
    text: str = typed(page)[field]
    return text


def check_code(page: Any, url: str) -> None:
    """Check that a page shows this address as a QR code."""
    assert page["description_placeholders"]["qr_code"] == f"![QR]({qr_code(url)})"


def check_configuration(page: Any, kit: Kit, url: str) -> None:
    """Check that a page shows the whole configuration of a device, and nothing else that is secret."""
    assert page["step_id"] == "esphome"
    shown = page["description_placeholders"]
    assert shown["largest_amps"] == str(kit.largest_amps)
    check_code(page, url)
    text = to_copy(page)
    loaded = yaml.load(text, Loader=EspHomeLoader)  # noqa: S506 -- a safe loader with one more tag
    assert loaded["substitutions"]["webhook_url"] == url
    assert loaded["substitutions"]["voltage"] == "230"
    assert loaded["packages"]
    for secret in (TOKEN, OLD_TOKEN, VIN):
        assert secret not in text


async def renew_token(hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str) -> Dialog:
    entry.async_start_reauth(hass, data={CONF_SUBENTRY_ID: subentry_id})
    await hass.async_block_till_done()
    flow = hass.config_entries.flow
    (progress,) = flow.async_progress_by_handler(DOMAIN)
    return Dialog(flow, TEXTS["config"], await flow.async_configure(progress["flow_id"]))


# A site


async def test_adding_a_site_without_a_car(hass: HomeAssistant, integration: AsyncMock) -> None:
    dialog = await new_site(hass)
    assert typed(dialog.result) == {CONF_NAME: hass.config.location_name, CONF_MAX_AMPS: "", CONF_PROTECTION: {}}
    menu = await dialog.submit({**SITE, CONF_NAME: "  Casa   Ana ", CONF_PROTECTION: {}})
    assert menu["type"] is FlowResultType.MENU
    page = await dialog.choose("webhook")
    assert page["step_id"] == "webhook"
    result = await dialog.finish()
    await hass.async_block_till_done()

    entry = result["result"]
    assert (entry.title, entry.unique_id, dict(entry.subentries)) == ("Casa Ana", "casaana", {})
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    assert entry.data == {**SETTINGS, CONF_WEBHOOK_ID: webhook_id}
    assert to_copy(page, "address") == f"{INTERNAL}/api/webhook/{webhook_id}"
    assert len(integration.mock_calls) == 1


async def test_the_command_works_as_pasted(hass: HomeAssistant) -> None:
    dialog = await new_site(hass)
    await dialog.submit(SITE)
    address = to_copy(await dialog.choose("webhook"), "address")
    page = await dialog.submit({"device": Recipe.CURL})
    command, header_option, header, data_option, body, url = shlex.split(to_copy(page))
    assert (command, header_option, data_option) == ("curl", "-H", "-d")
    assert (header, url) == ("Content-Type: application/json", address)
    assert json.loads(body) == {"amps": 10.0, "watts": 2200.0}


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.key)
async def test_a_new_site_shows_what_to_put_on_its_device_before_it_is_saved(hass: HomeAssistant, kit: Kit) -> None:
    dialog = await new_site(hass)
    await dialog.submit(SMALL_SITE)
    url = to_copy(await dialog.choose("webhook"), "address")
    page = await dialog.submit({"device": kit.key})
    check_configuration(page, kit, url)
    assert not hass.config_entries.async_entries(DOMAIN)
    result = await dialog.finish()
    assert url.endswith(result["result"].data[CONF_WEBHOOK_ID])


def devices(page: Any) -> set[str]:
    """Return what a page offers to put on the device."""
    options: list[str] = page["data_schema"].schema["device"].config["options"]
    return set(options)


@pytest.mark.parametrize(
    ("budget", "kits"),
    [
        (22, {"sct-013-030", "sct-013-000", "three-phases", "acs712", "ct-clamp"}),
        (23, {"sct-013-030", "sct-013-000", "three-phases", "ct-clamp"}),
        (24, {"sct-013-000", "three-phases"}),
        (25, {"sct-013-000", "three-phases"}),
        (73, set()),
    ],
)
async def test_only_parts_are_offered_that_measure_more_than_the_budget(
    hass: HomeAssistant, budget: int, kits: set[str]
) -> None:
    dialog = await new_site(hass)
    await dialog.submit({**SITE, CONF_MAX_AMPS: budget})
    page = await dialog.choose("webhook")
    assert devices(page) == kits | {*Recipe}
    assert page["description_placeholders"] == {"budget": str(budget)}
    entry = (await dialog.finish())["result"]
    page = await (await change_options(hass, entry)).choose("device")
    assert devices(page) == kits | {*Recipe}


@pytest.mark.parametrize("language", Recipe)
async def test_a_device_of_ones_own_is_shown_its_lines(hass: HomeAssistant, language: Recipe) -> None:
    dialog = await new_site(hass)
    await dialog.submit(SITE)
    url = to_copy(await dialog.choose("webhook"), "address")
    page = await dialog.submit({"device": language})
    assert page["step_id"] == "recipe"
    assert url in to_copy(page)
    check_code(page, url)
    assert (await dialog.finish())["type"] is FlowResultType.CREATE_ENTRY


async def test_a_site_accepts_what_the_command_posts(
    hass: HomeAssistant, integration: AsyncMock, tessie: TessieServer, hass_client_no_auth: ClientSessionGenerator
) -> None:
    integration.side_effect = async_setup_entry
    dialog = await new_site_with_car(hass)
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    page = await dialog.submit({"device": Recipe.CURL})
    *_, header, _, body, url = shlex.split(to_copy(page))
    entry = (await dialog.finish())["result"]
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    name, value = header.split(": ")
    client = await hass_client_no_auth()
    response = await client.post(url.removeprefix(INTERNAL), data=body, headers={name: value})
    assert await response.json() == {"accepted": True}
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_sensor_elsewhere_is_shown_the_address_from_outside(hass: HomeAssistant) -> None:
    dialog = await new_site(hass)
    await dialog.submit({**SITE, CONF_LOCAL_ONLY: False})
    page = await dialog.choose("webhook")
    assert to_copy(page, "address").startswith(f"{EXTERNAL}/api/webhook/")


async def test_the_code_of_an_address_is_dark_on_white_with_a_quiet_margin() -> None:
    data = base64.b64decode(qr_code(f"{EXTERNAL}/api/webhook/0").removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(data)).convert("L") as image:
        margin = [image.getpixel((at, at)) for at in range(16)]
        assert margin == [255] * 16
        assert image.getpixel((16, 16)) == 0, "the corner that a scanner looks for"


async def test_without_an_address_of_its_own_the_page_shows_the_path(hass: HomeAssistant) -> None:
    await hass.config.async_update(internal_url=None, external_url=None)
    dialog = await new_site(hass)
    assert hass.config.api
    hass.config.api.local_ip = "127.0.0.1"  # as where Home Assistant listens on its own machine only
    await dialog.submit(SITE)
    page = await dialog.choose("webhook")
    assert page["step_id"] == "webhook_path"
    result = await dialog.finish()
    assert to_copy(page, "address") == f"/api/webhook/{result['result'].data[CONF_WEBHOOK_ID]}"


@pytest.mark.parametrize(
    ("name", "error"),
    [("   ", "name_empty"), ("casa ANA", "site_known"), ("CasaAna ", "site_known"), ("Old name", "site_known")],
)
async def test_a_name_that_cannot_be_is_corrected(hass: HomeAssistant, name: str, error: str) -> None:
    add_site(hass)
    hass.config_entries.async_update_entry(add_site(hass, "Old name"), title="Renamed in the list")
    dialog = await new_site(hass)
    form = await dialog.submit({**SITE, CONF_NAME: name})
    assert form["errors"] == {CONF_NAME: error}
    assert typed(form) == {**SITE, CONF_SUPPLY: "learn", CONF_NAME: name}
    await dialog.submit({**SITE, CONF_NAME: "Garage"})
    await dialog.choose("webhook")
    result = await dialog.finish()
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "wrong",
    [
        {CONF_MAX_AMPS: 5},
        {CONF_MAX_AMPS: 126},
        {CONF_VOLTAGE: 99},
        {CONF_VOLTAGE: 261},
        {CONF_PROTECTION: {**BREAKER, CONF_KIND: "rcd"}},
        {CONF_PROTECTION: {**BREAKER, CONF_RATING: 5}},
        {CONF_PROTECTION: {**BREAKER, CONF_RATING: 126}},
        {CONF_PROTECTION: {**BREAKER, CONF_TOLERANCE: 51}},
        {CONF_PROTECTION: {**BREAKER, CONF_TIME: 0}},
        {CONF_PROTECTION: {**BREAKER, CONF_TIME: 10801}},
    ],
    ids=str,
)
async def test_absurd_numbers_are_not_taken(hass: HomeAssistant, wrong: dict[str, Any]) -> None:
    dialog = await new_site(hass)
    with pytest.raises(InvalidData):
        await dialog.submit({**SITE, **wrong})
    await dialog.submit(SITE)
    await dialog.choose("webhook")
    assert (await dialog.finish())["type"] is FlowResultType.CREATE_ENTRY


async def test_the_first_of_two_windows_wins(hass: HomeAssistant) -> None:
    slow, quick = await new_site(hass), await new_site(hass)
    for dialog in (slow, quick):
        await dialog.submit(SITE)
        await dialog.choose("webhook")
    await quick.finish()
    assert [entry.title for entry in hass.config_entries.async_entries(DOMAIN)] == ["Casa Ana"]
    assert not hass.config_entries.flow.async_progress()


async def test_a_name_taken_by_a_renamed_site_in_the_meantime(hass: HomeAssistant) -> None:
    entry = add_site(hass, "Garage")
    dialog = await new_site(hass)
    await dialog.submit(SITE)
    await dialog.choose("webhook")
    hass.config_entries.async_update_entry(entry, title="Casa Ana", unique_id="casaana")
    assert (await dialog.finish())["reason"] == "already_configured"


async def test_changing_a_site(hass: HomeAssistant) -> None:
    entry = add_site(hass)
    add_site(hass, "Garage")
    dialog = await change_site(hass, entry)
    assert typed(dialog.result) == SITE
    form = await dialog.submit({**SITE, CONF_NAME: "garage"})
    assert form["errors"] == {CONF_NAME: "site_known"}
    page = await dialog.submit({**SITE, CONF_NAME: "Casa Bea", CONF_MAX_AMPS: 32})
    assert to_copy(page, "address") == f"{INTERNAL}/api/webhook/the-id"
    assert (await dialog.submit())["reason"] == "reconfigure_successful"
    assert (entry.title, entry.unique_id) == ("Casa Bea", "casabea")
    assert entry.data == {**SETTINGS, CONF_MAX_AMPS: 32, CONF_WEBHOOK_ID: "the-id"}


@pytest.mark.parametrize(
    ("typed_in", "kept"),
    [({}, None), ({CONF_SUPPLY: "learn"}, None), ({CONF_SUPPLY: "split"}, "split"), ({CONF_SUPPLY: "three"}, "three")],
)
async def test_how_the_house_is_fed_is_kept(hass: HomeAssistant, typed_in: dict[str, str], kept: str | None) -> None:
    dialog = await new_site(hass)
    await dialog.submit({**SITE, **typed_in})
    await dialog.choose("webhook")
    assert (await dialog.finish())["result"].data.get(CONF_SUPPLY) == kept


async def test_how_the_house_is_fed_can_be_changed_and_left_to_the_readings_again(hass: HomeAssistant) -> None:
    entry = add_site(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_OLD_WEBHOOKS: {"an-old-id": 1.0}})
    for supply in ("three", "learn"):
        dialog = await change_site(hass, entry)
        await dialog.submit({**SITE, CONF_SUPPLY: supply})
        await dialog.submit()
        kept = {CONF_SUPPLY: "three"} if supply == "three" else {}
        assert entry.data == {**SETTINGS, **kept, CONF_WEBHOOK_ID: "the-id", CONF_OLD_WEBHOOKS: {"an-old-id": 1.0}}
        assert typed((await change_site(hass, entry)).result) == {**SITE, **kept}


@pytest.mark.parametrize(("supply", "phases"), [("single", None), ("split", [2]), ("three", [2, 3]), ("learn", [2, 3])])
async def test_a_car_keeps_the_phases_that_its_site_has(
    hass: HomeAssistant, tessie: TessieServer, supply: str, phases: list[int] | None
) -> None:
    entry = add_site(hass, cars=[{**car_data(tessie.url), CONF_PHASES: [2, 3]}])
    dialog = await change_site(hass, entry)
    await dialog.submit({**SITE, CONF_SUPPLY: supply})
    await dialog.submit()
    assert only_car(entry).data.get(CONF_PHASES) == phases


async def test_the_options(hass: HomeAssistant) -> None:
    entry = add_site(hass)
    dialog = await change_options(hass, entry)
    await dialog.choose("settings")
    history = {CONF_DEAD_BAND: 0.5, CONF_PUBLISH_INTERVAL: 60}
    sensible = {"sensor": {CONF_CONNECTED_TIMEOUT: 30}, "history": history}
    for absurd in (
        {"sensor": {CONF_CONNECTED_TIMEOUT: 14}},
        {"sensor": {CONF_CONNECTED_TIMEOUT: 3601}},
        {"history": history | {CONF_DEAD_BAND: 0.04}},
        {"history": history | {CONF_DEAD_BAND: 5.1}},
        {"history": history | {CONF_PUBLISH_INTERVAL: 9}},
        {"history": history | {CONF_PUBLISH_INTERVAL: 301}},
    ):
        with pytest.raises(InvalidData):
            await dialog.submit(sensible | absurd)
    await dialog.submit(sensible)
    assert entry.options == {CONF_CONNECTED_TIMEOUT: 30, **history}
    dialog = await change_options(hass, entry)
    await dialog.choose("settings")
    assert typed(dialog.result) == sensible


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.key)
async def test_the_configuration_of_the_device_can_be_seen_again(hass: HomeAssistant, kit: Kit) -> None:
    entry = add_site(hass)
    small = {**entry.data, CONF_MAX_AMPS: SMALL_SITE[CONF_MAX_AMPS]}
    hass.config_entries.async_update_entry(entry, data=small, options={CONF_CONNECTED_TIMEOUT: 30})
    dialog = await change_options(hass, entry)
    await dialog.choose("device")
    page = await dialog.submit({"device": kit.key})
    check_configuration(page, kit, f"{INTERNAL}/api/webhook/the-id")
    assert (await dialog.submit())["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {CONF_CONNECTED_TIMEOUT: 30}


async def test_no_configuration_is_shown_without_an_address(hass: HomeAssistant) -> None:
    await hass.config.async_update(internal_url=None, external_url=None)
    entry = add_site(hass)
    dialog = await change_options(hass, entry)
    assert hass.config.api
    hass.config.api.local_ip = "127.0.0.1"  # as where Home Assistant listens on its own machine only
    assert (await dialog.choose("device"))["reason"] == "no_address"


# What protects the supply


@pytest.mark.parametrize(
    ("typed_in", "kept"),
    [
        ({}, BREAKER),
        ({CONF_KIND: "fuse_gg", CONF_RATING: 63}, {**BREAKER, CONF_KIND: "fuse_gg", CONF_RATING: 63}),
        (
            {CONF_KIND: "meter_switch", CONF_RATING: 25, CONF_TOLERANCE: 10, CONF_TIME: 10800},
            {CONF_KIND: "meter_switch", CONF_RATING: 25, CONF_TOLERANCE: 10, CONF_TIME: 10800},
        ),
    ],
)
async def test_the_protection_is_kept(hass: HomeAssistant, typed_in: dict[str, Any], kept: dict[str, Any]) -> None:
    dialog = await new_site(hass)
    await dialog.submit({**SITE, CONF_PROTECTION: typed_in})
    await dialog.choose("webhook")
    assert (await dialog.finish())["result"].data[CONF_PROTECTION] == kept


async def test_an_empty_rating_is_empty_again(hass: HomeAssistant) -> None:
    entry = add_site(hass)
    rated = {**SETTINGS, CONF_PROTECTION: {**BREAKER, CONF_RATING: 63}}
    hass.config_entries.async_update_entry(entry, data={**rated, CONF_WEBHOOK_ID: "the-id"})
    dialog = await change_site(hass, entry)
    assert typed(dialog.result) == {**rated, CONF_NAME: "Casa Ana"}
    await dialog.submit({**SITE, CONF_PROTECTION: {CONF_KIND: "mcb_b"}})
    await dialog.submit()
    assert entry.data[CONF_PROTECTION] == {**BREAKER, CONF_KIND: "mcb_b"}


@pytest.mark.parametrize(
    ("protection", "refused"),
    [
        ({CONF_RATING: 24}, True),
        ({CONF_RATING: 25}, False),
        ({CONF_KIND: "meter_switch", CONF_RATING: 23, CONF_TOLERANCE: 8}, True),
        ({CONF_KIND: "meter_switch", CONF_RATING: 23, CONF_TOLERANCE: 9}, False),
        ({CONF_RATING: 24, CONF_TOLERANCE: 10}, True),
    ],
)
async def test_a_budget_that_the_protection_does_not_carry_is_corrected(
    hass: HomeAssistant, protection: dict[str, Any], refused: bool
) -> None:
    dialog = await new_site(hass)
    form = await dialog.submit({**SITE, CONF_PROTECTION: protection})
    if refused:
        assert form["errors"] == {CONF_MAX_AMPS: "above_protection"}
        assert typed(form)[CONF_PROTECTION] == {**BREAKER, **protection}
        form = await dialog.submit(SITE)
    assert form["type"] is FlowResultType.MENU


# The first reading

READING = {"amps": 10.04, "watts": 2309.0}


class Sensor:
    """A device on which the address was put that a page shows."""

    def __init__(self, client: TestClient[Any, Any], url: str) -> None:
        self._client = client
        self._path = url.removeprefix(INTERNAL)

    async def post(self, **reading: Any) -> tuple[int, Any]:
        """Post a reading, and return the answer."""
        response = await self._client.post(self._path, json=reading, headers={"User-Agent": "ESP32"})
        body = await response.read()
        return response.status, json.loads(body) if body else None


async def first_reading(
    hass: HomeAssistant, client: ClientSessionGenerator, site: dict[str, Any] = SITE
) -> tuple[Dialog, Sensor]:
    """Go as far as the question whether to wait."""
    assert await async_setup_component(hass, DOMAIN, {})  # a test's server takes no pages once it has started
    dialog = await new_site(hass)
    await dialog.submit(site)
    page = await dialog.choose("webhook")
    sensor = Sensor(await client(), to_copy(page, "address").removeprefix(EXTERNAL))
    menu = await dialog.submit()
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "reading")
    assert (await dialog.again())["step_id"] == "reading", "the page was loaded again"
    return dialog, sensor


async def test_the_first_reading_is_waited_for_and_shown(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, integration: AsyncMock
) -> None:
    integration.side_effect = async_setup_entry
    dialog, sensor = await first_reading(hass, hass_client_no_auth)
    page = await dialog.choose("wait")
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    assert (await dialog.again())["type"] is FlowResultType.SHOW_PROGRESS
    assert await sensor.post(**READING) == (200, {"accepted": True})
    await hass.async_block_till_done()
    page = await dialog.again()
    assert page["step_id"] == "arrived"
    assert page["description_placeholders"] == {"client": "127.0.0.1", "current": "10.0 A", "power": "2309 W"}
    entry = (await dialog.submit())["result"]
    await hass.async_block_till_done()
    assert await sensor.post(**READING) == (200, {"accepted": True})
    await entry.runtime_data.async_idle()
    assert entry.runtime_data.data.moment.amps == (10.04,)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_reading_that_came_before_anybody_waited_is_shown_at_once(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    dialog, sensor = await first_reading(hass, hass_client_no_auth)
    await sensor.post(phases=[{"amps": 1.0}, {"amps": 2.0}, {"amps": 3.0}])
    await dialog.choose("wait")
    await hass.async_block_till_done()
    page = await dialog.again()
    assert page["step_id"] == "arrived"
    assert page["description_placeholders"]["current"] == "1.0 A + 2.0 A + 3.0 A"
    assert page["description_placeholders"]["power"] == "1380 W"


async def test_without_a_reading_the_page_helps_and_one_can_wait_again_or_finish(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.amp_sensor.meters.first_reading.WAIT_S", 0.01)
    dialog, sensor = await first_reading(hass, hass_client_no_auth)
    elsewhere = await sensor._client.post("/api/webhook/wrong", json=READING)
    assert await elsewhere.read() == b"", "what goes to a wrong address cannot be seen"
    for _ in range(2):
        await dialog.choose("wait")
        await asyncio.sleep(0.05)
        await hass.async_block_till_done()
        page = await dialog.again()
        assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "no_reading")
        assert page["description_placeholders"]["url"].endswith(sensor._path)
    assert (await dialog.choose("finish"))["type"] is FlowResultType.CREATE_ENTRY


async def test_a_wrong_format_is_shown_at_once_as_the_sensor_was_answered(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    dialog, sensor = await first_reading(hass, hass_client_no_auth)
    await dialog.choose("wait")
    status, answer = await sensor.post(amps="10")
    assert (status, answer["accepted"]) == (422, False)
    await hass.async_block_till_done()
    page = await dialog.again()
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "refused")
    assert page["description_placeholders"] == {"client": "127.0.0.1", "refusal": answer["error"]}
    await dialog.choose("wait")
    await sensor.post(**READING)
    await hass.async_block_till_done()
    assert (await dialog.again())["step_id"] == "arrived"


async def test_a_sensor_outside_is_shown_and_can_be_let_in(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog, sensor = await first_reading(hass, hass_client_no_auth)
    monkeypatch.setattr("homeassistant.util.network.is_local", lambda address: False)
    await dialog.choose("wait")
    assert (await sensor.post(**READING))[0] == 403
    await hass.async_block_till_done()
    page = await dialog.again()
    assert page["step_id"] == "outside"
    assert page["description_placeholders"]["client"] == "127.0.0.1"
    assert (await dialog.choose("anywhere"))["type"] is FlowResultType.SHOW_PROGRESS
    assert (await sensor.post(**READING))[0] == 200
    await hass.async_block_till_done()
    assert (await dialog.again())["step_id"] == "arrived"
    assert (await dialog.submit())["result"].data[CONF_LOCAL_ONLY] is False


@pytest.mark.parametrize("waits", [True, False])
async def test_a_closed_window_no_longer_listens(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, waits: bool
) -> None:
    dialog, sensor = await first_reading(hass, hass_client_no_auth)
    if waits:
        await dialog.choose("wait")
    hass.config_entries.flow.async_abort(dialog.result["flow_id"])
    await hass.async_block_till_done()
    assert await sensor.post(**READING) == (200, None)


# A new address


async def test_a_sensor_gets_a_new_address(hass: HomeAssistant) -> None:
    entry = add_site(hass)
    dialog = await change_options(hass, entry)
    page = await dialog.choose("address")
    assert page["description_placeholders"] == {"site": "Casa Ana"}
    assert entry.data[CONF_WEBHOOK_ID] == "the-id", "not before it is confirmed"
    await dialog.submit()
    page = await dialog.submit({"device": KITS[1].key})
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    assert len(webhook_id) == 64
    check_configuration(page, KITS[1], f"{INTERNAL}/api/webhook/{webhook_id}")
    assert (await dialog.submit())["type"] is FlowResultType.CREATE_ENTRY
    assert list(entry.data[CONF_OLD_WEBHOOKS]) == ["the-id"]
    page = await (await change_site(hass, entry)).submit(SITE)
    assert to_copy(page, "address").endswith(webhook_id)


async def test_there_is_no_new_address_where_it_cannot_be_shown(hass: HomeAssistant) -> None:
    await hass.config.async_update(internal_url=None, external_url=None)
    entry = add_site(hass)
    dialog = await change_options(hass, entry)
    assert hass.config.api
    hass.config.api.local_ip = "127.0.0.1"
    assert (await dialog.choose("address"))["reason"] == "no_address"
    assert entry.data[CONF_WEBHOOK_ID] == "the-id"


# A car with a new site


async def test_adding_a_site_with_its_only_car(hass: HomeAssistant, tessie: TessieServer) -> None:
    dialog = await new_site_with_car(hass)
    form = await dialog.submit(account(tessie, f" {TOKEN}\n"))
    assert form["description_placeholders"] == {"car": "Red"}
    assert typed(form) == {CONF_MAX_AMPS_CAR: 16, CONF_CHARGER_LOCATION: HOME}
    await dialog.submit({**CAR, CONF_CHARGER_LOCATION: {"latitude": 1.0, "longitude": 2.0}})
    result = await dialog.finish()
    car = only_car(result["result"])
    assert (car.subentry_type, car.title, car.unique_id) == (SUBENTRY_CHARGER, "Red", VIN)
    assert car.data == {
        **car_data(tessie.url),
        CONF_CHARGER_LOCATION: {"latitude": 1.0, "longitude": 2.0, "radius": 100},
    }


def phases_to_choose(form: Any) -> list[str]:
    choice = form["data_schema"].schema.get(CONF_PHASES)
    return [] if choice is None else [option["label"] for option in choice.config["options"]]


@pytest.mark.parametrize(
    ("supply", "offered"),
    [("single", []), ("split", ["L1", "L2"]), ("three", ["L1", "L2", "L3"]), ("learn", ["L1", "L2", "L3"])],
)
async def test_a_car_may_say_which_phases_it_loads(
    hass: HomeAssistant, tessie: TessieServer, supply: str, offered: list[str]
) -> None:
    dialog = await new_site(hass)
    await dialog.submit({**SITE, CONF_SUPPLY: supply})
    await dialog.choose("tesla")
    form = await dialog.submit(account(tessie))
    assert phases_to_choose(form) == offered
    await dialog.submit({**CAR, **({CONF_PHASES: ["2", "1"]} if offered else {})})
    car = only_car((await dialog.finish())["result"])
    assert car.data.get(CONF_PHASES) == ([1, 2] if offered else None)


async def test_choosing_among_cars_of_the_same_name(hass: HomeAssistant, tessie: TessieServer) -> None:
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Red")
    dialog = await new_site_with_car(hass)
    form = await dialog.submit(account(tessie))
    choice = form["data_schema"].schema[CONF_CAR_VIN]
    assert [option["label"] for option in choice.config["options"]] == ["Red (…0316)", "Red (…1234)"]
    await dialog.submit({CONF_CAR_VIN: OTHER_VIN})
    await dialog.submit(CAR)
    result = await dialog.finish()
    assert only_car(result["result"]).unique_id == OTHER_VIN


@pytest.mark.parametrize(
    ("reported", "budget", "proposed"),
    [(16, 25, 16), (32, 25, 25), (48, 63, 48), (80, 100, 48), (4, 25, ""), (0, 25, "")],
)
async def test_the_maximum_that_a_car_reports_is_proposed_up_to_the_budget(
    hass: HomeAssistant, tessie: TessieServer, reported: int, budget: int, proposed: int | str
) -> None:
    tessie.remove_car(VIN)
    tessie.add_car(VIN, Car(rng=RANDOM, max_amps=reported), name="Red")
    dialog = await new_site(hass)
    await dialog.submit({**SITE, CONF_MAX_AMPS: budget})
    await dialog.choose("tesla")
    form = await dialog.submit(account(tessie))
    assert typed(form)[CONF_MAX_AMPS_CAR] == proposed


async def test_a_car_that_another_site_has_is_not_offered(hass: HomeAssistant, tessie: TessieServer) -> None:
    add_site(hass, "Garage", [car_data(tessie.url)])
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Blue")
    dialog = await new_site_with_car(hass)
    form = await dialog.submit(account(tessie))
    assert form["description_placeholders"] == {"car": "Blue"}
    await dialog.submit(CAR)
    result = await dialog.finish()
    assert only_car(result["result"]).unique_id == OTHER_VIN


ACCOUNT_ERRORS = [
    ("unauthorized", {CONF_TESSIE_TOKEN: "invalid_auth"}),
    ("no_subscription", {"base": "no_subscription"}),
    ("forbidden", {CONF_TESSIE_TOKEN: "missing_scope"}),
    ("forbidden_page", {"base": "cannot_connect"}),
    ("too_many", {"base": "busy"}),
    ("bad_gateway", {"base": "cannot_connect"}),
    ("cut_off", {"base": "cannot_connect"}),
    ("html", {"base": "cannot_connect"}),
    ("truncated", {"base": "cannot_connect"}),
]


@pytest.mark.parametrize(("fault", "errors"), ACCOUNT_ERRORS)
async def test_what_tessie_answers_instead(
    hass: HomeAssistant, tessie: TessieServer, fault: str, errors: dict[str, str]
) -> None:
    tessie.faults.inject(fault, count=1)
    dialog = await new_site_with_car(hass)
    form = await dialog.submit(account(tessie))
    assert form["errors"] == errors
    assert typed(form) == account(tessie)
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    result = await dialog.finish()
    assert only_car(result["result"]).data == car_data(tessie.url)


def is_server_open(form: Any) -> bool:
    is_collapsed: bool = form["data_schema"].schema["server"].options["collapsed"]
    return not is_collapsed


async def test_an_address_of_ones_own_stays_in_sight_until_it_is_right(
    hass: HomeAssistant, tessie: TessieServer, unused_tcp_port: int
) -> None:
    dialog = await new_site_with_car(hass)
    assert not is_server_open(dialog.result)
    for url in ("nonsense", f"http://127.0.0.1:{unused_tcp_port}"):
        form = await dialog.submit({CONF_TESSIE_TOKEN: TOKEN, "server": {CONF_TESSIE_URL: url}})
        assert is_server_open(form)
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    entry = (await dialog.finish())["result"]
    assert is_server_open((await change_car(hass, entry)).result)


async def test_an_account_without_cars(hass: HomeAssistant, tessie: TessieServer) -> None:
    tessie.remove_car(VIN)
    dialog = await new_site_with_car(hass)
    form = await dialog.submit(account(tessie))
    assert form["errors"] == {"base": "no_vehicle"}
    tessie.add_car(VIN, Car(rng=RANDOM), name="Red")
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    assert only_car((await dialog.finish())["result"]).title == "Red"


async def test_an_account_whose_cars_are_all_taken_and_going_on_without(
    hass: HomeAssistant, tessie: TessieServer
) -> None:
    add_site(hass, "Garage", [car_data(tessie.url)])
    dialog = await new_site_with_car(hass)
    form = await dialog.submit(account(tessie))
    assert form["errors"] == {"base": "car_known"}
    await dialog.submit({"server": {CONF_TESSIE_URL: tessie.url}})
    result = await dialog.finish()
    assert not result["result"].subentries


async def test_a_cloud_that_is_not_there(hass: HomeAssistant, tessie: TessieServer, unused_tcp_port: int) -> None:
    dialog = await new_site_with_car(hass)
    nowhere = {CONF_TESSIE_TOKEN: TOKEN, "server": {CONF_TESSIE_URL: f"http://127.0.0.1:{unused_tcp_port}"}}
    form = await dialog.submit(nowhere)
    assert form["errors"] == {"base": "cannot_connect"}
    assert typed(form) == nowhere
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    assert (await dialog.finish())["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "address",
    [
        "api.tessie.com",
        "ftp://api.tessie.com",
        "https://",
        "https://api.tessie.com:99999",
        "https://me:secret@api.tessie.com",
        "https://api.tessie.com?a=b",
        "nonsense",
    ],
)
async def test_an_address_that_is_none(hass: HomeAssistant, tessie: TessieServer, address: str) -> None:
    dialog = await new_site_with_car(hass)
    form = await dialog.submit({CONF_TESSIE_TOKEN: TOKEN, "server": {CONF_TESSIE_URL: address}})
    assert form["errors"] == {"base": "invalid_url"}
    assert typed(form) == {CONF_TESSIE_TOKEN: TOKEN, "server": {CONF_TESSIE_URL: address}}
    await dialog.submit({CONF_TESSIE_TOKEN: TOKEN, "server": {CONF_TESSIE_URL: f"{tessie.url}/ "}})
    await dialog.submit(CAR)
    result = await dialog.finish()
    assert only_car(result["result"]).data[CONF_TESSIE_URL] == tessie.url


@pytest.mark.parametrize("server", [{}, {CONF_TESSIE_URL: ""}])
async def test_the_usual_address_is_the_default_and_comes_back(hass: HomeAssistant, server: dict[str, str]) -> None:
    dialog = await new_site_with_car(hass)
    with patch("custom_components.amp_sensor.flows.charger.TessieClient", autospec=True) as client:
        client.return_value.vehicles.return_value = []
        await dialog.submit({CONF_TESSIE_TOKEN: TOKEN, "server": server})
    assert client.call_args.args[1:] == (TOKEN, DEFAULT_TESSIE_URL)


@pytest.mark.parametrize("radius", [0.0, 19.0, 1001.0])
async def test_a_circle_that_cannot_be_meant(hass: HomeAssistant, tessie: TessieServer, radius: float) -> None:
    dialog = await new_site_with_car(hass)
    await dialog.submit(account(tessie))
    wrong = {**CAR, CONF_CHARGER_LOCATION: {**HOME, "radius": radius}}
    form = await dialog.submit(wrong)
    assert form["errors"] == {CONF_CHARGER_LOCATION: "radius"}
    assert typed(form) == wrong
    for absurd in (4, 49):
        with pytest.raises(InvalidData):
            await dialog.submit({**CAR, CONF_MAX_AMPS_CAR: absurd})
    await dialog.submit(CAR)
    assert (await dialog.finish())["type"] is FlowResultType.CREATE_ENTRY


async def test_a_car_added_elsewhere_in_the_meantime(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, "Garage")
    site, car = await new_site_with_car(hass), await new_car(hass, entry)
    await car.choose("tesla")
    for dialog in (site, car):
        await dialog.submit(account(tessie))
    await site.submit(CAR)
    add_site(hass, "Third", [car_data(tessie.url)])
    assert (await site.finish())["reason"] == "car_known"
    assert (await car.submit(CAR))["reason"] == "car_known"


# A car of a site that is there


async def test_adding_a_car_later(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass)
    dialog = await new_car(hass, entry)
    assert dialog.result["menu_options"] == ["tesla", "device"]
    await dialog.choose("tesla")
    form = await dialog.submit(account(tessie, "wrong"))
    assert form["errors"] == {CONF_TESSIE_TOKEN: "invalid_auth"}
    await dialog.submit(account(tessie))
    result = await dialog.submit(CAR)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    car = only_car(entry)
    assert (car.subentry_type, car.title, car.unique_id) == (SUBENTRY_CHARGER, "Red", VIN)
    assert car.data == car_data(tessie.url)


async def test_a_second_car_needs_no_second_token(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url)])
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Blue")
    dialog = await new_car(hass, entry)
    assert dialog.result["description_placeholders"] == {"cars": "Red"}
    form = await dialog.choose("known_account")
    assert form["description_placeholders"] == {"car": "Blue"}
    await dialog.submit(CAR)
    second = next(car for car in entry.subentries.values() if car.unique_id == OTHER_VIN)
    assert second.data == car_data(tessie.url, OTHER_VIN)


async def test_the_car_of_a_new_site_needs_no_token_of_a_known_account(
    hass: HomeAssistant, tessie: TessieServer
) -> None:
    add_site(hass, "Garage", [car_data(tessie.url), car_data(tessie.url, "5YJ3E1EA7KF000999", OLD_TOKEN)])
    for vin, name in ((OTHER_VIN, "Blue"), ("5YJ3E1EA7KF000777", "Green")):
        tessie.add_car(vin, Car(rng=RANDOM), name=name)
    dialog = await new_site(hass)
    await dialog.submit(SITE)
    form = await dialog.choose("known_account")
    assert form["step_id"] == "which_car", "the account whose token was refused does not stand in the way"
    await dialog.submit({CONF_CAR_VIN: OTHER_VIN})
    await dialog.submit(CAR)
    assert only_car((await dialog.finish())["result"]).data == car_data(tessie.url, OTHER_VIN)


@pytest.mark.parametrize(
    ("token", "errors"), [(TOKEN, {"base": "car_known"}), (OLD_TOKEN, {CONF_TESSIE_TOKEN: "invalid_auth"})]
)
async def test_a_known_account_that_shows_no_other_car_is_replaced_by_another(
    hass: HomeAssistant, tessie: TessieServer, token: str, errors: dict[str, str]
) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url, token=token)])
    dialog = await new_car(hass, entry)
    form = await dialog.choose("known_account")
    assert form["errors"] == errors
    assert typed(form) == {"server": {CONF_TESSIE_URL: tessie.url}}, "the token is not shown"
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Blue")
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    assert {car.unique_id for car in entry.subentries.values()} == {VIN, OTHER_VIN}


async def test_a_known_account_that_is_removed_while_it_is_chosen(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url)])
    dialog = await new_car(hass, entry)
    hass.config_entries.async_remove_subentry(entry, only_car(entry).subentry_id)
    form = await dialog.choose("known_account")
    assert form["step_id"] == "tesla"
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    assert only_car(entry).unique_id == VIN


async def test_the_same_car_twice_is_refused(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url)])
    dialog = await new_car(hass, entry)
    await dialog.choose("tesla")
    form = await dialog.submit(account(tessie))
    assert form["errors"] == {"base": "car_known"}
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Blue")
    await dialog.submit(account(tessie))
    await dialog.submit(CAR)
    assert {car.unique_id for car in entry.subentries.values()} == {VIN, OTHER_VIN}


async def test_changing_a_car_without_asking_tessie(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url)])
    dialog = await change_car(hass, entry)
    server = {CONF_TESSIE_URL: tessie.url}
    assert typed(dialog.result) == {**CAR, "server": server}
    wrong = {CONF_MAX_AMPS_CAR: 8, CONF_CHARGER_LOCATION: {**HOME, "radius": 5.0}, "server": server}
    form = await dialog.submit(wrong)
    assert form["errors"] == {CONF_CHARGER_LOCATION: "radius"}
    assert typed(form) == wrong
    result = await dialog.submit({**wrong, CONF_CHARGER_LOCATION: HOME})
    assert result["reason"] == "reconfigure_successful"
    assert only_car(entry).data == {**car_data(tessie.url), CONF_MAX_AMPS_CAR: 8}
    assert tessie.counters.reads == 0


async def test_the_phases_of_a_car_can_be_changed_and_forgotten(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[{**car_data(tessie.url), CONF_PHASES: [3]}])
    unchanged = {**CAR, "server": {CONF_TESSIE_URL: tessie.url}}
    dialog = await change_car(hass, entry)
    assert typed(dialog.result) == {**unchanged, CONF_PHASES: ["3"]}
    assert phases_to_choose(dialog.result) == ["L1", "L2", "L3"]
    await dialog.submit({**unchanged, CONF_PHASES: ["1"]})
    assert only_car(entry).data == {**car_data(tessie.url), CONF_PHASES: [1]}
    dialog = await change_car(hass, entry)
    await dialog.submit(unchanged)
    assert only_car(entry).data == car_data(tessie.url)


async def test_a_new_account_of_a_car_has_to_show_it(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url, token=OLD_TOKEN)])
    dialog = await change_car(hass, entry)
    form = await dialog.submit({**CAR, **account(tessie, "wrong")})
    assert form["errors"] == {CONF_TESSIE_TOKEN: "invalid_auth"}
    tessie.remove_car(VIN)
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Blue")
    form = await dialog.submit({**CAR, **account(tessie)})
    assert form["errors"] == {CONF_TESSIE_TOKEN: "other_account"}
    assert typed(form) == {**CAR, **account(tessie)}
    tessie.add_car(VIN, Car(rng=RANDOM), name="Red")
    result = await dialog.submit({**CAR, **account(tessie)})
    assert result["reason"] == "reconfigure_successful"
    assert only_car(entry).data == car_data(tessie.url)


# A token that was revoked


async def test_renewing_a_token(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url, token=OLD_TOKEN)])
    dialog = await renew_token(hass, entry, only_car(entry).subentry_id)
    issues = ir.async_get(hass).issues
    issue = (HOMEASSISTANT_DOMAIN, f"config_entry_reauth_{DOMAIN}_{entry.entry_id}")
    assert issue in issues
    assert dialog.result["description_placeholders"][CONF_NAME] == "Casa Ana"
    assert dialog.result["description_placeholders"]["car"] == "Red"
    form = await dialog.submit({CONF_TESSIE_TOKEN: "wrong"})
    assert form["errors"] == {CONF_TESSIE_TOKEN: "invalid_auth"}
    assert typed(form) == {CONF_TESSIE_TOKEN: "wrong"}
    tessie.remove_car(VIN)
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Blue")
    form = await dialog.submit({CONF_TESSIE_TOKEN: TOKEN})
    assert form["errors"] == {CONF_TESSIE_TOKEN: "other_account"}
    tessie.add_car(VIN, Car(rng=RANDOM), name="Red")
    result = await dialog.submit({CONF_TESSIE_TOKEN: f"{TOKEN} "})
    assert result["reason"] == "reauth_successful"
    assert only_car(entry).data == car_data(tessie.url)
    assert issue not in issues


async def test_a_new_token_ends_the_silence(
    hass: HomeAssistant, integration: AsyncMock, tessie: TessieServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Real time passes here, and the second poll would come after half a minute of it
    monkeypatch.setattr("custom_components.amp_sensor.chargers.tessie.SAID_AGAIN_S", 0.0)
    integration.side_effect = async_setup_entry
    entry = add_site(hass, cars=[car_data(tessie.url, token=OLD_TOKEN)])
    assert await hass.config_entries.async_setup(entry.entry_id)
    flow = hass.config_entries.flow

    await until(hass, lambda: bool(flow.async_progress_by_handler(DOMAIN)))
    (progress,) = flow.async_progress_by_handler(DOMAIN)
    dialog = Dialog(flow, TEXTS["config"], await flow.async_configure(progress["flow_id"]))
    await dialog.submit({CONF_TESSIE_TOKEN: TOKEN})
    (charger_id,) = entry.subentries
    await until(hass, lambda: entry.state is ConfigEntryState.LOADED)  # it is loaded anew with it
    await until(hass, lambda: entry.runtime_data.data.chargers[charger_id].report is not None)
    assert not flow.async_progress_by_handler(DOMAIN)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_one_new_token_serves_all_cars_of_the_account(hass: HomeAssistant, tessie: TessieServer) -> None:
    tessie.add_car(OTHER_VIN, Car(rng=RANDOM), name="Blue")
    vins = {VIN: OLD_TOKEN, OTHER_VIN: OLD_TOKEN, "VIN-WITH-OWN-TOKEN": "own", "VIN-NOT-IN-ACCOUNT": OLD_TOKEN}
    entry = add_site(hass, cars=[car_data(tessie.url, vin, token) for vin, token in vins.items()])
    first = next(iter(entry.subentries))
    dialog = await renew_token(hass, entry, first)
    await dialog.submit({CONF_TESSIE_TOKEN: TOKEN})
    assert {car.unique_id: car.data[CONF_TESSIE_TOKEN] for car in entry.subentries.values()} == {
        VIN: TOKEN,
        OTHER_VIN: TOKEN,
        "VIN-WITH-OWN-TOKEN": "own",
        "VIN-NOT-IN-ACCOUNT": OLD_TOKEN,
    }


async def test_a_token_that_works_again_starts_the_site_again(
    hass: HomeAssistant, tessie: TessieServer, integration: AsyncMock
) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url)])
    dialog = await renew_token(hass, entry, only_car(entry).subentry_id)
    result = await dialog.submit({CONF_TESSIE_TOKEN: TOKEN})
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert len(integration.mock_calls) == 1


async def test_a_car_removed_while_its_token_was_asked_for(hass: HomeAssistant, tessie: TessieServer) -> None:
    entry = add_site(hass, cars=[car_data(tessie.url)])
    dialog = await renew_token(hass, entry, only_car(entry).subentry_id)
    hass.config_entries.async_remove_subentry(entry, only_car(entry).subentry_id)
    assert (await dialog.submit({CONF_TESSIE_TOKEN: TOKEN}))["reason"] == "car_removed"


async def test_reauthentication_needs_a_car(hass: HomeAssistant) -> None:
    assert (await add_site(hass).start_reauth_flow(hass))["reason"] == "car_removed"
