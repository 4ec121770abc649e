"""The tables of docs/controller.md that come from the code: `python -m tests.control.constants` writes them anew."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
import re

from custom_components.amp_sensor import control
from custom_components.amp_sensor.control.decision import Mode
from custom_components.amp_sensor.control.prices import PRICES
from custom_components.amp_sensor.control.profile import CLOUD, LOCAL, TESLA_BLE, TESSIE
from custom_components.amp_sensor.control.protection import _CURVES

DOC = Path(__file__).parents[2] / "docs" / "controller.md"
MODULES = sorted(Path(control.__file__).parent.glob("*.py"))


def constants() -> Iterator[tuple[str, dict[str, object], str]]:
    """Tell of each statement that sets public constants, numbers all, its module, the constants and their docstring."""
    for path in MODULES:
        if path.stem == "__init__":
            continue
        module = import_module(f"{control.__name__}.{path.stem}")
        body = ast.parse(path.read_text()).body
        for number, statement in enumerate(body):
            if not isinstance(statement, ast.Assign) or any(isinstance(part, ast.Call) for part in ast.walk(statement)):
                continue
            names = [name.id for name in ast.walk(statement.targets[0]) if isinstance(name, ast.Name)]
            values = {name: getattr(module, name) for name in names if name.isupper() and not name.startswith("_")}
            if not values or not all(_is_number(value) for value in values.values()):
                continue
            text = ""
            for follower in body[number + 1 :]:
                if isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant):
                    text = " ".join(str(follower.value.value).split())
                # A docstring may tell of several lines in a row
                if not isinstance(follower, ast.Assign):
                    break
            yield path.stem, values, text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, tuple) and all(isinstance(each, int | float) for each in value)
    )


def _shown(value: object) -> str:
    return ", ".join(f"{each:.4g}" for each in (value if isinstance(value, tuple) else (value,)))


def _table(*rows: tuple[str, ...]) -> str:
    head, *rest = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rest))


_KINDS = {
    "a Tesla through its cloud": TESSIE,
    "a Tesla by Bluetooth": TESLA_BLE,
    "a charger in the same house": LOCAL,
    "a charger through its maker's cloud": CLOUD,
}


def tables() -> dict[str, str]:
    """Return each table by its name."""
    modes = (Mode.STRICT, Mode.BALANCED, Mode.EAGER)
    return {
        "prices": _table(
            ("price", *modes),
            ("of one A·s over the budget, A·s of charge", *(f"{PRICES[mode].over:g}" for mode in modes)),
            ("of a command, A·s of charge", *(f"{PRICES[mode].command_as:g}" for mode in modes)),
            ("hold: what the minimum may cost, A·s over the budget", *(f"{PRICES[mode].hold_as:g}" for mode in modes)),
            ("margin below the budget that a raise keeps, A", *(f"{PRICES[mode].margin_amps:g}" for mode in modes)),
        ),
        "curves": _table(
            ("protection", "$k$: carries this for an hour, × rating", "$\\tau$, s", "magnetic part opens at, × rating"),
            *(
                (
                    kind,
                    f"{curve.opens_at:g}",
                    f"{curve.tau_s:g}",
                    "–" if curve.instant_from > 1e9 else f"{curve.instant_from:g} to {curve.instant_at:g}",
                )
                for kind, curve in _CURVES.items()
            ),
        ),
        "profiles": _table(
            ("", *_KINDS),
            *((field.name, *(str(getattr(kind, field.name)) for kind in _KINDS.values())) for field in fields(TESSIE)),
        ),
        "constants": _table(
            ("where", "constant", "value", "what, and from where"),
            *(
                (module, ", ".join(f"`{name}`" for name in values), "; ".join(map(_shown, values.values())), text)
                for module, values, text in constants()
            ),
        ),
    }


def filled(text: str) -> str:
    """Return the document with the tables as the code has them."""
    for name, table in tables().items():
        pattern = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text, found = pattern.subn(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", text)
        if found != 1:
            raise ValueError(f"docs/controller.md has no place for {name}")
    return text


if __name__ == "__main__":
    DOC.write_text(filled(DOC.read_text()))
