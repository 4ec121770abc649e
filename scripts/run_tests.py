"""Run all checks of the project, one after the other, and sum up. `scripts/test` calls this in its own environment."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import re
import subprocess
import sys
import tempfile
import time
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import audit as vulnerabilities  # noqa: E402 -- a script is started outside of the packages
from simulation.devices.wallbox import NOT_HERE  # noqa: E402
from tests.browser.person import MISSING, find_chromium  # noqa: E402

BIN = Path(sys.executable).parent
FIRMWARE_REPORT = ROOT / ".environment" / "firmware-tests.xml"  # written by scripts/firmware-test
DEMO_SECONDS = {  # of each charger; the budget is exceeded from the start, so the car is commanded within the first ten
    "tessie": 60,
    "esphome": 30,
}
SECRET = re.compile(
    r"/api/webhook/|[?&]key=|(?:api|access)_token|Bearer|simulated-token|\b[A-HJ-NPR-Z0-9]{17}\b|-?\d{1,3}\.\d{4,}"
)
"""What the demo, which people film, shows to nobody: addresses, links, tokens, VINs, positions."""
REAL = "tests/real"  # Home Assistant's own integrations, and devices that are played
PACKAGE_COVERAGE = 95  # %, with branches: the quality scale's rule test-coverage
WITHOUT_BROWSER = f"""\
{"!" * 100}
NOT EVERYTHING WAS TRIED: no browser was found, so nobody saw the card, the flows and the shared page.
{MISSING}, then run `scripts/test tests browser` again.
{"!" * 100}"""
WITHOUT_DEVICES = f"""\
{"!" * 100}
NOT EVERYTHING WAS TRIED: something is {NOT_HERE}, as said above: nobody saw Home Assistant's own integrations at work.
Install it, then run `scripts/test tests demo` again.
{"!" * 100}"""
LOCKS = ("requirements.lock", "scripts/tools.lock", "firmware/requirements.lock")
WITHOUT_DATABASE = f"""\
{"!" * 100}
NOT EVERYTHING WAS TRIED: osv.dev cannot be asked from here, so nobody knows of vulnerabilities in what the locks hold.
Run `scripts/test audit` where it can.
{"!" * 100}"""
FLOW_COVERAGE = 100  # %: the quality scale's rule config-flow-test-coverage


@dataclass(kw_only=True)
class Result:
    """What came of a part: its tests are counted, and a part without tests counts as one."""

    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        if self.failed:
            return "FAILED"
        return "SKIPPED" if self.skipped and not self.passed else "passed"


def run(*command: str | Path, **environment: str) -> bool:
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False).returncode == 0


def one(*, ok: bool) -> Result:
    return Result(passed=int(ok), failed=int(not ok))


def counted(report: Path, *, ok: bool) -> Result:
    """Count the tests in pytest's report. A run that failed although no test did (or without any) is a failure too."""
    result = Result()
    if report.exists():
        for case in ET.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                result.failed += 1
            elif (skip := case.find("skipped")) is not None:
                result.skipped.append(f"{case.get('classname')}::{case.get('name')}: {skip.get('message')}")
            else:
                result.passed += 1
    if not result.failed and not (ok and result.passed):
        result.failed = 1
    return result


def lint() -> Result:
    return one(ok=run(BIN / "ruff", "check", "--quiet"))


def formatting() -> Result:
    return one(ok=run(BIN / "ruff", "format", "--check", "--quiet"))


def types() -> Result:
    return one(ok=run(BIN / "mypy"))


def audit() -> Result:
    packages = vulnerabilities.pins(ROOT / lock for lock in LOCKS)
    try:
        told = vulnerabilities.known(packages)
    except (OSError, ValueError, KeyError) as error:
        return Result(skipped=[f"audit: {vulnerabilities.NOT_CHECKED}: {error}"])
    for (name, version), ids in told.items():
        print(f"{name} {version}: {', '.join(f'https://osv.dev/vulnerability/{each}' for each in ids)}")
    print(f"{len(packages)} packages, of which {len(told)} have known vulnerabilities")
    return Result(passed=len(packages) - len(told), failed=len(told))


