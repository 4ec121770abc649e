/** The card of Amp Sensor: what is free, where the current goes, how it went, and what each charger does and why. */

import { Beside } from "./card/beside.js";
import { Charger, Today } from "./card/charger.js";
import { html } from "./card/dom.js";
import { Flow } from "./card/flow.js";
import { formatsOf } from "./card/formats.js";
import { History } from "./card/history.js";
import { HOURS, Picture } from "./card/picture.js";
import { Sentence } from "./card/sentence.js";
import { Settings } from "./card/settings.js";
import { shownOf } from "./card/shown.js";
import { STYLE } from "./card/style.js";
import { define, hassOfPage, openDialog } from "./home-assistant.js";
import { sitesOf } from "./sites.js";
import { DOMAIN, loadedTexts, loadTexts } from "./texts.js";

const TYPE = "amp-sensor-card";
const PARTS = ["sentence", "flow", "picture", "chargers", "today"];
const DEFAULT_HOURS = 1;
const RETRY_MS = 5000;
const TICK_MS = 1000;
const COLORS = 4;

class AmpSensorCard extends HTMLElement {
  // The editor shows what is configured: without it, nothing would seem to be shown
  static getStubConfig = () => ({ show: PARTS });

  static async getConfigForm() {
    const hass = hassOfPage();
    const text = await loadTexts(hass);
    const editor = (key) => text(`config_panel.card.editor.${key}`);
    const { longSpan } = formatsOf(hass);
    return {
      schema: [
        { name: "site", selector: { device: { filter: [{ integration: DOMAIN, manufacturer: "Amp Sensor" }] } } },
        {
          name: "hours",
          selector: {
            select: {
              mode: "dropdown",
              options: HOURS.map((hours) => ({ value: String(hours), label: longSpan(hours * 3600) })),
            },
          },
        },
        {
          name: "show",
          selector: {
            select: { multiple: true, mode: "list", options: PARTS.map((value) => ({ value, label: editor(value) })) },
          },
        },
      ],
      computeLabel: ({ name }) => editor(name),
    };
  }

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).append(html("style", {}, STYLE));
    this.card = document.createElement("ha-card");
    this.shadowRoot.append(this.card);
  }

  setConfig(config) {
    const { hours = DEFAULT_HOURS, show = PARTS } = config;
    if (!HOURS.includes(Number(hours))) throw new Error(`hours: ${HOURS.join(", ")}`);
    if (!Array.isArray(show) || show.some((part) => !PARTS.includes(part))) throw new Error(`show: ${PARTS.join(", ")}`);
    this.config = { ...config, hours: Number(hours), show };
    this.parts = undefined;
    this._restart();
  }

  getCardSize = () => 12;

  getGridOptions = () => ({ columns: "full", min_columns: 6 });

  set hass(hass) {
    const first = !this._hass;
    const before = this._hass;
    this._hass = hass;
    this.toggleAttribute("dark", Boolean(hass.themes?.darkMode));
    if (first || before.language !== hass.language || before.locale !== hass.locale) this._speak();
    else if (before.devices !== hass.devices && this._siteId() !== this.siteId) this._restart();
    for (const part of this.settings ?? []) part.update(hass);
  }

  get hass() {
    return this._hass;
  }

  connectedCallback() {
    this.seen = new IntersectionObserver(([{ isIntersecting }]) => {
      this.inView = isIntersecting;
      this._update();
    });
    this.seen.observe(this);
    this.tick = setInterval(() => this._update(), TICK_MS);
    this._update = this._update.bind(this);
    document.addEventListener("visibilitychange", this._update);
    this._restart();
  }

  disconnectedCallback() {
    this.seen.disconnect();
    clearInterval(this.tick);
    document.removeEventListener("visibilitychange", this._update);
    this._stop();
  }

  /** Learn the language of whoever looks, then begin. */
  async _speak() {
    const hass = this._hass;
    const text = await loadTexts(hass);
    if (hass.language !== this._hass.language) return;
    this.text = text;
    this.formats = formatsOf(this._hass);
    this.shape = undefined;
    this._restart();
  }

  _siteId() {
    return this.config.site ?? sitesOf(this._hass)[0]?.id;
  }

  _stop() {
    clearTimeout(this.retry);
    this.started = undefined;
    this.unsubscribe?.then((unsubscribe) => unsubscribe()).catch(() => {}); // it ended by itself
    this.unsubscribe = undefined;
  }

  _restart() {
    this._stop();
    if (!this.isConnected || !this.config || !this.text) return;
    this.siteId = this._siteId();
    this.event = undefined;
    this.shape = undefined;
    if (this.siteId) this._subscribe();
    else {
      const words = (key) => this.text(`config_panel.card.${key}`);
      const link = html("a", { href: `/config/integrations/dashboard/add?domain=${DOMAIN}` }, words("add_site"));
      this._notice(words("no_site"), link);
    }
  }

  _subscribe() {
    const started = (this.started = Symbol("started"));
    const heard = (event) => {
      if (started !== this.started) return;
      if (event) this._hear(event);
      else this._again();
    };
    const message = { type: `${DOMAIN}/subscribe`, device_id: this.siteId };
    this.unsubscribe = this._hass.connection.subscribeMessage(heard, message);
    this.unsubscribe.catch(({ code }) => {
      if (started !== this.started) return;
      this._notice(this.text(`config_panel.card.${code === "unauthorized" ? "unauthorized" : "not_loaded"}`));
      if (code !== "unauthorized") this._again();
    });
  }

  /** Subscribe anew after a while: the site is being loaded again. */
  _again() {
    this._stop();
    this.retry = setTimeout(() => this.isConnected && this._subscribe(), RETRY_MS);
  }

  _notice(...words) {
    this.shape = undefined;
    this.event = undefined;
    this.card.replaceChildren(html("div", { class: "card" }, html("p", { class: "notice" }, words.flatMap((word) => [word, " "]))));
  }

  _hear(event) {
    if (event.entities) this._begin({ site: event.entities, chargers: event.chargers.map(({ entities }) => entities) });
    this.event = event;
    this.offset = event.at - Date.now() / 1000;
    const shape = [event.phases, ...event.chargers.map(({ id, name }) => `${id} ${name}`)].join();
    if (shape !== this.shape) {
      this.shape = shape;
      this._build(event);
    }
    this.shown = shownOf(event);
    this.history.hear(event, this.shown);
    this._update();
  }

  /** Take over which entities there are, with the first event: after an interruption they are mostly the same. */
  _begin(entities) {
    if (JSON.stringify(entities) === JSON.stringify(this.entities) && this.shape) {
      this.history.begin();
      this.parts.picture?.reload();
    } else this.shape = undefined;
    this.entities = entities;
  }

  _build(event) {
    const { text, formats, config, entities } = this;
    const color = (index) => `var(--amp-${(index % COLORS) + 1})`;
    const chargers = event.chargers.map((charger, index) => ({
      ...charger,
      entities: entities.chargers[index],
      color: color(index),
      strong: `var(--amp-${(index % COLORS) + 1}-strong)`,
    }));
    this.history = new History(entities.site, entities.chargers);
    const open = (whom) => this._open(whom);
    const hours = this.parts?.picture?.hours ?? config.hours; // what somebody chose stays chosen
    const history = this.history;
    const load = (seconds, now) => history.load(this._hass, seconds, now);
    const made = {
      sentence: () => new Sentence(),
      flow: () => new Flow({ chargers, phases: event.phases, text, open }),
      picture: () => new Picture({ history, chargers, hours, text, formats, load }),
      today: () => new Today({ text }),
    };
    const shows = (part) => config.show.includes(part);
    this.parts = Object.fromEntries(
      Object.entries(made)
        .filter(([part]) => shows(part))
        .map(([part, make]) => [part, make()]),
    );
    this.chargers = shows("chargers")
      ? chargers.map((charger, index) => new Charger(charger, { color: charger.color, text, open: () => open(index) }))
      : [];
    const settings = shows("chargers") ? new Settings(entities.site, { text, of: event.title }) : null;
    const beside = shows("chargers") ? new Beside({ siteId: this.siteId, text, formats }) : null;
    this.settings = [settings, ...this.chargers.map((charger) => charger.settings), beside].filter(Boolean);
    const { sentence, flow, picture, today } = this.parts;
    this.card.replaceChildren(
      html(
        "div",
        { class: `card${flow && picture ? " split" : ""}` },
        [sentence, flow, picture].map((part) => part?.element),
        html(
          "div",
          { class: "tiles" },
          this.chargers.map(({ element }) => element),
          (today || settings?.element) && html("div", { class: "site" }, today?.element, beside?.element, settings?.element),
        ),
      ),
    );
    for (const part of this.settings) part.update(this._hass);
  }

  /** Show what is known now, unless nobody looks. */
  _update() {
    const { event, shown } = this;
    if (!event || !this.inView || document.hidden) return;
    const now = Math.max(event.at, Date.now() / 1000 + this.offset);
    const context = { event, shown, now, text: this.text, formats: this.formats, hass: this._hass };
    const { sentence, flow, picture, today } = this.parts;
    sentence?.update(context);
    if (this.drawn !== event) {
      flow?.update(context);
      today?.update(context);
      this.chargers.forEach((charger, index) => {
        const { tight, phases, powers } = shown;
        const amps = tight ? Math.max(...phases.filter(Boolean).map(({ chargers }) => chargers[index])) : null;
        charger.update(context, event.chargers[index], { amps, power: powers?.chargers[index] });
      });
      this.drawn = event;
    }
    picture?.update(now);
  }

  _open(whom) {
    const { site, chargers } = this.entities;
    const entityId =
      { grid: site.current, house: site.house_current ?? site.current }[whom] ?? chargers[whom]?.charging_current;
    if (entityId) openDialog(this, entityId);
  }
}

await define({ [TYPE]: AmpSensorCard });

window.customCards = window.customCards || [];
window.customCards.push({
  type: TYPE,
  name: "Amp Sensor",
  preview: true,
  // Asked for when the list is shown, and again when other cards are loaded
  get description() {
    const hass = hassOfPage();
    if (hass) loadTexts(hass);
    return loadedTexts(hass?.language)?.("config_panel.card.description");
  },
});
