/** The sentence on top: what is free, and what was done about it last. */

import { html, icon, set, write } from "./dom.js";

const RECENT_S = 300;
const SPOKEN_EVERY_S = 10;
const ROOM = { raised: "room", started: "room" }; // what has this cause needs no other

const capital = (words) => words.charAt(0).toLocaleUpperCase() + words.slice(1);

/** Return what is free, or what is wrong. */
function headOf({ event, shown, text, formats }) {
  const card = (key, values) => text(`config_panel.card.${key}`, values);
  const budget = formats.short(event.budget_amps);
  if (shown.silent) return ["silent", card("silent")];
  if (!shown.tight) return ["waiting", card("waiting")];
  const { free } = shown.tight;
  // What is within a sensor's noise is said, but it is no alarm
  if (free < 0) return [shown.isOver ? "over" : "free", card("over", { over: formats.tenths(-free), budget })];
  const fedIn = { amps: formats.tenths(-shown.tight.total), budget };
  if (shown.tight.total < 0) return ["fed_in", card("all_free", fedIn)];
  return ["free", card("free", { free: formats.tenths(free), budget })];
}

/** Return a deed as a sentence, cause first; a kind that is not known here as the logbook has it. */
export function deedSentence({ text, formats }, charger, ago) {
  const { kind, ...numbers } = charger.deed;
  const values = { name: charger.name, ago };
  for (const [name, number] of Object.entries(numbers)) values[name] = formats.short(number);
  const [effect, ...cause] = kind.split("_");
  const what = text(`config_panel.card.effect.${effect}`, values);
  const why = text(`config_panel.card.cause.${cause.join("_") || ROOM[effect]}`, values);
  const how = what || `${charger.name}, ${text(`config_panel.logbook.${kind}`, values)}`;
  return capital(text("config_panel.card.told", { what: (what && why) || ago, how }));
}

/** Return for each reason whom it is about. */
function reasonsOf({ event, text, formats }) {
  const names = new Map();
  for (const { name, reason } of event.chargers) {
    if (reason) names.set(reason, [...(names.get(reason) ?? []), name]);
  }
  return [...names]
    .map(([reason, each]) => ({ what: formats.list(each), how: text(`entity.sensor.reason.state.${reason}`) }))
    .map((values) => text("config_panel.card.told", values))
    .join(" ");
}

export function sentenceOf(context) {
  const { event, now, formats } = context;
  const [kind, head] = headOf(context);
  const done = event.chargers
    .filter(({ deed }) => deed && now - deed.at < RECENT_S)
    .sort((one, other) => other.deed.at - one.deed.at);
  const [charger] = done;
  const tail = charger ? deedSentence(context, charger, formats.ago(now - charger.deed.at)) : reasonsOf(context);
  // The cars' reason says the same again where nothing is heard
  return { kind, head, tail: kind === "silent" && !charger ? "" : tail, deed: charger && `${charger.id} ${charger.deed.at}` };
}

export class Sentence {
  constructor() {
    this.icon = html("span", { class: "sentence-icon" });
    this.head = html("span", { class: "head" });
    this.tail = html("span", { class: "tail" });
    this.spoken = html("div", { class: "unseen", role: "status", "aria-live": "polite" });
    this.element = html("div", { class: "sentence" }, this.icon, html("p", {}, this.head, " ", this.tail), this.spoken);
  }

  update(context) {
    const said = sentenceOf(context);
    write(this.head, said.head);
    write(this.tail, said.tail);
    if (this.kind !== said.kind) {
      set(this.element, { "data-kind": said.kind });
      const name = { over: "over", silent: "silent", waiting: "silent" }[said.kind];
      this.icon.replaceChildren(...(name ? [icon(name)] : []));
    }
    this._speak(said, context.now);
  }

  /** Tell a screen reader what changed: not each reading, which stands there to be read, but each turn of events. */
  _speak({ kind, head, tail, deed }, now) {
    const first = this.kind === undefined;
    const turned = kind !== this.kind;
    const did = deed && deed !== this.deed;
    this.kind = kind;
    this.pending ||= (turned || did) && !first;
    if (did) this.deed = deed;
    if (!this.pending || (!did && now - (this.spokenAt ?? 0) < SPOKEN_EVERY_S)) return;
    this.pending = false;
    this.spokenAt = now;
    this.spoken.textContent = `${head} ${tail}`;
  }
}
