"""Run the tests with the newest Home Assistant there is, and say what moved. `scripts/next` calls this.

Ends with 0 where nothing moved, 1 where something did, and 3 where there is none that is newer than the lock's.
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


def fixtures_for() -> str:
    """Return which Home Assistant the test fixtures were made for."""
    ask = f"from importlib.metadata import requires\nprint(*requires({FIXTURES!r}), sep='\\n')"
    lines = run(PYTHON, "-c", ask).splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith("homeassistant=="))


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


def pytest(*options: str) -> tuple[bool, int, dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = (
            PYTHON,
            "-m",
            "pytest",
            "-q",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
            *options,
        )
        done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
        number, told = failures(report)
        if done.returncode and not told:
            told = {"pytest": (done.stdout + done.stderr).strip()[-2000:]}
        return done.returncode == 0, number, told


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/next", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="of tests; default: all that need neither browser nor device"
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
    if (made_for := fixtures_for()) not in wanted:
        say(f"there are no test fixtures for it yet: those of {made_for} are used, and may be what fails")

    ok_moves, _, moved = pytest("--noconftest", "tests/test_home_assistant_moves.py")
    types = subprocess.run([PYTHON, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False)
    ok, number, failed = pytest(
        "-n", "logical", "--hypothesis-profile=ci", "--ignore=tests/real", *(paths or ["tests"])
    )

    for title, told in (("moved", moved), ("fails", failed)):
        for name, why in told.items():
            print(f"\n{title}: {name}\n    " + "\n    ".join(why.splitlines()[:6]))
    if types.returncode:
        print("\ntypes:\n" + types.stdout)
    if ok_moves and ok and not types.returncode:
        say(f"nothing moved: {number} tests pass with {wanted}")
        return 0
    wrong = len(re.findall(r": error: ", types.stdout))
    say(f"{len(moved)} things moved, {wrong} types do not fit, {len(failed)} of {number} tests fail with {wanted}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
