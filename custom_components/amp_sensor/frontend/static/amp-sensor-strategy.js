/**
 * The dashboard of Amp Sensor: for each site its card, and below it what Home Assistant's own cards show of its past.
 *
 * Entities are found by what they are, not by their ids; what is disabled, hidden or missing is left out.
 */

import { CHARGERS, HOUSE } from "./colors.js";
import { define, hassOfPage } from "./home-assistant.js";
import { consumersOf, entitiesOf, nameOf, sitesOf } from "./sites.js";
import { loadedTexts, loadTexts } from "./texts.js";

const TYPE = "amp-sensor";
const ICON = "mdi:ev-station";
const COLUMNS = 3;
const HOURS_TO_SHOW = 24;
const DAYS_TO_SHOW = 14;

// Whoever is renamed, added, removed, or speaks another language, is shown anew
const DEPENDENCIES = ["entities", "devices", "language"];

// Entities are called by their own name, or by whose they are: the heading says the rest
const OWN_NAME = { type: "entity" };
const DEVICE_NAME = { type: "device" };

/** Return a section with a graph of the entities that there are, or nothing where there is none. */
function graphSection(heading, icon, entities, graph, more) {
  const present = entities.filter(({ entity }) => entity);
  return (
    present.length && {
      type: "grid",
      cards: [
        { type: "heading", heading, heading_style: "title", icon },
        { entities: present, grid_options: { columns: "full" }, ...graph },
      ],
      ...more,
    }
  );
}

function graphSections(text, site, consumers, hoursToShow) {
  const chargers = consumers.filter((entities) => entities["sensor.energy"]); // neither loads nor limits
  return [
    graphSection(
      text("reasons"),
      "mdi:chart-timeline",
      [
        ...consumers.map((entities) => ({
          entity: entities["sensor.reason"] ?? entities["sensor.load_state"],
          name: DEVICE_NAME,
        })),
        // Its own name is too long for a phone in some languages
        { entity: site["binary_sensor.over_budget"], name: text("over_budget") },
      ],
      { type: "history-graph", hours_to_show: hoursToShow },
      { column_span: COLUMNS },
    ),
    graphSection(
      text("current_by_hour"),
      "mdi:chart-bell-curve",
      [{ entity: site["sensor.current"], name: OWN_NAME, color: CHARGERS[0] }],
      {
        type: "statistics-graph",
        // With the lowest, the highest is the edge of a band: without it, it is drawn as the mean is
        stat_types: ["min", "mean", "max"],
        period: "hour",
        days_to_show: 1,
        min_y_axis: 0, // unless the house feeds in
        fit_y_data: true,
      },
    ),
    graphSection(
      text("energy_by_day"),
      "mdi:lightning-bolt",
      [site, ...chargers].map((entities, index) => ({
        entity: entities["sensor.energy"],
        name: DEVICE_NAME,
        color: index ? CHARGERS[(index - 1) % CHARGERS.length] : HOUSE,
      })),
      { type: "statistics-graph", chart_type: "bar", stat_types: ["change"], period: "day", days_to_show: DAYS_TO_SHOW },
    ),
  ];
}

/** Return a function from the keys of the dashboard's texts to the texts in the language of the user. */
async function loadHeadings(hass) {
  const text = await loadTexts(hass);
  return (key) => text(`config_panel.dashboard.${key}`);
}

/** The view of one site: the device `site`, or the first one. */
class AmpSensorView extends HTMLElement {
  static registryDependencies = DEPENDENCIES;

  static async generate({ site: siteId, hours_to_show: hoursToShow = HOURS_TO_SHOW }, hass) {
    const text = await loadHeadings(hass);
    const sites = sitesOf(hass);
    const site = siteId ? sites.find((device) => device.id === siteId) : sites[0];
    const card = { type: "custom:amp-sensor-card", site: site?.id, grid_options: { columns: "full" } };
    const consumers = site ? consumersOf(hass, site).map((device) => entitiesOf(hass, device)) : [];
    return {
      type: "sections",
      max_columns: COLUMNS,
      sections: [
        { type: "grid", cards: [card], column_span: COLUMNS },
        ...(site ? graphSections(text, entitiesOf(hass, site), consumers, hoursToShow) : []),
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

await define({ [`ll-strategy-view-${TYPE}`]: AmpSensorView, [`ll-strategy-dashboard-${TYPE}`]: AmpSensorDashboard });

window.customStrategies = window.customStrategies || [];
window.customStrategies.push({
  type: TYPE,
  strategyType: "dashboard",
  name: "Amp Sensor",
  // Home Assistant asks for it when it shows the list, and again when other strategies are loaded
  get description() {
    const hass = hassOfPage();
    if (hass) loadHeadings(hass);
    const text = (key) => loadedTexts(hass?.language)?.(`config_panel.dashboard.${key}`);
    return text("description");
  },
});
