"""What we use of Home Assistant without a promise is in CONTRIBUTING.md's table, in one place each, and still there.

It imports nothing of ours, so that it can speak where ours cannot be imported any more:
`pytest --noconftest tests/test_home_assistant_moves.py`, as `scripts/next` begins.
"""

import ast
from collections.abc import Iterator
from importlib import import_module
import inspect
from pathlib import Path
import re
from typing import Final

import hass_frontend
from homeassistant.const import __version__
import pytest

ROOT: Final = Path(__file__).parent.parent
INTEGRATION: Final = ROOT / "custom_components" / "amp_sensor"
HEADING: Final = "### What Home Assistant does not promise"
PAGE: Final = "frontend/static/home-assistant.js"

DOCUMENTED: Final = {
    *("auth.models", "auth.permissions.const"),
    *("components.binary_sensor", "components.button", "components.climate", "components.diagnostics"),
    *("components.number", "components.repairs", "components.select", "components.sensor", "components.switch"),
    *("components.time", "components.water_heater", "components.websocket_api"),
    *("config_entries", "const", "core", "data_entry_flow", "exceptions"),
    *("helpers.aiohttp_client", "helpers.config_validation", "helpers.device_registry", "helpers.entity"),
    *("helpers.entity_platform", "helpers.entity_registry", "helpers.event", "helpers.http", "helpers.issue_registry"),
    *("helpers.network.NoURLAvailableError", "helpers.network.get_url"),
    *("helpers.selector", "helpers.service", "helpers.storage", "helpers.typing", "helpers.update_coordinator"),
    *("util.dt", "util.hass_dict", "util.json", "util.location", "util.ulid", "util.unit_conversion"),
}
"""Modules, and names of others, that developers.home-assistant.io tells integrations to use (read in August 2026), and
the small helpers beside them that most of Home Assistant's own integrations import."""
UNDOCUMENTED: Final = {
    *("components.websocket_api.connection", "const.COMPRESSED_STATE_LAST_UPDATED", "const.COMPRESSED_STATE_STATE"),
}
"""What in these is Home Assistant's own."""
ELSEWHERE: Final = {
    "components.binary_sensor.const.BinarySensorDeviceClass": "components.binary_sensor",
    "components.http.server.StaticPathConfig": "components.http",
    "components.websocket_api.const.ERR_NOT_FOUND": "components.websocket_api",
    "components.websocket_api.decorators.websocket_command": "components.websocket_api",
}
"""What is documented in a package, which does not tell strict types that it hands it on."""
MEMBERS: Final = {
    "components.websocket_api.connection.ActiveConnection": {"subscriptions", "send_event"},
    "helpers.condition.EntityConditionBase": {"_domain_specs", "_primary_entities_only", "entity_filter", "_hass"},
    "helpers.condition.EntityNumericalConditionBase": {"_valid_unit"},
    "helpers.condition.EntityStateConditionBase": {"_states"},
    "helpers.storage.Store": {"_async_write_data", "path", "key"},
    "helpers.trigger.EntityNumericalStateCrossedThresholdTriggerBase": {"_valid_unit"},
    "helpers.trigger.EntityTransitionTriggerBase": {"_from_states", "_to_states"},
    "helpers.trigger.EntityTriggerBase": {
        *("_domain_specs", "_excluded_from_states", "_primary_entities_only", "entity_filter", "_hass"),
    },
}
"""What we set, override or call of classes, beyond what is documented of them."""


def rows() -> dict[tuple[str, ...], list[str]]:
    """Return the table: files of ours, and what of Home Assistant they stand on."""
    table = (ROOT / "CONTRIBUTING.md").read_text().partition(HEADING)[2].partition("\n#")[0]
    cells = [line.split("|")[2:4] for line in table.splitlines() if line.startswith("| ") and "`" in line]
    names = re.compile(r"`([^`]+)`")
    return {tuple(names.findall(files)): names.findall(uses) for files, uses in cells if "`" in files}


