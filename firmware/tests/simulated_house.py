"""A device on a simulated clamp, and a webhook that answers as the test wants."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import os
from pathlib import Path
import re
import socket
import ssl
import subprocess
import threading
import time
from typing import Self

from aioesphomeapi import APIClient, NumberInfo

MEASURED = re.compile(r"(\d+) readings in \d+ ms, at most (\d+) us apart; (\d+) allocations")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for[T](what: Callable[[], T], seconds: float, why: str) -> T:
    """Return the first true answer, or fail with `why`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := what():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {why}")


@dataclass(frozen=True)
class Post:
    at: float  # s, monotonic
    path: str
    content_type: str
    body: str

    @property
    def data(self) -> dict:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: str = '{"accepted": true}'
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


ACCEPTED = Answer()
UNKNOWN_ID = Answer(body="")  # Home Assistant's answer to webhooks that it does not know
HANGS = Answer(hangs=True)


class Webhook:
    """Listens on 127.0.0.1 while the context is open; `close` and `open` refuse and accept connections."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.tls = tls
        self.answer = ACCEPTED
        self.posts: list[Post] = []
        self._released = threading.Event()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        webhook = self
        self._released.clear()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                webhook.posts.append(Post(time.monotonic(), self.path, self.headers["Content-Type"], body))
                answer = webhook.answer
                if answer.hangs:
                    webhook._released.wait(30)
                    return
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing on the test's output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def next_post(self, seconds: float, fits: Callable[[Post], bool] = lambda _: True) -> Post:
        """Wait for a post that comes from now on."""
        seen = len(self.posts)
        try:
            return wait_for(lambda: next(filter(fits, self.posts[seen:]), None), seconds, "a post")
        except AssertionError as error:
            error.add_note(f"came instead: {[post.body for post in self.posts[seen:]]}")
            raise


class NameServer:
    """Says that every name is 127.0.0.1, or nothing at all."""

    def __init__(self) -> None:
        self.is_silent = False
        self.questions = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                question, asker = self._socket.recvfrom(512)
                self.questions += 1
                if self.is_silent:
                    continue
                # RFC 1035: the question's id, an answer to it, one question, and one address if one was asked for
                is_address = question[-4:] == b"\x00\x01\x00\x01"
                counts = b"\x00\x01" + is_address.to_bytes(2) + b"\x00\x00\x00\x00"
                address = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x7f\x00\x00\x01"
                answer = question[:2] + b"\x81\x80" + counts + question[12:] + address * is_address
                self._socket.sendto(answer, asker)


@dataclass(frozen=True)
class Second:
    """How a device measured for a second."""

    readings: int
    longest_gap_s: float
    allocations: int
    """In the thread of the loop."""


class Device:
    """The firmware as a process."""

    def __init__(self, program: Path, api_port: int, folder: Path) -> None:
        self._program = program
        self._api_port = api_port
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.log: list[str] = []
        self.name_server: NameServer | None = None
        self.flow(10)

    def flow(self, amps: float, bias_volts: float = 1.3) -> None:
        """Let so much current flow, A."""
        told = self._folder / "l1.new"
        told.write_text(f"{amps} {bias_volts}\n")
        told.rename(self._folder / "l1.txt")

    def start(self) -> None:
        environment = {
            **os.environ,
            "SIM_CLAMPS": str(self._folder),
            "ESPHOME_PREFDIR": str(self._folder),
            "ASAN_OPTIONS": "detect_leaks=0",  # ESPHome allocates for as long as it runs
        }
        if self.name_server is not None:
            environment["SIM_NAME_SERVER"] = str(self.name_server.port)
        self._process = subprocess.Popen(
            [self._program],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        with contextlib.suppress(OSError, AttributeError):
            # A clamp that is sampled in real time needs the processor within two milliseconds; compilers can wait
            os.sched_setscheduler(self._process.pid, os.SCHED_RR, os.sched_param(1))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.log.append(COLOURS.sub("", line).rstrip())

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def wait_for_log(self, text: str, seconds: float) -> str:
        return wait_for(
            lambda: next((line for line in self.log if text in line), None), seconds, f"'{text}' in the log"
        )

    def seconds(self) -> list[Second]:
        """Return how it measured since it started, second by second."""
        told = (MEASURED.search(line) for line in self.log)
        return [Second(int(s[1]), int(s[2]) / 1e6, int(s[3])) for s in told if s is not None]

    def sanitizer_report(self) -> str:
        return "\n".join(line for line in self.log if "Sanitizer" in line or "runtime error" in line)

    def ask[T](self, conversation: Callable[[APIClient], Awaitable[T]]) -> T:
        """Talk to the device as Home Assistant's ESPHome integration does."""

        async def talk() -> T:
            client = APIClient("127.0.0.1", self._api_port, None)
            await client.connect(login=True)
            try:
                return await conversation(client)
            finally:
                await client.disconnect()

        return asyncio.run(talk())

    def set_number(self, name: str, value: float) -> None:
        async def conversation(client: APIClient) -> None:
            entities, _ = await client.list_entities_services()
            number = next(entity for entity in entities if isinstance(entity, NumberInfo) and entity.name == name)
            client.number_command(number.key, value)
            await asyncio.sleep(0.3)  # commands are not answered

        self.ask(conversation)

    def all_states(self, seconds: float) -> list[tuple[str, float | str | bool]]:
        """Return what each entity tells within a time, in turn; the first of each is its last state before."""

        async def conversation(client: APIClient) -> list[tuple[str, float | str | bool]]:
            entities, _ = await client.list_entities_services()
            names = {entity.key: entity.name for entity in entities}
            states: list[tuple[str, float | str | bool]] = []

            def take(state: object) -> None:
                with contextlib.suppress(KeyError):
                    states.append((names[state.key], state.state))

            client.subscribe_states(take)
            await asyncio.sleep(seconds)
            return states

        return self.ask(conversation)

    def states(self, seconds: float = 1.5) -> dict[str, float | str | bool]:
        """Return the last state of each entity, by name."""
        return dict(self.all_states(seconds))

    def entities_disabled_by_default(self) -> set[str]:
        async def conversation(client: APIClient) -> set[str]:
            entities, _ = await client.list_entities_services()
            return {entity.name for entity in entities if entity.disabled_by_default}

        return self.ask(conversation)
