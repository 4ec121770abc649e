"""Readings flow one way: what the house plan in CONTRIBUTING.md forbids, nobody imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_components.amp_sensor import PLATFORMS
from custom_components.amp_sensor.const import DOMAIN

INTEGRATION = Path(__file__).parent.parent / "custom_components" / DOMAIN
OURS = f"custom_components.{DOMAIN}"
CONTROL = sorted((INTEGRATION / "control").glob("*.py"))
PURE = {
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "itertools",
    "math",
    "statistics",
    "typing",
}
"""Of the standard library: no clock, no chance, no files, no network."""


ROOMS = (
    {"const"},
    {"control", "texts"},
    {"chargers", "meters"},
    {"loads", "notices"},
    {"site"},
    {"history", "live"},
    {"entity", "view", "what_if", "migration", "flows", "frontend"},
    {*PLATFORMS, "services", "repairs", "diagnostics", "logbook", "config_flow"},
    {"trigger", "condition"},
)
"""From the ground up: a room imports from itself and from below it."""


def imports(path: Path) -> Iterator[str]:
    """Give the full name of each module that a file imports, and of each name that it takes from one."""
    package = [*OURS.split("."), *path.relative_to(INTEGRATION).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """Return the rooms of ours that a file imports from."""
    return {name.split(".")[2] for name in imports(path) if name.startswith(f"{OURS}.")}


@pytest.mark.parametrize("floor", range(len(ROOMS)))
def test_a_room_knows_only_those_below_it(floor: int) -> None:
    below = set().union(*ROOMS[:floor])
    for room in ROOMS[floor]:
        place = INTEGRATION / room
        for path in place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]:
            assert ours(path) <= below | {room}, path


def test_every_room_is_in_the_plan() -> None:
    rooms = {path.stem for path in INTEGRATION.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms == set().union(*ROOMS) | {"__init__"}


@pytest.mark.parametrize("path", CONTROL, ids=lambda path: path.stem)
def test_the_controller_knows_nothing_but_numbers(path: Path) -> None:
    for name in imports(path):
        assert name.startswith(f"{OURS}.control.") or name.split(".")[0] in PURE, name


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_entity_talks_to_the_coordinator_only(platform: str) -> None:
    shares = {"view"} if platform == "button" else set()
    assert ours(INTEGRATION / f"{platform}.py") <= {"const", "control", "site", "entity"} | shares


def test_one_module_of_the_site_commands_a_charger() -> None:
    commanding = {
        path.name
        for path in INTEGRATION.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "async_command"
    }
    assert commanding == {"errands.py"}


def test_a_charger_does_not_decide() -> None:
    for path in (INTEGRATION / "chargers").glob("*.py"):
        assert "site" not in ours(path)
        assert not [name for name in imports(path) if name.startswith(f"{OURS}.control.controller")]


def test_nothing_that_is_shipped_knows_of_simulations_or_tests() -> None:
    for path in INTEGRATION.rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & {"simulation", "tests", "pytest"}, path.name
