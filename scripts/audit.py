"""Which vulnerabilities are known of what the locks hold: asked of the Open Source Vulnerabilities database, osv.dev.

One question for all packages at once, with nothing but their names and versions in it.
"""

from collections.abc import Iterable
import json
from pathlib import Path
import re
from urllib.request import Request, urlopen

URL = "https://api.osv.dev/v1/querybatch"
MOST = 1000  # queries in one question, as its documentation says
ANSWER_S = 60
NOT_CHECKED = "NOT CHECKED"


def pins(locks: Iterable[Path]) -> list[tuple[str, str]]:
    """Return names and versions of what locks pin."""
    found = {
        (match[1], match[2])
        for lock in locks
        for match in re.finditer(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", lock.read_text(), re.MULTILINE)
    }
    return sorted(found)


def known(packages: list[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Return the ids of vulnerabilities by package; raises OSError where the database cannot be asked."""
    told: dict[tuple[str, str], list[str]] = {}
    for begin in range(0, len(packages), MOST):
        part = packages[begin : begin + MOST]
        queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in part]
        body = json.dumps({"queries": queries}).encode()
        with urlopen(Request(URL, body, {"Content-Type": "application/json"}), timeout=ANSWER_S) as answer:
            results = json.load(answer)["results"]
        for package, result in zip(part, results, strict=True):
            if ids := [vulnerability["id"] for vulnerability in result.get("vulns", ())]:
                told[package] = ids
    return told