def tests() -> Result:
    find_chromium()  # or installs it, before several processes at a time ask for it
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        ok = run(
            *(sys.executable, "-m", "pytest", "-q", "-n", "logical", f"--junitxml={report}"),
            # Hypothesis' own profile for build machines: no deadlines, and the same examples each time
            "--hypothesis-profile=ci",
            *("--cov", "--cov-report=term", f"--cov-fail-under={PACKAGE_COVERAGE}", f"--ignore={REAL}"),
        )
        result = counted(report, ok=ok)
        # Apart, as those of a browser: behind all others a broker could not be reached, nobody knows why yet
        report = Path(folder) / "real.xml"
        ok = run(sys.executable, "-m", "pytest", "-q", "-n", "logical", REAL, f"--junitxml={report}")
        real = counted(report, ok=ok)
    result = Result(
        passed=result.passed + real.passed, failed=result.failed + real.failed, skipped=result.skipped + real.skipped
    )
    flow = "custom_components/amp_sensor/config_flow.py,custom_components/amp_sensor/flows/*"
    if not run(sys.executable, "-m", "coverage", "report", f"--include={flow}", f"--fail-under={FLOW_COVERAGE}"):
        result.failed += 1
    return result


def browser() -> Result:
    """Run what needs a browser, apart: these tests want sockets, and none of Home Assistant's fixtures."""
    if find_chromium() is None:
        return Result(skipped=[f"tests.browser: {MISSING}"])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        ok = run(
            *(sys.executable, "-m", "pytest", "-q", "tests/browser", f"--junitxml={report}"),
            *("--confcutdir=tests/browser", "-p", "no:homeassistant", "-W", "ignore::DeprecationWarning"),
        )
        return counted(report, ok=ok)


def firmware() -> Result:
    return counted(FIRMWARE_REPORT, ok=run(ROOT / "scripts" / "firmware-test"))


def demo() -> Result:
    result = Result()
    for charger, seconds in DEMO_SECONDS.items():
        command = [str(ROOT / "scripts" / "demo"), "--headless", "--seconds", str(seconds), "--charger", charger]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(done.stderr + done.stdout, end="")
        told = SECRET.findall(done.stderr + done.stdout)
        if told:
            print(f"The demo tells {len(told)} secrets: {', '.join(sorted(set(told)))}")
        if not told and (missing := re.search(rf"{NOT_HERE}: .*", done.stderr)):
            result.skipped.append(f"demo --charger {charger}: {missing[0]}")
        elif done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["ok"] is True and not told:
            result.passed += 1
        else:
            result.failed += 1
    return result


PARTS: dict[str, Callable[[], Result]] = {
    "lint": lint,
    "format": formatting,
    "types": types,
    "audit": audit,
    "tests": tests,
    "browser": browser,
    "firmware": firmware,
    "demo": demo,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/test", description="Run all checks of the project, or some of them.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}")
    results: dict[str, tuple[Result, float]] = {}
    for part in parts:
        print(f"\n=== {part}", flush=True)
        began = time.monotonic()
        results[part] = PARTS[part](), time.monotonic() - began

    print(f"\n{'part':10} {'result':8} {'passed':>6} {'failed':>6} {'skipped':>7} {'seconds':>8}")
    for part, (result, seconds) in results.items():
        print(f"{part:10} {result.text:8} {result.passed:6} {result.failed:6} {len(result.skipped):7} {seconds:8.1f}")
    skipped = [name for result, _ in results.values() for name in result.skipped]
    for name in skipped:
        print(f"skipped: {name}")
    passed, failed = (sum(getattr(result, key) for result, _ in results.values()) for key in ("passed", "failed"))
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    if any(MISSING in name for name in skipped):
        print(f"\n{WITHOUT_BROWSER}")
    if any(vulnerabilities.NOT_CHECKED in name for name in skipped):
        print(f"\n{WITHOUT_DATABASE}")
    if any(NOT_HERE in name for name in skipped):
        print(f"\n{WITHOUT_DEVICES}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
