"""Every YAML file is one that ESPHome takes, and wrong ones are refused with a hint that helps."""

from pathlib import Path
import re

from conftest import FIRMWARE, SOURCES, esphome, generator
import pytest

KITS = sorted(path.stem for path in FIRMWARE.glob("*.yaml") if path.name != "secrets.example.yaml")

SCAFFOLD = """\
esphome: {{name: wrong}}
esp32: {{board: esp32dev, framework: {{type: esp-idf}}}}
wifi: {{ssid: a, password: a password}}
external_components: [{{source: components}}]
http_request:
amp_meter: {{url: {url}, phases: {phases}}}
sensor:
  - {{platform: adc, id: adc_l1, pin: {pin}, {attenuation}}}
  - {{platform: amp_meter, id: current_l1, sensor: adc_l1, {clamp}}}
"""
RIGHT = {
    "url": "http://192.168.1.10:8123/api/webhook/x",
    "phases": "[current_l1]",
    "pin": "GPIO34",
    "attenuation": "attenuation: 12db",
    "clamp": "model: SCT-013-030",
}
WRONG = {
    "no_model": ({"clamp": "name: Clamp"}, "'model' is a required option"),
    "unknown_model": ({"clamp": "model: SCT-013-031"}, "did you mean 'SCT-013-030'"),
    "no_burden": ({"clamp": "model: SCT-013-000"}, "SCT-013-000 needs 'burden'"),
    "burden_twice": ({"clamp": "model: SCT-013-030, burden: 22ohm"}, "its burden resistor is built in"),
    "burden_too_large": ({"clamp": "model: SCT-013-000, burden: 22kohm"}, "value must be at most 200"),
    "no_divider": ({"clamp": "model: ACS712-30"}, "ACS712-30 needs 'divider'"),
    "divider_for_a_clamp": ({"clamp": "model: SCT-013-015, divider: 0.5"}, "only a 5 V sensor needs a divider"),
    "custom_without_factor": ({"clamp": "model: custom"}, "CUSTOM needs 'amps_per_volt'"),
    "default_attenuation": ({"attenuation": "raw: false"}, "has attenuation 0db, but this clamp counts on 12db"),
    "unknown_attenuation": ({"clamp": "model: SCT-013-030, attenuation: 11db"}, "did you mean '12db'"),
    "second_adc": ({"pin": "GPIO25"}, "Wi-Fi uses that one itself"),
    "no_phase": ({"phases": "[]"}, "A site has one, two or three phases"),
    "four_phases": ({"phases": "[current_l1, current_l1, current_l1, current_l1]"}, "one, two or three phases"),
    "one_clamp_twice": ({"phases": "[current_l1, current_l1]"}, "named twice"),
    "adc_as_phase": ({"phases": "[adc_l1]"}, "adc_l1"),
    "no_webhook": ({"url": "http://192.168.1.10:8123/lovelace"}, "is no webhook of Home Assistant"),
    "webhook_without_id": ({"url": "http://192.168.1.10:8123/api/webhook/"}, "is no webhook of Home Assistant"),
    "no_scheme": ({"url": "192.168.1.10:8123/api/webhook/x"}, "url"),
    "example_left": ({"url": "http://192.168.1.10:8123/api/webhook/REPLACE_ME"}, "Put your own webhook URL here"),
}


@pytest.mark.parametrize("kit", KITS)
def test_esphome_takes_the_kit(kit: str) -> None:
    done = esphome("config", f"{kit}.yaml")
    assert done.returncode == 0, done.stdout
    warnings = [line for line in done.stdout.splitlines() if "WARNING" in line]
    # The web page takes updates too, without encryption, but behind its password
    assert all("web_server OTA platform" in line for line in warnings), warnings


def _generate(kit: str, **settings: str) -> Path:
    """Let ESPHome generate the code for an ESP32, and return its folder."""
    # The Improv library comes from a registry that not every machine reaches
    wrapper = SOURCES / f"generate-{kit}.yaml"
    wrapper.write_text(
        f"packages: {{kit: !include {kit}.yaml}}\nesphome: {{platformio_options: {{lib_ignore: Improv}}}}\n"
    )
    settings = {"name": f"generate-{kit}", **settings}
    substitutions = [part for key, value in settings.items() for part in ("-s", key, value)]
    done = esphome(*substitutions, "compile", "--only-generate", wrapper.name)
    assert done.returncode == 0, done.stdout
    return SOURCES.parent / "data" / "build" / settings["name"]


