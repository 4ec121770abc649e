"""The core under GoogleTest, with the address and undefined-behaviour sanitizers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import re
import shutil
import subprocess
from xml.etree import ElementTree as ET

from conftest import BUILD, FIRMWARE
from google_test import google_test
import pytest
from simulated_house import UNKNOWN_ID, Answer, Webhook, free_port

CORE = ("rms_meter", "current", "report")
FLAGS = (
    "-std=c++20",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover",
)


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(scope="session")
def core_tests() -> Path:
    """The compiled tests of the core."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    found = google_test()
    if found is None:
        pytest.skip("GoogleTest is neither installed nor to be had from Debian")
    include, libraries = found
    components = FIRMWARE / "components" / "amp_meter"
    sources = [*(components / f"{name}.cpp" for name in CORE), *sorted((FIRMWARE / "tests" / "core").glob("*.cpp"))]
    folder = BUILD / "core"
    folder.mkdir(parents=True, exist_ok=True)
    objects = [folder / f"{source.stem}.o" for source in sources]
    with ThreadPoolExecutor(2) as pool:
        compiled = pool.map(
            lambda pair: _run("g++", *FLAGS, f"-I{components}", "-isystem", include, "-c", pair[0], "-o", pair[1]),
            zip(sources, objects, strict=True),
        )
        list(compiled)
    program = folder / "core_tests"
    _run("g++", *FLAGS, *objects, f"-L{libraries}", "-lgtest", "-lgtest_main", "-o", program)
    return program


def test_the_core(core_tests: Path, record_property) -> None:
    report = core_tests.with_suffix(".xml")
    _run(core_tests, "--gtest_brief=1", f"--gtest_output=xml:{report}")
    cases = ET.parse(report).getroot().findall(".//testcase")
    assert len(cases) > 100
    record_property("cases", f"{len(cases)} GoogleTest cases of the core")


def test_the_esp32_posts_from_a_task_of_its_own(tmp_path: Path) -> None:
    """As far as it runs here: ESP-IDF and FreeRTOS are stand-ins."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    board, components = FIRMWARE / "tests" / "board", FIRMWARE / "components" / "amp_meter"
    told = ("-DUSE_ESP32", "-DUSE_AMP_METER_REPORT", "-DAMP_METER_VERIFY_SSL", '-DAMP_METER_VERSION="1.2.3"')
    sources = [
        components / "poster.cpp",
        components / "poster_esp32.cpp",
        components / "report.cpp",
        board / "posts.cpp",
    ]
    program = tmp_path / "posts"
    _run("g++", *FLAGS, *told, f"-I{board}", f"-I{components}", *sources, "-o", program)
    with Webhook(free_port()) as webhook:
        url = f"http://127.0.0.1:{webhook.port}/api/webhook/x"
        assert _run(program, url, '{"amps": 1}', '{"amps": 22}').splitlines() == ['200 -1 {"accepted": true}'] * 2
        assert [post.body for post in webhook.posts] == ['{"amps": 1}', '{"amps": 22}']
        assert {post.content_type for post in webhook.posts} == {"application/json"}
        webhook.answer = Answer(429, "x" * 300, {"Retry-After": "7"})
        assert _run(program, url, "{}") == f"429 7 {'x' * 256}\n"
        webhook.answer = UNKNOWN_ID
        assert _run(program, url, "{}") == "200 -1 \n"
    assert _run(program, url, "{}", "{}").splitlines() == ["-1 -1 "] * 2


def test_the_core_needs_nothing_of_esphome() -> None:
    for name in CORE:
        for suffix in ("h", "cpp"):
            text = (FIRMWARE / "components" / "amp_meter" / f"{name}.{suffix}").read_text()
            assert not re.search(r'#include "esphome', text), name
