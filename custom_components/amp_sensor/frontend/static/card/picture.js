/** The picture: house and chargers on each other below the budget, and what was done to whom. */

import { html, icon, set, style, write } from "./dom.js";
import { deedsOf } from "./history.js";

export const HOURS = [0.25, 1, 6, 24, 168];
const HOUR_S = 3600;
const SHORTEST_S = 180; // of a picture that has just begun
const REFRESH_S = 600;
const MARK_PX = 26; // what a finger can hit
const AXIS = { left: 34, right: 8, top: 12, bottom: 20 };
const TICKS_S = [30, 60, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400];
const TICK_PX = 64;
const STEPS_A = [1, 2, 5, 10, 20, 50];
const TOLD = 4; // deeds in one mark
const LISTED = 12; // deeds in the text beside the picture

const effectOf = ({ kind }) => kind.split("_")[0];

export class Picture {
  constructor({ history, chargers, hours, text, formats, load }) {
    Object.assign(this, { history, chargers, text, formats, load });
    this.hours = hours;
    this.card = (key, values) => text(`config_panel.card.${key}`, values);
    this.canvas = html("canvas", { role: "img" });
    this.ranges = this._ranges();
    this.marks = html("div", { class: "marks", role: "group", "aria-label": this.card("deeds") });
    this.tip = html("div", { class: "tip none" });
    this.cursor = html("div", { class: "cursor none" });
    this.legend = this._legend();
    this.told = html("ol", {});
    this.plot = html("div", { class: "plot" }, this.canvas, this.cursor, this.marks, this.tip);
    this.element = html(
      "section",
      { class: "picture", "aria-label": this.card("picture") },
      html("div", { class: "picture-top" }, this.legend, this.ranges),
      this.plot,
      html("div", { class: "unseen" }, html("h2", {}, this.card("deeds")), this.told),
    );
    this.plot.addEventListener("pointermove", (event) => this._hover(event));
    this.plot.addEventListener("pointerleave", () => this._show(null));
    this.plot.addEventListener("keydown", (event) => this._key(event));
    new ResizeObserver(() => this.now && this.draw(this.now)).observe(this.plot);
  }

  _ranges() {
    const name = `hours-${Math.random().toString(36).slice(2)}`;
    return html(
      "div",
      { class: "ranges", role: "radiogroup", "aria-label": this.card("range") },
      HOURS.map((hours) =>
        html(
          "label",
          {},
          html("input", {
            type: "radio",
            name,
            value: hours,
            checked: hours === this.hours,
            "aria-label": this.formats.longSpan(hours * HOUR_S),
            onchange: () => this.choose(hours),
          }),
          html("span", { "aria-hidden": "true" }, this.formats.span(hours * HOUR_S)),
        ),
      ),
    );
  }

  _legend() {
    const entry = (name, color, kind) => {
      const key = html("span", { class: `key ${kind}` });
      style(key, "--flow", color);
      return html("span", { class: "entry" }, key, html("span", { class: "entry-name" }, name));
    };
    return html(
      "div",
      { class: "legend" },
      entry(this.card("house"), "var(--amp-house)", "area"),
      this.chargers.map(({ name, color }) => entry(name, color, "area")),
      this.chargers.length > 0 && entry(this.text("entity.sensor.target_current.name"), "currentColor", "target"),
      entry(this.text("entity.number.max_amps.name"), "var(--amp-over)", "budget"),
    );
  }

  choose(hours) {
    this.hours = hours;
    this.reload();
    if (this.now) this.update(this.now);
  }

  /** Look up the past again, with the next update. */
  reload() {
    this.loadedAt = undefined;
  }

  /** Draw anew where a new point would be seen, and look up the past where that was not done for long. */
  update(now) {
    this.now = now;
    if (this.loadedAt === undefined || now - this.loadedAt > REFRESH_S) {
      const first = this.loadedAt === undefined;
      this.loadedAt = now;
      if (first) this.element.classList.add("loading");
      const { hours } = this;
      this.load(hours * HOUR_S, now).then(
        (taken) => {
          if (hours !== this.hours) return;
          this.element.classList.remove("loading");
          if (taken) this.draw(this.now);
        },
        () => this.element.classList.remove("loading"), // without a recorder there is only what is heard
      );
    }
    const pointS = (this.view?.seconds ?? 0) / Math.max(1, this.plot.clientWidth);
    if (this.drawnAt === undefined || now - this.drawnAt >= Math.max(0.9, pointS)) this.draw(now);
  }

