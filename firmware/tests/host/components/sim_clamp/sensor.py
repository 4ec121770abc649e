"""A simulated clamp in place of the ESP32's ADC."""

import esphome.codegen as cg
from esphome.components import sensor, voltage_sampler
import esphome.config_validation as cv
from esphome.const import CONF_ID

AUTO_LOAD = ["voltage_sampler"]
CONF_PHASE = "phase"

SimClamp = cg.esphome_ns.namespace("sim_clamp").class_(
    "SimClamp", sensor.Sensor, cg.Component, voltage_sampler.VoltageSampler
)

CONFIG_SCHEMA = sensor.sensor_schema(SimClamp).extend({cv.Required(CONF_PHASE): cv.string}).extend(cv.COMPONENT_SCHEMA)


async def to_code(config):
    """Generate the simulated clamp's C++."""
    clamp = cg.new_Pvariable(config[CONF_ID], config[CONF_PHASE])
    await cg.register_component(clamp, config)
    await sensor.register_sensor(clamp, config)
