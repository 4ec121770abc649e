/**
 * The dashboard of Amp Sensor: Home Assistant's own cards, chosen for the sites, chargers and entities that there are.
 *
 * Entities are found by what they are, not by their ids; what is disabled, hidden or missing is left out.
 */

const DOMAIN = "amp_sensor";
const TYPE = "amp-sensor";
const ICON = "mdi:ev-station";
const HOURS_TO_SHOW = 24;
const DAYS_TO_SHOW = 14;

// Whoever is renamed, added, removed, or speaks another language, is shown anew
const DEPENDENCIES = ["entities", "devices", "language"];

// Entities are called by their own name: the heading already says whose they are
const OWN_NAME = { type: "entity" };
const DEVICE_NAME = { type: "device" };

/** How the entities are set that a person can set, in the order in which they are shown. */
const FEATURES = {
  select: { type: "select-options" },
  switch: { type: "toggle" },
  number: { type: "numeric-input", style: "buttons" },
};

/** A graph of currents begins at zero, unless the house feeds in. */
const FROM_ZERO = { min_y_axis: 0, fit_y_data: true };

const textsByLanguage = new Map();

async function loadResources(hass, category) {
  const type = "frontend/get_translations";
  const { resources } = await hass.callWS({ type, language: hass.language, category, integration: DOMAIN });
  return resources;
}

/** Return a function from the keys of our own texts to the texts in the language of the user; `reasons` is on it. */
async function loadTexts(hass) {
  if (!textsByLanguage.has(hass.language)) {
    const [ours, entities] = await Promise.all([loadResources(hass, "config_panel"), loadResources(hass, "entity")]);
    const text = (key) => ours[`component.${DOMAIN}.config_panel.dashboard.${key}`];
    const prefix = `component.${DOMAIN}.entity.sensor.reason.state.`;
    text.reasons = Object.fromEntries(
      Object.entries(entities)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, reason]) => [key.slice(prefix.length), reason]),
    );
    textsByLanguage.set(hass.language, text);
  }
  return textsByLanguage.get(hass.language);
}

const nameOf = (device) => device.name_by_user || device.name;

/** Return our devices in the order of their names; a charger's has a subentry, a site's has none. */
function devicesOf(hass) {
  return Object.values(hass.devices)
    .filter((device) => !device.disabled_by && device.identifiers.some(([domain]) => domain === DOMAIN))
    .sort((one, other) => nameOf(one).localeCompare(nameOf(other), hass.language));
}

const sitesOf = (hass) => devicesOf(hass).filter((device) => !device.config_subentry_id);

const chargersOf = (hass, site) =>
  devicesOf(hass).filter((device) => device.config_subentry_id && device.config_entry_id === site.config_entry_id);

/** Return the ids of a device's entities by what they are, for example `sensor.headroom`. */
function entitiesOf(hass, device) {
  const entities = {};
  for (const entity of Object.values(hass.entities)) {
    if (entity.platform === DOMAIN && entity.device_id === device.id && !entity.hidden) {
      entities[`${entity.entity_id.split(".")[0]}.${entity.translation_key}`] = entity.entity_id;
    }
  }
  return entities;
}

const tile = (entity, color, more) =>
  entity && { type: "tile", entity, name: OWN_NAME, color, grid_options: { columns: 6 }, ...more };

const wideTile = (entity, color, more) => tile(entity, color, { grid_options: { columns: 12 }, ...more });

/** Return a tile for each entity that a person can set. */
const controls = (entities) =>
  Object.entries(FEATURES).flatMap(([domain, feature]) =>
    Object.entries(entities)
      .filter(([kind]) => kind.startsWith(`${domain}.`))
      .map(([, entity]) => wideTile(entity, "blue", { features: [feature], features_position: "inline" })),
  );

const graph = (type, entities, more) => {
  const present = entities.filter(({ entity }) => entity);
  return present.length && { type, entities: present, grid_options: { columns: "full" }, ...more };
};