  draw(now) {
    const [width, height] = [this.plot.clientWidth, this.canvas.clientHeight];
    if (!width || !height) return;
    this.drawnAt = now;
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const joined = this.history.joined();
    // A home that is known for minutes only is not left with an empty hour
    const begin = joined.current.times[joined.current.values.findIndex((value) => value !== null)] ?? -Infinity;
    const seconds = Math.min(this.hours * HOUR_S, Math.max(SHORTEST_S, (now - begin) * 1.05));
    const from = now - seconds;
    const bins = Math.max(30, Math.floor((width - AXIS.left - AXIS.right) / 1.5));
    this.data = this._data(joined, from, now, bins);
    const most = Math.max(...this.data.highest.filter(Number.isFinite), ...this.data.total.filter(Number.isFinite), 0);
    const least = Math.min(...this.data.total.filter(Number.isFinite), 0);
    const budget = Math.max(...this.data.budget.filter(Number.isFinite), 1);
    const top = Math.max(budget * 1.12, most * 1.06);
    const inner = { x: AXIS.left, y: AXIS.top, width: width - AXIS.left - AXIS.right, height: height - AXIS.top - AXIS.bottom };
    const low = least < -0.5 ? least * 1.1 : 0;
    this.view = {
      ...inner,
      from,
      now,
      bins,
      toX: (at) => inner.x + ((at - from) / seconds) * inner.width,
      binX: (bin) => inner.x + (bin / bins) * inner.width,
      toY: (amps) => inner.y + inner.height - ((amps - low) / (top - low)) * inner.height,
      low,
      top,
      seconds,
    };
    const context = this.canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    this._paint(context, joined);
    this._mark(deedsOf(this.history, joined, from));
    this._describe();
  }

  /** Return the means of each bin, house and chargers so that they add up to the current. */
  _data(joined, from, now, bins) {
    const { mean: total } = joined.current.binned(from, now, bins);
    const { max: highest } = joined.highest.binned(from, now, bins);
    const { mean: house } = joined.house.binned(from, now, bins);
    const drawn = joined.chargers.map(({ drawn: series }) => series.binned(from, now, bins).mean);
    const budget = joined.budget.binned(from, now, bins).mean;
    let known = budget.find(Number.isFinite) ?? joined.budget.values.at(-1);
    budget.forEach((amps, bin) => {
      budget[bin] = known = Number.isFinite(amps) ? amps : known;
    });
    for (let bin = 0; bin < bins; bin += 1) {
      const all = drawn.reduce((sum, series) => sum + (series[bin] || 0), 0);
      if (!Number.isFinite(house[bin])) house[bin] = total[bin] - all;
      // On three phases a car may draw on another one than that with the least room: what it draws there counts
      const there = total[bin] - house[bin];
      const share = all > 0.05 ? Math.max(0, there) / all : 0;
      for (const series of drawn) series[bin] = (series[bin] || 0) * share;
      if (all <= 0.05) house[bin] = total[bin];
    }
    return { total, highest, house, drawn, budget };
  }

  _paint(context, joined) {
    const css = getComputedStyle(this.element);
    const color = (name) => css.getPropertyValue(name).trim();
    const { view, data } = this;
    const ink = {
      text: color("--amp-faint"),
      line: color("--amp-line"),
      over: color("--amp-over"),
      overText: color("--amp-over-text"),
      ground: color("--amp-ground"),
      font: `11px ${css.fontFamily}`,
    };
    context.font = ink.font;
    this._paintAxes(context, ink);
    this._paintUnknown(context, ink);

    const base = new Float64Array(view.bins);
    const layers = [
      { values: data.house, color: color("--amp-house") },
      ...data.drawn.map((values, index) => ({ values, color: color(`--amp-${(index % 4) + 1}`) })),
    ];
    for (const layer of layers) {
      const above = base.map((amps, bin) => amps + (layer.values[bin] || 0));
      this._paintArea(context, base, above, layer.color);
      base.set(above);
    }
    this._paintOver(context, ink);
    this._paintBudget(context, ink);
    joined.chargers.forEach(({ target }, index) =>
      this._paintTarget(context, target, color(`--amp-${(index % 4) + 1}-strong`), ink),
    );
  }

