/** When a charger is to charge: what each hour costs until it is to be ready, and which of them it takes. */

import { html, set, svg, write } from "./dom.js";

const HEIGHT = 34;
const LEAST = 4; // of a bar, for the cheapest hour
const UNKNOWN = 12; // of a bar whose price nobody knows

const seconds = (time) => Date.parse(time) / 1000;

export class Timeline {
  constructor(entities, { text }) {
    this.ids = entities;
    this.card = (key, values) => text(`config_panel.card.${key}`, values);
    this.drawing = svg("svg", { class: "hours", viewBox: `0 0 100 ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    this.first = html("span", {});
    this.last = html("span", {});
    this.said = html("p", { class: "plan-said" });
    this.element = html(
      "div",
      { class: "plan none" },
      this.said,
      this.drawing,
      html("div", { class: "ends" }, this.first, this.last),
    );
  }

  update({ hass, formats, now }) {
    const planned = hass.states[this.ids.planned_start];
    const { timeline = [], ready_at: readyAt } = planned?.attributes ?? {};
    this.element.classList.toggle("none", !timeline.length);
    if (!timeline.length) return;
    const ready = formats.dayTime(seconds(readyAt));
    write(this.said, this._sentence(hass, formats, ready));
    write(this.first, formats.time(Math.max(now, seconds(timeline[0].start))));
    write(this.last, ready);
    if (this.planned !== planned) this._draw(timeline, this.card("plan.timeline", { time: ready }));
    this.planned = planned;
  }

  _sentence(hass, formats, ready) {
    const state = (key) => hass.states[this.ids[key]];
    const [start, end] = ["planned_start", "planned_end"].map((key) => seconds(state(key)?.state));
    const cost = state("expected_cost");
    const parts = [this.card("plan.ready", { time: ready })];
    if (Number.isFinite(start) && Number.isFinite(end)) {
      parts.push(this.card("plan.charges", { start: formats.time(start), end: formats.time(end) }));
      const money = `${formats.hundredths(Number(cost?.state))}\u00a0${cost?.attributes.unit_of_measurement}`;
      if (Number(cost?.state)) parts.push(this.card("plan.cost", { cost: money })); // not known, or nothing is expected
    } else parts.push(this.card("plan.met"));
    if (state("ready_in_time")?.state === "off") parts.push(this.card("plan.late"));
    return parts.join(", ");
  }

  /** Draw a bar for each part of the time, as high as it is dear. */
  _draw(timeline, label) {
    const begin = seconds(timeline[0].start);
    const whole = seconds(timeline.at(-1).end) - begin;
    const prices = timeline.map(({ price }) => price).filter((price) => price != null);
    const [low, high] = [Math.min(...prices, 0), Math.max(...prices)];
    const heightOf = (price) => (price == null ? UNKNOWN : LEAST + ((HEIGHT - LEAST) * (price - low)) / (high - low || 1));
    const bars = timeline.map(({ start, end, price, planned }) => {
      const height = heightOf(price);
      const x = (100 * (seconds(start) - begin)) / whole;
      const width = (100 * (seconds(end) - seconds(start))) / whole;
      const kind = `hour${planned ? " planned" : ""}${price == null ? " unknown" : ""}`;
      return svg("rect", { class: kind, x, width: width * 0.9, y: HEIGHT - height, height });
    });
    set(this.drawing, { "aria-label": label });
    this.drawing.replaceChildren(...bars);
  }
}
