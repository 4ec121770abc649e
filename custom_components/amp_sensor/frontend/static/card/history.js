/** What was: from Home Assistant's history and statistics, continued by what is heard live. */

import { statesOf, statisticsOf } from "../home-assistant.js";

const KEPT_S = 20 * 60;
const DAY_S = 86400;
const MOMENT_MS = 300_000; // of a highest value: the shortest row of statistics
const EDGE_S = 0.001; // a series takes one value for a time: the next row's is the first one

/** Points in time with the value that holds from then on; null where nobody knows. */
export class Series {
  constructor(times = [], values = []) {
    this.times = times;
    this.values = values;
  }

  add(at, value) {
    const last = this.times.length - 1;
    if (last >= 0 && at <= this.times[last]) return;
    this.times.push(at);
    this.values.push(value);
  }

  /** Return this up to where the other begins, and the other from there. */
  followedBy(other) {
    if (!other.times.length) return this;
    const end = this.times.findLastIndex((at) => at < other.times[0]) + 1;
    return new Series([...this.times.slice(0, end), ...other.times], [...this.values.slice(0, end), ...other.values]);
  }

  forget(before) {
    const first = this.times.findIndex((at) => at >= before);
    if (first <= 0) return;
    this.times.splice(0, first);
    this.values.splice(0, first);
  }

  /** Return the first value that began to hold between two times, or what held all the while. */
  begunBetween(from, to) {
    const first = this.times.findIndex((at) => at >= from);
    const index = first >= 0 && this.times[first] <= to ? first : this.times.findLastIndex((at) => at < from);
    return this.values[index] ?? null;
  }

  /** Return the mean over time, and the highest, of each of so many equal parts; NaN where nothing is known. */
  binned(from, to, count) {
    const size = (to - from) / count;
    const [sum, known] = [new Float64Array(count), new Float64Array(count)];
    const max = new Float64Array(count).fill(NaN);
    for (let index = 0; index < this.times.length; index += 1) {
      const value = this.values[index];
      const begin = Math.max(from, this.times[index]);
      const end = Math.min(to, this.times[index + 1] ?? to);
      if (value === null || end <= begin) continue;
      const last = Math.min(count - 1, Math.floor((end - from) / size));
      for (let bin = Math.floor((begin - from) / size); bin <= last; bin += 1) {
        const held = Math.min(end, from + (bin + 1) * size) - Math.max(begin, from + bin * size);
        if (held <= 0) continue;
        sum[bin] += value * held;
        known[bin] += held;
        max[bin] = Math.max(Number.isNaN(max[bin]) ? -Infinity : max[bin], value);
      }
    }
    return { mean: sum.map((total, bin) => (known[bin] ? total / known[bin] : NaN)), max };
  }
}

const numberOf = (state) => (state === "" || Number.isNaN(Number(state)) ? null : Number(state));
const wordOf = (state) => (["unavailable", "unknown"].includes(state) ? null : state);

function ofStates(rows = [], read = numberOf) {
  return new Series(
    rows.map(({ lu, lc }) => lc ?? lu),
    rows.map(({ s }) => read(s)),
  );
}

/** Return rows of statistics as a series: a mean holds for all of its row, a highest value was there for a moment. */
function ofStatistics(rows = [], what) {
  const series = new Series();
  for (const row of rows) {
    const end = what === "max" ? Math.min(row.end, row.start + MOMENT_MS) : row.end;
    series.add(row.start / 1000, row[what] ?? null);
    series.add(end / 1000 - EDGE_S, null);
  }
  return series;
}

async function states(hass, ids, from, to) {
  const present = ids.filter(Boolean);
  return present.length ? statesOf(hass, present, from, to) : {};
}

async function statistics(hass, ids, from, to) {
  const present = ids.filter(Boolean);
  const fine = await statisticsOf(hass, present, "5minute", from, to);
  // Where the short ones are forgotten already, or were never there, those of each hour are
  const begins = Object.fromEntries(present.map((id) => [id, fine[id]?.[0]?.start ?? to * 1000]));
  if (Object.values(begins).every((begin) => begin < from * 1000 + 3600_000)) return fine;
  const coarse = await statisticsOf(hass, present, "hour", from, to);
  return Object.fromEntries(
    present.map((id) => [
      id,
      [...(coarse[id] ?? []).filter(({ end }) => end <= begins[id]), ...(fine[id] ?? [])],
    ]),
  );
}

/** The past of a site, as far back as is asked for, and what was heard since. */
export class History {
  constructor(site, chargers) {
    this.site = site;
    this.chargers = chargers;
    this.past = this._empty();
    this.deeds = new Map();
    this.begin();
  }

  /** Begin to listen: what was heard before an interruption does not hold through it. */
  begin() {
    this.live = this._empty();
  }