def is_below(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def imports(path: Path) -> Iterator[str]:
    """Give each name that a file takes from Home Assistant, without its first word."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("homeassistant."):
            yield from (f"{node.module}.{alias.name}".removeprefix("homeassistant.") for alias in node.names)


FOUND: Final = {
    path.relative_to(INTEGRATION).as_posix(): sorted(set(imports(path))) for path in INTEGRATION.rglob("*.py")
}


def is_documented(name: str) -> bool:
    if any(is_below(name, own) for own in UNDOCUMENTED):
        return False
    return name in ELSEWHERE or any(is_below(name, documented) for documented in DOCUMENTED)


UNPROMISED: Final = {(file, name) for file, names in FOUND.items() for name in names if not is_documented(name)}


def test_whatever_is_not_documented_is_in_the_table_and_in_one_place() -> None:
    table = rows()
    for file, name in sorted(UNPROMISED):
        places = [files for files, uses in table.items() if any(is_below(name, use) for use in uses)]
        assert places, f"{file} uses {name}, which is not documented for integrations: put it into the table"
        (files,) = places
        assert file in files, f"{file} uses {name}, which is for {' and '.join(files)} alone"


def test_the_table_names_nothing_that_is_not_used() -> None:
    members = {f"{name}.{member}" for name, each in MEMBERS.items() for member in each}
    for files, uses in rows().items():
        for file in files:
            assert (INTEGRATION / file).exists()
        for use in uses:
            assert use in members or any(file in files and is_below(name, use) for file, name in UNPROMISED), use


def moved(what: str, file: str) -> str:
    return (
        f"Home Assistant {__version__} has no {what} any more, where it was. Only {file} uses it: mend that, "
        f"and {HEADING.removeprefix('### ')!r} in CONTRIBUTING.md"
    )


def look_up(name: str) -> object:
    module, _, attribute = f"homeassistant.{name}".rpartition(".")
    try:
        found = import_module(module)
        return getattr(found, attribute) if hasattr(found, attribute) else import_module(f"{module}.{attribute}")
    except ImportError:
        return None


def test_each_name_that_we_import_is_where_it_was() -> None:
    gone = [
        moved(f"`homeassistant.{name}`", file) for file, names in FOUND.items() for name in names if not look_up(name)
    ]
    if gone:
        pytest.fail("\n".join(gone), pytrace=False)


@pytest.mark.parametrize(("name", "package"), ELSEWHERE.items())
def test_what_is_documented_in_a_package_is_the_same_there(name: str, package: str) -> None:
    assert getattr(import_module(f"homeassistant.{package}"), name.rpartition(".")[2], None) is look_up(name)


def has(known: object, member: str) -> bool:
    """Whether a class or an object of it has a member, of its own or from a class that it is made from."""
    assert isinstance(known, type)
    return any(
        member in vars(each) or member in inspect.get_annotations(each) or f"self.{member}" in inspect.getsource(each)
        for each in known.__mro__[:-1]
    )


def test_each_member_that_we_use_is_there() -> None:
    gone = [
        moved(f"`{member}` of `homeassistant.{name}`", file)
        for name, members in MEMBERS.items()
        for member in sorted(members)
        for file, names in FOUND.items()
        if name in names and not has(look_up(name), member)
    ]
    if gone:
        pytest.fail("\n".join(gone), pytrace=False)


FRONTEND: Final = {
    "element `home-assistant`": '"home-assistant"',
    "event `hass-more-info`": '"hass-more-info"',
    "command `frontend/get_translations`": '"frontend/get_translations"',
    "command `history/history_during_period`": '"history/history_during_period"',
    "command `recorder/statistics_during_period`": '"recorder/statistics_during_period"',
}
"""What our page stands on, as it is written in the frontend's scripts as in ours."""


@pytest.fixture(scope="module")
def scripts() -> list[str]:
    return [path.read_text() for path in (hass_frontend.where() / "frontend_latest").glob("*.js")]


def test_the_page_is_asked_in_one_place() -> None:
    asks = re.compile(r'"home-assistant"|hass-more-info|callWS|whenDefined|customElements')
    for path in (INTEGRATION / "frontend" / "static").rglob("*.js"):
        assert bool(asks.search(path.read_text())) == (path.relative_to(INTEGRATION).as_posix() == PAGE), path.name


@pytest.mark.parametrize(("what", "sign"), FRONTEND.items())
def test_the_page_has_what_we_ask_it_for(scripts: list[str], what: str, sign: str) -> None:
    assert sign in (INTEGRATION / PAGE).read_text()
    if not any(sign in script for script in scripts):
        pytest.fail(moved(what, PAGE), pytrace=False)
