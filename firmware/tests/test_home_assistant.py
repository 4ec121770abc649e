"""The firmware and the integration, together for once: a simulated clamp becomes states of a real Home Assistant."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
import time

from conftest import ENVIRONMENT, FIRMWARE, HostBuild
from home_assistant import HomeAssistant
import pytest
from simulated_house import Device, wait_for

pytestmark = pytest.mark.xdist_group("host")  # shares the build and its ports


@pytest.fixture
def home(host_build: HostBuild, tmp_path: Path) -> Iterator[HomeAssistant]:
    python = ENVIRONMENT / "dev" / "bin" / "python"
    if not python.exists():
        pytest.skip("Home Assistant's environment is not set up: scripts/setup.py dev")
    home = HomeAssistant(python, FIRMWARE.parent, tmp_path / "home", host_build.webhook_port)
    try:
        yield home
    finally:
        home.stop()


def _current(home: HomeAssistant) -> float | None:
    state = home.states().get("sensor.current")
    return float(state) if state not in (None, "unknown", "unavailable") else None


def _shows(home: HomeAssistant, amps: float) -> bool:
    current = _current(home)
    # The integration publishes changes of a quarter of an amp
    return current is not None and abs(current - amps) <= 0.01 * amps + 0.25


def test_from_the_clamp_to_the_states(
    device: Device, home: HomeAssistant, host_build: HostBuild, record_property
) -> None:
    home.add_site(host_build.webhook_id)
    device.start()  # before Home Assistant, as after a blackout
    device.wait_for_log("Address: nothing answers there", 15)
    home.start()
    wait_for(lambda: _shows(home, 10), 60, "10 A as a state")
    wait_for(lambda: home.states()["binary_sensor.connected"] == "on", 5, "connected")
    assert float(home.states()["sensor.power"]) == pytest.approx(2300, rel=0.02)

    delays = []
    for amps in (19, 10, 19):
        time.sleep(2.5)  # Home Assistant publishes every two seconds at most
        device.flow(amps)
        stepped = time.monotonic()
        wait_for(partial(_shows, home, amps), 5, f"{amps} A as a state")
        delays.append(time.monotonic() - stepped)
    record_property("step", f"9 A steps became states after {', '.join(f'{delay:.2f}' for delay in delays)} s")
    assert max(delays) <= 1.5

    home.stop()
    seen = len(device.log)
    wait_for(lambda: any("Address" in line for line in device.log[seen:]), 40, "the stop in the device's log")
    home.add_site("quite_another_webhook")
    home.start()
    # Home Assistant answers 200 to a webhook that it does not know
    wait_for(lambda: any("Webhook id" in line for line in device.log[seen:]), 60, "the wrong id in the device's log")
    assert _current(home) is None

    home.stop()
    home.add_site(host_build.webhook_id)
    home.start()
    device.flow(14)
    wait_for(lambda: _shows(home, 14), 60, "14 A as a state, after all that")
    assert any("Accepted again, after" in line for line in device.log[seen:])
