"""The firmware's packages on Linux: against a webhook that does all that can go wrong, and a real Home Assistant."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
import re
import ssl
from statistics import median
import time

from conftest import ENVIRONMENT, FIRMWARE, HostBuild, arduino
from home_assistant import HomeAssistant
import pytest
from simulated_house import ACCEPTED, HANGS, UNKNOWN_ID, Answer, Device, NameServer, Webhook, wait_for
import trustme

SLACK_S = 0.5  # a window of measuring, and a test machine that has other things to do


def _gaps(webhook: Webhook) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(webhook.posts)]


def _is_near(amps: float):
    return lambda post: abs(post.data["amps"] - amps) <= 0.01 * amps


def test_the_first_post_has_all_values_and_the_rhythm_is_five_seconds(
    webhook: Webhook, device: Device, host_build: HostBuild, record_property
) -> None:
    device.start()
    wait_for(lambda: len(webhook.posts) >= 3, 20, "three posts")
    for post in webhook.posts:
        assert post.path.startswith("/api/webhook/")
        assert post.content_type == "application/json"
        assert set(post.data) == {"amps", "watts", "energy_wh", "boot_id", "version"}
        assert post.data["amps"] == pytest.approx(10, rel=0.01)
        assert post.data["watts"] == pytest.approx(230 * post.data["amps"], abs=2)
    first, second, third = (post.data for post in webhook.posts[:3])
    assert first["boot_id"] == third["boot_id"]
    # 2300 W for five seconds
    assert third["energy_wh"] - second["energy_wh"] == pytest.approx(2300 * 5 / 3600, rel=0.1)
    assert _gaps(webhook) == pytest.approx([5, 5], abs=SLACK_S)

    assert not any(host_build.webhook_id in line for line in device.log), "the id is a secret"

    # ESPHome itself allocates while it starts, and sorts its timers out ten seconds later; from then on nobody does
    wait_for(lambda: len(device.seconds()) >= 13, 5, "thirteen seconds")
    webhook.next_post(6)
    wait_for(lambda: len(device.seconds()) >= 17, 5, "seventeen seconds")
    steady = device.seconds()[13:]
    readings = sum(second.readings for second in steady)
    record_property("steady", f"{readings // 2} turns of the loop with a post allocate nothing")
    assert readings > 1000
    assert [second.allocations for second in steady] == [0] * len(steady)


@pytest.mark.parametrize("fault", ["a server that answers after 30 s", "a name server that does not answer"])
def test_measuring_goes_on_meanwhile(fault: str, webhook: Webhook, device: Device, record_property) -> None:
    with NameServer() as name_server:
        device.name_server = name_server
        device.start()
        webhook.next_post(10)
        before = wait_for(lambda: device.seconds()[1:] if len(device.seconds()) >= 4 else [], 10, "four seconds")
        questions = name_server.questions
        if "name server" in fault:
            name_server.is_silent = True
        else:
            webhook.answer = HANGS
        device.wait_for_log("Address: nothing answers there", 15)
        meanwhile = device.seconds()[4:]
        assert name_server.questions > questions, "nobody asked: this machine resolves names without name servers"
        usual, least = median(second.readings for second in before), min(second.readings for second in meanwhile)
        longest = max(second.longest_gap_s for second in meanwhile)
        record_property(
            "measuring",
            f"{fault}: {usual:.0f} readings a second before, {least} or more meanwhile, "
            f"at most {longest * 1000:.1f} ms between two",
        )
        assert least >= usual / 2  # other things than the firmware run here too
        assert longest < 0.2  # a window: what a post of 2 s or more would tear
        last = webhook.posts[-1]
        webhook.answer, name_server.is_silent = ACCEPTED, False
        after = webhook.next_post(15)
        assert after.data["boot_id"] == last.data["boot_id"]
        # The counter goes on in windows of 200 ms
        assert after.data["energy_wh"] - last.data["energy_wh"] == pytest.approx(
            2300 * (after.at - last.at) / 3600, abs=2300 * 0.4 / 3600
        )


def test_entities_are_quiet_once_adopted(webhook: Webhook, device: Device) -> None:
    device.start()
    webhook.next_post(10)
    webhook.next_post(10)
    time.sleep(1)  # by now each of them has told something: power and energy do after five seconds
    assert device.entities_disabled_by_default() == {"Current", "Power", "Energy", "Mains frequency"}
    states = device.all_states(6)
    # The first of each is told to whoever connects
    again = [name for name, _ in states if [each for each, _ in states].count(name) > 1]
    assert set(again) <= {"amp_meter", "ct_clamp"}, "these two are of the comparison, not of the firmware"
    assert ("Calibration factor", 1) in states
    device.flow(19)
    moved = [name for name, _ in device.all_states(4)]
    assert moved.count("Current") <= 3
    assert moved.count("Power") <= 3


def test_a_step_is_told_at_once_and_in_full_within_a_second_and_a_half(webhook: Webhook, device: Device) -> None:
    device.start()
    webhook.next_post(10)
    time.sleep(1.5)
    for amps in (19, 10):
        device.flow(amps)
        stepped = time.monotonic()
        assert webhook.next_post(5, _is_near(amps)).at - stepped <= 1.5
        time.sleep(1.5)


def test_a_restless_current_is_told_once_a_second_at_most(webhook: Webhook, device: Device) -> None:
    device.start()
    webhook.next_post(10)
    for turn in range(10):
        device.flow(20 if turn % 2 else 5)
        time.sleep(0.6)
    assert len(webhook.posts) >= 4
    assert min(_gaps(webhook)) >= 1 - 0.05


def test_a_drift_below_an_amp_waits_for_its_turn(webhook: Webhook, device: Device) -> None:
    device.start()
    webhook.next_post(10)
    device.flow(10.7)
    assert webhook.next_post(10).data["amps"] == pytest.approx(10.7, rel=0.01)
    assert _gaps(webhook) == pytest.approx([5], abs=SLACK_S)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500, "boom"), "Home Assistant has an error of its own"),
        (UNKNOWN_ID, "Webhook id: Home Assistant does not know it"),
        (Answer(301, "", {"Location": "https://127.0.0.1:9/"}), "it is not Home Assistant's webhook"),
        (Answer(422, '{"accepted": false, "error": "amps is missing"}'), "amps is missing"),
        (HANGS, "Address: nothing answers there"),
    ],
    ids=["500", "empty 200", "redirect", "422", "silence"],
)
def test_a_failure_is_named_backed_off_from_and_survived(
    answer: Answer, words: str, webhook: Webhook, device: Device
) -> None:
    webhook.answer = answer
    device.start()
    wait_for(lambda: len(webhook.posts) >= 2, 20, "a second try")
    pause = re.search(r"next try in ([\d.]+) s", device.wait_for_log(words, 5))
    assert 1 <= float(pause[1]) <= 1.5
    assert _gaps(webhook)[0] >= float(pause[1]) - 0.05
    device.flow(17)
    webhook.answer = ACCEPTED
    # What comes after is what flows now, not what could not be sent
    assert webhook.next_post(10).data["amps"] == pytest.approx(17, rel=0.01)
    device.wait_for_log("Accepted again, after", 2)
    assert device.states()["Report"] == "Accepted"


def test_refused_connections_are_survived_and_no_energy_is_lost(webhook: Webhook, device: Device) -> None:
    device.start()
    before = webhook.next_post(10)
    webhook.close()
    device.wait_for_log("Address: nothing answers there", 10)
    assert "Address" in str(device.states(0.5)["Report"])
    webhook.open()
    after = webhook.next_post(10)
    assert after.data["boot_id"] == before.data["boot_id"]
    expected_wh = 2300 * (after.at - before.at) / 3600
    assert after.data["energy_wh"] - before.data["energy_wh"] == pytest.approx(expected_wh, rel=0.1)


def test_retry_after_is_honoured(webhook: Webhook, device: Device) -> None:
    webhook.answer = Answer(429, '{"accepted": false, "error": "too many"}', {"Retry-After": "3"})
    device.start()
    webhook.next_post(10)
    webhook.answer = ACCEPTED
    device.flow(20)
    webhook.next_post(10)
    assert 3 <= _gaps(webhook)[0] <= 5
    device.wait_for_log("asks for a pause", 1)


def test_without_a_sound_bias_nothing_is_posted_until_it_is_back(webhook: Webhook, device: Device) -> None:
    device.flow(0, bias_volts=0.02)
    device.start()
    device.wait_for_log("the pin rests at 0.02 V", 5)
    device.wait_for_log("Value: there is none", 5)
    assert not webhook.posts
    wait_for(lambda: sum("[led" in line for line in device.log) >= 8, 5, "four flashes of the status LED")
    device.flow(10)
    assert webhook.next_post(5).data["amps"] == pytest.approx(10, rel=0.01)


def test_a_current_beyond_the_range_is_reported(webhook: Webhook, device: Device) -> None:
    device.flow(30)
    device.start()
    device.wait_for_log("beyond what this clamp and burden can show", 5)
    assert device.states()["Beyond range"] is True
    assert webhook.next_post(7).data["beyond_range"] is True
    device.flow(10)
    time.sleep(2.5)
    assert device.states()["Beyond range"] is False
    assert "beyond_range" not in webhook.next_post(7).data


def test_calibration_and_settings_from_home_assistant_outlive_a_restart(webhook: Webhook, device: Device) -> None:
    device.start()
    first = webhook.next_post(10)
    device.set_number("Calibrate to known current", 11.2)
    device.wait_for_log("A now read 11.20 A", 2)
    device.set_number("Nominal voltage", 120)
    device.set_number("Power factor", 0.95)
    told = webhook.next_post(10, _is_near(11.2))
    device.restart()
    again = webhook.next_post(10)
    for post in (told, again):
        assert post.data["amps"] == pytest.approx(11.2, rel=0.01)
    assert again.data["watts"] == pytest.approx(again.data["amps"] * 120 * 0.95, abs=1)
    assert again.data["boot_id"] != first.data["boot_id"]
    assert again.data["energy_wh"] < told.data["energy_wh"]
    assert device.states(0.5)["Calibration factor"] == pytest.approx(1.12, abs=0.01)
    device.set_number("Calibration factor", 1)
    webhook.next_post(10, _is_near(10))


def test_calibration_that_cannot_be_right_is_refused(webhook: Webhook, device: Device) -> None:
    device.start()
    webhook.next_post(10)
    device.set_number("Calibrate to known current", 30)
    device.wait_for_log("not calibrated to 30.00 A while", 2)
    assert webhook.next_post(10).data["amps"] == pytest.approx(10, rel=0.01)


def test_https_is_spoken_and_a_stranger_is_not_trusted(host_build: HostBuild, tmp_path: Path) -> None:
    if not host_build.speaks_https:
        pytest.skip("OpenSSL's headers (libssl-dev) are not installed")
    device = Device(host_build.compile("https"), host_build.api_port, tmp_path)

    def tls(issuer: trustme.CA) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert("127.0.0.1").configure_cert(context)
        return context

    try:
        with Webhook(host_build.webhook_port, tls(trustme.CA())) as webhook:
            device.start()
            device.wait_for_log("Address: nothing answers there", 10)
            assert not webhook.posts
        with Webhook(host_build.webhook_port, tls(host_build.authority)) as webhook:
            assert webhook.next_post(10).data["amps"] == pytest.approx(10, rel=0.01)
    finally:
        device.stop()
    assert not device.sanitizer_report()


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
    device: Device, home: HomeAssistant, host_build: HostBuild, tmp_path: Path, record_property
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
    wait_for(lambda: any("Accepted again, after" in line for line in device.log[seen:]), 2, "the return in the log")
    device.stop()

    # What other devices may run
    url = f"http://127.0.0.1:{host_build.webhook_port}/api/webhook/"
    report = arduino(url + host_build.webhook_id, tmp_path)
    assert report(6.5, 1495.0)
    wait_for(lambda: _shows(home, 6.5), 10, "6.5 A of the recipe for Arduino as a state")
    assert not arduino(url + "quite_another_webhook", tmp_path)(6.5, 1495.0)
