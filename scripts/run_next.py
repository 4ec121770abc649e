"""Run the tests with the newest Home Assistant there is, and say what moved. `scripts/next` calls this.

Ends with 0 where nothing moved, 1 where something did, 3 where there is none that is newer than the lock's, and 4 where
there is, but no test fixtures that fit: then only names, members and types are compared.
"""

import argparse
from importlib.metadata import version
import json
from pathlib import Path
import re
import subprocess
import sys
import tempfile
import tomllib
from xml.etree import ElementTree as ET

from packaging.requirements import Requirement
from packaging.version import Version
from setup import HOME, ROOT, SetupError, run, tools, with_retries

NONE_NEWER = 3
NO_FIXTURES = 4
FIXTURES = "pytest-homeassistant-custom-component"
DEV = "homeassistant @ git+https://github.com/home-assistant/core@dev"
NEXT = HOME / "next"
PYTHON = NEXT / "bin" / "python"


def say(text: str) -> None:
    print(f"next: {text}", flush=True)


def resolved(uv: Path, wanted: str) -> str:
    """Return a requirement with the version that it comes to; raises SetupError where none can be had."""
    with tempfile.TemporaryDirectory() as folder:  # away from our pyproject, whose settings are the lock's
        asked = Path(folder) / "requirements.in"
        asked.write_text(f"{wanted}\n")
        out = run(
            *(uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-deps", "--prerelease", "allow"),
            *("--python", sys.executable, asked),
            cwd=folder,
            timeout=600,
        )
    return out.strip()


def newest(uv: Path) -> str:
    """Return the newest Home Assistant as a requirement: of the index if newer than ours, else in the making."""
    ours = version("homeassistant")
    found = resolved(uv, "homeassistant")
    if Version(found.partition("==")[2]) > Version(ours):
        return found
    say(f"the package index has nothing newer than {ours}: asking for what is in the making")
    return resolved(uv, DEV)


def pinned(packages: Path) -> dict[str, str]:
    """Return what the manifests of Home Assistant's integrations pin, by the names of packages."""
    pins: dict[str, str] = {}
    for manifest in (packages / "homeassistant" / "components").glob("*/manifest.json"):
        for line in json.loads(manifest.read_text()).get("requirements", ()):
            pins[Requirement(line).name.lower()] = line
    return pins


def make(uv: Path, wanted: str) -> None:
    """Make the environment: ours, with another Home Assistant and what that pins."""
    run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, NEXT)
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ours = {requirement.name.lower(): line for line in lines if (requirement := Requirement(line))}
    ours["homeassistant"] = wanted
    with tempfile.TemporaryDirectory() as folder:
        overrides = Path(folder) / "overrides.txt"
        overrides.write_text(f"{wanted}\n")  # the fixtures pin the one that they were made for

        def install(*requirements: str) -> None:
            with_retries(
                *(uv, "pip", "install", "--quiet", "--python", PYTHON, "--overrides", overrides, *requirements),
                cwd=folder,
            )

        install(wanted, FIXTURES)
        packages = Path(run(PYTHON, "-c", "import homeassistant as it; print(it.__path__[0])").strip()).parent
        theirs = pinned(packages)
        for name, line in ours.items():
            if "==" in line and (pin := theirs.get(name, line)) != line:
                say(f"it pins {pin}, where the lock has {line.partition('==')[2]}")
                try:
                    ours[name] = resolved(uv, pin)
                except SetupError:
                    say(f"{pin} cannot be had here: {line} stays")
        install(*ours.values())


def fixtures() -> tuple[str, str]:
    """Return which Home Assistant the test fixtures were made for, and why they cannot be loaded with this one."""
    ask = f"from importlib.metadata import requires\nprint(*requires({FIXTURES!r}), sep='\\n')"
    lines = run(PYTHON, "-c", ask).splitlines()
    made_for = next(line.partition("==")[2] for line in lines if line.startswith("homeassistant=="))
    try:
        run(PYTHON, "-c", f"import homeassistant, {FIXTURES.replace('-', '_')}.plugins")
    except SetupError as error:
        return made_for, str(error).splitlines()[-1]
    return made_for, ""


def failures(report: Path) -> tuple[int, dict[str, str]]:
    """Return how many tests there were, and of those that failed the first line of why."""
    cases = list(ET.parse(report).iter("testcase")) if report.exists() else []
    told = {}
    for case in cases:
        trouble = case.find("failure") if case.find("failure") is not None else case.find("error")
        if trouble is not None:
            text = trouble.get("message") or trouble.text or ""
            told[f"{case.get('classname')}::{case.get('name')}"] = text.strip()
    return len(cases), told


def pytest(*options: str) -> tuple[int, dict[str, str]]:
    """Return how many tests there were, and which failed, with why."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # Before any plugin: it wants to be the first to load an HTTP client
        begin = (PYTHON, "-m", "pytest", "-p", "homeassistant.const", "-p", "no:cacheprovider")
        command = (*begin, "-q", "--tb=short", f"--junitxml={report}", *options)
        done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
        number, told = failures(report)
        if done.returncode and not told:
            told = {"pytest": (done.stdout + done.stderr).strip()[-2000:]}
        return number, told


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/next", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="of tests; default: all that need no browser or device"
    )
    paths = parser.parse_args().paths
    try:
        uv = tools() / "uv"
        wanted = newest(uv)
        say(f"{wanted} (the lock has {version('homeassistant')})")
        make(uv, wanted)
    except SetupError as error:
        say(f"NOTHING WAS TRIED: no newer Home Assistant can be had here. {error}")
        return NONE_NEWER
    made_for, why_not = fixtures()
    if made_for not in wanted:
        say(f"there are no test fixtures for it yet: those of {made_for} are used, and may be what fails")

    _, moved = pytest("-p", "no:homeassistant", "--noconftest", "tests/test_home_assistant_moves.py")
    command = [PYTHON, "-m", "mypy", f"--cache-dir={NEXT / 'mypy'}"]
    types = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    number, failed = 0, {}
    if not why_not:
        options = ("-n", "logical", "--hypothesis-profile=ci", "--ignore=tests/real")
        number, failed = pytest(*options, *(paths or ["tests"]))

    for title, told in (("moved", moved), ("fails", failed)):
        for name, why in told.items():
            print(f"\n{title}: {name}\n    " + "\n    ".join(why.splitlines()[:6]))
    wrong = len(re.findall(r": error: ", types.stdout))
    if types.returncode:
        print(f"\ntypes:\n{types.stdout}{types.stderr}")
    say(f"{wanted}: {len(moved)} checks of names, {wrong} types and {len(failed)} of {number} tests fail")
    if why_not:
        say(f"NO TEST WAS RUN: the fixtures of {made_for} cannot be loaded with it ({why_not}): names and types alone")
    if moved or failed or types.returncode:
        return 1
    return NO_FIXTURES if why_not else 0


if __name__ == "__main__":
    sys.exit(main())
