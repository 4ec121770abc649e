"""What a person flashes: a complete ESPHome configuration for a kit, or a few lines for a device of their own."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
import json
from typing import Final
from urllib.parse import urlsplit

REPOSITORY: Final = "OWNER/ha-amp-sensor"
REF: Final = "main"
_BASE: Final = ("base", "report", "adc", "clamp")


@dataclass(frozen=True, kw_only=True)
class Kit:
    """Parts that belong together. `firmware/<key>.yaml` is the same for those who work in a checkout."""

    key: str
    packages: tuple[str, ...]
    """Files of `firmware/packages/`, without their ending."""
    substitutions: Mapping[str, str] = field(default_factory=dict)
    needs_component: bool = True
    """Whether ESPHome has to fetch this project's component."""
    largest_amps: int
    """What the clamp shows on an ESP32 with its bias in the middle of the ADC's range, RMS, A."""


KITS: Final = (
    Kit(
        key="sct-013-030",
        packages=_BASE,
        substitutions={"model": "SCT-013-030", "pin": "GPIO34"},
        largest_amps=24,
    ),
    Kit(
        key="sct-013-000",
        packages=(*_BASE, "burden"),
        substitutions={"model": "SCT-013-000", "burden": "22ohm", "pin": "GPIO34"},
        largest_amps=73,
    ),
    Kit(
        key="three-phases",
        packages=("base", "report", "three-phases"),
        substitutions={"model": "SCT-013-000", "burden": "22ohm"},
        largest_amps=73,
    ),
    Kit(
        key="acs712",
        packages=(*_BASE, "divider"),
        substitutions={"model": "ACS712-30", "divider": "0.5", "pin": "GPIO34"},
        largest_amps=23,
    ),
    Kit(
        key="ct-clamp",
        packages=("base", "adc", "ct_clamp"),
        substitutions={"amps_per_volt": "30", "pin": "GPIO34"},
        needs_component=False,
        largest_amps=24,
    ),
)


def _derived(webhook_url: str, purpose: str) -> bytes:
    """Return 32 bytes that only follow from knowing the webhook's id, and are the same each time."""
    webhook_id = urlsplit(webhook_url).path.rpartition("/")[2]
    return hashlib.sha256(f"amp_sensor {purpose} {webhook_id}".encode()).digest()


def device_yaml(kit: Kit, *, webhook_url: str, voltage: int) -> str:
    """Return the configuration to paste into ESPHome, complete but for the Wi-Fi in its `secrets.yaml`.

    The keys in it follow from the webhook's id: shown a second time, the text is the same, and the device keeps
    being known to Home Assistant.
    """
    substitutions = {
        "name": "amp-sensor",
        "friendly_name": "Amp Sensor",
        "webhook_url": webhook_url,
        "api_key": base64.b64encode(_derived(webhook_url, "API key")).decode(),
        "device_password": _derived(webhook_url, "device password").hex()[:16],
        "voltage": str(voltage),
        "power_factor": "1.0",
        **kit.substitutions,
    }
    lines = [
        "# Amp Sensor. Keep this text to yourself: the webhook's address and the keys in it are secrets.",
        "substitutions:",
        *(f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in substitutions.items()),
        "  wifi_ssid: !secret wifi_ssid",
        "  wifi_password: !secret wifi_password",
        "",
    ]
    if (urlsplit(webhook_url).hostname or "").endswith(".local"):
        lines.insert(
            1, "# If the device finds no address, put Home Assistant's IP address in place of the .local name."
        )
    if kit.needs_component:
        lines += [
            "external_components:",
            "  - source:",
            "      type: git",
            f"      url: https://github.com/{REPOSITORY}",
            f"      ref: {REF}",
            "      path: firmware/components",
            "",
        ]
    lines.append("packages:")
    lines += [f"  {name}: github://{REPOSITORY}/firmware/packages/{name}.yaml@{REF}" for name in kit.packages]
    return "\n".join(lines) + "\n"


class Recipe(StrEnum):
    """For devices that do not run this project's firmware."""

    ESPHOME = "esphome"
    ARDUINO = "arduino"
    MICROPYTHON = "micropython"
    CURL = "curl"


_RECIPES: Final = {
    Recipe.CURL: """\
curl -H "Content-Type: application/json" -d "{\\"amps\\": 10.0, \\"watts\\": 2200.0}" "@URL@"
""",
    Recipe.ESPHOME: """\
http_request:
  timeout: 4s
interval:
  - interval: 1s
    then:
      - http_request.post:
          url: "@URL@"
          json: |-
            root["amps"] = id(amps).state;
            root["watts"] = id(watts).state;
""",
    Recipe.ARDUINO: """\
#include <HTTPClient.h>
#include <WiFi.h>

// Whether Home Assistant took the reading. Call it every 5 s, and at once when the current moved by 1 A or more; from a
// task of its own, because it waits for the answer: up to 4 s, longer for a name that does not resolve.
bool report(float amps, float watts) {
  HTTPClient http;
  http.setConnectTimeout(4000);
  http.setTimeout(4000);
  if (WiFi.status() != WL_CONNECTED || !http.begin("@URL@"))
    return false;
  http.addHeader("Content-Type", "application/json");
  char body[64];
  snprintf(body, sizeof(body), "{\\"amps\\": %.2f, \\"watts\\": %.1f}", amps, watts);
  // A webhook that Home Assistant does not know is answered with 200 too: only the body tells
  bool accepted = http.POST(body) == 200 && http.getString().indexOf("\\"accepted\\": true") >= 0;
  http.end();
  return accepted;
}
""",
    Recipe.MICROPYTHON: """\
import requests


def report(amps, watts):
    \"\"\"Return whether Home Assistant took it. Call this every 5 s, and at once after a step of 1 A or more.\"\"\"
    try:
        answer = requests.post("@URL@", json={"amps": amps, "watts": watts}, timeout=4)
    except OSError:
        return False
    # A webhook that Home Assistant does not know is answered with 200 too: only the body tells
    accepted = answer.status_code == 200 and '"accepted": true' in answer.text
    answer.close()
    return accepted
""",
}


def recipe(language: Recipe, *, webhook_url: str) -> str:
    """Return the lines that post one reading in the bare format."""
    return _RECIPES[language].replace("@URL@", webhook_url)
