"""One clamp on one phase, read through an ADC."""

import esphome.codegen as cg
from esphome.components import adc, binary_sensor, sensor, voltage_sampler
from esphome.components.esp32 import VARIANT_ESP32, VARIANT_ESP32C3, VARIANT_ESP32S2, VARIANT_ESP32S3, get_esp32_variant
import esphome.config_validation as cv
from esphome.const import (
    CONF_ATTENUATION,
    CONF_FREQUENCY,
    CONF_ID,
    CONF_MODEL,
    CONF_NUMBER,
    CONF_PIN,
    CONF_PLATFORM,
    CONF_SENSOR,
    DEVICE_CLASS_CURRENT,
    DEVICE_CLASS_FREQUENCY,
    DEVICE_CLASS_PROBLEM,
    ENTITY_CATEGORY_DIAGNOSTIC,
    STATE_CLASS_MEASUREMENT,
    UNIT_AMPERE,
    UNIT_HERTZ,
)
from esphome.core import CORE
import esphome.final_validate as fv

from . import ClampSensor

CONF_AMPS_PER_VOLT = "amps_per_volt"
CONF_BURDEN = "burden"
CONF_CLIPPING = "clipping"
CONF_DIVIDER = "divider"

CUSTOM = "CUSTOM"
SCT_013_000 = "SCT-013-000"
SCT_013_000_TURNS = 2000  # 100 A : 50 mA, YHDC's data sheet
# Clamps with a burden inside: their rated current gives 1 V (YHDC's data sheet)
VOLTAGE_CLAMPS = {"SCT-013-015": 15.0, "SCT-013-030": 30.0, "SCT-013-060": 60.0}
# Hall sensors: volts per amp at 5 V (Allegro's data sheet: 185, 100 and 66 mV/A)
HALL_SENSORS = {"ACS712-05": 0.185, "ACS712-20": 0.100, "ACS712-30": 0.066}
MODELS = [SCT_013_000, *VOLTAGE_CLAMPS, *HALL_SENSORS, CUSTOM]

# Where the ADC is accurate, V (Espressif: "ADC attenuation", measurable input voltage range of each chip)
ATTENUATIONS = ["0db", "2.5db", "6db", "12db"]
RANGES = {
    VARIANT_ESP32: [(0.100, 0.950), (0.100, 1.250), (0.150, 1.750), (0.150, 2.450)],
    VARIANT_ESP32S2: [(0.0, 0.750), (0.0, 1.050), (0.0, 1.300), (0.0, 2.500)],
    VARIANT_ESP32C3: [(0.0, 0.750), (0.0, 1.050), (0.0, 1.300), (0.0, 2.500)],
    VARIANT_ESP32S3: [(0.0, 0.950), (0.0, 1.250), (0.0, 1.750), (0.0, 3.100)],
}

# What belongs to one kind of model only: (option, its models, why the others have none)
OPTIONS = (
    (CONF_BURDEN, {SCT_013_000}, "its burden resistor is built in"),
    (CONF_DIVIDER, set(HALL_SENSORS), "only a 5 V sensor needs a divider in front of a 3.3 V pin"),
    (CONF_AMPS_PER_VOLT, {CUSTOM}, "its factor is known"),
)


def _options_of_model(config):
    model = config[CONF_MODEL]
    for option, models, reason in OPTIONS:
        if model in models and option not in config:
            raise cv.Invalid(f"{model} needs '{option}'", [option])
        if model not in models and option in config:
            raise cv.Invalid(f"{model} takes no '{option}': {reason}", [option])
    return config


def amps_per_volt(config):
    """Return how many amps in the conductor one volt at the pin stands for."""
    model = config[CONF_MODEL]
    if model == SCT_013_000:
        return SCT_013_000_TURNS / config[CONF_BURDEN]
    if model in VOLTAGE_CLAMPS:
        return VOLTAGE_CLAMPS[model]
    if model in HALL_SENSORS:
        return 1 / (HALL_SENSORS[model] * config[CONF_DIVIDER])
    return config[CONF_AMPS_PER_VOLT]