  _empty() {
    const charger = () => ({ drawn: new Series(), target: new Series(), reason: new Series() });
    return {
      current: new Series(),
      highest: new Series(),
      house: new Series(),
      budget: new Series(),
      chargers: this.chargers.map(charger),
    };
  }

  /** Take over what was heard just now. */
  hear(event, shown) {
    const { at, chargers } = event;
    const live = this.live;
    const phase = shown.tightIndex;
    live.current.add(at, event.current_amps);
    live.highest.add(at, event.current_amps);
    live.house.add(at, event.reading ? event.house_current_amps : null);
    live.budget.add(at, event.budget_amps);
    chargers.forEach((charger, index) => {
      const series = live.chargers[index];
      series.drawn.add(at, event.reading && phase >= 0 ? (charger.amps?.[phase] ?? 0) : null);
      series.target.add(at, charger.target_amps);
      series.reason.add(at, charger.reason);
      if (charger.deed) this.deeds.set(`${index} ${charger.deed.at}`, { index, ...charger.deed });
    });
    for (const each of this._each(live)) each.forget(at - KEPT_S);
    for (const [key, deed] of this.deeds) if (deed.at < at - DAY_S) this.deeds.delete(key);
  }

  _each({ current, highest, house, budget, chargers }) {
    return [current, highest, house, budget, ...chargers.flatMap(({ drawn, target, reason }) => [drawn, target, reason])];
  }

  /** Ask for what was; what is asked for meanwhile wins. */
  async load(hass, seconds, now) {
    const asked = (this.asked = Symbol("asked"));
    const [from, to] = [now - seconds, now];
    const past = this._empty();
    const { site, chargers } = this;
    const days = seconds > DAY_S;
    // Without a charger all current is the house's; what is known of it by another name is taken where there is nothing else
    const measured = [site.current, site.house_current, ...chargers.map(({ charging_current: id }) => id)];
    const decided = days ? [] : chargers.flatMap((each) => [each.target_current, each.reason]);
    const [numbers, found] = await Promise.all([
      (days ? statistics : states)(hass, measured, from, to),
      states(hass, [site.max_amps, ...decided], from, to),
    ]);
    if (this.asked !== asked) return false;
    const read = (id, what = "mean") => (days ? ofStatistics(numbers[id], what) : ofStates(numbers[id]));
    past.current = read(site.current);
    past.highest = days ? read(site.current, "max") : past.current;
    const house = site.house_current ? read(site.house_current) : new Series();
    past.house = house.times.length ? past.current.followedBy(house) : past.current;
    past.budget = ofStates(found[site.max_amps]);
    chargers.forEach((each, index) => {
      const series = past.chargers[index];
      series.drawn = read(each.charging_current);
      series.target = ofStates(found[each.target_current]);
      series.reason = ofStates(found[each.reason], wordOf);
    });
    this.past = past;
    this.seconds = seconds;
    return true;
  }

  /** Return all that is known, past and live, as one. */
  joined() {
    const { past, live } = this;
    const join = (key) => past[key].followedBy(live[key]);
    return {
      current: join("current"),
      highest: join("highest"),
      house: join("house"),
      budget: join("budget"),
      chargers: past.chargers.map((series, index) => ({
        drawn: series.drawn.followedBy(live.chargers[index].drawn),
        target: series.target.followedBy(live.chargers[index].target),
        reason: series.reason.followedBy(live.chargers[index].reason),
      })),
    };
  }
}

const TOLD_S = 30; // what was told live is in the history as well, or begins with what is heard first
const SAME_S = 5;
const EARLY_S = 2;
const GIVING = new Set(["raised", "started"]);
const NOT_TAKING = new Set([...GIVING, "adopting", "settling", "waiting", "no_headroom"]);

/** Return why a target changed: the reason that came with it, if it can be that. */
function reasonOf(series, at, gives) {
  const reason = series.begunBetween(at - EARLY_S, at + SAME_S);
  return reason !== null && (gives ? GIVING.has(reason) : !NOT_TAKING.has(reason)) ? reason : null;
}

/** Return what was done to the chargers: as it was told live, or as their targets' history shows it. */
export function deedsOf(history, joined, from) {
  const told = [...history.deeds.values()];
  const read = joined.chargers.flatMap(({ target, reason }, index) =>
    target.times.flatMap((at, point) => {
      const [before, after] = [target.values[point - 1], target.values[point]];
      if (before == null || after == null || before === after) return [];
      if (told.some((deed) => deed.index === index && deed.amps === after && Math.abs(deed.at - at) < TOLD_S)) return [];
      const because = reasonOf(reason, at, after > before);
      if (before === 0 && !because) return []; // a car that came with a current of its own was not started
      const effect = after === 0 ? "paused" : before === 0 ? "started" : after < before ? "lowered" : "raised";
      return [{ index, at, kind: effect, amps: after, from_amps: before, reason: because }];
    }),
  );
  return [...told, ...read].filter(({ at }) => at >= from).sort((one, other) => one.at - other.at);
}
