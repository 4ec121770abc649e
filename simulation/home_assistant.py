"""A real Home Assistant in a process of its own, set up without a person: on 127.0.0.1, in a folder of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
import contextlib
import json
from pathlib import Path
import signal
import socket
import sqlite3
import sys
from typing import Any, Final, Self

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse

INTEGRATION: Final = Path(__file__).parent.parent / "custom_components" / "amp_sensor"
PROBE: Final = Path(__file__).parent / "probe"
START_S: Final = 300.0  # a slow machine's first start, when everything is compiled
STOP_S: Final = 60.0  # Home Assistant gives each stage of its end up to 60 s, and needs one or two
OWNER: Final = {"name": "Demo", "username": "demo", "language": "en"}

# Named one by one: default_config would add what needs a radio, the cloud or the internet, and packages for it.
# Home Assistant's own first pages (weather, radio, …) are skipped for the same reason.
DATABASE: Final = "home-assistant_v2.db"
CONFIGURATION: Final = """\
homeassistant:
  name: Demo home
  latitude: {latitude}
  longitude: {longitude}
  unit_system: metric
  country: ES
  currency: EUR
  internal_url: {url}
  auth_providers:
    - type: trusted_networks
      trusted_networks: 127.0.0.1
      allow_bypass_login: true
    - type: homeassistant
  auth_mfa_modules: []
