/** Our own texts, in the language of whoever looks. */

import { translations } from "./home-assistant.js";

export const DOMAIN = "amp_sensor";

const textsByLanguage = new Map();

/** Return the text of a key of the translations, for example `config_panel.card.house`, with its values put in. */
function texts(resources) {
  const text = (key, values = {}) =>
    // What belongs together, a number and its unit, stays on one line
    (text.all[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "").replace(/(\d) (?=(?:[kMW]?[AWh]|kWh|%)(?!\w))/g, "$1\u00a0");
  text.all = Object.fromEntries(
    Object.entries(resources).map(([key, value]) => [key.replace(`component.${DOMAIN}.`, ""), value]),
  );
  return text;
}

export async function loadTexts(hass) {
  if (!textsByLanguage.has(hass.language)) {
    const load = (category) => translations(hass, DOMAIN, category);
    const [ours, entities] = await Promise.all([load("config_panel"), load("entity")]);
    textsByLanguage.set(hass.language, texts({ ...ours, ...entities }));
  }
  return textsByLanguage.get(hass.language);
}

/** Return what was loaded already, for whoever cannot wait. */
export const loadedTexts = (language) => textsByLanguage.get(language);
