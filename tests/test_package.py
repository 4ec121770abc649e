"""What hassfest and HACS would refuse, tried without them: neither can be installed; the workflows run both.

The rules are those of Home Assistant's script/hassfest and of HACS' own validation, read as facts.
"""

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions, requires
import json
from pathlib import Path
import re
from string import Formatter
import subprocess
import sys
import tomllib
from types import SimpleNamespace
from typing import Any, Final
from zipfile import ZipFile

from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.number.const import NumberDeviceClass
from homeassistant.components.sensor.const import SensorDeviceClass
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import TargetSelector, validate_selector
from homeassistant.util.yaml import load_yaml_dict
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
import pytest
import voluptuous as vol

from custom_components.amp_sensor import PLATFORMS
from custom_components.amp_sensor.const import DOMAIN
from tests.conftest import Site
from tests.test_publishing import described

ROOT = Path(__file__).parent.parent
INTEGRATION = ROOT / "custom_components" / DOMAIN
SOURCES = {path: ast.parse(path.read_text()) for path in sorted(INTEGRATION.rglob("*.py"))}

MANIFEST = json.loads((INTEGRATION / "manifest.json").read_text())
TEXTS = json.loads((INTEGRATION / "translations" / "en.json").read_text())
ICONS = json.loads((INTEGRATION / "icons.json").read_text())

ALLOWED_WITHOUT_DEPENDENCY: Final = {
    *Platform,
    "frontend",
    "homeassistant",
    "persistent_notification",
    "webhook",
    "websocket_api",
}
"""Of hassfest's list, what may be of use here: parts that every Home Assistant has loaded."""


def loaded(name: str) -> dict[str, Any]:
    path = INTEGRATION / name
    return {key: value for key, value in load_yaml_dict(path).items() if key[0] != "."} if path.exists() else {}


KINDS = {"services": "service", "triggers": "trigger", "conditions": "condition"}
"""What automations are made of: the name of its file and its texts, and of its icon."""
DESCRIBED = {kind: loaded(f"{kind}.yaml") for kind in KINDS}


# The manifest


DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
MANIFEST_SCHEMA = vol.Schema(
    {
        vol.Required("domain"): DOMAIN,
        vol.Required("name"): str,
        vol.Required("codeowners"): vol.All([vol.Match(r"@[\w-]+$")], vol.Length(min=1)),
        vol.Required("config_flow"): True,
        vol.Optional("after_dependencies"): [str],
        vol.Optional("dependencies"): [str],
        vol.Required("documentation"): vol.Url(),
        vol.Required("integration_type"): vol.In(
            ["device", "entity", "hardware", "helper", "hub", "service", "system"]
        ),
        vol.Required("iot_class"): vol.In(
            ["assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"]
        ),
        vol.Required("issue_tracker"): vol.Url(),
        vol.Required("requirements"): [vol.In(DEPENDENCIES)],  # pinned, and what the tests run with
        vol.Required("version"): vol.Match(r"\d+\.\d+\.\d+(b\d+)?$"),
    }
)


def test_the_manifest_has_what_is_asked_for_and_nothing_else() -> None:
    """No `quality_scale`: Home Assistant awards its tiers itself, and calls any custom integration "custom"."""
    MANIFEST_SCHEMA(MANIFEST)
    assert list(MANIFEST) == sorted(MANIFEST, key=lambda key: (key != "domain", key != "name", key))