automation: !include automations.yaml
config:
energy:
frontend:
history:
logbook:
"""
ONBOARDED: Final = ["core_config", "analytics", "integration"]


class HomeAssistantError(Exception):
    """Home Assistant did not do what the demo needs; the text says what, with the end of its log."""


class HomeAssistant:
    """Use it as an async context manager: it runs inside, and has stopped after."""

    def __init__(
        self, session: ClientSession, folder: Path, *, home: tuple[float, float], is_probed: bool = False
    ) -> None:
        """Take an empty folder, the latitude and longitude of home in degrees, and whether the probe is in there."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._session = session
        self._folder = folder
        self._home = home
        self._is_probed = is_probed
        self._log = folder / "output.log"
        self._calls = 0
        self._process: asyncio.subprocess.Process
        self._socket: ClientWebSocketResponse | None = None
        self._is_connected = False
        self._headers: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._prepare()
        await self._start(self._log_in)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start_again(self) -> None:
        """Start it with what it has kept, once it has ended."""
        await self._start(self._connect)

    async def _start(self, connect: Callable[[], Awaitable[None]]) -> None:
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C is for the demo, which stops Home Assistant by itself.
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "homeassistant", "--config", str(self._folder), "--skip-pip"),
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            await connect()
        except BaseException:
            await self.stop()
            raise

    def _prepare(self) -> None:
        latitude, longitude = self._home
        configuration = CONFIGURATION.format(latitude=latitude, longitude=longitude, url=self.url)
        (self._folder / "automations.yaml").write_text("[]\n")
        (self._folder / "custom_components").mkdir()
        (self._folder / "custom_components" / INTEGRATION.name).symlink_to(INTEGRATION)
        if self._is_probed:
            configuration += f"{PROBE.name}:\n"
            (self._folder / "custom_components" / PROBE.name).symlink_to(PROBE)
            (self._folder / PROBE.parent.name).symlink_to(PROBE.parent)
        (self._folder / "configuration.yaml").write_text(configuration)
        storage = self._folder / ".storage"
        storage.mkdir()
        server = {
            "server_host": ["127.0.0.1"],
            "server_port": self.port,
            "cors_allowed_origins": [],
            "ip_ban_enabled": False,
            "login_attempts_threshold": -1,
            "ssl_profile": "modern",
            "use_x_frame_options": True,
        }
        for key, version, data in (
            ("http", (2, 2), {"stable": server, "pending": None, "yaml_migration_done": True}),
            ("onboarding", (4, 1), {"done": ONBOARDED}),
            ("core.network", (1, 1), {"configured_adapters": ["lo"]}),  # nothing is looked for beyond this machine
        ):
            content = {"version": version[0], "minor_version": version[1], "key": key, "data": data}
            (storage / key).write_text(json.dumps(content))

    async def _log_in(self) -> None:
        """Make the owner once it answers, and connect."""
        await self._wait_for("/api/onboarding")
        client = {"client_id": f"{self.url}/"}
        password = self._folder.name  # nobody needs it: whoever comes from this machine is let in
        code = (await self.post("/api/onboarding/users", {**OWNER, **client, "password": password}))["auth_code"]
        grant = {"grant_type": "authorization_code", "code": code, **client}
        async with self._session.post(f"{self.url}/auth/token", data=grant) as response:
            token: str = (await response.json())["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        await self._connect()

    async def _wait_for(self, path: str) -> None:
        try:
            async with asyncio.timeout(START_S):
                while True:
                    self.check()
                    with contextlib.suppress(ClientError):
                        async with self._session.get(f"{self.url}{path}", headers=self._headers) as response:
                            if response.status == 200:
                                break
                    await asyncio.sleep(0.5)
        except TimeoutError:
            raise self._error(f"did not start within {START_S:.0f} s") from None

    async def _connect(self) -> None:
        """Open a connection that lasts, and wait until all is set up."""
        await self._wait_for("/api/config")
        token = self._headers["Authorization"].removeprefix("Bearer ")
        self._calls = 0
        self._socket = await self._session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0)
        await self._socket.receive_json()  # it asks who we are
        await self._socket.send_json({"type": "auth", "access_token": token})
        await self._socket.receive_json()  # and lets us in
        while (await self.call("get_config"))["state"] != "RUNNING":  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.5)
        self._is_connected = True

    @property
    def log(self) -> str:
        """What it said so far."""
        return self._log.read_text(errors="replace")

    def _error(self, text: str) -> HomeAssistantError:
        end = "\n".join(self.log.splitlines()[-20:])
        return HomeAssistantError(f"Home Assistant {text}. The end of its log:\n{end}")

    def check(self) -> None:
        """Raise HomeAssistantError where it has ended by itself."""
        if self._process.returncode is not None:
            raise self._error("has ended by itself")

    async def post(self, path: str, data: object) -> Any:
        """Post JSON to its HTTP API, and return the answer. Raises HomeAssistantError where that is no success."""
        async with self._session.post(f"{self.url}{path}", json=data, headers=self._headers) as response:
            if not response.ok:
                raise self._error(f"answered {path} with {response.status}: {(await response.text())[:500]}")
            return await response.json()

    async def states(self) -> list[dict[str, Any]]:
        """Return all states."""
        async with self._session.get(f"{self.url}/api/states", headers=self._headers) as response:
            states: list[dict[str, Any]] = await response.json()
            return states

    async def call(self, command: str, **data: object) -> Any:
        """Call its WebSocket API, one call at a time. Raises HomeAssistantError where that is no success."""
        assert self._socket is not None  # noqa: S101 -- there is one inside of the context
        self._calls += 1
        try:
            await self._socket.send_json({"id": self._calls, "type": command, **data})
            answer = await self._socket.receive_json()
        except (ClientError, TypeError) as error:  # a closed connection answers with something that is no text
            raise self._error("closed the connection") from error
        if not answer["success"]:
            raise self._error(f"refused {command}: {answer['error']['message']}")
        return answer["result"]

    async def add_integration(self, domain: str, pages: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        """Go through the pages of a config flow, and return what each was shown with, and the entry's id.

        `pages` are the names of the steps, and what is typed there.
        Raises HomeAssistantError where another page comes than the one that is expected.
        """
        shown, page = await self._go_through("/api/config/config_entries/flow", domain, pages)
        return shown | {"entry_id": page["result"]["entry_id"]}

    async def add_subentry(
        self, entry_id: str, kind: str, pages: Iterable[tuple[str, dict[str, Any]]]
    ) -> dict[str, Any]:
        """Go through the pages that add something to an entry, as `add_integration` does."""
        shown, _ = await self._go_through("/api/config/config_entries/subentries/flow", [entry_id, kind], pages)
        return shown

    async def _go_through(
        self, flow: str, handler: str | list[str], pages: Iterable[tuple[str, dict[str, Any]]]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the pages were shown with, and what the last one led to."""
        page = await self.post(flow, {"handler": handler})
        shown: dict[str, Any] = {}
        for step, typed in pages:
            if page.get("step_id") != step:
                raise self._error(f"showed {page} instead of the page '{step}'")
            shown |= page.get("description_placeholders") or {}
            fields = page.get("data_schema") or ()
            shown |= {
                field["name"]: field["description"].get("suggested_value") for field in fields if "description" in field
            }
            page = await self.post(f"{flow}/{page['flow_id']}", typed)
        if page["type"] != "create_entry":
            raise self._error(f"did not add it: {page}")
        return shown, page

    @property
    def is_connected(self) -> bool:
        """Whether it has started, and was not ended since."""
        return self._is_connected

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    async def kill(self) -> None:
        """End it at once: it can write nothing any more."""
        self._is_connected = False
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """End it as its own service would, so that all that it knows is written."""
        if self._process.returncode is not None:
            return
        self._is_connected = False
        if self._socket is not None:
            await self._socket.close()  # else Home Assistant waits for us, ten seconds
        self._process.send_signal(signal.SIGTERM)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_S)
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    def recorded_states(self, entity_ids: Iterable[str], *, since: float = 0.0) -> int:
        """Return how many states of these entities the recorder's database holds, s (Unix). Ask once it has stopped."""
        path = self._folder / DATABASE
        if not path.exists():
            return 0
        query = (
            "SELECT m.entity_id, COUNT(*) FROM states JOIN states_meta m USING (metadata_id) "
            "WHERE last_updated_ts >= ? GROUP BY m.entity_id"
        )
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            counts: dict[str, int] = dict(database.execute(query, (since,)).fetchall())
        return sum(counts.get(entity_id, 0) for entity_id in entity_ids)
