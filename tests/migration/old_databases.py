"""Databases as each version of the original service left them."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
import sqlite3

TOKEN = "q3ZxY0-PpEfjV6n1tkKu0aY6m7b7W4hQm2cJ8sLd9wA"
OTHER = "q3Zyy8NfU2RrTnA4cVx3oPq5sKj6hGd7fBm1zLw0eYi"

USERS = """
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, location VARCHAR(255) NOT NULL);
CREATE TABLE tokens (token VARCHAR(255) PRIMARY KEY NOT NULL, user_id INT NOT NULL,
  FOREIGN KEY (user_id) REFERENCES users(id));
INSERT INTO users (location) VALUES ('default'), ('Garage');
"""
VIEW_TOKENS = """
CREATE TABLE view_tokens (id SERIAL PRIMARY KEY, token TEXT NOT NULL, user_id INT NOT NULL,
  view_token_valid_until TIMESTAMP);
"""
MIGRATIONS = (
    "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, checksum BLOB NOT NULL);"
)


def _log(number: str, *, more: str = "") -> str:
    return (
        "CREATE TABLE energy_log (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, "
        f"amps {number} NOT NULL, volts {number} NOT NULL, watts {number} NOT NULL, "
        f"created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP{more});"
    )


AGENT = ", user_agent TEXT, client_ip TEXT"
BY_TOKEN = "CREATE INDEX energy_log_token_idx ON energy_log (token);"
BY_TIME = "CREATE INDEX energy_log_created_at ON energy_log (created_at);"
SHAPES = {
    "1 decimals": MIGRATIONS + _log("DECIMAL(5, 2)"),
    "2 users and text": MIGRATIONS + USERS + _log("TEXT"),
    "3 index by token": MIGRATIONS + USERS + _log("TEXT") + BY_TOKEN,
    "4 user agent": MIGRATIONS + USERS + _log("TEXT", more=AGENT) + BY_TOKEN,
    "5 floats": MIGRATIONS + USERS + _log("REAL", more=AGENT) + BY_TOKEN + BY_TIME,
    "6 view tokens": MIGRATIONS + USERS + _log("REAL", more=AGENT) + BY_TOKEN + BY_TIME + VIEW_TOKENS,
    "consolidated": MIGRATIONS
    + USERS
    + _log("REAL", more=AGENT)
    + BY_TOKEN
    + BY_TIME
    + VIEW_TOKENS
    + "CREATE UNIQUE INDEX unique_token_created_at ON energy_log (token, created_at);",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One reading as the service kept it."""

    at: float
    """UTC, s since 1970."""
    amps: float
    volts: float = 220.0
    watts: float | None = None
    token: str = TOKEN


def write(path: Path, rows: Iterable[Row], shape: str = "6 view tokens", *, consolidated: bool | None = None) -> Path:
    """Write a database; `consolidated` writes its times as the consolidation did."""
    consolidated = shape == "consolidated" if consolidated is None else consolidated
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SHAPES[shape])
        add(database, rows, consolidated=consolidated)
        if "tokens" in SHAPES[shape]:
            database.execute(
                "INSERT INTO tokens SELECT token, 1 + (token = ?) FROM (SELECT DISTINCT token FROM energy_log)",
                (OTHER,),
            )
        database.commit()
    return path


def add(database: sqlite3.Connection, rows: Iterable[Row], *, consolidated: bool = False) -> None:
    """Add readings to a database, in the order given."""
    database.executemany(
        "INSERT INTO energy_log (token, amps, volts, watts, created_at) VALUES (?, ?, ?, ?, ?)",
        (
            (
                row.token,
                row.amps,
                row.volts,
                row.amps * row.volts if row.watts is None else row.watts,
                datetime.fromtimestamp(row.at, UTC).isoformat("T" if consolidated else " ", "seconds")[
                    : None if consolidated else 19
                ],
            )
            for row in rows
        ),
    )
    database.commit()