  _paintAxes(context, ink) {
    const { view, formats } = this;
    context.strokeStyle = ink.line;
    context.fillStyle = ink.text;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const step = STEPS_A.find((amps) => (view.top - view.low) / amps <= 5) ?? 100;
    const budget = this.data.budget.at(-1);
    for (let amps = Math.ceil(view.low / step) * step; amps <= view.top; amps += step) {
      const y = Math.round(view.toY(amps)) + 0.5;
      context.globalAlpha = amps === 0 ? 1 : 0.55;
      context.beginPath();
      context.moveTo(view.x, y);
      context.lineTo(view.x + view.width, y);
      context.stroke();
      context.globalAlpha = 1;
      if (Math.abs(view.toY(budget) - y) > 13) context.fillText(formats.whole(amps || 0), view.x - 7, y);
    }
    context.fillStyle = ink.overText;
    context.fillText(`${formats.short(budget)} A`, view.x - 7, view.toY(budget));
    context.fillStyle = ink.text;
    const apart = TICKS_S.find((seconds) => (view.width * seconds) / view.seconds >= TICK_PX) ?? TICKS_S.at(-1);
    const shift = new Date(view.now * 1000).getTimezoneOffset() * 60;
    context.textAlign = "center";
    for (let at = Math.ceil((view.from - shift) / apart) * apart + shift; at < view.now; at += apart) {
      const x = view.toX(at);
      if (x < view.x + 14 || x > view.x + view.width - 14) continue;
      const written = apart >= 86400 ? formats.day : apart >= 60 ? formats.time : formats.precise;
      context.fillText(written(at), x, view.y + view.height + 12);
    }
  }

  /** Hatch where nothing is known between two times where something is, and up to now. */
  _paintUnknown(context, ink) {
    const { view, data } = this;
    const first = data.total.findIndex(Number.isFinite);
    if (first < 0) return;
    context.strokeStyle = ink.line;
    context.globalAlpha = 0.8;
    for (let bin = first; bin < view.bins; bin += 1) {
      if (Number.isFinite(data.total[bin])) continue;
      let end = bin;
      while (end < view.bins && !Number.isFinite(data.total[end])) end += 1;
      const [x0, x1] = [view.binX(bin), view.binX(end)];
      context.save();
      context.beginPath();
      context.rect(x0, view.y, x1 - x0, view.height);
      context.clip();
      context.beginPath();
      for (let x = x0 - view.height; x < x1; x += 7) {
        context.moveTo(x, view.y + view.height);
        context.lineTo(x + view.height, view.y);
      }
      context.stroke();
      context.restore();
      bin = end;
    }
    context.globalAlpha = 1;
  }

  _paintArea(context, below, above, color) {
    const { view, data } = this;
    context.fillStyle = color;
    context.strokeStyle = color;
    context.lineWidth = 1.25;
    for (let bin = 0; bin < view.bins; bin += 1) {
      if (!Number.isFinite(data.total[bin]) || above[bin] === below[bin]) continue;
      let end = bin;
      while (end + 1 < view.bins && Number.isFinite(data.total[end + 1]) && above[end + 1] !== below[end + 1]) end += 1;
      const edge = new Path2D();
      edge.moveTo(view.binX(bin), view.toY(above[bin]));
      for (let each = bin; each <= end; each += 1) edge.lineTo(view.binX(each + 0.5), view.toY(above[each]));
      edge.lineTo(view.binX(end + 1), view.toY(above[end]));
      const area = new Path2D(edge);
      area.lineTo(view.binX(end + 1), view.toY(below[end]));
      for (let each = end; each >= bin; each -= 1) area.lineTo(view.binX(each + 0.5), view.toY(below[each]));
      area.lineTo(view.binX(bin), view.toY(below[bin]));
      context.globalAlpha = 0.62;
      context.fill(area);
      context.globalAlpha = 1;
      context.stroke(edge);
      bin = end;
    }
  }

