"""Each fault in a real evening: `scripts/faults` runs this file on all cores, and makes a table of what it finds."""

from dataclasses import asdict
import json
from pathlib import Path

from homeassistant.components.recorder import Recorder
import pytest

from tests.faults.conftest import Spend
from tests.faults.evening import LONG
from tests.faults.faults import ALL, RECORDER


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Keep the recorder's database where it can be damaged."""
    return f"sqlite:///{tmp_path / 'recorder.db'}"


@pytest.mark.parametrize("name", ALL)
async def test_fault(name: str, spend: Spend, record_property: pytest.RecordProperty) -> None:
    row, drawn = await spend(ALL[name], LONG)
    record_property("row", json.dumps({**asdict(row), "drawn": [round(amps, 1) for amps in drawn]}))


@pytest.mark.parametrize("name", RECORDER)
async def test_fault_of_the_recorder(
    name: str, recorder_mock: Recorder, spend: Spend, record_property: pytest.RecordProperty
) -> None:
    row, drawn = await spend(RECORDER[name], LONG)
    record_property("row", json.dumps({**asdict(row), "drawn": [round(amps, 1) for amps in drawn]}))