def imported_components(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module is not None:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("homeassistant.components."):
                yield name.split(".")[2]


def imported_roots(tree: ast.Module) -> set[str]:
    """Return the first words of what a file imports, but for its own package."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module is not None:
            found.add(node.module.partition(".")[0])
    return found


def test_whatever_is_imported_is_loaded_before_us() -> None:
    told = {*MANIFEST.get("dependencies", []), *MANIFEST.get("after_dependencies", [])}
    for path, tree in SOURCES.items():
        for component in imported_components(tree):
            ours = (INTEGRATION / f"{component}.py").exists()  # loaded by that component, so after it
            assert component in told | ALLOWED_WITHOUT_DEPENDENCY or ours, f"{path.name} imports {component}"


def test_nothing_is_waited_for_that_is_not_used() -> None:
    used = {component for tree in SOURCES.values() for component in imported_components(tree)}
    assert {*MANIFEST.get("dependencies", []), *MANIFEST.get("after_dependencies", [])} <= used


def required(distribution: str) -> set[str]:
    """Return what a distribution asks for on every machine."""
    return {
        canonicalize_name(requirement.name)
        for line in requires(distribution) or ()
        if "extra" not in line and (requirement := Requirement(line))
    }


def providers(name: str) -> set[str]:
    """Return the distributions that a module comes from; Home Assistant gives some an older name, too."""
    roots = {name, (import_module(name).__spec__ or SimpleNamespace(name=name)).name.partition(".")[0]}
    owners = packages_distributions()
    return {canonicalize_name(owner) for root in roots for owner in owners.get(root, ())}


def test_nothing_is_imported_but_what_home_assistant_or_the_manifest_installs() -> None:
    asked = required("homeassistant") | {canonicalize_name(Requirement(each).name) for each in MANIFEST["requirements"]}
    for path, tree in SOURCES.items():
        for name in sorted(imported_roots(tree) - sys.stdlib_module_names - {"homeassistant", "custom_components"}):
            assert providers(name) & asked, f"{path.name} imports {name}: put it into the manifest"


def test_whatever_the_manifest_installs_is_used() -> None:
    used = set().union(*map(imported_roots, SOURCES.values())) - sys.stdlib_module_names - {"homeassistant"}
    provided = set().union(*map(providers, used))
    assert {canonicalize_name(Requirement(each).name) for each in MANIFEST["requirements"]} <= provided


# The shape of texts and icons


def text(*, placeholders: bool = True) -> vol.All[str]:
    def check(value: str) -> str:
        if not placeholders and "{" in value:
            raise vol.Invalid("nothing fills a placeholder in here")
        return value

    return vol.All(str, vol.Length(min=1), check)


def keyed(value: Any) -> vol.Schema:
    return vol.Schema({vol.Match(r"(?!.+[_-]{2})(?![_-])[a-z0-9_-]+(?<![_-])$"): value})


FIELDS = {vol.Optional("data"): keyed(text()), vol.Optional("data_description"): keyed(text())}
STEP = vol.Schema(
    {
        vol.Optional("title"): text(),
        vol.Optional("description"): text(),
        vol.Optional("submit"): text(),
        vol.Optional("menu_options"): keyed(text()),
        vol.Optional("menu_option_descriptions"): keyed(text()),
        vol.Optional("sections"): keyed({vol.Required("name"): text(), vol.Optional("description"): text(), **FIELDS}),
        **FIELDS,
    }
)
FLOW = {
    vol.Required("step"): keyed(STEP),
    **{vol.Optional(key): keyed(text()) for key in ("error", "abort", "progress", "create_entry")},
}
INITIATED = {vol.Required("initiate_flow"): {vol.Required("user"): text(), vol.Optional("reconfigure"): text()}}
STATES = keyed(text(placeholders=False))


def called(described: type[vol.Required | vol.Optional]) -> vol.Schema:
    """Home Assistant's own triggers and conditions name their fields without describing them."""
    return keyed(
        {
            vol.Required("name"): text(),
            vol.Required("description"): text(),
            vol.Optional("fields"): keyed({vol.Required("name"): text(), described("description"): text()}),
        }
    )


TEXTS_SCHEMA = vol.Schema(
    {
        vol.Required("config"): {**FLOW, **INITIATED, vol.Optional("flow_title"): text()},
        vol.Required("options"): FLOW,
        vol.Required("config_subentries"): keyed({**FLOW, **INITIATED, vol.Required("entry_type"): text()}),
        vol.Optional("selector"): keyed(
            vol.Any(
                {vol.Required("options"): STATES},
                {vol.Required("fields"): keyed({vol.Required("name"): text(), vol.Optional("description"): text()})},
            )
        ),
        vol.Optional("device"): keyed({vol.Required("name"): text()}),
        vol.Optional("device_automation"): {
            vol.Any(
                "action_type", "condition_type", "trigger_type", "extra_fields", "extra_fields_descriptions"
            ): keyed(text())
        },
        vol.Required("entity"): keyed(
            keyed(
                {
                    vol.Required("name"): text(),
                    vol.Optional("state"): STATES,
                    vol.Optional("state_attributes"): keyed(
                        {vol.Required("name"): text(placeholders=False), vol.Optional("state"): STATES}
                    ),
                }
            )
        ),
        vol.Required("exceptions"): keyed({vol.Required("message"): text()}),
        vol.Required("issues"): keyed(
            vol.All(
                {vol.Required("title"): text(), vol.Optional("description"): text(), vol.Optional("fix_flow"): FLOW},
                vol.Any({"title": str, "description": str}, {"title": str, "fix_flow": dict}),
            )
        ),
        vol.Optional("services"): called(vol.Required),
        vol.Optional("triggers"): called(vol.Optional),
        vol.Optional("conditions"): called(vol.Optional),
        vol.Optional("config_panel"): keyed(
            vol.Any(text(), keyed(vol.Any(text(), keyed(vol.Any(text(), keyed(text()))))))
        ),
        vol.Optional("common"): keyed(text()),
        vol.Optional("system_health"): {vol.Required("info"): keyed(text())},
    }
)


@pytest.mark.parametrize("path", sorted((INTEGRATION / "translations").glob("*.json")), ids=lambda path: path.stem)
def test_texts_stand_where_home_assistant_looks_for_them(path: Path) -> None:
    TEXTS_SCHEMA(json.loads(path.read_text()))


ICON = vol.Match(r"mdi:[a-z0-9-]+$")


def distinct(icon: dict[str, Any]) -> dict[str, Any]:
    """A state that looks as the default does is no state of its own."""
    if icon.get("default") in icon.get("state", {}).values():
        raise vol.Invalid("a state has the default icon, and can be left out")
    return icon


def test_icons_stand_where_home_assistant_looks_for_them() -> None:
    sections = {vol.Optional("step"): keyed({vol.Required("sections"): keyed(ICON)})}
    vol.Schema(
        {
            vol.Optional("config"): sections,
            vol.Optional("options"): sections,
            vol.Optional("entity"): keyed(
                keyed(vol.All({vol.Required("default"): ICON, vol.Optional("state"): keyed(ICON)}, distinct))
            ),
            vol.Optional("services"): keyed({vol.Required("service"): ICON, vol.Optional("sections"): keyed(ICON)}),
            vol.Optional("triggers"): keyed({vol.Required("trigger"): ICON}),
            vol.Optional("conditions"): keyed({vol.Required("condition"): ICON}),
        }
    )(ICONS)


# What automations are made of


FIELD = vol.Schema(
    {
        vol.Optional("required"): bool,
        vol.Optional("advanced"): bool,
        vol.Optional("default"): vol.NotIn([None]),
        vol.Optional("example"): vol.NotIn([None]),
        vol.Required("selector"): validate_selector,
    }
)
CALLED_SCHEMA = vol.Schema(
    {
        cv.slug: vol.Any(
            None, {vol.Optional("target"): TargetSelector.CONFIG_SCHEMA, vol.Optional("fields"): {cv.slug: FIELD}}
        )
    }
)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_described_named_and_has_an_icon(kind: str) -> None:
    items = CALLED_SCHEMA(DESCRIBED[kind])
    assert items.keys() == TEXTS.get(kind, {}).keys() == ICONS.get(kind, {}).keys()
    for name, parts in items.items():
        assert ((parts or {}).get("fields") or {}).keys() == TEXTS[kind][name].get("fields", {}).keys(), name


def test_actions_are_written_out() -> None:
    """Of a custom integration hassfest takes no anchors in services.yaml, as it does in the other two."""
    assert not [key for key in load_yaml_dict(INTEGRATION / "services.yaml") if key.startswith(".")]


async def test_each_action_that_is_registered_is_described(site: Site) -> None:
    assert site.hass.services.async_services_for_domain(DOMAIN).keys() == DESCRIBED["services"].keys()


@pytest.mark.parametrize("kind", ["triggers", "conditions"])
async def test_each_trigger_and_condition_that_is_offered_is_described(hass: HomeAssistant, kind: str) -> None:
    path = INTEGRATION / f"{KINDS[kind]}.py"
    offered: dict[str, Any] = {}
    if path.exists():
        module = import_module(f"custom_components.{DOMAIN}.{path.stem}")
        offered = await getattr(module, f"async_get_{kind}")(hass)
    assert offered.keys() == DESCRIBED[kind].keys()


# Entities


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_entity_has_an_icon(platform: str) -> None:
    """Its own, or that of its device class, which follows the state by itself."""
    with_icon = {*BinarySensorDeviceClass, *NumberDeviceClass, *SensorDeviceClass} - {SensorDeviceClass.ENUM}
    for key, description in described(platform).items():
        assert key in ICONS["entity"].get(platform, {}) or description.device_class in with_icon, key


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_says_how_many_updates_run_at_once(platform: str) -> None:
    assert import_module(f"custom_components.{DOMAIN}.{platform}").PARALLEL_UPDATES == 0


# What is raised


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def translated(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Give the key and the placeholders of each exception whose text is looked up."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
            continue
        given = {keyword.arg: keyword.value for keyword in node.exc.keywords}
        key = given.get("translation_key")
        if isinstance(key, ast.Constant):
            assert "translation_domain" in given, f"line {node.lineno}: without its domain no text is found"
            names = given.get("translation_placeholders")
            keys = names.keys if isinstance(names, ast.Dict) else []
            yield str(key.value), {str(name.value) for name in keys if isinstance(name, ast.Constant)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(INTEGRATION)))
def test_every_exception_fills_its_text(path: Path) -> None:
    for key, given in translated(SOURCES[path]):
        assert placeholders(TEXTS["exceptions"][key]["message"]) == given, key


TOLD_TO_PEOPLE: Final = {
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
    "UpdateFailed",
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(INTEGRATION)))
def test_every_exception_that_people_see_is_translated(path: Path) -> None:
    for node in ast.walk(SOURCES[path]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TOLD_TO_PEOPLE:
            assert "translation_key" in {keyword.arg for keyword in node.keywords}, f"line {node.lineno}"


# What is shipped


def test_the_types_are_strict_and_for_others_too() -> None:
    assert (INTEGRATION / "py.typed").read_bytes() == b""
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert mypy["strict"] is True
    assert f"custom_components.{DOMAIN}" in mypy["packages"]
    for override in mypy["overrides"]:
        assert not any(module.startswith("custom_components") for module in override["module"])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(INTEGRATION)))
