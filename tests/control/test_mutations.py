"""Faults that somebody might build into the controller, and the test that each of them meets (README.md lists them)."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
import importlib.util
from pathlib import Path
import shutil
import sys
from types import ModuleType
from typing import Any

import pytest

from custom_components.amp_sensor import control
from tests.control import bench as benches, test_controller as tests
from tests.control.bench import running

SOURCE = Path(control.__file__).parent


@dataclass(frozen=True)
class Fault:
    """A change of the source that must not go unnoticed."""

    name: str
    module: str
    right: str
    wrong: str
    caught_by: Callable[..., None]
    arguments: dict[str, Any] = field(default_factory=dict)


FAULTS = (
    Fault(
        "sign",
        "controller",
        "over = house + charger.expected_amps - budget",
        "over = house - charger.expected_amps - budget",
        tests.test_a_reading_over_the_budget_lowers_the_car_at_once,
    ),
    Fault(
        "rounding",
        "controller",
        "math.floor(budget - house)",
        "math.ceil(budget - house)",
        tests.test_a_reading_over_the_budget_lowers_the_car_at_once,
    ),
    Fault(
        "margin",
        "controller",
        "math.floor(budget - prices.margin_amps - house)",
        "math.floor(budget + prices.margin_amps - house)",
        tests.test_an_ampere_that_just_fits_is_neither_taken_nor_given_back,
    ),
    Fault(
        "stale check off",
        "controller",
        "if silence_s > max(3 * self.meter.interval_s, QUIET_S):",
        "if False:",
        tests.test_nothing_is_raised_on_a_reading_older_than_15_s,
    ),
    Fault(
        "verification off",
        "belief",
        "return due is not None and now >= due",
        "return False",
        tests.test_a_cut_that_the_meter_does_not_show_is_sent_again_ever_less_often,
    ),
    Fault(
        "resend off",
        "charger",
        "            self.running = True\n        else:\n            self.request = None\n",
        "            pass\n",
        tests.test_a_stop_that_the_meter_does_not_show_is_sent_again,
    ),
    Fault(
        "adoption off",
        "controller",
        "if now - self._started_at < ADOPT_S:",
        "if False:",
        tests.test_nothing_is_raised_within_the_first_minute,
    ),
    Fault(
        "cap off",
        "charger",
        "return min(limits)",
        "return max(limits)",
        tests.test_what_the_car_accepts_at_most_is_not_exceeded,
    ),
    Fault(
        "in-flight check off",
        "charger",
        "if self.in_flight or now < self.not_before:\n            return None",
        "if now < self.not_before:\n            return None",
        tests.test_one_command_is_in_flight_and_the_newest_target_follows,
    ),
    Fault(
        "starts unbounded",
        "controller",
        "if starting and charger.starts_left(now) < 1:",
        "if False:",
        tests.test_starts_are_bounded_whatever_the_house_does,
    ),
    Fault(
        "frozen check off",
        "controller",
        "self._frozen_at = change.sent_at",
        "pass",
        tests.test_a_meter_that_shows_nothing_of_a_change_of_the_car_is_frozen,
    ),
    Fault(
        "monitor sends",
        "controller",
        "command = None if monitoring else charger.next_command(now)",
        "command = charger.next_command(now)",
        tests.test_monitor_tells_what_balanced_would_do,
    ),
    Fault(
        "unknown place is home",
        "charger",
        "if report.at_home is not True:\n            return Reason.AWAY",
        "if report.at_home is False:\n            return Reason.AWAY",
        tests.test_a_car_that_is_not_to_be_commanded_is_not,
        {"change": {"at_home": None}, "reason": "away"},
    ),
)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[[Fault | None], None]]:
    """Let the sites of this test be controlled by a copy with a fault."""
    name = "faulty_control"

    def load(fault: Fault | None) -> None:
        folder = shutil.copytree(SOURCE, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        if fault is not None:
            path = folder / f"{fault.module}.py"
            source = path.read_text()
            assert source.count(fault.right) == 1, f"{fault.name}: the source has changed; say anew what to break"
            path.write_text(source.replace(fault.right, fault.wrong))
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        assert spec.loader is not None
        package: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[name] = package
        spec.loader.exec_module(package)
        monkeypatch.setattr(benches, "UNDER_TEST", package)

    yield load
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[module]


def _run(fault: Fault) -> None:
    arguments = dict(fault.arguments)
    if "bench" in fault.caught_by.__annotations__:
        arguments["bench"] = running()
    fault.caught_by(**arguments)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_caught(fault: Fault, load: Callable[[Fault | None], None]) -> None:
    load(fault)
    with pytest.raises(AssertionError):
        _run(fault)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_faultless_copy_passes(fault: Fault, load: Callable[[Fault | None], None]) -> None:
    load(None)
    _run(fault)


def test_the_list_of_faults_is_complete() -> None:
    readme = (Path(__file__).parent / "README.md").read_text()
    rows = [row for row in readme.splitlines() if row.startswith("| ") and "`test_" in row]
    assert [tuple(cell.strip(" `") for cell in row.split("|")[1:4:2]) for row in rows] == [
        (fault.name, fault.caught_by.__name__) for fault in FAULTS
    ]
