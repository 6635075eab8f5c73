import { BARS_DARK, BARS_LIGHT, BARS_STYLE, LEGEND_STYLE } from "./html_bars_style.ts";

/** Looks of `report.html`; follows the reader's choice of light or dark. Logs are dark in both. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f27; --soft: #5b6472; --line: #e3e6eb; --paper: #fff;
  --panel: #f7f8fa; --good: #12774d; --bad: #c02b25; --warn: #955800; --busy: #1f5fc4;
  --idle: #9aa3b0; --mark: #ffe58a;
  ${BARS_LIGHT} }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ec; --soft: #9aa5b5; --line: #2a303a;
  --paper: #14171c; --panel: #1a1e25; --good: #4cc490; --bad: #ff7d74; --warn: #e8a33d;
  --busy: #7fadff; --idle: #5c6675; --mark: #6b5a12;
  ${BARS_DARK} } }
* { box-sizing: border-box; }
html { scroll-padding-top: 72px; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 28px 24px 8px; }
a { color: var(--busy); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -999px; background: var(--paper); padding: 8px 14px; z-index: 9; }
.skip:focus { left: 12px; top: 8px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
header { border-bottom: 1px solid var(--line); padding-bottom: 14px; }
h1 { font-size: 26px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; margin: 0 0 8px;
  display: flex; align-items: center; gap: 6px 12px; flex-wrap: wrap; overflow-wrap: anywhere; }
h2 { font-size: 17px; font-weight: 650; margin: 34px 0 10px; }
h3 { font-size: 14px; font-weight: 650; margin: 20px 0 8px; }
.took { color: var(--soft); font-weight: 400; font-size: 20px; }
.badge { color: #fff; background: #5b6472; border-radius: 999px; padding: 3px 14px; font-size: 14px;
  font-weight: 600; letter-spacing: 0; }
.badge.succeeded { background: #12774d; } .badge.failed, .badge.timed-out { background: #c02b25; }
.badge.cancelled, .badge.stopped { background: #955800; } .badge.running { background: #1f5fc4; }
.facts, .counts { margin: 4px 0; color: var(--soft); display: flex; flex-wrap: wrap; gap: 2px 22px; }
.facts b { color: var(--ink); font-weight: 500; overflow-wrap: anywhere; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; background: var(--idle);
  margin-right: 8px; flex: none; }
.dot.succeeded, .dot.reused { background: var(--done); }
.dot.failed, .dot.timed-out { background: var(--bad); }
.dot.allowed-failure, .dot.cancelled, .dot.stopped { background: var(--warn); }
.dot.running { background: var(--busy); }
.dot.skipped, .dot.pending { background: none; border: 2px solid var(--idle); }
.soft { color: var(--soft); font-size: 13.5px; }
p { margin: 6px 0; }
.body .failed, .body .timed-out { color: var(--bad); } .body .succeeded { color: var(--good); }
.body .allowed-failure, .body .cancelled, .body .stopped { color: var(--warn); }
.lead { font-size: 16px; max-width: 72ch; }
.share { color: var(--soft); font-variant-numeric: tabular-nums; }
.way ol { margin: 8px 0; padding-left: 22px; }
.failure { border: 1px solid var(--bad); border-left-width: 4px; border-radius: 8px;
  padding: 4px 20px 12px; margin-top: 22px; background: var(--panel); }
.failure h2 { margin: 12px 0 4px; } .failure h2 a { color: var(--bad); }
.causes { padding-left: 20px; } .causes li { margin: 8px 0; } .names { overflow-wrap: anywhere; font-size: 13.5px; }
.hint::before { content: "hint: "; color: var(--busy); font-weight: 600; }
.next code { display: inline-block; background: var(--paper); border: 1px solid var(--line);
  border-radius: 6px; padding: 2px 8px; margin: 2px 6px 2px 0; overflow-wrap: anywhere; }
summary { cursor: pointer; }
.way summary, .failure summary { color: var(--soft); font-size: 13.5px; width: fit-content; }
code, pre { font: 12.5px/1.55 ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px;
  overflow: auto; margin: 8px 0; tab-size: 8; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th, td { padding: 6px 16px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { white-space: nowrap; vertical-align: bottom; }
thead small { display: block; font-weight: 400; font-size: 12px; }
td { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.pairs { width: auto; min-width: min(100%, 420px); } .pairs th { padding-right: 36px; }
.wide { overflow: auto; max-height: 75vh; position: relative; }
.wide thead th { position: sticky; top: 0; background: var(--paper); }
.sweep { width: auto; } .sweep th, .sweep td { padding: 5px 14px; }
.sweep tbody th { white-space: nowrap; padding-left: 0; } .sweep td { overflow-wrap: normal; }
.best { color: var(--good); }
.h0 { background: color-mix(in srgb, var(--busy) 3%, transparent); }
.h1 { background: color-mix(in srgb, var(--busy) 7%, transparent); }
.h2 { background: color-mix(in srgb, var(--busy) 11%, transparent); }
.h3 { background: color-mix(in srgb, var(--busy) 15%, transparent); }
.h4 { background: color-mix(in srgb, var(--busy) 19%, transparent); }
.h5 { background: color-mix(in srgb, var(--busy) 24%, transparent); }
.sortable button { all: unset; cursor: pointer; color: var(--soft); }
.sortable button:hover { color: var(--ink); }
.sortable button:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px; }
.sortable [aria-sort] .col::after { content: " ↕"; opacity: .5; }
.sortable [aria-sort="ascending"] .col::after { content: " ↑"; opacity: 1; }
.sortable [aria-sort="descending"] .col::after { content: " ↓"; opacity: 1; }
.tools { position: sticky; top: 0; z-index: 3; background: var(--paper); padding: 10px 0; gap: 8px 14px;
  border-bottom: 1px solid var(--line); }
.tools:not([hidden]) { display: flex; flex-wrap: wrap; align-items: center; }
.search { flex: 1 1 240px; } .search input { width: 100%; font: inherit; color: inherit; background: var(--panel);
  border: 1px solid var(--idle); border-radius: 8px; padding: 7px 12px; }
.search input::placeholder { color: var(--soft); opacity: 1; }
#found { color: var(--soft); font-size: 13.5px; } #found:empty { display: none; }
.buttons { display: flex; flex-wrap: wrap; gap: 6px; }
.buttons button, #found button { font: inherit; font-size: 13.5px; color: var(--ink); background: var(--panel);
  border: 1px solid var(--line); border-radius: 999px; padding: 4px 12px; cursor: pointer; }
.buttons button:hover { border-color: var(--idle); }
.buttons button[aria-pressed="true"] { border-color: var(--busy); box-shadow: inset 0 0 0 1px var(--busy); }
${LEGEND_STYLE}
.row { position: relative; display: grid; grid-template-columns: minmax(0, 6fr) minmax(0, 2fr) 76px minmax(0, 6fr); gap: 0 14px;
  align-items: center; width: 100%; }
.row.head { color: var(--soft); font-size: 13px; padding: 4px 8px 4px 26px; border-bottom: 1px solid var(--line); }
.name { overflow-wrap: anywhere; padding-left: 17px; text-indent: -17px; } .name * { text-indent: 0; } .name b { font-weight: 550; } .name small { color: var(--soft); font-size: 12px; margin-left: 4px; }
.name .state { margin-left: 8px; } .name .state.failed, .name .state.timed-out { color: var(--bad); }
.name .state.cancelled, .name .state.stopped, .name .state.allowed-failure { color: var(--warn); }
.name .state.running { color: var(--busy); }
span.node { color: var(--soft); font-size: 13.5px; overflow-wrap: anywhere; }
.step { border-bottom: 1px solid var(--line); } .members > .step:last-child { border-bottom: 0; }
.step > summary { list-style: none; padding: 5px 8px 5px 26px; position: relative; border-radius: 4px; }
.step > summary::-webkit-details-marker { display: none; }
.step > summary::before { content: ""; position: absolute; left: 10px; top: 13px; width: 5px; height: 5px;
  border: solid var(--soft); border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg); }
.many .step { content-visibility: auto; contain-intrinsic-size: auto 33px; }
.step[open] > summary::before { transform: rotate(45deg); top: 11px; }
.step > summary:hover { background: var(--panel); }
.step:target > summary { background: color-mix(in srgb, var(--busy) 12%, transparent); }
.body { padding: 2px 8px 12px 26px; overflow-wrap: anywhere; } .body p { max-width: 110ch; }
.members { margin-left: 12px; border-left: 2px solid var(--line); }
.bars { width: 100%; height: 11px; display: block; overflow: hidden; border-radius: 2px; }
.axis { width: 100%; height: 15px; display: block; overflow: visible; }
.axis text { font: 12px system-ui, sans-serif; fill: var(--soft); text-anchor: middle; }
.axis .first { text-anchor: start; } .axis .last { text-anchor: end; }
${BARS_STYLE}
.usage { display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: center; font-size: 13.5px; margin: 6px 0; }
.usage figure { margin: 0; display: flex; align-items: center; gap: 8px; color: var(--soft); font-size: 12px; }
.spark { width: 120px; height: 26px; background: var(--panel); border-radius: 3px; flex: none; }
.spark polyline { fill: none; stroke: var(--busy); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.logname { color: var(--soft); font-size: 13.5px; margin-bottom: 4px; }
.command { margin: 4px 0; } .command summary code { overflow-wrap: anywhere; }
.command small { color: var(--soft); }
svg.graph { height: auto; display: block; }
footer { max-width: 1160px; margin: 0 auto; padding: 20px 24px 36px; color: var(--soft); font-size: 13px; }
${logStyle()}
@media (max-width: 720px) {
  main { padding: 18px 14px 8px; } footer { padding: 16px 14px 28px; } h1 { font-size: 21px; }
  .row { grid-template-columns: minmax(0, 1fr) auto; gap: 2px 10px; }
  .row .bars, .row .axis { grid-column: 1 / -1; } .row > .node { grid-row: 2; } .row > .number { grid-row: 1; grid-column: 2; }
  .row.head > span { display: none; }
  .row > .node:empty { display: none; }
  .failure { padding: 4px 14px 10px; } .body { padding-left: 14px; padding-right: 0; }
  .step > summary { padding-right: 2px; } .members { margin-left: 6px; }
  .tools { position: static; } .pairs, .pairs tbody, .pairs tr, .pairs th, .pairs td { display: block; }
  .pairs tr { border-bottom: 1px solid var(--line); padding: 5px 0; } .pairs th, .pairs td { border: 0; padding: 0; }
  html { scroll-padding-top: 12px; }
}
@media print { .tools, .skip { display: none !important; } .failure { break-inside: avoid; }
  .wide, pre.log { max-height: none !important; } pre.log { white-space: pre-wrap; } }
`;

/** The 16 colours of terminals, each readable on the ground of logs; on a coloured ground text is dark. */
function logStyle(): string {
  const colors = "#8b95a3 #ff7b72 #56d364 #e3b341 #79b8ff #d2a8ff #56d4dd #d6dae1 " +
    "#a3adba #ffa198 #7ee787 #f2cc60 #a5d0ff #e2c5ff #9be9f0 #ffffff";
  const all = colors.split(" ");
  const fronts = all.map((color, at) => `.log .c${at}{color:${color}}`);
  const backs = all.map((color, at) => `.log .k${at}{background:${color};color:#0b0e13}`);
  return `pre.log { background: #11151b; color: #d6dae1; border-color: #2a303a; max-height: 70vh; padding: 10px 14px; }
.log span { display: block; padding-left: 58px; position: relative; min-height: 1.55em; }
.log span::before { content: attr(data-n); position: absolute; left: 0; width: 44px; text-align: right;
  color: #8b95a3; cursor: pointer; user-select: none; }
.log span:hover::before { color: #fff; } .log span:target, .log span.at { background: #3a3413; }
.log span.hit { background: #2d2a17; } .log span.hit.at { background: #5a4d12; }
.log i { font-style: normal; } .log .bo { font-weight: 700; } .log .di { opacity: .8; } .log .it { font-style: italic; }
.log .un { text-decoration: underline; } .log .st { text-decoration: line-through; }
${fronts.join("")}
${backs.slice(1).join("")}`;
}