@pytest.mark.parametrize("kit", KITS)
def test_the_code_for_the_esp32_is_generated(kit: str) -> None:
    generated = (_generate(kit) / "src" / "main.cpp").read_text()
    assert ("amp_meter::Reporter" in generated) == (kit != "ct-clamp")
    # ESPHome's own client holds up the loop
    assert ("http_request::" in generated) == (kit == "ct-clamp")


@pytest.mark.parametrize("verify_ssl", ["true", "false"])
def test_a_certificate_is_verified_unless_that_is_switched_off(verify_ssl: str) -> None:
    url = "https://192.168.1.10:8123/api/webhook/x"
    folder = _generate("sct-013-030", name=f"generate-{verify_ssl}", webhook_url=url, verify_ssl=verify_ssl)
    options = "".join(path.read_text() for path in folder.glob("sdkconfig*"))
    for option, value in {
        "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE": "true",
        "CONFIG_ESP_TLS_INSECURE": "false",
        "CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY": "false",
    }.items():
        assert (f"{option}=y" in options) == (value == verify_ssl), option
    defines = (folder / "src" / "esphome" / "core" / "defines.h").read_text()
    assert ("#define AMP_METER_VERIFY_SSL" in defines) == (verify_ssl == "true")


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_refused_with_a_hint(wrong: str, request: pytest.FixtureRequest) -> None:
    mistake, hint = WRONG[wrong]
    file = SOURCES / f"wrong-{wrong}.yaml"
    file.write_text(SCAFFOLD.format(**RIGHT | mistake))
    done = esphome("config", file.name)
    assert done.returncode != 0
    assert hint in " ".join(done.stdout.split())


def test_what_the_mistakes_are_made_of_is_right() -> None:
    file = SOURCES / "wrong-nothing.yaml"
    file.write_text(SCAFFOLD.format(**RIGHT))
    done = esphome("config", file.name)
    assert done.returncode == 0, done.stdout


def test_a_name_that_an_esp32_may_not_find_is_warned_about() -> None:
    done = esphome("-s", "webhook_url", "http://homeassistant.local:8123/api/webhook/x", "config", "sct-013-030.yaml")
    assert done.returncode == 0
    assert "the IP address of Home Assistant always works" in " ".join(done.stdout.split())


def test_the_project_has_the_version_that_is_posted() -> None:
    component = (FIRMWARE / "components" / "amp_meter" / "__init__.py").read_text()
    posted = re.search(r'^VERSION = "(.+?)"', component, re.MULTILINE)[1]
    assert f'version: "{posted}"' in (FIRMWARE / "packages" / "base.yaml").read_text()


def test_secrets_stay_out_of_the_repository() -> None:
    assert not Path(FIRMWARE / "secrets.yaml").exists()
    example = (FIRMWARE / "secrets.example.yaml").read_text()
    for kit in KITS:
        for line in (FIRMWARE / f"{kit}.yaml").read_text().splitlines():
            if "!secret" in line:
                assert f"{line.split()[-1]}:" in example, line


GENERATOR = generator()


@pytest.mark.parametrize("kit", GENERATOR.KITS, ids=lambda kit: kit.key)
def test_esphome_takes_what_home_assistant_shows(kit) -> None:
    text = GENERATOR.device_yaml(kit, webhook_url="http://192.168.1.10:8123/api/webhook/x", voltage=230)
    # The packages as they are here, in place of those that are published
    repository = GENERATOR.REPOSITORY
    text = re.sub(rf"github://{repository}/firmware/(\S+)@{GENERATOR.REF}", r"!include \1", text)
    published = f"type: git\n      url: https://github.com/{repository}\n      ref: {GENERATOR.REF}\n      "
    text = text.replace(f"{published}path: firmware/components", "type: local\n      path: components")
    assert repository not in text
    file = SOURCES / f"generated-{kit.key}.yaml"
    file.write_text(text)
    done = esphome("config", file.name)
    assert done.returncode == 0, done.stdout
