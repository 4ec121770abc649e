"""The database of the original service, hour by hour. It is only read, and whatever is wrong with it is found first.

Times are UTC and whole seconds: the service wrote `2024-08-23 08:00:00`, its consolidation `2024-08-23T08:00:00+00:00`,
and one file may hold both. The work on single readings is SQLite's, which lets Python's other threads run meanwhile.
"""

from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from pathlib import Path
import sqlite3
from typing import Final, NamedTuple

from ..control.meter import BRIDGED_GAP_S
from ..meters.webhook import MAX_AMPS, MAX_PHASE_WATTS, MAX_VOLTS, MIN_VOLTS

COLUMNS: Final = {"id", "token", "amps", "volts", "watts", "created_at"}
"""What every version of the service kept of a reading."""
ASSUMED_VOLTS: Final = 220.0
"""What the service wrote where the meter sent no voltage: all rows with it are no measurement."""
SHOWN_CHARACTERS: Final = 4
"""How much of a token is shown to tell it from others: of 43 random characters the rest is as good as all."""

_DAY: Final = """
SELECT hour * 3600, count(*),
  sum(held * amps) / sum(held), min(amps), max(amps),
  sum(held * watts) / sum(held), min(watts), max(watts),
  sum(held * volts) / sum(held), min(volts), max(volts),
  sum(held * max(0, watts)) / 3.6e6
FROM (
  SELECT at, at / 3600 AS hour, amps, watts, volts,
    min(:bridged_s, coalesce(lead(at) OVER (ORDER BY at, id) - at, :bridged_s)) AS held
  FROM (
    SELECT id, unixepoch(created_at) AS at,
      CAST(amps AS REAL) AS amps, CAST(watts AS REAL) AS watts, CAST(volts AS REAL) AS volts
    FROM reading
    WHERE +token = :token
      AND (created_at BETWEEN :day AND :next
        OR created_at BETWEEN :next || ' 00:00' AND :next || ' 00:01'
        OR created_at BETWEEN :next || 'T00:00' AND :next || 'T00:01')
      AND (typeof(amps) || typeof(watts) || typeof(volts) = 'realrealreal'
        OR amps || '|' || watts || '|' || volts NOT GLOB '*[^-+.eE0-9|]*')
  )
  WHERE at <= :now AND amps BETWEEN 0 AND :max_amps AND abs(watts) <= :max_watts
    AND volts BETWEEN :min_volts AND :max_volts
)
WHERE at >= :start AND at < :start + 86400
GROUP BY hour
ORDER BY hour
"""
"""One day. A reading counts until the next, in the hour in which it came, and for as long as a gap is bridged; the next
may be of the next day's first minute. Some versions kept numbers as text."""


class OldDatabaseError(Exception):
    """The file is refused."""


class NotReadable(OldDatabaseError):
    """It is damaged, no database, or still being written."""


class NotOurs(OldDatabaseError):
    """It is a database, but not of the original service."""


class NoReadings(OldDatabaseError):
    """It holds no reading that can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One of the meters in the file."""

    token: str = field(repr=False)
    shown: str
    """Its beginning, which tells it from the others and is safe to show."""
    location: str | None
    readings: int
    first: str
    last: str
    """When its readings begin and end, as they are in the file."""


class WhichSource(OldDatabaseError):
    """It is not clear whose readings are wanted."""

    def __init__(self, sources: list[Source]) -> None:
        super().__init__()
        self.sources = sources


class Hour(NamedTuple):
    """One hour with readings."""

    start: float
    """UTC, s since 1970."""
    readings: float
    mean_amps: float
    min_amps: float
    max_amps: float
    mean_watts: float
    min_watts: float
    max_watts: float
    mean_volts: float
    min_volts: float
    max_volts: float
    energy_kwh: float
    """Imported; each reading held until the next, for a minute at most."""


