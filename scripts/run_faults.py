"""Let every fault happen in a real evening, on all cores, and make a table of what came of it: docs/reliability.md."""

import argparse
import asyncio
from collections.abc import Mapping
import json
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.faults.faults import ALL, RECORDER  # noqa: E402 -- a script is started outside of the packages
from tests.faults.judge import Judged  # noqa: E402
from tests.faults.real import REAL, spend_all  # noqa: E402

MINUTE_S = 60
LESS_A = 3.0
"""So much less than without the fault is still as good: chance differs."""
SHORTEST_S = 30
"""A reason that was shown for less says nothing of the fault."""
AT_ONCE = 4
"""Evenings in real time beside each other: two cores start so many processes of Home Assistant within a minute."""
HEADER = ("fault", "over, s", "longest, s", "trips", "avoidable", "back after, s", "what people are told", "reasons, s")


def recovered_s(row: dict[str, Any], twin: dict[str, Any]) -> int | None:
    """Return how long after the fault it last drew less, in a minute's mean, than without it; None to the end.

    Not when it first drew as much: while the house leaves nothing, that is none for either.
    """
    drawn, its = row["drawn"], twin["drawn"]
    last = min(len(drawn), len(its)) - MINUTE_S
    for at in range(last, row["ended"] - 1, -1):
        if sum(drawn[at : at + MINUTE_S]) < sum(its[at : at + MINUTE_S]) - LESS_A * MINUTE_S:
            return None if at == last else int(at + 1 - row["ended"])
    return 0


def wrong(fault: Judged, row: dict[str, Any], back_s: int | None) -> list[str]:
    """Return what must not be."""
    found = list(row["errors"])
    if row["avoidable"]:
        found.append("a trip that could have been avoided")
    if back_s is None and not fault.lasts:
        found.append("charging does not resume")
    if row["away"]:
        found.append(f"{row['away']} commands to a car that is away, {row['away_at']} s after it left")
    if row["asleep"]:
        found.append(f"{row['asleep']} commands to a car that is asleep")
    return found


def cells(row: dict[str, Any], twin: dict[str, Any], back_s: int | None, *, lasts: bool) -> tuple[str, ...]:
    usual = {reason for reason, seconds in twin["reasons"].items() if seconds >= SHORTEST_S}
    reasons = {key: seconds for key, seconds in row["reasons"].items() if key not in usual and seconds >= SHORTEST_S}
    back = ("–" if lasts else "never") if back_s is None else str(back_s)
    told = ", ".join(row["told"])
    return (
        *(row["name"], f"{row['over_s']}", f"{row['longest_s']}", f"{row['trips']}", f"{row['avoidable']}", back),
        *(told or "–", ", ".join(f"{key} {seconds}" for key, seconds in reasons.items()) or "–"),
    )


def virtual(words: str, cores: str) -> tuple[dict[str, Any], bool]:
    """Run the matrix; return what was measured of each fault, and whether all of it could be."""
    words = f"nothing or ({words})" if words else ""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = (
            *(sys.executable, "-m", "pytest", "-q", "-n", cores, "--no-header", "--tb=short"),
            *("-o", "junit_family=xunit1", "tests/faults/matrix.py", "-p", "no:cacheprovider"),
            *("-k", words, f"--junitxml={report}"),
        )
        done = subprocess.run(command, cwd=ROOT, check=False)
        properties = [each.get("value", "") for each in ET.parse(report).iter("property") if each.get("name") == "row"]
    return {row["name"]: row for row in map(json.loads, properties)}, not done.returncode


def real(word: str, cores: str) -> dict[str, Any]:
    """Let the worst happen to a real Home Assistant, in real time."""
    faults = [fault for name, fault in REAL.items() if word in name or name == fault.twin]
    at_once = AT_ONCE if cores == "logical" else int(cores)
    return {row["name"]: row for row in asyncio.run(spend_all(faults, at_once=at_once))}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument(
        "-k",
        default="",
        metavar="WORDS",
        help="only faults of whose names pytest takes these (with --real: that contain this); "
        "the evenings without one are always there",
    )
    parser.add_argument(
        "-n",
        default="logical",
        metavar="CORES",
        help=f"how many at once; default: as many as there are cores (with --real: {AT_ONCE}, which mostly wait)",
    )
    parser.add_argument(
        "--real",
        action="store_true",
        help="only the worst of them, in a real process of Home Assistant, in real time: a quarter of an hour",
    )
    parser.add_argument("--rows", type=Path, help="keep all that was measured in this file, as JSON")
    options = parser.parse_args()
    known: Mapping[str, Judged] = REAL if options.real else {**ALL, **RECORDER}
    rows, is_done = (real(options.k, options.n), True) if options.real else virtual(options.k, options.n)
    if options.rows:
        options.rows.write_text(json.dumps(list(rows.values())))
    print("|", " | ".join(HEADER), "|")
    print("|", " | ".join("---" for _ in HEADER), "|")
    failures = []
    for name, fault in known.items():
        if (row := rows.get(name)) is None or (twin := rows.get(fault.twin)) is None:
            continue
        back_s = recovered_s(row, twin)
        print("|", " | ".join(cells(row, twin, back_s, lasts=fault.lasts)), "|")
        failures += [f"{name}: {text}" for text in wrong(fault, row, back_s)]
    print(f"\n{len(rows)} evenings, {len(failures)} of them not as they must be")
    for text in failures:
        print(f"WRONG: {text}")
    for row in rows.values():
        if row["unknown_at"]:
            print(f"NOT KNOWN: {row['name']}: commands {row['unknown_at']} s after the car left")
    return 0 if is_done and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