/** Return a section of the cards that there are, or nothing where there is none. */
function section(heading, icon, cards, more) {
  const present = cards.filter(Boolean);
  return (
    present.length && {
      type: "grid",
      cards: [{ type: "heading", heading, heading_style: "title", icon }, ...present],
      ...more,
    }
  );
}

function nowSection(text, entities) {
  const used = entities["sensor.budget_used"];
  const over = entities["binary_sensor.over_budget"];
  const connected = entities["binary_sensor.connected"];
  const heard = connected && { visibility: [{ condition: "state", entity: connected, state: "on" }] };
  const phases = [1, 2, 3].map((phase) => entities[`sensor.current_l${phase}`]).filter(Boolean);
  return section(text("now"), "mdi:home-lightning-bolt", [
    connected && {
      type: "markdown",
      content:
        `<ha-alert alert-type="error"><a href="/config/integrations/integration/${DOMAIN}">` +
        `${text.reasons.meter_silent}</a></ha-alert>`,
      grid_options: { columns: 12 },
      visibility: [{ condition: "state", entity: connected, state_not: "on" }],
    },
    used && {
      type: "gauge",
      entity: used,
      name: OWN_NAME,
      min: 0,
      max: 150,
      needle: true,
      severity: { green: 0, yellow: 90, red: 101 },
      grid_options: { columns: 12 },
      visibility: [{ condition: "state", entity: used, state_not: ["unavailable", "unknown"] }],
    },
    wideTile(over, "red", { visibility: [{ condition: "state", entity: over, state: "on" }] }),
    tile(entities["sensor.current"], "blue", heard),
    tile(entities["sensor.headroom"], "green", heard),
    tile(entities["sensor.house_current"], "amber", heard),
    tile(entities["sensor.power"], "blue", heard),
    entities["sensor.house_current"] ? undefined : tile(entities["sensor.energy"], "blue"),
    phases.length && {
      type: "glance",
      entities: phases.map((entity) => ({ entity, name: OWN_NAME })),
      columns: phases.length,
      show_icon: false,
      grid_options: { columns: 12 },
      ...heard,
    },
    wideTile(entities["sensor.protection_load"], "orange", {
      ...heard,
      features: [{ type: "bar-gauge", min: 0, max: 100 }],
      features_position: "inline",
    }),
  ]);
}

/** Return a template for a reason in words: Home Assistant itself would put it into the server's language. */
const reasonIn = (text, reason) =>
  `{{ ${JSON.stringify(text.reasons)}.get(states('${reason}'), state_translated('${reason}')) }}`;

function chargerSection(hass, text, charger) {
  const entities = entitiesOf(hass, charger);
  const reason = entities["sensor.reason"];
  return section(nameOf(charger), ICON, [
    // A tile would cut it short on a phone
    reason && { type: "markdown", content: `## ${reasonIn(text, reason)}`, grid_options: { columns: 12 } },
    tile(entities["sensor.charging_state"], "purple"),
    tile(entities["sensor.target_current"], "purple"),
    tile(entities["sensor.charging_current"], "purple"),
    tile(entities["sensor.energy"], "purple"),
    ...controls(entities),
  ]);
}

