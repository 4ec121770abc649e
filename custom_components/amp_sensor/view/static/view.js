// Plots the numbers of the table. Without it, and for those who do not see it, the table says the same.
"use strict";

const place = document.getElementById("plot");
const rows = [...document.querySelectorAll("tbody tr")].reverse();
const labels = rows.map((row) => row.querySelector("time").textContent);
const value = (row, column) => {
  const cell = row.cells[column];
  return "value" in cell.dataset ? Number(cell.dataset.value) : null;
};
const budget = Number(place.dataset.budgetAmps);
// By their number, not by their time: so the days of summer time are as long as the others
const data = [
  rows.map((_, index) => index),
  rows.map((row) => value(row, 1)),
  rows.map((row) => value(row, 2)),
  rows.map(() => budget),
];
const HEIGHT = 320; // px, on a phone as well: half of it stays for the table
const LABEL_WIDTH = 50; // px
let plot;

// Of "2026-11-22 14:00" what tells most: the day where it is midnight or there is no time, the time otherwise
const short = (label) => {
  if (label === undefined) return "";
  const [day, time] = label.split(" ");
  return time === undefined || time === "00:00" ? day.slice(5) : time;
};

function draw() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const amps = (_, amount) => (amount === null ? "–" : `${amount.toFixed(1)} A`);
  const axis = { stroke: color("faint"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
  const line = (name, extra) => ({ label: place.dataset[name], stroke: color(name), width: 2, value: amps, ...extra });
  plot?.destroy();
  plot = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(high, 1) * 1.05] } },
      axes: [
        {
          ...axis,
          space: LABEL_WIDTH,
          incrs: [1, 2, 3, 6, 12, 24, 48, 96],
          values: (_, splits) => splits.map((index) => short(labels[index])),
        },
        { ...axis, values: (_, splits) => splits.map((amount) => `${amount} A`) },
      ],
      series: [
        { label: place.dataset.from, value: (_, index) => labels[index] ?? "" },
        line("average"),
        line("maximum", { width: 1 }),
        line("budget", { dash: [8, 6], points: { show: false } }),
      ],
    },
    data,
    place,
  );
}

draw();
window.addEventListener("resize", () => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
