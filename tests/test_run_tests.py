"""What `scripts/test` says at its end."""

import importlib.util
from pathlib import Path
import sys
from types import ModuleType

import pytest

from tests.browser.person import MISSING


@pytest.fixture
def run_tests() -> ModuleType:
    path = Path(__file__).parents[1] / "scripts" / "run_tests.py"
    spec = importlib.util.spec_from_file_location("run_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str) -> str:
    monkeypatch.setattr(sys, "argv", ["scripts/test", part])
    module.main()
    return capsys.readouterr().out.rstrip()


def test_a_run_without_a_browser_ends_with_what_was_not_tried(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_tests, "find_chromium", lambda: None)
    said = _run(run_tests, monkeypatch, capsys, "browser")
    assert said.endswith(run_tests.WITHOUT_BROWSER)
    assert "NOT EVERYTHING WAS TRIED" in said
    assert MISSING in said


def test_a_run_that_needed_none_does_not(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(run_tests.PARTS, "lint", run_tests.Result)
    assert _run(run_tests, monkeypatch, capsys, "lint").endswith("0 passed, 0 failed, 0 skipped")
