"""Teslas by Bluetooth, through an ESP32 with yoziru's esphome-tesla-ble."""

from typing import Final

from ...control import ChargingState
from ...control.profile import TESLA_BLE
from ..profile import ChargerProfile, Find, Pause

PROFILE: Final = ChargerProfile(
    key="esphome_tesla_ble",
    title="Tesla by Bluetooth (esphome-tesla-ble)",
    integration="esphome",
    source="yoziru/esphome-tesla-ble 2026.6.9: components/tesla_ble_vehicle/__init__.py, vehicle_state_manager.cpp",
    current=Find(domain="number", key="Charging Amps"),
    pause=Pause(pause=Find(domain="switch", key="Charger")),
    state=Find(domain="sensor", key="Charging"),
    states={
        "Disconnected": ChargingState.DISCONNECTED,
        "No Power": ChargingState.NO_POWER,
        "Starting": ChargingState.STARTING,
        "Calibrating": ChargingState.STARTING,
        "Charging": ChargingState.CHARGING,
        "Complete": ChargingState.COMPLETE,
        "Stopped": ChargingState.STOPPED,
        "Unknown": ChargingState.UNKNOWN,
    },
    plugged=Find(domain="binary_sensor", key="Charger"),
    currents=(Find(domain="sensor", key="Charger Current"),),
    power=Find(domain="sensor", key="Charger Power"),
    voltage=Find(domain="sensor", key="Charger Voltage"),
    phases=Find(domain="sensor", key="Charger Phases"),
    phases_states={"1": 1, "2": 3, "3": 3},  # a Tesla says 2 for three too
    limit=Find(domain="sensor", key="Charger Max"),
    asleep=Find(domain="binary_sensor", key="Asleep"),
    wake=Find(domain="button", key="Wake up"),
    behaviour=TESLA_BLE,
    refresh_s=30.0,  # packages/client.yml: every 10 s while it charges, 30 s while it is awake
    traps=(
        "Local: about a second instead of ten, and no subscription. The ESP32 must be near the car. "
        "There is no position: a car that is plugged in where the ESP32 reaches it is taken for being at home."
    ),
)
