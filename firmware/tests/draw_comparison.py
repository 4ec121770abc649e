"""Draw images/accuracy.png from images/accuracy.csv.

Usage: python draw_comparison.py    in Home Assistant's environment, where matplotlib is
"""

import csv
from pathlib import Path

from matplotlib import pyplot as plt

IMAGES = Path(__file__).resolve().parents[1] / "images"
LABELS = {"amp_meter": "amp_meter (this project)", "ct_clamp": "ct_clamp (ESPHome)"}
COLOURS = {"amp_meter": "#0072b2", "ct_clamp": "#d55e00"}  # distinct for the colour-blind too (Okabe and Ito)


def main() -> None:
    with (IMAGES / "accuracy.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if float(row["amps"]) > 0]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    amps = sorted({float(row["amps"]) for row in rows})
    allowed = [100 * (0.03 if a < 1 else 0.01 * a) / a for a in amps]
    axes.fill_between(amps, [-share for share in allowed], allowed, color="0.9", label="allowed: 1 %, below 1 A 0.03 A")
    for sensor, label in LABELS.items():
        own = [row for row in rows if row["sensor"] == sensor]
        x = [float(row["amps"]) for row in own]
        error = [100 * (float(row["mean"]) / float(row["amps"]) - 1) for row in own]
        low = [100 * (float(row["mean"]) - float(row["lowest"])) / float(row["amps"]) for row in own]
        high = [100 * (float(row["highest"]) - float(row["mean"])) / float(row["amps"]) for row in own]
        axes.errorbar(x, error, yerr=(low, high), fmt="o-", capsize=3, color=COLOURS[sensor], label=label)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_xlabel("current, A (SCT-013-030, 50 Hz, 3 mV of noise, 1 mV steps)")
    axes.set_ylabel("error, % (mean; bars: lowest and highest)")
    axes.set_yticks([-10, -1, 0, 1, 10, 100], ["-10", "-1", "0", "1", "10", "100"])
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.axhline(0, color="0.5", linewidth=0.8)
    axes.grid(alpha=0.3)
    axes.legend()
    axes.set_title("The same simulated signal, measured by both in one program")
    figure.savefig(IMAGES / "accuracy.png", dpi=120)


if __name__ == "__main__":
    main()