class OldReadings:
    """All readings of one meter, hour by hour: what ten million readings take is some megabytes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.readings = 0
        """How many could be used."""
        self.energy_kwh = 0.0
        self.has_volts = False
        """Whether the meter measured the voltage."""
        self._values = array("d")

    def __iter__(self) -> Iterator[Hour]:
        """Tell the hours, in order of time."""
        return (Hour(*values) for values in batched(self._values, len(Hour._fields), strict=True))

    def __len__(self) -> int:
        return len(self._values) // len(Hour._fields)

    def add(self, hour: Hour) -> None:
        """Take the next hour."""
        self._values.extend(hour)
        self.readings += int(hour.readings)
        self.energy_kwh += hour.energy_kwh
        self.has_volts = self.has_volts or hour.min_volts != ASSUMED_VOLTS or hour.max_volts != ASSUMED_VOLTS


def read(path: Path, token: str | None, *, now: float, progress: Callable[[float], None]) -> OldReadings:
    """Read all of a file; `token` is the beginning of one, or None where the file has but one.

    `now` is s since 1970: what claims to be later is not used. `progress` is told the part that is done, 0 to 1.
    Raises OldDatabaseError.
    """
    before = _changed_at(path)
    try:
        with closing(_open(path)) as database:
            _check(database)
            source = _choose(_sources(database), token)
            readings = OldReadings(source)
            for hour, done in _hours(database, source, now):
                readings.add(hour)
                progress(done)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise NotReadable(str(error)) from error
    if _changed_at(path) != before:
        raise NotReadable("it was written to meanwhile")
    if not readings:
        raise NoReadings
    return readings


def _changed_at(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _open(path: Path) -> sqlite3.Connection:
    """Open a file so that neither it nor its folder is changed.

    A log beside it holds what a service that did not end properly had still to write: only SQLite can put it together.
    """
    logs = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-journal"))
    mode = "mode=ro" if any(log.exists() and log.stat().st_size for log in logs) else "mode=ro&immutable=1"
    database = sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True)
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def _check(database: sqlite3.Connection) -> None:
    """See whether it is whole and the original service's; then let `reading` be its readings, found quickly by time."""
    [[verdict]] = database.execute("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise NotReadable(verdict)
    columns = {row[1] for row in database.execute("PRAGMA table_info(energy_log)")}
    if "energy_log" not in _tables(database) or not columns >= COLUMNS:
        raise NotOurs
    leading = {
        database.execute("SELECT name FROM pragma_index_info(?) WHERE seqno = 0", (row[1],)).fetchone()[0]
        for row in database.execute("PRAGMA index_list(energy_log)").fetchall()
    }
    if "created_at" in leading:
        database.execute("CREATE TEMP VIEW reading AS SELECT * FROM main.energy_log")
        return
    # The first versions had no index by time
    database.execute(
        "CREATE TEMP TABLE reading AS SELECT id, token, amps, volts, watts, created_at FROM main.energy_log"
    )
    database.execute("CREATE INDEX temp.reading_created_at ON reading (created_at)")


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for [name] in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _sources(database: sqlite3.Connection) -> list[Source]:
    locations: dict[str, str] = {}
    if {"tokens", "users"} <= _tables(database):  # not in the first version
        locations = dict(
            database.execute("SELECT tokens.token, users.location FROM tokens JOIN users ON users.id = tokens.user_id")
        )
    found = database.execute(
        "SELECT token, count(*), min(created_at), max(created_at) FROM energy_log GROUP BY token"
    ).fetchall()
    tokens = [str(row[0]) for row in found]
    return [
        Source(
            token=token,
            shown=_shown(token, tokens),
            location=locations.get(token),
            readings=count,
            first=str(first),
            last=str(last),
        )
        for token, count, first, last in found
    ]


def _shown(token: str, tokens: list[str]) -> str:
    """Return as much of a token as tells it from the others, but never more than half of it."""
    length = SHOWN_CHARACTERS
    while any(other != token and other.startswith(token[:length]) for other in tokens) and length < len(token):
        length += 1
    return f"{token[: min(length, len(token) // 2)]}…"


def _choose(sources: list[Source], token: str | None) -> Source:
    if not sources:
        raise NoReadings
    wanted = [source for source in sources if token is None or source.token.startswith(token.removesuffix("…"))]
    exact = [source for source in wanted if source.token == token]
    if len(exact or wanted) != 1:
        raise WhichSource(sources)
    return (exact or wanted)[0]


def _hours(database: sqlite3.Connection, source: Source, now: float) -> Iterator[tuple[Hour, float]]:
    """Tell the hours, and with each the part that is done, day by day: a day fits into memory whatever its readings."""
    first, last = _day(source.first), _day(source.last)
    day: date | None = first
    while day is not None:
        following = day + timedelta(days=1)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        done = (following - first) / (last + timedelta(days=1) - first)
        rows = database.execute(
            _DAY,
            {
                "token": source.token,
                "day": day.isoformat(),
                "next": following.isoformat(),
                "start": int(start.timestamp()),
                "now": int(now),
                "bridged_s": int(BRIDGED_GAP_S),
                "max_amps": MAX_AMPS,
                "max_watts": MAX_PHASE_WATTS,
                "min_volts": MIN_VOLTS,
                "max_volts": MAX_VOLTS,
            },
        )
        for row in rows:
            yield Hour(*row), done
        [[text]] = database.execute(
            "SELECT min(created_at) FROM reading WHERE +token = ? AND created_at >= ?",
            (source.token, following.isoformat()),
        )
        day = None if text is None else _day(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise NotOurs from None