def accurate_range(attenuation):
    """Return the lowest and the highest voltage that the chip's ADC tells accurately."""
    # Chips that are not in the table, and the host's simulated clamp, are taken for the most modest one
    variant = get_esp32_variant() if CORE.is_esp32 else VARIANT_ESP32
    return RANGES.get(variant, RANGES[VARIANT_ESP32])[ATTENUATIONS.index(attenuation)]


CONFIG_SCHEMA = cv.All(
    sensor.sensor_schema(
        ClampSensor,
        unit_of_measurement=UNIT_AMPERE,
        accuracy_decimals=2,
        device_class=DEVICE_CLASS_CURRENT,
        state_class=STATE_CLASS_MEASUREMENT,
    )
    .extend(
        {
            cv.Required(CONF_SENSOR): cv.use_id(voltage_sampler.VoltageSampler),
            cv.Required(CONF_MODEL): cv.one_of(*MODELS, upper=True),
            # Below 5 Ω the signal drowns, above 200 Ω the clamp saturates
            cv.Optional(CONF_BURDEN): cv.All(cv.resistance, cv.float_range(min=5, max=200)),
            cv.Optional(CONF_DIVIDER): cv.float_range(min=0.1, max=1.0),
            cv.Optional(CONF_AMPS_PER_VOLT): cv.float_range(min=0.1, max=10000),
            cv.Optional(CONF_ATTENUATION, default="12db"): cv.one_of(*ATTENUATIONS, lower=True),
            cv.Optional(CONF_CLIPPING): binary_sensor.binary_sensor_schema(
                device_class=DEVICE_CLASS_PROBLEM, entity_category=ENTITY_CATEGORY_DIAGNOSTIC
            ),
            cv.Optional(CONF_FREQUENCY): sensor.sensor_schema(
                unit_of_measurement=UNIT_HERTZ,
                accuracy_decimals=1,
                device_class=DEVICE_CLASS_FREQUENCY,
                state_class=STATE_CLASS_MEASUREMENT,
                entity_category=ENTITY_CATEGORY_DIAGNOSTIC,
            ),
        }
    )
    .extend(cv.polling_component_schema("1s")),
    _options_of_model,
)


def _source_fits(config):
    """Refuse an ADC that would quietly measure something else."""
    full_config = fv.full_config.get()
    path = full_config.get_path_for_id(config[CONF_SENSOR])[:-1]
    source = full_config.get_config_for_path(path)
    if source.get(CONF_PLATFORM) != "adc" or not CORE.is_esp32:
        return config
    name, wanted = config[CONF_SENSOR], config[CONF_ATTENUATION]
    if (actual := source.get(CONF_ATTENUATION, "0db")) != wanted:
        raise cv.Invalid(f"'{name}' has attenuation {actual}, but this clamp counts on {wanted}: set both to the same")
    pin = source[CONF_PIN][CONF_NUMBER]
    if pin not in adc.ESP32_VARIANT_ADC1_PIN_TO_CHANNEL.get(get_esp32_variant(), {pin: None}):
        raise cv.Invalid(
            f"'{name}' reads GPIO{pin}, which belongs to the chip's second ADC: Wi-Fi uses that one itself. "
            "On an ESP32 take one of GPIO32 to GPIO39"
        )
    return config


FINAL_VALIDATE_SCHEMA = _source_fits


async def to_code(config):
    """Generate the clamp's C++."""
    low, high = accurate_range(config[CONF_ATTENUATION])
    clamp = cg.new_Pvariable(config[CONF_ID], amps_per_volt(config), low, high)
    await cg.register_component(clamp, config)
    await sensor.register_sensor(clamp, config)
    cg.add(clamp.set_source(await cg.get_variable(config[CONF_SENSOR])))
    if clipping := config.get(CONF_CLIPPING):
        cg.add(clamp.set_clipping(await binary_sensor.new_binary_sensor(clipping)))
    if frequency := config.get(CONF_FREQUENCY):
        cg.add(clamp.set_frequency(await sensor.new_sensor(frequency)))
