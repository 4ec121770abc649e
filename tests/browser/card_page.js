/** A page that is to the card what Home Assistant's would be, with nothing behind it. */

class Card extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" }).innerHTML = `
      <style>:host { display: block; background: var(--card-background-color); border: 1px solid var(--divider-color); border-radius: 12px; }</style>
      <slot></slot>`;
  }
}

customElements.define("ha-card", Card);
customElements.define("home-assistant", class extends HTMLElement {});

/** What the card asks for, and what it is told; `asked` and `called` remember what it wanted. */
window.home = {
  asked: [],
  called: [],
  opened: [],
  listeners: [],
  refusal: null,

  async begin({ language, dark, texts, states, history, statistics, config, sites = 1, beside = [] }) {
    document.documentElement.classList.toggle("dark", dark);
    document.documentElement.lang = language;
    const device = (id) => ({ id, name: id, identifiers: [["amp_sensor", id]], config_entry_id: id });
    this.history = history;
    this.statistics = statistics;
    this.hass = {
      language,
      locale: { language, number_format: "language", time_format: "24", time_zone: "local" },
      config: { time_zone: "UTC" },
      themes: { darkMode: dark },
      devices: Object.fromEntries([
        ...["site", "other"].slice(0, sites).map((id) => [id, device(id)]),
        ...beside.map(({ name }) => [name, { ...device(name), config_entry_id: "site", config_subentry_id: name }]),
      ]),
      entities: Object.fromEntries(
        beside.map(({ name, key, entity_id }) => [
          entity_id,
          { entity_id, device_id: name, platform: "amp_sensor", translation_key: key },
        ]),
      ),
      states,
      callWS: async (message) => {
        this.asked.push(message);
        const { type } = message;
        if (type === "frontend/get_translations") return { resources: texts };
        if (type === "history/history_during_period") {
          const from = Date.parse(message.start_time) / 1000;
          return Object.fromEntries(
            message.entity_ids.map((id) => [
              id,
              (this.history[id] ?? []).filter(([at]) => at >= from).map(([lu, s]) => ({ s: String(s), lu })),
            ]),
          );
        }
        if (type === "recorder/statistics_during_period") {
          return message.period === "hour" ? this.statistics : {};
        }
        throw new Error(type);
      },
      callService: async (domain, service, data) => {
        this.called.push([domain, service, data]);
        if (this.refusal) throw this.refusal;
      },
      connection: {
        subscribeMessage: async (heard, message) => {
          this.asked.push(message);
          if (this.refusal) throw this.refusal;
          this.listeners.push(heard);
          return () => {
            this.listeners = this.listeners.filter((listener) => listener !== heard);
          };
        },
      },
    };
    document.createElement("home-assistant");
    await import("/frontend/amp-sensor-card.js");
    const card = document.createElement("amp-sensor-card");
    card.setConfig(config);
    card.hass = this.hass;
    card.addEventListener("hass-more-info", ({ detail }) => this.opened.push(detail.entityId));
    document.querySelector("main").replaceChildren(card);
    this.card = card;
    await this.until(() => this.listeners.length || this.refusal || !sites);
  },

  async until(done) {
    while (!done()) await new Promise(requestAnimationFrame);
  },

  tell(event) {
    for (const heard of this.listeners) heard(event);
  },
};