function historySections(text, site, chargers, hoursToShow) {
  const energy = [site, ...chargers].map((entities) => ({ entity: entities["sensor.energy"], name: DEVICE_NAME }));
  return [
    section(
      text("history"),
      "mdi:chart-line",
      [
        graph(
          "history-graph",
          [
            { entity: site["number.max_amps"], name: OWN_NAME, color: "#f44336" },
            { entity: site["sensor.current"], name: OWN_NAME, color: "#2196f3" },
            { entity: site["sensor.house_current"], name: OWN_NAME, color: "#ffb300" },
            ...chargers.map((entities) => ({ entity: entities["sensor.target_current"], name: [DEVICE_NAME, OWN_NAME] })),
          ],
          { hours_to_show: hoursToShow, ...FROM_ZERO },
        ),
        graph(
          "history-graph",
          [
            ...chargers.map((entities) => ({ entity: entities["sensor.reason"], name: [DEVICE_NAME, OWN_NAME] })),
            { entity: site["binary_sensor.over_budget"], name: OWN_NAME },
          ],
          { hours_to_show: hoursToShow },
        ),
      ],
      { column_span: 3 },
    ),
    section(text("average_and_maximum"), "mdi:chart-bell-curve", [
      graph("statistics-graph", [{ entity: site["sensor.current"], name: OWN_NAME }], {
        stat_types: ["mean", "max"],
        period: "hour",
        days_to_show: 1,
        ...FROM_ZERO,
      }),
    ]),
    section(text("energy_by_day"), "mdi:lightning-bolt", [
      graph("statistics-graph", energy, {
        chart_type: "bar",
        stat_types: ["change"],
        period: "day",
        days_to_show: DAYS_TO_SHOW,
      }),
    ]),
  ];
}

/** The view of one site: the device `site`, or the first one. */
class AmpSensorView extends HTMLElement {
  static registryDependencies = DEPENDENCIES;

  static async generate({ site: siteId, hours_to_show: hoursToShow = HOURS_TO_SHOW }, hass) {
    const text = await loadTexts(hass);
    const sites = sitesOf(hass);
    const site = siteId ? sites.find((device) => device.id === siteId) : sites[0];
    if (!site) {
      const link = `[${text("add_site")}](/config/integrations/dashboard/add?domain=${DOMAIN})`;
      return { cards: [{ type: "markdown", content: `## ${text("no_site")}\n\n${link}` }] };
    }
    const entities = entitiesOf(hass, site);
    const chargers = chargersOf(hass, site);
    if (!chargers.length) delete entities["sensor.house_current"]; // all current is the house's
    return {
      type: "sections",
      max_columns: 3,
      sections: [
        nowSection(text, entities),
        ...chargers.map((charger) => chargerSection(hass, text, charger)),
        section(text("settings"), "mdi:tune", controls(entities)),
        ...historySections(
          text,
          entities,
          chargers.map((charger) => entitiesOf(hass, charger)),
          hoursToShow,
        ),
      ].filter(Boolean),
    };
  }
}

/** The dashboard: a view of each site. */
class AmpSensorDashboard extends HTMLElement {
  static noEditor = true;

  static registryDependencies = DEPENDENCIES;

  static getCreateSuggestions() {
    return { title: "Amp Sensor", icon: ICON };
  }

  static async generate({ hours_to_show: hoursToShow }, hass) {
    const strategy = { type: `custom:${TYPE}`, hours_to_show: hoursToShow };
    const views = sitesOf(hass).map((site) => ({
      title: nameOf(site),
      path: site.config_entry_id,
      strategy: { ...strategy, site: site.id },
    }));
    return { views: views.length ? views : [{ title: "Amp Sensor", strategy }] };
  }
}

// While the frontend starts it swaps the registry of elements: whatever is in the first one is lost
// (home-assistant/frontend#53890). Its own element is only ever in the second one, but both tell of it.
await window.customElements.whenDefined("home-assistant");
window.customElements.define(`ll-strategy-view-${TYPE}`, AmpSensorView);
window.customElements.define(`ll-strategy-dashboard-${TYPE}`, AmpSensorDashboard);

window.customStrategies = window.customStrategies || [];
window.customStrategies.push({
  type: TYPE,
  strategyType: "dashboard",
  name: "Amp Sensor",
  // Home Assistant asks for it when it shows the list, and again when other strategies are loaded
  get description() {
    const hass = document.querySelector("home-assistant")?.hass;
    if (hass) loadTexts(hass);
    const text = textsByLanguage.get(hass?.language);
    return text?.("description");
  },
});
