"""A real PostgreSQL server for tests of the recorder: it listens on a socket file only, and ends with them."""

from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
import os
from pathlib import Path
import pwd
import shutil
import signal
import subprocess
import tempfile
from typing import Final

import psycopg2
import pytest

BOTH_DATABASES: Final = pytest.mark.parametrize("recorder_db_url", ["sqlite", "postgresql"], indirect=True)
"""Marks a test (or a module, as `pytestmark`) whose recorder is to be on SQLite, and once more on PostgreSQL."""

_USER: Final = "amp_sensor"
_NUMBERS: Final = count()
_OPTIONS: Final = {
    "listen_addresses": "",  # no network at all
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "log_checkpoints": "off",
    "log_min_messages": "log",
}


def _binary(name: str) -> str:
    """Return where a program of PostgreSQL is: Debian's package leaves most of them off PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])
    if (found := shutil.which(name, path=path)) is None:
        pytest.skip(f"PostgreSQL is missing: put its {name} on PATH, or install Debian's package postgresql")
    return found


def _unprivileged() -> str | int:
    """Return whom to run the server as: it refuses root."""
    if os.geteuid() != 0:
        return os.geteuid()
    known = {user.pw_name for user in pwd.getpwall()}
    return next(user for user in ("postgres", "nobody") if user in known)


@contextmanager
def run_postgresql() -> Generator[Path]:
    """Run a server, and return the folder of its socket."""
    initdb, postgres = _binary("initdb"), _binary("postgres")
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="amp-sensor-postgresql-"))
    environment = os.environ | {"LC_ALL": "C"}
    try:
        if isinstance(user, str):
            shutil.chown(folder, user)
        subprocess.run(  # noqa: S603 -- of this very file
            [initdb, "-D", folder / "data", "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
            user=user, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        # Where the kernel can, it also ends the server of a test run that was killed
        until_death = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        options = [part for key, value in _OPTIONS.items() for part in ("-c", f"{key}={value}")]
        with subprocess.Popen(  # noqa: S603 -- as above
            [*until_death, postgres, "-D", folder / "data", "-k", folder, *options],
            user=user, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True,
        ) as server:  # fmt: skip
            assert server.stderr is not None
            said: list[str] = []
            for line in server.stderr:
                said.append(line)
                if "ready to accept connections" in line:
                    break
            else:
                raise RuntimeError("PostgreSQL did not start: " + "".join(said))
            try:
                yield folder
            finally:
                server.send_signal(signal.SIGINT)  # a fast shutdown
    finally:
        shutil.rmtree(folder)


@contextmanager
def create_database(folder: Path) -> Generator[str]:
    """Create an empty database of a server that runs, and return its address as the recorder's `db_url`."""
    name = f"test_{next(_NUMBERS)}"

    def execute(statement: str) -> None:
        connection = psycopg2.connect(host=str(folder), user=_USER, dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    execute(f"CREATE DATABASE {name}")
    yield f"postgresql://{_USER}@/{name}?host={folder}"
    execute(f"DROP DATABASE {name} WITH (FORCE)")
