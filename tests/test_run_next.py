"""What `scripts/next` says of a Home Assistant that is newer than the lock's, and where none can be had."""

import importlib.util
import json
from pathlib import Path
import sys
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def run_next(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPTS)
    monkeypatch.setattr(sys, "argv", ["scripts/next"])
    spec = importlib.util.spec_from_file_location("run_next", SCRIPTS / "run_next.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "tools", lambda: Path("/nowhere"))
    return module


def test_where_none_can_be_had_it_says_so_and_ends_in_its_own_way(
    run_next: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere(*_: object) -> str:
        raise run_next.SetupError("uv failed: the index cannot be reached")

    monkeypatch.setattr(run_next, "resolved", nowhere)
    assert run_next.main() == 3
    assert "NOTHING WAS TRIED: no newer Home Assistant can be had here. uv failed: the index" in capsys.readouterr().out


def test_the_newest_is_that_of_the_index_or_else_what_is_in_the_making(
    run_next: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"homeassistant": "homeassistant==2099.1.0b2", run_next.DEV: "homeassistant @ git+https://x@0123"}
    monkeypatch.setattr(run_next, "resolved", lambda _, wanted: found[wanted])
    assert run_next.newest(Path()) == "homeassistant==2099.1.0b2"
    found["homeassistant"] = f"homeassistant=={run_next.version('homeassistant')}"
    assert run_next.newest(Path()) == found[run_next.DEV]


@pytest.mark.parametrize(
    ("moved", "why_not", "code"), [({}, "", 0), ({"a test": "no `x` any more"}, "", 1), ({}, "ImportError: y", 4)]
)
def test_it_ends_as_what_moved_wants_it(  # noqa: PLR0917
    run_next: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moved: dict[str, str],
    why_not: str,
    code: int,
) -> None:
    class Done:
        returncode, stdout, stderr = 0, "Success", ""

    monkeypatch.setattr(run_next, "resolved", lambda _, wanted: "homeassistant==2099.1.0b2")
    monkeypatch.setattr(run_next, "make", lambda *_: None)
    monkeypatch.setattr(run_next, "fixtures", lambda: ("2026.10.4", why_not))
    monkeypatch.setattr(run_next, "pytest", lambda *options: (7, moved if "--noconftest" in options else {}))
    monkeypatch.setattr(run_next.subprocess, "run", lambda *_, **__: Done)
    assert run_next.main() == code
    said = capsys.readouterr().out
    assert ("moved: a test\n    no `x` any more" in said) == bool(moved)
    assert ("NO TEST WAS RUN" in said) == bool(why_not)
    assert f"of {0 if why_not else 7} tests fail" in said


def test_what_its_integrations_pin_is_found_by_the_names_of_packages(run_next: ModuleType, tmp_path: Path) -> None:
    manifest = tmp_path / "homeassistant" / "components" / "frontend" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"requirements": ["home-assistant-frontend==20991231.0", "PyTurboJPEG==9.0"]}))
    found = {"home-assistant-frontend": "home-assistant-frontend==20991231.0", "pyturbojpeg": "PyTurboJPEG==9.0"}
    assert run_next.pinned(tmp_path) == found
