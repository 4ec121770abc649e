"""Each fault in a real evening: `scripts/faults` runs this file on all cores, and makes a table of what it finds."""

from dataclasses import asdict
import json

import pytest

from tests.faults.conftest import Spend
from tests.faults.evening import LONG
from tests.faults.faults import ALL


@pytest.mark.parametrize("name", ALL)
async def test_fault(name: str, spend: Spend, record_property: pytest.RecordProperty) -> None:
    row, drawn = await spend(ALL[name], LONG)
    record_property("row", json.dumps({**asdict(row), "drawn": [round(amps, 1) for amps in drawn]}))
