/** What is shown of an event: rounded so that what is shown adds up as what was measured does. */

const TENTH = 10;

/**
 * Round numbers to tenths so that they add up to the tenth of their sum: each is off by less than one tenth, and those
 * are rounded up that are cut the most.
 */
export function roundedTo(sum, numbers) {
  const scaled = numbers.map((number) => number * TENTH + 1e-6);
  const rounded = scaled.map(Math.floor);
  let missing = Math.round(sum * TENTH) - rounded.reduce((total, number) => total + number, 0);
  const byCut = scaled.map((_, index) => index).sort((one, other) => scaled[other] - rounded[other] - scaled[one] + rounded[one]);
  for (let turn = 0; missing > 0 && turn < byCut.length; turn += 1, missing -= 1) rounded[byCut[turn]] += 1;
  for (let turn = byCut.length - 1; missing < 0 && turn >= 0; turn -= 1, missing += 1) rounded[byCut[turn]] -= 1;
  return rounded.map((number) => number / TENTH);
}

const tenth = (number) => Math.round(number * TENTH) / TENTH;

function phaseOf(event, index) {
  const total = event.reading.amps[index];
  const house = event.house_amps?.[index];
  if (total == null || house == null) return null;
  const [shownHouse, ...chargers] = roundedTo(total, [house, ...event.chargers.map(({ amps }) => amps?.[index] ?? 0)]);
  return { total: tenth(total), house: shownHouse, chargers, free: tenth(event.budget_amps - tenth(total)) };
}

function powersOf(event) {
  const { watts } = event.reading;
  if (watts == null || event.chargers.some((charger) => charger.watts == null && charger.drawn_amps !== 0)) return null;
  const chargers = event.chargers.map((charger) => charger.watts ?? 0);
  const house = watts - chargers.reduce((sum, each) => sum + each, 0);
  const [shownHouse, ...shown] = roundedTo(watts / 1000, [house, ...chargers].map((each) => each / 1000));
  return { total: tenth(watts / 1000), house: shownHouse, chargers: shown };
}

/** Return amps by phase, the phase with the least room, and powers; `phases` is empty while nothing is known. */
export function shownOf(event) {
  const phases = event.reading ? event.reading.amps.map((_, index) => phaseOf(event, index)) : [];
  const known = phases.filter(Boolean);
  const tight = known.reduce((least, phase) => (least && least.free <= phase.free ? least : phase), null);
  return {
    phases,
    tight,
    tightIndex: phases.indexOf(tight),
    powers: known.length ? powersOf(event) : null,
    isOver: event.over_amps > 0,
    silent: event.connected === false,
    waiting: event.connected == null && !tight,
  };
}

/** Return who feeds whom on one phase: the grid, or a house with sun on its roof, feeds house, chargers or the grid. */
export function linksOf(phase) {
  const drawn = phase.chargers.map((amps) => Math.max(0, amps));
  const needed = drawn.reduce((sum, amps) => sum + amps, 0);
  const links = [];
  const link = (from, to, amps) => amps > 0.04 && links.push({ from, to, amps });
  if (phase.house >= 0) link("grid", "house", phase.house);
  if (phase.total < 0) link("house", "grid", -phase.total);
  const ofHouse = phase.house < 0 && needed ? Math.min(1, (-phase.house - Math.max(0, -phase.total)) / needed) : 0;
  drawn.forEach((amps, index) => {
    link("house", index, amps * ofHouse);
    link("grid", index, amps * (1 - ofHouse));
  });
  return links;
}