  /** What was over the budget, in red with stripes: its mean where that was over, and how high it went at most. */
  _paintOver(context, ink) {
    const { view, data } = this;
    const size = view.width / view.bins;
    context.save();
    context.beginPath();
    let any = false;
    for (let bin = 0; bin < view.bins; bin += 1) {
      const [amps, budget] = [data.highest[bin], data.budget[bin]];
      if (!(amps > budget + 0.04)) continue;
      any = true;
      context.rect(view.binX(bin) - 0.3, view.toY(amps), Math.max(size, 2) + 0.6, view.toY(budget) - view.toY(amps));
    }
    if (any) {
      context.fillStyle = ink.over;
      context.fill();
      context.clip();
      context.strokeStyle = ink.ground;
      context.globalAlpha = 0.45;
      context.lineWidth = 1;
      context.beginPath();
      for (let x = view.x - view.height; x < view.x + view.width; x += 4) {
        context.moveTo(x, view.y + view.height);
        context.lineTo(x + view.height, view.y);
      }
      context.stroke();
    }
    context.restore();
  }

  _paintBudget(context, ink) {
    const { view, data } = this;
    context.strokeStyle = ink.over;
    context.lineWidth = 2;
    context.beginPath();
    data.budget.forEach((amps, bin) => {
      if (!Number.isFinite(amps)) return;
      context.lineTo(view.binX(bin), view.toY(amps));
      context.lineTo(view.binX(bin + 1), view.toY(amps));
    });
    context.stroke();
  }

  _paintTarget(context, target, color, ink) {
    const { view } = this;
    const path = new Path2D();
    let open = false;
    target.times.forEach((at, index) => {
      const value = target.values[index];
      const end = Math.min(target.times[index + 1] ?? view.now, view.now);
      if (end <= view.from) return;
      const [x0, x1] = [view.toX(Math.max(at, view.from)), view.toX(end)];
      if (!value) {
        if (open) path.lineTo(x0, view.toY(0));
        open = false;
        return;
      }
      if (open) path.lineTo(x0, view.toY(value));
      else path.moveTo(x0, view.toY(value));
      path.lineTo(x1, view.toY(value));
      open = true;
    });
    context.lineJoin = "round";
    context.strokeStyle = ink.ground;
    context.lineWidth = 4;
    context.globalAlpha = 0.75;
    context.stroke(path);
    context.globalAlpha = 1;
    context.strokeStyle = color;
    context.lineWidth = 1.75;
    context.stroke(path);
  }

  /** Put a button below each time at which something was done; what is too close together shares one. */
  _mark(deeds) {
    const groups = [];
    for (const deed of deeds) {
      const x = this.view.toX(deed.at);
      const last = groups.at(-1);
      if (last && x - last.x < MARK_PX - 4) last.deeds.push(deed);
      else groups.push({ x, deeds: [deed] });
    }
    const key = groups.map(({ deeds: [{ at, index }], deeds: { length } }) => `${at} ${index} ${length}`).join();
    if (key !== this.markKey) {
      this.markKey = key;
      const focused = this.marks.contains(this.element.getRootNode().activeElement);
      this.buttons = groups.map((group) => this._button(group));
      this.marks.replaceChildren(...this.buttons);
      this.buttons.at(-1)?.setAttribute("tabindex", "0");
      if (focused) this.buttons.at(-1)?.focus();
      this.told.replaceChildren(
        ...deeds.slice(-LISTED).reverse().map((deed) => html("li", {}, `${this._when(deed)} ${this._what(deed)}`)),
      );
    }
    groups.forEach(({ x }, index) => style(this.buttons[index], "transform", `translateX(${(x - MARK_PX / 2).toFixed(1)}px)`));
  }

  _button({ deeds }) {
    const last = deeds.at(-1);
    const button = html(
      "button",
      {
        class: "mark",
        type: "button",
        tabindex: -1,
        "aria-label": deeds.slice(-TOLD).reverse().map((deed) => `${this._when(deed)} ${this._what(deed)}`).join(" "),
        onfocus: () => this._tellDeeds(button, deeds),
        onblur: () => this._show(null),
        onclick: () => this._tellDeeds(button, deeds),
        onpointerenter: () => this._tellDeeds(button, deeds),
      },
      icon(effectOf(last)),
      deeds.length > 1 && html("span", { class: "count" }, this.formats.whole(deeds.length)),
    );
    style(button, "--flow", this.chargers[last.index].strong);
    return button;
  }

