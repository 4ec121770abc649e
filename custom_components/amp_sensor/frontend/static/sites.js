/** Our devices: a charger's, a load's or a limit's belongs to a subentry, a site's to none. */

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

/** Return the ids of a device's entities by what they are, for example `sensor.headroom`. */
export function entitiesOf(hass, device) {
  const entities = {};
  for (const entity of Object.values(hass.entities)) {
    if (entity.platform === DOMAIN && entity.device_id === device.id && !entity.hidden) {
      entities[`${entity.entity_id.split(".")[0]}.${entity.translation_key}`] = entity.entity_id;
    }
  }
  return entities;
}
