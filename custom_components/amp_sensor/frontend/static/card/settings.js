/** What a person can set, folded away: Home Assistant's own entities, with the browser's own inputs. */

import { html, set, write } from "./dom.js";

const ORDER = [
  ...["mode", "max_amps", "managed", "charge_with", "plan", "ready_by", "wanted_percent", "wanted_energy", "ready_days"],
  ...["priority", "min_amps_car", "max_amps_car", "reserve_w", "start_after", "stop_after"],
];
const rank = (key) => (ORDER.indexOf(key) + ORDER.length + 1) % (ORDER.length + 1);

/** How an entity of each domain is set: its input, how it shows a state, and what it asks of Home Assistant. */
const INPUTS = {
  number: {
    make: () => html("input", { type: "number", inputmode: "decimal" }),
    show(input, { state, attributes: { min, max, step } }) {
      set(input, { min, max, step });
      input.value = Number.isFinite(Number(state)) ? Number(state) : "";
    },
    ask: (input) => input.checkValidity() && input.value !== "" && ["set_value", { value: Number(input.value) }],
  },
  select: {
    make: () => html("select", {}),
    show(input, { state, attributes: { options } }, name) {
      if (input.options.length !== options.length) {
        input.replaceChildren(...options.map((option) => html("option", { value: option }, name(option))));
      }
      input.value = state;
    },
    ask: (input) => ["select_option", { option: input.value }],
  },
  switch: {
    make: () => html("input", { type: "checkbox", role: "switch" }),
    show(input, { state }) {
      input.checked = state === "on";
    },
    ask: (input) => [input.checked ? "turn_on" : "turn_off", {}],
  },
  time: {
    make: () => html("input", { type: "time" }),
    show(input, { state }) {
      input.value = /^\d\d:\d\d/.test(state) ? state.slice(0, 5) : "";
    },
    ask: (input) => input.value && ["set_value", { time: input.value }],
  },
};

export class Settings {
  constructor(entities, { text, of }) {
    this.settings = Object.entries(entities)
      .map(([key, id]) => ({ key, id, domain: id.split(".")[0] }))
      .filter(({ domain }) => domain in INPUTS)
      .sort((one, other) => rank(one.key) - rank(other.key))
      .map((setting) => this._setting(setting, text));
    this.element =
      this.settings.length > 0 &&
      html(
        "details",
        { class: "settings" },
        html("summary", {}, text("config_panel.card.settings"), html("span", { class: "unseen" }, `: ${of}`)),
        html("div", { class: "fields" }, this.settings.map(({ field }) => field)),
      );
  }

  _setting({ key, id, domain }, text) {
    const { make, show, ask } = INPUTS[domain];
    const input = make();
    const unit = html("span", { class: "unit" });
    const field = html("label", { class: `field ${domain}` }, html("span", {}, text(`entity.${domain}.${key}.name`)), input, unit);
    const setting = { id, input, field, unit };
    setting.show = (state) => show(input, state, (option) => text(`entity.${domain}.${key}.state.${option}`) || option);
    input.addEventListener("change", async () => {
      const asked = ask(input);
      try {
        if (asked) await this.hass.callService(domain, asked[0], { entity_id: id, ...asked[1] });
      } catch {
        // Home Assistant has told what is wrong; what holds is shown again
      }
      if (setting.state) setting.show(this.hass.states[id] ?? setting.state);
    });
    return setting;
  }

  update(hass) {
    this.hass = hass;
    for (const setting of this.settings) {
      const state = hass.states[setting.id];
      if (state === setting.state) continue;
      setting.state = state;
      setting.field.classList.toggle("none", !state);
      if (!state) continue;
      setting.input.disabled = state.state === "unavailable";
      write(setting.unit, state.attributes.unit_of_measurement ?? "");
      if (setting.input.getRootNode().activeElement !== setting.input) setting.show(state);
    }
  }
}