  _when({ at }) {
    return this.hours > 24 ? this.formats.dayTime(at) : this.formats.precise(at);
  }

  _what(deed) {
    const { formats, text } = this;
    const tell = (how) => this.card("told", { what: this.chargers[deed.index].name, how });
    if (deed.reason !== undefined) {
      const reason = deed.reason ? `. ${text(`entity.sensor.reason.state.${deed.reason}`)}` : "";
      return tell(`${formats.short(deed.from_amps)}\u00a0A → ${formats.short(deed.amps)}\u00a0A${reason}`);
    }
    const values = {};
    for (const [key, value] of Object.entries(deed)) if (Number.isFinite(value)) values[key] = formats.short(value);
    return tell(text(`config_panel.logbook.${deed.kind}`, values));
  }

  _tellDeeds(button, deeds) {
    this.telling = true;
    const lines = deeds
      .slice(-TOLD)
      .reverse()
      .map((deed) => html("p", {}, html("b", {}, this._when(deed)), ` ${this._what(deed)}`));
    if (deeds.length > TOLD) lines.push(html("p", { class: "rest" }, `+ ${this.formats.whole(deeds.length - TOLD)}`));
    const x = new DOMMatrix(button.style.transform).m41 + MARK_PX / 2;
    this._show(x, lines);
  }

  _key(event) {
    const index = this.buttons?.indexOf(event.target) ?? -1;
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") this._show(null);
    if (index < 0 || !move || !this.buttons[index + move]) return;
    event.preventDefault();
    this.buttons[index].setAttribute("tabindex", "-1");
    this.buttons[index + move].setAttribute("tabindex", "0");
    this.buttons[index + move].focus();
  }

  _hover(event) {
    if (event.target.closest?.(".mark")) return;
    const { view, data, formats } = this;
    if (!view) return;
    const x = event.clientX - this.plot.getBoundingClientRect().left;
    const bin = Math.floor(((x - view.x) / view.width) * view.bins);
    if (bin < 0 || bin >= view.bins || !Number.isFinite(data.total[bin])) {
      this._show(null);
      return;
    }
    const at = view.from + ((bin + 0.5) / view.bins) * view.seconds;
    const line = (name, amps, color) => {
      const key = html("span", { class: "key area" });
      style(key, "--flow", color);
      return html("p", { class: "value" }, key, html("span", {}, name), html("b", {}, `${formats.tenths(amps)}\u00a0A`));
    };
    const when = this.hours > 24 ? formats.dayTime(at) : this.hours > 1 ? formats.time(at) : formats.precise(at);
    this._show(x, [
      html("p", { class: "rest" }, when),
      ...this.chargers.map(({ name, color }, index) => line(name, data.drawn[index][bin], color)).reverse(),
      line(this.card("house"), data.house[bin], "var(--amp-house)"),
      data.highest[bin] > data.budget[bin] &&
        line(this.card("over_budget"), data.highest[bin] - data.budget[bin], "var(--amp-over)"),
    ]);
  }

  _show(x, lines) {
    this.tip.classList.toggle("none", x === null);
    this.cursor.classList.toggle("none", x === null);
    if (x === null) return;
    this.tip.replaceChildren(...lines.filter(Boolean));
    style(this.cursor, "transform", `translateX(${x.toFixed(1)}px)`);
    const room = this.plot.clientWidth - this.tip.offsetWidth;
    style(this.tip, "transform", `translateX(${Math.max(0, Math.min(room, x - this.tip.offsetWidth / 2)).toFixed(1)}px)`);
  }

  /** Say in words what the picture shows. */
  _describe() {
    const { data, formats } = this;
    const known = data.total.filter(Number.isFinite);
    const range = formats.longSpan(this.view.seconds);
    const label = known.length
      ? this.card("summary", {
          range,
          mean: formats.tenths(known.reduce((sum, amps) => sum + amps, 0) / known.length),
          max: formats.tenths(Math.max(...data.highest.filter(Number.isFinite))),
          budget: formats.short(data.budget.at(-1)),
        })
      : this.text("config_panel.view.nothing");
    set(this.canvas, { "aria-label": label });
  }
}
