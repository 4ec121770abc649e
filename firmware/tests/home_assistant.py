"""A real Home Assistant with this checkout's integration, as a process of its own."""

import contextlib
from http import HTTPStatus
import json
from pathlib import Path
import subprocess
import time
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from simulated_house import wait_for

SITE = {
    "created_at": "2026-01-01T00:00:00+00:00",
    "modified_at": "2026-01-01T00:00:00+00:00",
    "data": {"max_amps": 25, "voltage": 230, "local_only": True},
    "disabled_by": None,
    "discovery_keys": {},
    "domain": "amp_sensor",
    "entry_id": "01JAMPSENSOR00000000000000",
    "options": {},
    "pref_disable_new_entities": False,
    "pref_disable_polling": False,
    "source": "user",
    "subentries": [],
    "title": "House",
    "unique_id": None,
    "version": 1,
    "minor_version": 1,
}
START_S = 180  # the first start installs what its components need


class HomeAssistant:
    """Listens on 127.0.0.1 between `start` and `stop`; settings and states live in a folder."""

    def __init__(self, python: Path, checkout: Path, folder: Path, port: int) -> None:
        self._python, self._folder, self._port = python, folder, port
        self._process: subprocess.Popen[bytes] | None = None
        self._token: str | None = None
        (folder / ".storage").mkdir(parents=True)
        (folder / "configuration.yaml").touch()
        (folder / "custom_components").mkdir()
        (folder / "custom_components" / "amp_sensor").symlink_to(checkout / "custom_components" / "amp_sensor")
        # Address and port cannot be set in YAML any more; here all keys have to be there (components/http/config.py)
        http = {
            "server_host": ["127.0.0.1"],
            "server_port": port,
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": False,
            "ssl_profile": "modern",
            "use_x_frame_options": True,
            "created_at": "2026-01-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        self._store("http", {"stable": http, "pending": None, "yaml_migration_done": True}, version=2, minor_version=2)

    def _store(self, key: str, data: object, *, version: int, minor_version: int) -> None:
        content = {"version": version, "minor_version": minor_version, "key": key, "data": data}
        (self._folder / ".storage" / key).write_text(json.dumps(content))

    def add_site(self, webhook_id: str) -> None:
        """Write the site's settings; only while Home Assistant does not run."""
        entry = SITE | {"data": SITE["data"] | {"webhook_id": webhook_id}}
        self._store("core.config_entries", {"entries": [entry]}, version=1, minor_version=5)

    def start(self) -> None:
        with (self._folder / "output.txt").open("ab") as output:
            command = [self._python, "-m", "homeassistant", "--config", self._folder]
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        wait_for(self._answers, START_S, "Home Assistant to start")
        if self._token is None:
            self._token = self._onboard()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.output()[-4000:]
        time.sleep(0.2)
        with contextlib.suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{self._port}/manifest.json", timeout=2):
            return True
        return False

    def output(self) -> str:
        return (self._folder / "output.txt").read_text(errors="replace")

    def _onboard(self) -> str:
        """Create the first person, and return an access token of theirs."""
        client = f"http://127.0.0.1:{self._port}/"
        person = {"client_id": client, "name": "T", "username": "t", "password": "t", "language": "en"}
        code = self._call("/api/onboarding/users", person)["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": client}
        request = Request(f"http://127.0.0.1:{self._port}/auth/token", urlencode(form).encode())
        with urlopen(request, timeout=10) as response:
            return json.load(response)["access_token"]

    def _call(self, path: str, data: object = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        body = None if data is None else json.dumps(data).encode()
        with urlopen(Request(f"http://127.0.0.1:{self._port}{path}", body, headers), timeout=10) as response:
            assert response.status == HTTPStatus.OK
            return json.load(response)

    def states(self) -> dict[str, str]:
        """Return the states of the site's entities by their ids, without the site's name."""
        states = {state["entity_id"]: state["state"] for state in self._call("/api/states")}
        return {name.replace(".house_", "."): state for name, state in states.items() if ".house_" in name}

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
