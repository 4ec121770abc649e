/** What there is beside the chargers: a line of each load that may be switched off, and of each limit of the supply. */

import { openDialog } from "../home-assistant.js";
import { consumersOf, entitiesOf, nameOf } from "../sites.js";
import { html, write } from "./dom.js";

const SHOWN = ["load_state", "limit_in_force", "limit_current"];

export class Beside {
  constructor({ siteId, text, formats }) {
    this.siteId = siteId;
    this.text = text;
    this.formats = formats;
    this.element = html("ul", { class: "beside none" });
  }

  update(hass) {
    if (hass.entities !== this.entities || hass.devices !== this.devices) this._build(hass);
    for (const { id, key, said } of this.lines) write(said, this._said(key, hass.states[id]));
  }

  /** Find out again what there is: whatever is added or renamed comes with other entities or devices. */
  _build(hass) {
    ({ entities: this.entities, devices: this.devices } = hass);
    const site = hass.devices[this.siteId];
    this.lines = (site ? consumersOf(hass, site) : []).flatMap((device) => {
      const entities = entitiesOf(hass, device);
      const key = SHOWN.find((each) => entities[`sensor.${each}`]);
      return key ? [{ key, id: entities[`sensor.${key}`], name: nameOf(device), said: html("span", {}) }] : [];
    });
    this.element.classList.toggle("none", !this.lines.length);
    this.element.replaceChildren(
      ...this.lines.map(({ id, name, said }) => {
        const open = () => openDialog(this.element, id);
        return html("li", {}, html("button", { type: "button", onclick: open }, html("span", {}, name), said));
      }),
    );
  }

  /** Return what a load does, or what a limit is now: most from elsewhere hold for hours, and then not for days. */
  _said(key, entity) {
    const { text, formats } = this;
    if (key === "load_state") return text(`entity.sensor.load_state.state.${entity?.state}`) || "–";
    const limit = Number(entity?.state);
    const value = Number.isFinite(limit) ? `${formats.short(limit)}\u00a0${entity.attributes.unit_of_measurement}` : "–";
    return `${text(`entity.sensor.${key}.name`)} ${value}`;
  }
}
