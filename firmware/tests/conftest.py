"""Where the firmware's tests build, and what they build once for all of them."""

from collections.abc import Callable, Iterator
import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys
from types import ModuleType

import pytest
from simulated_house import Device, Webhook, free_port
import trustme

FIRMWARE = Path(__file__).resolve().parents[1]
ENVIRONMENT = FIRMWARE.parent / ".environment"
BUILD = ENVIRONMENT / "firmware"  # outlives a run: the second one compiles only what changed
SOURCES = BUILD / "sources"
API_KEY = "bm90IGEgc2VjcmV0LCBqdXN0IHRlc3RzIG9mIGNvbmY="  # 32 bytes in base64: "not a secret, just tests of conf"
SECRETS = f"""\
wifi_ssid: "My Wi-Fi"
wifi_password: "its password"
webhook_url: "http://192.168.1.10:8123/api/webhook/some_id"
api_key: "{API_KEY}"
device_password: "a password"
"""


def pytest_configure(config: pytest.Config) -> None:
    """Copy the firmware before the workers start: its YAML needs a secrets.yaml, and the repository must have none."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(SOURCES, ignore_errors=True)
        shutil.copytree(FIRMWARE, SOURCES, ignore=shutil.ignore_patterns("__pycache__", "*.lock", "images"))
        (SOURCES / "secrets.yaml").write_text(SECRETS)


def esphome(*arguments: str | Path, seconds: int = 300) -> subprocess.CompletedProcess[str]:
    """Run ESPHome on a copied YAML file and return how it ended, with all that it said in `stdout`."""
    command = [sys.executable, "-m", "esphome", *map(str, arguments)]
    environment = {
        **os.environ,
        "ESPHOME_DATA_DIR": str(BUILD / "data"),
        "NO_COLOR": "1",
        # ninja, among others, is installed next to this interpreter
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.run(
        command,
        cwd=SOURCES,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


def generator() -> ModuleType:
    """Import what Home Assistant shows people alone: Home Assistant is not installed in this environment."""
    path = FIRMWARE.parent / "custom_components" / "amp_sensor" / "meters" / "device_config.py"
    spec = importlib.util.spec_from_file_location("device_config", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["device_config"] = module
    spec.loader.exec_module(module)
    return module


def arduino(url: str, folder: Path) -> Callable[[float, float], bool]:
    """Compile the recipe for Arduino against stand-ins for the board's headers, and return its `report`."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    recipe, program = folder / "recipe.h", folder / "recipe"
    made = generator()
    recipe.write_text(made.recipe(made.Recipe.ARDUINO, webhook_url=url))
    board = FIRMWARE / "tests" / "board"
    strict = ("-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", f"-I{board}")
    command = ["g++", *strict, f'-DRECIPE="{recipe}"', board / "arduino.cpp", "-o", program]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout

    def report(amps: float, watts: float) -> bool:
        done = subprocess.run([program, str(amps), str(watts)], capture_output=True, text=True, check=False)
        assert not done.stderr, done.stderr
        return done.returncode == 0

    return report


class HostBuild:
    """The firmware's packages, compiled for this machine with sanitizers."""

    def __init__(self) -> None:
        self.webhook_port, self.api_port = free_port(), free_port()
        self.webhook_id = "a_webhook_of_the_tests"
        self.authority = trustme.CA()
        # The address of the file is compiled in: in the same place each time it spares compiling
        self._authority_file = BUILD / "authority.pem"
        self.authority.cert_pem.write_to_path(self._authority_file)

    @property
    def speaks_https(self) -> bool:
        return Path("/usr/include/openssl/ssl.h").exists()

    def compile(self, scheme: str) -> Path:
        """Build for a webhook at an address of that scheme, and return the program."""
        if shutil.which("g++") is None:
            pytest.skip("g++ is not installed")
        settings = {
            "webhook_url": f"{scheme}://127.0.0.1:{self.webhook_port}/api/webhook/{self.webhook_id}",
            "api_port": str(self.api_port),
            "authority": str(self._authority_file),
        }
        substitutions = [part for key, value in settings.items() for part in ("-s", key, value)]
        file = "https.yaml" if self.speaks_https else "host.yaml"
        done = esphome(*substitutions, "compile", f"tests/host/{file}")
        assert done.returncode == 0, done.stdout[-4000:]
        built = BUILD / "data" / "build" / "amp-sensor-host" / ".pioenvs" / "amp-sensor-host" / "program"
        return shutil.copy2(built, BUILD / f"program-{scheme}")


@pytest.fixture(scope="session")
def host_build() -> HostBuild:
    return HostBuild()


@pytest.fixture(scope="session")
def program(host_build: HostBuild) -> Path:
    return host_build.compile("http")


@pytest.fixture
def webhook(host_build: HostBuild) -> Iterator[Webhook]:
    with Webhook(host_build.webhook_port) as server:
        yield server


@pytest.fixture
def device(program: Path, host_build: HostBuild, tmp_path: Path) -> Iterator[Device]:
    """A device that is not started yet, with a memory of its own."""
    device = Device(program, host_build.api_port, tmp_path)
    try:
        yield device
    finally:
        device.stop()
        assert not device.sanitizer_report(), device.sanitizer_report()
