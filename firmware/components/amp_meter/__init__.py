"""Reports the current of one to three clamps to Home Assistant's Amp Sensor."""

import logging
from urllib.parse import urlsplit

import esphome.codegen as cg

# A platform module of this package is named `sensor` too, and would hide ESPHome's under that name
from esphome.components import esp32, http_request, output, sensor as sensors, text_sensor
import esphome.config_validation as cv
from esphome.const import (
    CONF_ENERGY,
    CONF_ID,
    CONF_POWER,
    CONF_STATUS,
    CONF_URL,
    DEVICE_CLASS_ENERGY,
    DEVICE_CLASS_POWER,
    ENTITY_CATEGORY_DIAGNOSTIC,
    PLATFORM_ESP32,
    PLATFORM_HOST,
    STATE_CLASS_MEASUREMENT,
    STATE_CLASS_TOTAL_INCREASING,
    UNIT_KILOWATT_HOURS,
    UNIT_WATT,
)
from esphome.core import CORE

_LOGGER = logging.getLogger(__name__)

DEPENDENCIES = ["network"]
AUTO_LOAD = ["binary_sensor", "output", "sensor", "text_sensor", "voltage_sampler"]

CONF_HTTP_REQUEST_ID = "http_request_id"
CONF_PHASES = "phases"
CONF_STATUS_LED = "status_led"
CONF_VERIFY_SSL = "verify_ssl"

VERSION = "0.3.0"  # what each post tells; of the project in packages/base.yaml too

WEBHOOK_PATH = "/api/webhook/"

amp_meter_ns = cg.esphome_ns.namespace("amp_meter")
ClampSensor = amp_meter_ns.class_("ClampSensor", sensors.Sensor, cg.PollingComponent)
Reporter = amp_meter_ns.class_("Reporter", cg.PollingComponent)


def webhook_url(value):
    """Accept the address that Amp Sensor shows, and nothing that cannot be one."""
    value = http_request.validate_url(value)
    parts = urlsplit(value)
    webhook_id = parts.path.removeprefix(WEBHOOK_PATH)
    if not parts.path.startswith(WEBHOOK_PATH) or not webhook_id or "/" in webhook_id:
        raise cv.Invalid(
            f"'{value}' is no webhook of Home Assistant: it must look like http://192.168.1.10:8123{WEBHOOK_PATH}… "
            "(Settings > Devices & services > Amp Sensor shows yours)"
        )
    if "REPLACE" in webhook_id:
        raise cv.Invalid("Put your own webhook URL here: Settings > Devices & services > Amp Sensor shows it")
    if (parts.hostname or "").endswith(".local"):
        _LOGGER.warning(
            "'%s' is a name that many networks do not tell to an ESP32; the IP address of Home Assistant always works",
            parts.hostname,
        )
    return value


def _with_client(config):
    """On Linux, ESPHome's own client posts; on the ESP32 it would block the loop, so ESP-IDF's does, in a task."""
    if not CORE.is_host:
        return config
    client = {cv.GenerateID(CONF_HTTP_REQUEST_ID): cv.use_id(http_request.HttpRequestComponent)}
    return cv.Schema(client, extra=cv.ALLOW_EXTRA)(config)


_SCHEMA = cv.Schema(
    {
        cv.GenerateID(): cv.declare_id(Reporter),
        cv.Required(CONF_URL): webhook_url,
        cv.Required(CONF_PHASES): cv.All(
            cv.ensure_list(cv.use_id(ClampSensor)),
            cv.Length(min=1, max=3, msg="A site has one, two or three phases: name one amp_meter sensor for each"),
        ),
        cv.Optional(CONF_VERIFY_SSL, default=True): cv.boolean,
        cv.Optional(CONF_STATUS_LED): cv.use_id(output.BinaryOutput),
        cv.Optional(CONF_STATUS): text_sensor.text_sensor_schema(
            icon="mdi:lan-connect", entity_category=ENTITY_CATEGORY_DIAGNOSTIC
        ),
        cv.Optional(CONF_POWER): sensors.sensor_schema(
            unit_of_measurement=UNIT_WATT,
            accuracy_decimals=0,
            device_class=DEVICE_CLASS_POWER,
            state_class=STATE_CLASS_MEASUREMENT,
        ),
        cv.Optional(CONF_ENERGY): sensors.sensor_schema(
            unit_of_measurement=UNIT_KILOWATT_HOURS,
            accuracy_decimals=3,
            device_class=DEVICE_CLASS_ENERGY,
            state_class=STATE_CLASS_TOTAL_INCREASING,
        ),
    }
).extend(cv.polling_component_schema("5s"))
CONFIG_SCHEMA = cv.All(_SCHEMA, _with_client, cv.only_on([PLATFORM_ESP32, PLATFORM_HOST]))


def _one_clamp_each(config):
    phases = [str(phase) for phase in config[CONF_PHASES]]
    if doubled := {phase for phase in phases if phases.count(phase) > 1}:
        raise cv.Invalid(f"Each phase has a clamp of its own, but {', '.join(doubled)} is named twice", [CONF_PHASES])
    return config


FINAL_VALIDATE_SCHEMA = _one_clamp_each


async def to_code(config):
    """Generate the reporter's C++."""
    cg.add_define("USE_AMP_METER_REPORT")
    cg.add_define("AMP_METER_VERSION", VERSION)
    reporter = cg.new_Pvariable(config[CONF_ID], config[CONF_URL])
    await cg.register_component(reporter, config)
    if CORE.is_host:
        cg.add(reporter.set_http_request(await cg.get_variable(config[CONF_HTTP_REQUEST_ID])))
    else:
        esp32.request_http_client()
        if config[CONF_VERIFY_SSL]:
            cg.add_define("AMP_METER_VERIFY_SSL")
            if config[CONF_URL].startswith("https:"):
                esp32.require_certificate_bundle()
        else:
            esp32.add_idf_sdkconfig_option("CONFIG_ESP_TLS_INSECURE", True)
            esp32.add_idf_sdkconfig_option("CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY", True)
    for phase in config[CONF_PHASES]:
        cg.add(reporter.add_phase(await cg.get_variable(phase)))
    if led := config.get(CONF_STATUS_LED):
        cg.add(reporter.set_status_led(await cg.get_variable(led)))
    if status := config.get(CONF_STATUS):
        cg.add(reporter.set_status(await text_sensor.new_text_sensor(status)))
    if power := config.get(CONF_POWER):
        cg.add(reporter.set_power(await sensors.new_sensor(power)))
    if energy := config.get(CONF_ENERGY):
        cg.add(reporter.set_energy(await sensors.new_sensor(energy)))
