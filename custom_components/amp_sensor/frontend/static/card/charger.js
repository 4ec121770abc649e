/** What a charger does, and why; and what was done today. */

import { html, icon, set, style, write } from "./dom.js";
import { Timeline } from "./plan.js";
import { Settings } from "./settings.js";

const SHOWN_WH = 50; // a tenth of a kWh
const HIGH_LOAD = 0.8; // of what makes the protection open

export class Charger {
  constructor(charger, { color, text, open }) {
    this.text = text;
    this.card = (key, values) => text(`config_panel.card.${key}`, values);
    const span = (kind) => html("span", { class: kind });
    this.state = span("state");
    this.amps = span("amps");
    this.power = span("more");
    this.reason = span("reason");
    this.target = span("target-text");
    this.cap = span("cap");
    this.bar = html("span", { class: "bar", "aria-hidden": "true" }, span("drawn"), span("aim"));
    this.range = html("div", { class: "range" }, this.bar, html("div", { class: "ends" }, this.target, this.cap));
    this.battery = span("battery-text");
    this.until = span("until");
    this.level = html("span", { class: "bar battery", "aria-hidden": "true" }, span("drawn"), span("aim"));
    this.charge = html("div", { class: "range" }, this.level, html("div", { class: "ends" }, this.battery, this.until));
    this.session = span("session");
    this.plan = new Timeline(charger.entities, { text });
    this.settings = new Settings(charger.entities, { text, of: charger.name });
    this.element = html(
      "section",
      { class: "charger", "aria-label": charger.name },
      html(
        "button",
        { class: "charger-top", type: "button", onclick: open },
        html("span", { class: "disc" }, icon("car")),
        html("span", { class: "about" }, html("span", { class: "name" }, charger.name), this.state),
        html("span", { class: "values" }, this.amps, this.power),
      ),
      html("p", { class: "why" }, this.reason),
      this.range,
      this.charge,
      this.plan.element,
      html("div", { class: "foot" }, this.session),
      this.settings.element,
    );
    style(this.element, "--flow", color);
  }

  update({ formats, hass, now }, charger, shown) {
    const { text, card } = this;
    write(this.state, charger.state ? text(`entity.sensor.charging_state.state.${charger.state}`) : "");
    const unknown = charger.drawn_amps == null && shown.amps == null;
    write(this.amps, unknown ? "–" : `${formats.tenths(shown.amps ?? charger.drawn_amps)}\u00a0A`);
    write(this.power, shown.power == null || !shown.amps ? "" : `${formats.tenths(shown.power)}\u00a0kW`);
    const reason = charger.reason ? text(`entity.sensor.reason.state.${charger.reason}`) : "";
    write(this.reason, reason === this.state.written ? "" : reason);

    const ours = charger.cap_amps > 0 && charger.target_amps != null;
    this.range.classList.toggle("none", !ours);
    if (ours) {
      const part = (amps) => `${Math.min(100, (100 * amps) / charger.cap_amps)}%`;
      style(this.bar, "--drawn", part(charger.drawn_amps ?? 0));
      style(this.bar, "--aim", part(charger.target_amps));
      write(this.target, card("target", { amps: formats.short(charger.target_amps) }));
      write(this.cap, card("cap", { amps: formats.short(charger.cap_amps) }));
    }
    const percent = charger.battery_percent;
    this.charge.classList.toggle("none", percent == null);
    if (percent != null) {
      style(this.level, "--drawn", `${percent}%`);
      this.level.classList.toggle("unlimited", charger.limit_percent == null);
      style(this.level, "--aim", `${charger.limit_percent ?? 100}%`);
      write(this.battery, card("battery", { percent: formats.whole(percent) }));
      const limit = charger.limit_percent == null ? null : formats.whole(charger.limit_percent);
      const { full_in_s: left } = charger;
      const at = left == null ? null : (left < 20 * 3600 ? formats.time : formats.dayTime)(now + left);
      write(
        this.until,
        at != null && limit != null ? card("limit_at", { percent: limit, time: at }) : limit ? card("limit", { percent: limit }) : "",
      );
    }
    const session = charger.session_wh;
    write(this.session, session == null || session < SHOWN_WH ? "" : card("session", { energy: formats.tenths(session / 1000) }));
    this.plan.update({ hass, formats, now });
    this.settings.update(hass);
  }
}

export class Today {
  constructor({ text }) {
    const card = (key) => text(`config_panel.card.${key}`);
    const figure = (name) => {
      const value = html("dd", {});
      return [value, html("div", { class: "figure" }, html("dt", {}, name), value)];
    };
    const figures = [figure(card("charged")), figure(card("over_budget")), figure(card("cuts"))];
    [[this.charged], [this.over], [this.cuts]] = figures;
    this.bar = html("span", { class: "bar", "aria-hidden": "true" }, html("span", { class: "drawn" }));
    this.load = html("span", {});
    const name = html("span", {}, text("entity.sensor.protection_load.name"));
    this.range = html("div", { class: "range" }, this.bar, html("div", { class: "ends" }, name, this.load));
    this.element = html(
      "section",
      { class: "today", "aria-label": card("today") },
      html("h2", {}, card("today")),
      html("dl", {}, figures.map(([, element]) => element)),
      this.range,
    );
  }

  update({ event: { today, protection_load: load }, formats }) {
    this.range.classList.toggle("none", load == null);
    this.range.classList.toggle("high", load > HIGH_LOAD);
    style(this.bar, "--drawn", `${Math.min(100, (load ?? 0) * 100)}%`);
    write(this.load, `${formats.whole((load ?? 0) * 100)}\u00a0%`);
    write(this.charged, `${formats.tenths(today.charged_wh / 1000)}\u00a0kWh`);
    write(this.over, formats.duration(today.over_s));
    write(this.cuts, formats.whole(today.cuts));
    set(this.over, { "data-over": today.over_s > 0 ? true : null });
  }
}
