/** Where the current goes: from the grid to the house and to each charger, as wide as it is strong. */

import { html, icon, set, style, svg, write } from "./dom.js";
import { linksOf } from "./shown.js";

const TOP = 58; // px, what is written above the gauge
const ROW = 74; // px, the least that a name, a current and a power need
const GAUGE = 16; // px wide
const DISC = 46; // px, where a flow ends
const PHASE_GAP = 12; // px
const THINNEST = 1.5; // px
const STEPS = 14; // of a dot's way: enough to look round
const REDUCED = window.matchMedia("(prefers-reduced-motion: reduce)");

// Dots run with a reading, but not all the time: a home that is not heard stands still, and a browser is left alone
const WAVE_EVERY_MS = 5800;
const SLOW_MS = 1800;
const FAST_MS = 900;
const FAST_AMPS = 16;
const APART_MS = 180;

/** Return a point of the way between two ends, which leaves and arrives straight. */
function wayPoint(way, part) {
  const { x0, y0, x1, y1, bend } = way;
  const rest = 1 - part;
  const [a, b, c, d] = [rest ** 3, 3 * rest ** 2 * part, 3 * rest * part ** 2, part ** 3];
  return [a * x0 + b * bend[0] + c * bend[1] + d * x1, (a + b) * y0 + (c + d) * y1];
}

/** Return the outline of a flow along its way, which is `w0` wide at its beginning and `w1` at its end. */
function outline({ x0, y0, x1, y1, w0, w1, bend: [c0, c1] }) {
  const [a, b] = [w0 / 2, w1 / 2];
  return (
    `M${x0},${y0 - a}C${c0},${y0 - a},${c1},${y1 - b},${x1},${y1 - b}` +
    `L${x1},${y1 + b}C${c1},${y1 + b},${c0},${y0 + a},${x0},${y0 + a}Z`
  );
}

/** A flow: its ribbon, and the dots that run along it. */
class Ribbon {
  constructor(ribbons, dots, color, count) {
    this.ribbon = svg("path", { class: "ribbon" });
    style(this.ribbon, "--flow", color);
    this.arrow = svg("path", { class: "arrow", d: "M-4,-5L2,0L-4,5" });
    ribbons.append(this.ribbon, this.arrow);
    this.dots = Array.from({ length: count }, () => html("span", { class: "dot" }));
    this.dots.forEach((dot) => style(dot, "--flow", color));
    dots.append(...this.dots);
  }

  update(way, amps) {
    const hidden = !way;
    for (const each of [this.ribbon, this.arrow, ...this.dots]) each.classList.toggle("none", hidden);
    this.way = way;
    this.amps = amps;
    if (hidden) return;
    // A loop is drawn by its middle: its outline would be thin where it goes down
    const { loop, w0, x0, y0, x1, y1, bend } = way;
    const middle = `M${x0},${y0}C${bend[0]},${y0},${bend[1]},${y1},${x1},${y1}`;
    set(this.ribbon, { d: loop ? middle : outline(way), "stroke-width": loop ? w0 : null });
    this.ribbon.classList.toggle("loop", Boolean(loop));
    this.arrow.classList.toggle("back", Boolean(way.back));
    const [x, y] = wayPoint(way, 0.5);
    set(this.arrow, { transform: `translate(${x.toFixed(1)},${y.toFixed(1)})${way.back ? "rotate(180)" : ""}` });
  }

  /** Send a dot or two along: by their transform alone, which costs no layout. */
  send() {
    const { way, amps } = this;
    if (!way || REDUCED.matches) return;
    const parts = Array.from({ length: STEPS + 1 }, (_, step) => step / STEPS);
    if (way.back) parts.reverse();
    const frames = parts.map((part) => {
      const [x, y] = wayPoint(way, part);
      const end = part === 0 || part === 1;
      return { transform: `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`, opacity: end ? 0 : 1 };
    });
    const duration = SLOW_MS - (SLOW_MS - FAST_MS) * Math.min(1, amps / FAST_AMPS);
    this.dots.forEach((dot, index) => dot.animate(frames, { duration, delay: index * APART_MS }));
  }
}

