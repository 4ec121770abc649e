"""Measure amp_meter against ESPHome's own ct_clamp: one program, one simulated signal, both read through the API.

Usage: python compare.py    in ESPHome's environment, after the tests have built the program; writes images/accuracy.csv
"""

import asyncio
import csv
from pathlib import Path
import tempfile
import time

from aioesphomeapi import APIClient
from conftest import FIRMWARE, HostBuild
from simulated_house import Device, Webhook

AMPS = (0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 7, 10, 15, 20, 24)
SETTLE_S = 3
LISTEN_S = 10
SENSORS = ("amp_meter", "ct_clamp")


async def _listen(port: int) -> dict[str, list[float]]:
    """Return all that both sensors publish for a while."""
    client = APIClient("127.0.0.1", port, None)
    await client.connect(login=True)
    entities, _ = await client.list_entities_services()
    names = {entity.key: entity.name for entity in entities if entity.name in SENSORS}
    heard: dict[str, list[float]] = {name: [] for name in SENSORS}
    client.subscribe_states(lambda state: heard[names[state.key]].append(state.state) if state.key in names else None)
    await asyncio.sleep(LISTEN_S)
    await client.disconnect()
    return heard


def main() -> None:
    build = HostBuild()
    program = build.compile("http")
    with (
        tempfile.TemporaryDirectory() as folder,
        Webhook(build.webhook_port),
        (FIRMWARE / "images" / "accuracy.csv").open("w", newline="") as file,
    ):
        device = Device(program, build.api_port, Path(folder))
        device.start()
        rows = csv.writer(file)
        rows.writerow(["amps", "sensor", "mean", "lowest", "highest", "readings"])
        try:
            for amps in AMPS:
                device.flow(amps)
                time.sleep(SETTLE_S)
                for sensor, values in asyncio.run(_listen(build.api_port)).items():
                    mean = sum(values) / len(values)
                    row = [amps, sensor, f"{mean:.4f}", f"{min(values):.4f}", f"{max(values):.4f}", len(values)]
                    rows.writerow(row)
                    print(*row, flush=True)
        finally:
            device.stop()


if __name__ == "__main__":
    main()