def test_every_call_goes_through_home_assistants_own_session(path: Path) -> None:
    for node in ast.walk(SOURCES[path]):
        match node:
            case ast.Import(names=names):
                assert not {"requests", "httpx"} & {name.name.split(".")[0] for name in names}
            case ast.ImportFrom(module=str(module), names=names):
                assert module.split(".")[0] not in ("requests", "httpx")
                assert not {"request", "async_create_clientsession"} & {name.name for name in names}
            case ast.Call(func=ast.Name(id=called)):
                assert called != "ClientSession"


def test_the_release_holds_the_integration_as_hacs_unpacks_it(tmp_path: Path) -> None:
    """HACS unpacks the file into the folder of the integration, so everything stands at its top."""
    hacs = json.loads((ROOT / "hacs.json").read_text())
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    (pack,) = re.findall(r"git archive .+", workflow)
    archive = tmp_path / hacs["filename"]
    subprocess.run(pack.replace(hacs["filename"], str(archive)).split(), cwd=ROOT, check=True)  # noqa: S603 -- our own
    with ZipFile(archive) as packed:
        names = packed.namelist()
    assert {"manifest.json", "__init__.py", "translations/en.json", "brand/icon.png"} <= {*names}
    assert not [name for name in names if "__pycache__" in name or "tests" in name]
    assert hacs["zip_release"] is True