/** Somebody who draws: a button with what is known, which opens Home Assistant's own view of it. */
class Node {
  constructor(name, shape, color, onclick) {
    this.disc = html("span", { class: "disc" }, icon(shape));
    this.name = html("span", { class: "name" });
    this.amps = html("span", { class: "amps" });
    this.more = html("span", { class: "more" });
    this.phases = html("span", { class: "by-phase" });
    this.element = html(
      "button",
      { class: "node", type: "button", onclick },
      this.disc,
      html("span", { class: "about" }, this.name, html("span", { class: "values" }, this.amps, this.more), this.phases),
    );
    style(this.element, "--flow", color);
    write(this.name, name);
  }

  update({ amps, more, phases, idle, percent }) {
    write(this.amps, amps);
    write(this.more, more);
    write(this.phases, phases);
    this.element.classList.toggle("idle", idle);
    this.disc.classList.toggle("charged", percent != null);
    if (percent != null) style(this.disc, "--percent", `${percent}%`);
  }
}

export class Flow {
  /** `chargers` have a name and a color each; `open` is told whom somebody pressed: house, grid, or a charger's number. */
  constructor({ chargers, phases, text, open }) {
    this.colors = ["var(--amp-house)", ...chargers.map(({ color }) => color)];
    this.text = (key, values) => text(`config_panel.card.${key}`, values);
    this.houseNode = new Node(this.text("house"), "house", this.colors[0], () => open("house"));
    this.chargerNodes = chargers.map(({ name, color }, index) => new Node(name, "car", color, () => open(index)));
    this.nodes = [this.houseNode, ...this.chargerNodes];
    this.rows = Math.max(2, this.nodes.length);

    this.gridName = html("span", { class: "name" });
    this.gridPower = html("span", { class: "amps" });
    write(this.gridName, this.text("grid"));
    this.gridNode = html(
      "button",
      { class: "node grid", type: "button", onclick: () => open("grid") },
      html("span", { class: "disc" }, icon("grid")),
      html("span", { class: "about" }, this.gridName, html("span", { class: "values" }, this.gridPower)),
    );
    this.hatch = `over-${Math.random().toString(36).slice(2)}`;
    const pattern = svg(
      "pattern",
      { id: this.hatch, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 7, height: 7, class: "hatch-ground" }),
      svg("rect", { width: 3, height: 7, class: "hatch-line" }),
    );
    this.ribbons = svg("g");
    this.gauges = svg("g");
    this.drawing = svg("svg", { class: "drawing", "aria-hidden": "true" }, svg("defs", {}, pattern), this.ribbons, this.gauges);
    this.dots = html("div", { class: "dots", "aria-hidden": "true" });
    this.budget = html("span", { class: "budget" });
    this.labels = html("div", { class: "gauge-labels" }, this.budget);
    this.list = html("div", { class: "nodes" }, this.nodes.map(({ element }) => element));
    this.element = html(
      "section",
      { class: "flow", "aria-label": this.text("flow") },
      this.drawing,
      this.dots,
      this.gridNode,
      this.labels,
      this.list,
    );
    this.byPhase = Array.from({ length: Math.max(1, phases) }, () => this._phase());
    new ResizeObserver(() => this.context && this.update(this.context)).observe(this.element);
  }

  _phase() {
    const slices = this.colors.map((color) => {
      const slice = svg("rect", { class: "slice", width: GAUGE });
      style(slice, "--flow", color);
      return slice;
    });
    const over = svg("rect", { class: "over-slice", width: GAUGE, fill: `url(#${this.hatch})` });
    const room = svg("rect", { class: "room", width: GAUGE, rx: 4 });
    const tick = svg("line", { class: "tick" });
    this.gauges.append(room, ...slices, over, tick);
    const [name, amps, rest] = ["phase-name", "amps", "rest"].map((kind) => html("span", { class: kind }));
    const label = html("div", { class: "gauge-label" }, name, amps, rest);
    this.labels.append(label);
    return { room, slices, over, tick, label, name, amps, rest, ribbons: new Map() };
  }

  update(context) {
    this.context = context;
    const { shown, formats, event } = context;
    const width = this.element.clientWidth;
    if (!width) return;
    const narrow = width < 340;
    const rowHeight = Math.max(ROW, (this.byPhase.length > 1 ? 240 : 210) / this.rows);
    style(this.element, "--height", `${TOP / 2 + this.rows * rowHeight}px`);
    const height = this.element.clientHeight; // beside the picture there may be more
    set(this.drawing, { width, height, viewBox: `0 0 ${width} ${height}` });

    const left = narrow ? 74 : 86;
    const right = width - Math.min(190, Math.max(126, width * (this.byPhase.length > 1 ? 0.46 : 0.4)));
    style(this.element, "--left", `${left}px`);
    style(this.element, "--right", `${width - right}px`);
    const top = TOP;
    const gaugesHeight = height - top - 4;
    const count = this.byPhase.length;
    const each = (gaugesHeight - PHASE_GAP * (count - 1)) / count;
    const most = Math.max(event.budget_amps, ...shown.phases.filter(Boolean).map(({ total }) => Math.abs(total)));
    const perAmp = each / most;
    const taper = (DISC - 8) / (count * each);
    const nodeY = (index) => ((index + 0.5) * height) / this.nodes.length;
    this.nodes.forEach(({ element }, index) => style(element, "top", `${nodeY(index)}px`));

    const ends = this._ends(shown, perAmp * taper, nodeY);
    this.byPhase.forEach((parts, index) => {
      const bottom = top + (each + PHASE_GAP) * index + each;
      this._drawPhase(parts, shown.phases[index], { context, index, bottom, each, perAmp, left, right, ends });
    });
    this._write(context);
    write(this.gridPower, shown.powers ? `${formats.tenths(shown.powers.total)} kW` : "");
    const { tight } = shown;
    this.element.classList.toggle("unknown", !tight);
    this._wave(event);
  }

  _wave(event) {
    if (event === this.waved || performance.now() - (this.wavedAt ?? -Infinity) < WAVE_EVERY_MS) return;
    this.waved = event;
    this.wavedAt = performance.now();
    for (const { ribbons } of this.byPhase) for (const ribbon of ribbons.values()) ribbon.send();
  }

  /** Return, for each node, where its next strand ends: strands of all phases lie beside each other. */
  _ends(shown, perAmp, nodeY) {
    return this.nodes.map((_, index) => {
      const amps = shown.phases
        .filter(Boolean)
        .reduce((sum, phase) => sum + Math.abs(index ? phase.chargers[index - 1] : phase.house), 0);
      return { next: nodeY(index) - (amps * perAmp) / 2, perAmp };
    });
  }

  _drawPhase(parts, phase, { context, index, bottom, each, perAmp, left, right, ends }) {
    const { event, shown, formats } = context;
    const x = left;
    const budgetY = bottom - event.budget_amps * perAmp;
    set(parts.room, { x, y: budgetY, height: event.budget_amps * perAmp });
    set(parts.tick, { x1: x - 5, x2: x + GAUGE + 5, y1: budgetY, y2: budgetY });
    const links = phase ? linksOf(phase) : [];
    const isNode = (name) => (name === "house" ? 0 : name + 1);

    // The gauge is filled from below by whatever the grid gives or takes: the last one first
    let y = bottom;
    const slices = new Map();
    for (const link of [...links].reverse()) {
      if (link.from !== "grid" && link.to !== "grid") continue;
      const size = link.amps * perAmp;
      slices.set(link, y - size / 2);
      y -= size;
      set(parts.slices[isNode(link.from === "grid" ? link.to : link.from)], { x, y, height: Math.max(0, size - 1) });
    }
    const touched = new Set([...slices.keys()].map(({ from, to }) => isNode(from === "grid" ? to : from)));
    parts.slices.forEach((slice, node) => !touched.has(node) && set(slice, { height: 0 }));
    const overSize = Math.max(0, budgetY - y);
    set(parts.over, { x, y, height: phase && phase.total > 0 && overSize > 0.5 ? overSize : 0 });

    const drawn = new Set();
    for (const link of links) {
      const name = `${link.from} ${link.to}`;
      drawn.add(name);
      if (!parts.ribbons.has(name)) {
        const color = this.colors[link.to === "grid" ? 0 : isNode(link.to)];
        parts.ribbons.set(name, new Ribbon(this.ribbons, this.dots, color, this.byPhase.length > 1 ? 1 : 2));
      }
      parts.ribbons.get(name).update(this._way(link, { slices, perAmp, x, right, ends, isNode }), link.amps);
    }
    for (const [name, ribbon] of parts.ribbons) if (!drawn.has(name)) ribbon.update(null);

    // Of several phases the one above would be in the way; the sentence says it as well
    write(this.budget, this.byPhase.length > 1 ? "" : `${formats.short(event.budget_amps)}\u00a0A`);
    style(this.budget, "top", `${budgetY}px`);
    style(parts.label, "top", `${bottom - each}px`);
    style(parts.label, "height", `${each}px`);
    parts.label.classList.toggle("tight", shown.phases.length > 1 && index === shown.tightIndex);
    write(parts.name, this.byPhase.length > 1 ? `L${index + 1}` : "");
    write(parts.amps, phase ? `${formats.tenths(phase.total)} A` : "–");
    const over = phase && phase.free < 0;
    parts.label.classList.toggle("is-over", Boolean(over && shown.isOver));
    const rest = phase && (over ? `▲ ${formats.tenths(-phase.free)}\u00a0A` : this._free(phase, formats));
    write(parts.rest, rest || "");
  }

  _free(phase, formats) {
    if (phase.total < 0) return this.text("fed_in");
    return this.text("free_amps", { amps: formats.tenths(phase.free) });
  }

  _way({ from, to, amps }, { slices, perAmp, x, right, ends, isNode }) {
    const width = (end) => Math.max(THINNEST, amps * end.perAmp);
    const take = (end) => {
      const middle = end.next + width(end) / 2;
      end.next += width(end);
      return middle;
    };
    const x1 = right + 2;
    if (from !== "grid" && to !== "grid") {
      // From the house's roof to a car: out to the left, and back
      const [one, other] = [ends[isNode(from)], ends[isNode(to)]];
      const out = x1 - 70;
      return { x0: x1, y0: take(one), x1, y1: take(other), w0: width(one), w1: width(other), bend: [out, out], loop: true };
    }
    const back = to === "grid";
    const end = ends[isNode(back ? from : to)];
    const x0 = x + GAUGE;
    const bend = [x0 + (x1 - x0) * 0.5, x0 + (x1 - x0) * 0.5];
    const y0 = slices.get([...slices.keys()].find((link) => link.from === from && link.to === to));
    return { x0, y0, x1, y1: take(end), w0: Math.max(THINNEST, amps * perAmp - 1), w1: width(end), bend, back };
  }

  _write({ event, shown, formats }) {
    const { tight, phases, powers } = shown;
    const amps = (value) => (value == null ? "–" : `${formats.tenths(value)} A`);
    const power = (value) => (value == null ? "" : `${formats.tenths(value)} kW`);
    const several = phases.length > 1;
    // With several phases a node's own current is that of the phase that carries most of it
    const highest = (read) => (tight ? Math.max(...phases.filter(Boolean).map(read)) : null);
    const listed = (read) => (several ? phases.map((phase) => (phase ? formats.tenths(read(phase)) : "–")).join("\u2009·\u2009") : "");
    const house = several ? highest((phase) => phase.house) : tight?.house;
    this.houseNode.update({
      amps: amps(house),
      more: power(powers?.house),
      phases: listed((phase) => phase.house),
      idle: !tight,
    });
    this.chargerNodes.forEach((node, index) => {
      const charger = event.chargers[index];
      // Without a reading there is only what the charger says of itself
      const drawn = tight ? highest((phase) => phase.chargers[index]) : charger.drawn_amps;
      node.update({
        amps: amps(drawn),
        more: drawn ? power(powers?.chargers[index]) : "",
        phases: drawn ? listed((phase) => phase.chargers[index]) : "",
        idle: !drawn,
        percent: charger.battery_percent,
      });
    });
  }
}
