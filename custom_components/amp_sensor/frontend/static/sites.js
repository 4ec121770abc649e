/** Our devices: a charger's or a load's belongs to a subentry, a site's to none. */

import { DOMAIN } from "./texts.js";

export const nameOf = (device) => device.name_by_user || device.name;

/** Return our devices in the order of their names. */
function devicesOf(hass) {
  return Object.values(hass.devices)
    .filter((device) => !device.disabled_by && device.identifiers.some(([domain]) => domain === DOMAIN))
    .sort((one, other) => nameOf(one).localeCompare(nameOf(other), hass.language));
}

export const sitesOf = (hass) => devicesOf(hass).filter((device) => !device.config_subentry_id);

export const consumersOf = (hass, site) =>
  devicesOf(hass).filter((device) => device.config_subentry_id && device.config_entry_id === site.config_entry_id);
