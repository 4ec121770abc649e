"""What the source of an installed integration says of its entities, without its libraries.

They are not here, so that it cannot be imported: it is parsed.
"""

import ast
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
import importlib.util
import json
from pathlib import Path
from typing import Any

import homeassistant.components
import homeassistant.const
import yaml

COMPONENTS = Path(homeassistant.components.__file__).parent
UNKNOWN = object()
"""What no source tells without running it."""


@dataclass(frozen=True)
class Described:
    """An entity, as its platform describes it."""

    key: str
    translation_key: str | None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What a profile finds it by."""
        return self.translation_key or self.key


def is_core(integration: str) -> bool:
    return (COMPONENTS / integration / "manifest.json").exists()


@cache
def source(integration: str, module: str) -> str:
    path = COMPONENTS / integration / f"{module}.py"
    return path.read_text() if path.exists() else ""


@cache
def strings(integration: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((COMPONENTS / integration / "strings.json").read_text())
    return content


@cache
def actions(integration: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((COMPONENTS / integration / "services.yaml").read_text())
    return content


@cache
def constants(integration: str, module: str) -> dict[str, Any]:
    """Return the names that a module gives to plain values, its own and those of `const`."""
    found: dict[str, Any] = {} if module == "const" else dict(constants(integration, "const"))
    for node in ast.parse(source(integration, module)).body:
        if isinstance(node, ast.ImportFrom) and node.module == "homeassistant.const":
            found |= {each.asname or each.name: getattr(homeassistant.const, each.name) for each in node.names}
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and (value := plain(getattr(node, "value", None), found)) is not UNKNOWN:
            found[target.id] = value
    return found


def plain(node: ast.AST | None, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id, UNKNOWN)
    try:
        return ast.literal_eval(node)  # type: ignore[arg-type]
    except ValueError:
        return UNKNOWN


@cache
def described(integration: str, domain: str) -> dict[str, Described]:
    """Return the entities of a platform, by what a profile finds them by."""
    names = constants(integration, domain)
    found: list[Described] = []
    for node in ast.walk(ast.parse(source(integration, domain))):
        if isinstance(node, ast.Call):
            values = {word.arg: plain(word.value, names) for word in node.keywords if word.arg}
            if isinstance(key := values.get("key"), str):
                found.append(Described(key, values.get("translation_key"), values))
        elif isinstance(node, ast.ClassDef):
            own = {
                target.id: plain(line.value, names)
                for line in node.body
                if isinstance(line, ast.Assign)
                for target in line.targets
                if isinstance(target, ast.Name)
            }
            values = {name.removeprefix("_attr_"): value for name, value in own.items()}
            if isinstance(key := values.get("translation_key", values.get("key")), str):
                found.append(Described(key, key, values))
    # A class's own values add to those of what it describes itself with
    merged: dict[str, Described] = {}
    for each in found:
        before = merged.get(each.name)
        merged[each.name] = each if before is None else Described(each.key, each.name, before.values | each.values)
    return merged


def texts(integration: str, domain: str, name: str) -> dict[str, Any]:
    """Return how an entity is called, and its states; nothing where it has no translation."""
    found: dict[str, Any] = strings(integration).get("entity", {}).get(domain, {}).get(name, {})
    return found


def states(integration: str, domain: str, name: str) -> set[str]:
    """Return the states that an entity can have; hassfest wants a text for each."""
    if integration == "wallbox":  # whose texts are no keys
        return {*enum(integration, "ChargerStatus")}
    return {*texts(integration, domain, name).get("state", {})}


def enum(integration: str, name: str) -> type[StrEnum]:
    spec = importlib.util.spec_from_file_location(f"{integration}_const", COMPONENTS / integration / "const.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: type[StrEnum] = getattr(module, name)
    return found
