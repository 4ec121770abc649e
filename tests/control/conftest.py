"""A site to begin with."""

import pytest

from tests.control.bench import Bench, running


@pytest.fixture
def bench() -> Bench:
    """A site of 25 A, a calm house of 5 A, and a car that has been charging with 16 A for two minutes."""
    return running()
