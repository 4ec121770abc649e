// Plots the numbers of the table. Without it, and for those who do not see it, the table says the same.
"use strict";

const place = document.getElementById("plot");
const legend = document.getElementById("legend");
const keys = [...document.querySelectorAll("thead th")].map((heading) => heading.dataset.key);
const rows = [...document.querySelectorAll("tbody tr")].reverse();
const labels = rows.map((row) => row.querySelector("time").textContent);
const read = (key) =>
  rows.map((row) => {
    const { value } = row.cells[keys.indexOf(key)].dataset;
    return value === undefined ? null : Number(value);
  });
const told = [...legend.querySelectorAll("[data-of]")].map((place) => ({ place, values: read(place.dataset.of) }));
const COLORS = 4; // for chargers, in view.css
const budget = Number(place.dataset.budgetAmps);
const mean = read("mean_amps");
const max = read("max_amps");
const chargers = Array.from({ length: Number(place.dataset.chargers) }, (_, index) =>
  read(`mean_charger_${index + 1}_amps`),
);
const house = chargers.length ? read("mean_house_amps") : mean;
const known = (values, change) => values.map((value, index) => (value === null ? null : change(value, index)));

// What is stacked, from the house up; what a house gives back stands below zero by itself
const stack = [known(house, (amps) => Math.max(amps, 0))];
for (const charger of chargers) stack.push(known(stack.at(-1), (amps, index) => amps + (charger[index] ?? 0)));
const within = (values) => known(values, (amps) => Math.min(amps, budget));

// Each covers the one before it, from the highest down. What stands out above the budget stays red.
const layers = [
  { color: "over", fill: true, values: stack.at(-1) },
  ...chargers
    .map((_, index) => ({ color: `charger-${(index % COLORS) + 1}`, fill: true, values: within(stack[index + 1]) }))
    .reverse(),
  { color: "house", fill: true, values: within(stack[0]) },
  { color: "house", fill: true, values: known(house, (amps) => Math.min(amps, 0)) },
  { color: "maximum", values: max },
  { color: "budget", values: rows.map(() => budget), dash: [8, 6] },
];
// By their number, not by their time: so the days of summer time are as long as the others. The last one has an end, too.
const upToEnd = (values) => (values.length ? [...values, values.at(-1)] : values);
const data = [upToEnd(rows).map((_, index) => index), ...layers.map(({ values }) => upToEnd(values))];
const HEIGHT = 320; // px, on a phone as well: half of it stays for the table
const LABEL_WIDTH = 50; // px
const lastKnown = mean.findLastIndex((amps) => amps !== null);
let plot;

// Of "2026-11-22 14:00" what tells most: the day where it is midnight or there is no time, the time otherwise
const short = (label) => {
  if (label === undefined) return "";
  const [day, time] = label.split(" ");
  return time === undefined || time === "00:00" ? day.slice(5) : time;
};

/** Say what there was at the time that is pointed at, or else at last. */
function tell({ cursor, posToVal }) {
  const row = cursor.left >= 0 ? Math.min(Math.floor(posToVal(cursor.left, "x")), rows.length - 1) : lastKnown;
  document.getElementById("moment").textContent = labels[row] ?? "–";
  for (const { place, values } of told) {
    const amps = values[row] ?? null;
    place.textContent = amps === null ? "–" : `${amps.toFixed(1)} A`;
  }
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: color("faint"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
  plot?.destroy();
  plot = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      hooks: { ready: [tell], setCursor: [tell] },
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
        {},
        ...layers.map(({ color: name, fill, dash }) => ({
          ...(fill ? { fill: color(name), fillTo: () => 0, width: 0 } : { stroke: color(name), width: dash ? 2 : 1 }),
          dash,
          paths: uPlot.paths.stepped({ align: 1 }),
          points: { show: false },
        })),
      ],
    },
    data,
    place,
  );
}

/** A finger that moves over the plot points at a time, as a mouse does. */
function follow({ clientX, clientY, pointerType }) {
  if (pointerType === "mouse") return;
  const { left, top } = plot.over.getBoundingClientRect();
  plot.setCursor({ left: clientX - left, top: clientY - top });
}

draw();
legend.hidden = rows.length === 0;
for (const type of ["pointerdown", "pointermove"]) place.addEventListener(type, follow);
window.addEventListener("resize", () => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
