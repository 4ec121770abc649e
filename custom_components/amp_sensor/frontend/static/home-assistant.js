/**
 * What we ask of Home Assistant's page beyond what is documented of cards and strategies: its element, which knows all
 * that there is, the dialog of an entity, and the commands that tell texts and the past. As of 2026.10.
 */

const PAGE = "home-assistant";

/** Return what the page knows: the list of cards is shown without any `hass`. */
export const hassOfPage = () => document.querySelector(PAGE)?.hass;

/**
 * Define an element once the page has begun.
 *
 * While the frontend starts it swaps the registry of elements: whatever is in the first one is lost
 * (home-assistant/frontend#53890). Its own element is only ever in the second one, but both tell of it.
 */
export async function define(elements) {
  await window.customElements.whenDefined(PAGE);
  for (const [name, element] of Object.entries(elements)) window.customElements.define(name, element);
}

/** Open the dialog of an entity. */
export const openDialog = (element, entityId) =>
  element.dispatchEvent(new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId } }));

/** Return an integration's texts of a section of its translations. */
export async function translations(hass, integration, category) {
  const type = "frontend/get_translations";
  const { resources } = await hass.callWS({ type, language: hass.language, category, integration });
  return resources;
}

/** Return the states of entities between two times, s (Unix), by their ids. */
export const statesOf = (hass, entity_ids, from, to) =>
  hass.callWS({
    type: "history/history_during_period",
    start_time: new Date(from * 1000).toISOString(),
    end_time: new Date(to * 1000).toISOString(),
    entity_ids,
    minimal_response: true,
    no_attributes: true,
    significant_changes_only: false,
  });

/** Return mean and most of currents between two times, s (Unix), for each `5minute` or `hour`, by their ids. */
export const statisticsOf = (hass, statistic_ids, period, from, to) =>
  hass.callWS({
    type: "recorder/statistics_during_period",
    start_time: new Date(from * 1000).toISOString(),
    end_time: new Date(to * 1000).toISOString(),
    statistic_ids,
    period,
    types: ["mean", "max"],
    units: { current: "A" },
  });
