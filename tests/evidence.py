"""Which tests there are: documentation names them as evidence."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent


def names(path: Path) -> set[str]:
    """Return the tests of a file, those of classes as Class::test."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{part.name}" for part in node.body if hasattr(part, "name")}
    return found


def missing(evidence: str) -> str | None:
    """Return what is wrong with a piece of evidence: a file, a file::test, or nothing."""
    name, _, test = evidence.partition("::")
    path = ROOT / name.partition("#")[0]
    if not path.exists():
        return f"there is no {name}"
    if test and (not test.rpartition("::")[2].startswith("test_") or test not in names(path)):
        return f"{name} has no test {test}"
    return None
