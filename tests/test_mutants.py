"""scripts/mutants, on a package of one module."""

from dataclasses import dataclass
from pathlib import Path
import subprocess
import sys

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "run_mutants.py"

MODULE = '''"""What fits."""

from dataclasses import dataclass

MARGIN = 0.5
"""A."""
UNUSED = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A budget."""

    amps: float

    @property
    def room(self) -> float:
        """What is left, A."""
        if self.amps < 0:
            raise ValueError("less than nothing")
        return self.amps - MARGIN


def is_enough(amps: float, needed: float = 6.0) -> bool:
    return amps > needed
'''
CHECKS = """
from hypothesis import given, strategies as st
import pytest

from tiny.budget import Budget, is_enough


def test_room():
    assert Budget(amps=10.0).room == 9.5
    with pytest.raises(ValueError):
        Budget(amps=-1.0).room


@given(st.floats(7.0, 9.0))
def test_enough(amps):
    assert is_enough(amps)
    assert not is_enough(amps - 6.0)


def test_that_fails():
    assert False
"""
SURVIVOR = """-    return amps > needed
+    return amps >= needed"""


@dataclass
class Project:
    """A project with faults to find."""

    root: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        """Look for them; return whether all are accounted for, and what is told."""
        done = subprocess.run(  # noqa: S603 -- our own script
            [sys.executable, SCRIPT, f"--root={self.root}", "--package=tiny", "--tests=checks", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def accept(self, text: str) -> None:
        (self.root / "checks" / "survivors.toml").write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in {"tiny/__init__.py": "", "tiny/budget.py": MODULE, "checks/test_budget.py": CHECKS}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Project(tmp_path)


def test_only_what_a_test_could_notice_is_broken(project: Project) -> None:
    _, told = project.run("--list")
    for untouched in ("less than nothing", "dataclass", "What is left", "-> float"):
        assert f"-{untouched}" not in told
        assert not [
            line for line in told.splitlines() if line.startswith("+") and untouched in line and "def" not in line
        ]
    for broken in ("MARGIN = 1.0", "MARGIN = 0.25", "return self.amps + MARGIN", "if (self.amps < 0) and False:"):
        assert f"+{broken}" in told.replace("+        ", "+")


def test_faults_are_noticed_or_told_until_somebody_gives_a_reason(project: Project) -> None:
    code, told = project.run()
    assert code == 1
    assert "left out, as it fails without any fault: checks/test_budget.py::test_that_fails (AssertionError)" in told
    new = told.split("## Not looked at")[1]
    assert SURVIVOR in new
    assert "UNUSED" in new
    assert "MARGIN" not in new
    assert "ValueError" not in new

    entries = (project.root / ".mutants" / "new.toml").read_text()
    project.accept(entries)
    assert "no reason" in project.run()[1]

    project.accept(entries.replace('reason = ""', 'reason = "nobody minds"'))
    code, told = project.run("--survivors")
    assert "## Not looked at (0)" in told
    assert "`return amps > needed` → `return amps >= needed`: 1. nobody minds" in told
    assert "take these out" not in told


def test_a_reason_for_what_is_noticed_is_told(project: Project) -> None:
    project.accept('[[tuned]]\nwhere = ["budget.MARGIN"]\nreason = "chosen"\n')
    code, told = project.run("budget")
    assert code == 1
    assert "- budget.MARGIN" in told.split("take these out")[1]
