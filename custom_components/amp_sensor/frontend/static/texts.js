/** Our own texts, in the language of whoever looks. */

export const DOMAIN = "amp_sensor";

const textsByLanguage = new Map();

async function loadResources(hass, category) {
  const type = "frontend/get_translations";
  const { resources } = await hass.callWS({ type, language: hass.language, category, integration: DOMAIN });
  return resources;
}

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
    const [ours, entities] = await Promise.all([loadResources(hass, "config_panel"), loadResources(hass, "entity")]);
    textsByLanguage.set(hass.language, texts({ ...ours, ...entities }));
  }
  return textsByLanguage.get(hass.language);
}

/** Return what was loaded already, for whoever cannot wait. */
export const loadedTexts = (language) => textsByLanguage.get(language);
