"""What `scripts/test` says at its end."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import importlib.util
import json
from pathlib import Path
import re
import sys
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from tests.browser.person import MISSING
from tests.conftest import VIN


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


@pytest.mark.parametrize(("said", "ok"), [("", True), ("http://127.0.0.1:8123/api/webhook/0123", False), (VIN, False)])
def test_a_demo_that_tells_a_secret_has_failed(  # noqa: PLR0917
    run_tests: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    said: str,
    ok: bool,
) -> None:
    demo = tmp_path / "scripts" / "demo"
    demo.parent.mkdir()
    demo.write_text(f"#!/bin/sh\necho '{said}' >&2\necho '14:00:00  house  10.0 A'\necho '{{\"ok\": true}}'\n")
    demo.chmod(0o755)
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    assert run_tests.demo().text == ("passed" if ok else "FAILED")
    assert ("secrets" in capsys.readouterr().out) is not ok


def test_a_run_without_a_broker_ends_with_what_was_not_tried(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = run_tests.Result(skipped=["tests.real.test_mqtt::test_x: MISSING: there is no mosquitto"])
    monkeypatch.setitem(run_tests.PARTS, "tests", lambda: lacking)
    said = _run(run_tests, monkeypatch, capsys, "tests")
    assert said.endswith(run_tests.WITHOUT_DEVICES)
    assert "there is no mosquitto" in said


@pytest.mark.usefixtures("socket_enabled")
def test_a_run_that_cannot_ask_of_vulnerabilities_ends_with_that_and_does_not_fail(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_tests.vulnerabilities, "URL", "http://127.0.0.1:9")
    said = _run(run_tests, monkeypatch, capsys, "audit")
    assert said.endswith(run_tests.WITHOUT_DATABASE)
    assert re.search(r"^audit +SKIPPED", said, re.MULTILINE)
    assert "0 failed, 1 skipped" in said


@pytest.mark.usefixtures("socket_enabled")
def test_a_vulnerability_that_is_known_is_told_and_fails(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer is as documented at https://google.github.io/osv.dev/post-v1-querybatch/."""
    asked: list[dict[str, Any]] = []

    class Database(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            asked.extend(queries)
            names = [query["package"]["name"] for query in queries]
            found = {"aiohttp": {"vulns": [{"id": "GHSA-0000", "modified": "2026-11-26T00:00:00Z"}]}}
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            self.wfile.write(json.dumps({"results": [found.get(name, {}) for name in names]}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(run_tests.vulnerabilities, "URL", f"http://127.0.0.1:{server.server_port}")
        said = _run(run_tests, monkeypatch, capsys, "audit")
        server.shutdown()
    assert re.search(r"^aiohttp \S+: https://osv.dev/vulnerability/GHSA-0000$", said, re.MULTILINE)
    assert "1 failed, 0 skipped" in said
    names = {query["package"]["name"] for query in asked}
    assert {"homeassistant", "esphome", "uv"} <= names, "of every lock"
    assert {*asked[0]} == {"package", "version"}


def test_a_demo_that_lacks_a_compiler_says_so(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    demo = tmp_path / "scripts" / "demo"
    demo.parent.mkdir()
    demo.write_text("#!/bin/sh\necho 'MISSING: there is no g++' >&2\necho '{\"ok\": false}'\nexit 1\n")
    demo.chmod(0o755)
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    result = run_tests.demo()
    assert (result.passed, result.failed, len(result.skipped)) == (0, 0, 2)


def test_a_run_that_needed_none_does_not(
    run_tests: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(run_tests.PARTS, "lint", run_tests.Result)
    assert _run(run_tests, monkeypatch, capsys, "lint").endswith("0 passed, 0 failed, 0 skipped")
