"""The profiles, one file for each integration."""

from typing import Final

from ..profile import ChargerProfile
from . import (
    alfen,
    easee,
    esphome_tesla_ble,
    goe,
    goe_mqtt,
    keba,
    keba_custom,
    lektrico,
    nrgkick,
    ocpp,
    ohme,
    openevse,
    peblar,
    smartevse,
    technove,
    tesla_fleet,
    teslemetry,
    tessie,
    v2c,
    wallbox,
    zaptec,
)

PROFILES: Final[tuple[ChargerProfile, ...]] = (
    alfen.PROFILE,
    easee.PROFILE,
    esphome_tesla_ble.PROFILE,
    goe.PROFILE,
    goe_mqtt.PROFILE,
    keba.PROFILE,
    keba_custom.PROFILE,
    lektrico.PROFILE,
    nrgkick.PROFILE,
    ocpp.PROFILE,
    ohme.PROFILE,
    openevse.PROFILE,
    peblar.PROFILE,
    smartevse.PROFILE,
    technove.PROFILE,
    tesla_fleet.PROFILE,
    teslemetry.PROFILE,
    tessie.PROFILE,
    v2c.PROFILE,
    wallbox.PROFILE,
    zaptec.PROFILE,
)
