"""Home Assistant's own integrations, over real sockets."""

import logging

import freezegun.api
import paho.mqtt.client
import pytest


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """An evening of debugging is long."""
    caplog.set_level(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.CRITICAL)  # it cannot tell the frozen clock's time zone


@pytest.fixture(autouse=True)
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paho reads the clock in threads, which freezegun leaves on the real one, and elsewhere: give it one for both."""

    def real() -> float:
        return freezegun.api.real_monotonic()  # as it is, freezegun would take it for the clock, and replace it

    monkeypatch.setattr(paho.mqtt.client, "time_func", real)
