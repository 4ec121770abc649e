/** How the card looks: in Home Assistant's colors, and colors of ours that can be told apart, on light and on dark. */

import { CHARGERS, HOUSE } from "../colors.js";

export const STYLE = `
:host {
  display: block;
  --amp-house: ${HOUSE};
  --amp-1: ${CHARGERS[0]}; --amp-1-strong: #1558b0;
  --amp-2: ${CHARGERS[1]}; --amp-2-strong: #945500;
  --amp-3: ${CHARGERS[2]}; --amp-3-strong: #076b52;
  --amp-4: ${CHARGERS[3]}; --amp-4-strong: #8a2069;
  --amp-over: var(--error-color, #db4437);
  --amp-over-text: #b3261e;
  --amp-line: var(--divider-color, rgba(0, 0, 0, 0.12));
  --amp-ground: var(--ha-card-background, var(--card-background-color, #fff));
  --amp-text: var(--primary-text-color, #141414);
  --amp-faint: var(--secondary-text-color, #5e5e5e);
  --amp-soft: color-mix(in srgb, var(--amp-text) 6%, transparent);
  color: var(--amp-text);
  font-family: var(--ha-font-family-body, Roboto, "Noto Sans", system-ui, sans-serif);
  -webkit-tap-highlight-color: transparent;
}
:host([dark]) {
  --amp-house: #8fa0b8;
  --amp-1: #4d9bff; --amp-1-strong: #a9d0ff;
  --amp-2: #f5a623; --amp-2-strong: #ffd999;
  --amp-3: #2bc79c; --amp-3-strong: #a2f0d8;
  --amp-4: #e673c0; --amp-4-strong: #ffc1e9;
  --amp-over-text: #ff8a80;
}
ha-card { display: block; height: 100%; box-sizing: border-box; overflow: hidden; container-type: inline-size; }
.card { display: grid; gap: 20px; padding: 18px 20px 20px; }
.none { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon { width: 24px; height: 24px; fill: currentColor; flex: none; }
h2, p, dl, dd, ol { margin: 0; padding: 0; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; text-align: start; cursor: pointer; }
button, summary, input, select { outline-offset: 2px; }
:focus-visible { outline: 2px solid var(--primary-color, #03a9f4); border-radius: 8px; }
.amps, .values, .figure dd, .tip b, .rest { font-variant-numeric: tabular-nums; }
.disc {
  display: grid; place-items: center; flex: none; width: 46px; height: 46px; border-radius: 50%; position: relative;
  color: var(--amp-text); background: color-mix(in srgb, var(--flow) 22%, var(--amp-ground));
  box-shadow: inset 0 0 0 2px var(--flow);
}
.disc.charged { box-shadow: none; }
.disc.charged::before {
  content: ""; position: absolute; inset: 0; border-radius: 50%;
  background: conic-gradient(var(--flow) var(--percent), color-mix(in srgb, var(--flow) 26%, transparent) 0);
  mask: radial-gradient(closest-side, transparent calc(100% - 4px), #000 calc(100% - 3.5px));
}

.notice { padding: 12px 0; line-height: 1.5; }
.notice a { color: inherit; }

/* The sentence */
.sentence { display: flex; gap: 12px; align-items: center; min-height: 3.4em; }
.sentence p { line-height: 1.35; text-wrap: pretty; }
.sentence .head { display: block; font-size: 26px; font-weight: 500; letter-spacing: -0.01em; line-height: 1.2; font-variant-numeric: tabular-nums; }
.sentence .tail { display: block; margin-top: 5px; font-size: 15px; color: var(--amp-faint); }
.sentence-icon { display: none; }
.sentence[data-kind="over"] .sentence-icon, .sentence[data-kind="silent"] .sentence-icon, .sentence[data-kind="waiting"] .sentence-icon {
  display: grid; place-items: center; flex: none; width: 52px; height: 52px; border-radius: 16px; align-self: start;
}
.sentence-icon .icon { width: 30px; height: 30px; }
.sentence[data-kind="over"] .sentence-icon { background: #b3261e; color: #fff; }
.sentence[data-kind="over"] .head { color: var(--amp-over-text); font-weight: 600; }
.sentence[data-kind="silent"] .sentence-icon, .sentence[data-kind="waiting"] .sentence-icon { background: var(--amp-soft); }

/* The flow */
.flow { position: relative; min-height: var(--height, 240px); min-width: 0; }
.flow .drawing { position: absolute; inset: 0; overflow: visible; }
.ribbon { fill: var(--flow); opacity: 0.42; }
.ribbon.loop { fill: none; stroke: var(--flow); }
.unknown .ribbon { opacity: 0.15; }
.arrow { fill: none; stroke: var(--amp-text); stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; opacity: 0.55; }
.slice { fill: var(--flow); }
.room { fill: var(--amp-soft); stroke: var(--amp-line); stroke-width: 1; }
.tick { stroke: var(--amp-over); stroke-width: 2.5; stroke-linecap: round; }
.hatch-ground { fill: var(--amp-over); }
.hatch-line { fill: var(--amp-ground); opacity: 0.55; }
.dots { position: absolute; inset: 0; overflow: hidden; pointer-events: none; contain: strict; }
.dot {
  position: absolute; left: -3px; top: -3px; width: 6px; height: 6px; border-radius: 50%; background: color-mix(in srgb, var(--flow) 20%, #fff);
  box-shadow: 0 0 0 1.5px var(--flow); will-change: transform; opacity: 0;
}
@media (prefers-reduced-motion: reduce) { .dot { display: none; } }
@media (prefers-reduced-motion: no-preference) { .arrow:not(.back) { display: none; } }
.node { position: absolute; display: flex; gap: 10px; align-items: center; }
.node.grid { left: 0; top: 0; --flow: var(--amp-faint); gap: 8px; }
.node.grid .disc { width: 38px; height: 38px; box-shadow: none; background: var(--amp-soft); }
.nodes .node { left: calc(100% - var(--right)); right: 0; transform: translateY(-50%); }
.about { display: flex; flex-direction: column; min-width: 0; gap: 1px; flex: 1; }
.name { font-size: 13px; line-height: 1.25; color: var(--amp-faint); overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.node .values { display: flex; flex-wrap: wrap; column-gap: 8px; align-items: baseline; }
.node .amps { font-size: 17px; font-weight: 500; line-height: 1.25; white-space: nowrap; }
.node .more { font-size: 13px; color: var(--amp-faint); white-space: nowrap; }
.by-phase { font-size: 12px; color: var(--amp-faint); font-variant-numeric: tabular-nums; white-space: nowrap; }
.node.idle .amps { color: var(--amp-faint); font-weight: 400; }
.gauge-labels { position: absolute; inset: 0; pointer-events: none; }
.gauge-labels .budget { position: absolute; left: 0; width: calc(var(--left) - 12px); transform: translateY(-50%); text-align: end; font-size: 12px; color: var(--amp-over-text); }
.gauge-label {
  position: absolute; left: 0; width: calc(var(--left) - 12px); display: flex; flex-direction: column; justify-content: center;
  text-align: end; font-size: 12px; line-height: 1.3; color: var(--amp-faint); font-variant-numeric: tabular-nums;
}
.gauge-label .amps { font-size: 17px; font-weight: 500; color: var(--amp-text); white-space: nowrap; }
.gauge-label .phase-name { font-weight: 500; }
.gauge-label.is-over .rest {
  align-self: end; margin-top: 2px; padding: 1px 7px; border-radius: 9px; background: #b3261e; color: #fff; font-weight: 600;
}

/* The picture */
.picture { min-width: 0; display: flex; flex-direction: column; gap: 8px; }
.picture-top { display: flex; flex-wrap: wrap-reverse; gap: 8px 16px; align-items: center; justify-content: space-between; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 12px; color: var(--amp-faint); }
.entry { display: inline-flex; align-items: center; gap: 6px; }
.key { flex: none; width: 12px; height: 12px; border-radius: 4px; background: var(--flow); }
.key.target { height: 2px; border-radius: 1px; width: 14px; background: currentColor; }
.key.budget { height: 2px; border-radius: 1px; width: 14px; }
.ranges { display: flex; padding: 3px; border-radius: 12px; background: var(--amp-soft); }
.ranges label { position: relative; cursor: pointer; }
.ranges input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; width: 100%; height: 100%; }
.ranges span { display: block; min-width: 22px; padding: 6px 9px; border-radius: 9px; text-align: center; font-size: 12px; line-height: 16px; white-space: nowrap; }
.ranges input:checked + span { background: var(--amp-ground); font-weight: 600; box-shadow: 0 1px 3px rgba(0, 0, 0, 0.22); }
:host([dark]) .ranges input:checked + span { background: color-mix(in srgb, var(--amp-text) 16%, var(--amp-ground)); }
.ranges input:focus-visible + span { outline: 2px solid var(--primary-color, #03a9f4); }
.plot { position: relative; }
.plot canvas { display: block; width: 100%; height: 230px; transition: opacity 0.15s; }
.loading canvas { opacity: 0.45; }
.marks { position: relative; height: 26px; margin-top: 2px; }
.mark { position: absolute; left: 0; top: 0; width: 26px; height: 26px; display: grid; place-items: center; color: var(--flow); }
.mark .icon { width: 14px; height: 14px; stroke: var(--amp-ground); stroke-width: 1; }
.mark .count { position: absolute; right: 0; top: 0; font-size: 10px; line-height: 1; color: var(--amp-faint); font-variant-numeric: tabular-nums; }
.mark:focus-visible { outline-offset: -2px; }
.cursor { position: absolute; left: 0; top: 12px; height: 198px; width: 1px; background: var(--amp-faint); pointer-events: none; }
.tip {
  position: absolute; left: 0; bottom: calc(100% - 60px); max-width: min(280px, 90%); width: max-content; padding: 8px 11px; z-index: 2; pointer-events: none;
  border-radius: 10px; font-size: 12.5px; line-height: 1.45; color: var(--amp-text); background: var(--amp-ground);
  box-shadow: 0 2px 12px rgba(0, 0, 0, 0.28), 0 0 0 1px var(--amp-line);
}
.tip p + p { margin-top: 3px; }
.tip .value { display: flex; gap: 7px; align-items: center; }
.tip .value b { margin-inline-start: auto; padding-inline-start: 12px; font-weight: 500; }
.tip .rest { color: var(--amp-faint); }

/* The chargers */
.tiles { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(290px, 100%), 1fr)); }
.charger, .site { border-radius: 14px; background: var(--amp-soft); padding: 14px 16px; display: grid; gap: 12px; min-width: 0; align-content: start; }
.charger-top { display: flex; gap: 12px; align-items: center; width: 100%; }
.charger .disc { width: 40px; height: 40px; }
.charger .name { font-size: 15px; font-weight: 500; color: var(--amp-text); }
.charger .state { font-size: 13px; color: var(--amp-faint); }
.charger .charger-top .values { display: flex; flex-direction: column; align-items: flex-end; white-space: nowrap; }
.charger .charger-top .amps { font-size: 18px; font-weight: 500; }
.charger .more { font-size: 13px; color: var(--amp-faint); }
.why { font-size: 14px; line-height: 1.4; }
.why:has(.reason:empty), .foot:has(.session:empty) { display: none; }
.range { display: grid; gap: 5px; }
.bar { position: relative; display: block; height: 8px; border-radius: 4px; background: color-mix(in srgb, var(--flow) 22%, transparent); }
.bar .drawn { position: absolute; inset: 0 auto 0 0; width: var(--drawn, 0%); border-radius: 4px; background: var(--flow); }
.bar .aim { position: absolute; top: -3px; bottom: -3px; left: var(--aim, 100%); width: 3px; margin-left: -1.5px; border-radius: 2px; background: var(--amp-text); }
.bar.battery .aim { opacity: 0.65; }
.bar.unlimited .aim { display: none; }
.ends { display: flex; justify-content: space-between; gap: 12px; font-size: 13px; color: var(--amp-faint); font-variant-numeric: tabular-nums; }
.plan { display: grid; gap: 5px; }
.plan-said { font-size: 14px; line-height: 1.4; }
.hours { display: block; width: 100%; height: 34px; }
.hour { fill: color-mix(in srgb, var(--amp-faint) 38%, transparent); }
.hour.unknown { opacity: 0.5; }
.hour.planned { fill: var(--flow); opacity: 1; }
.foot { font-size: 13px; color: var(--amp-faint); }
.settings { font-size: 14px; }
.settings summary { cursor: pointer; padding: 4px 0; color: var(--amp-faint); width: max-content; }
.fields { display: grid; gap: 4px; padding-top: 6px; }
.field { display: flex; gap: 8px; align-items: center; min-height: 40px; }
.field > span:first-child { flex: 1; }
.field input:not([type="checkbox"]), .field select {
  font: inherit; color: inherit; background: var(--amp-ground); border: 1px solid var(--amp-faint); border-radius: 8px; height: 36px; padding: 0 8px; box-sizing: border-box;
}
.field input[type="number"] { width: 84px; text-align: end; }
.field select { max-width: 60%; }
.field select option { background: var(--card-background-color, #fff); color: var(--primary-text-color, #141414); }
.field input:invalid { border-color: var(--amp-over); }
.field .unit { min-width: 12px; color: var(--amp-faint); }
.field.select .unit, .field.time .unit, .field.switch .unit { display: none; }
.field input[type="checkbox"] { appearance: none; width: 40px; height: 22px; margin: 0; border-radius: 11px; background: var(--amp-faint); position: relative; cursor: pointer; transition: background 0.15s; }
.field input[type="checkbox"]::after { content: ""; position: absolute; width: 16px; height: 16px; left: 3px; top: 3px; border-radius: 50%; background: var(--amp-ground); transition: transform 0.15s; }
.field input[type="checkbox"]:checked { background: var(--primary-color, #03a9f4); }
.field input[type="checkbox"]:checked::after { transform: translateX(18px); }
.field input:disabled, .field select:disabled { opacity: 0.5; }

/* Today */
.today { display: grid; gap: 12px; }
.today h2 { font-size: 15px; font-weight: 500; }
.today dl { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; }
.figure { display: flex; flex-direction: column-reverse; justify-content: flex-end; gap: 1px; }
.figure dt { font-size: 13px; color: var(--amp-faint); overflow-wrap: anywhere; }
.figure dd { font-size: 20px; font-weight: 500; }
.figure dd[data-over] { color: var(--amp-over-text); }
.today .range { --flow: var(--amp-faint); }
.today .range.high { --flow: var(--amp-over); }

/* Loads and limits */
.beside { display: grid; gap: 4px; margin: 0; padding: 0; list-style: none; font-size: 14px; }
.beside button { display: flex; justify-content: space-between; gap: 12px; width: 100%; min-height: 28px; align-items: center; }
.beside span { overflow-wrap: anywhere; }
.beside span:last-child { text-align: end; color: var(--amp-faint); }

@container (min-width: 720px) {
  .card { grid-template-columns: minmax(330px, 5fr) 8fr; column-gap: 36px; padding: 22px 26px 24px; }
  .card > * { grid-column: 1 / -1; }
  .card.split > .flow { grid-column: 1; }
  .card.split > .picture { grid-column: 2; }
  .sentence .head { font-size: 32px; }
  .sentence .tail { font-size: 16px; }
  .card.split > .picture .plot { flex: 1; display: flex; flex-direction: column; }
  .plot canvas { height: auto; min-height: 240px; flex: 1; }
  .card:not(.split) .plot canvas { height: 280px; }
}
@container (max-width: 400px) {
  .card { padding: 16px 14px; gap: 18px; }
  .sentence .head { font-size: 23px; }
  .picture-top { flex-direction: column-reverse; align-items: stretch; }
  .ranges { justify-content: space-between; }
}
`;
