import { GRAPH_STYLE } from "../report/graph/svg_style.ts";
import { DARK, LIGHT, PARTS_PHONE, PARTS_STYLE } from "../report/html_parts_style.ts";

/** Looks of the app; follows the reader's choice of light or dark, and the width of a phone. */
export const STYLE = `
:root { color-scheme: light dark; ${LIGHT}
  --mark: #1f5fc4; --good-ink: #0f6b46; --bad-ink: #b3261e; --warn-ink: #855000; }
@media (prefers-color-scheme: dark) { :root { ${DARK}
  --mark: #7fb0ff; --good-ink: #4fcf9a; --bad-ink: #ff8a82; --warn-ink: #f0b45a; } }
${PARTS_STYLE}
${GRAPH_STYLE}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); min-height: 100vh;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 20px 24px 48px; }
main header { border-bottom: 1px solid var(--line); padding-bottom: 6px; }
h1 { font-size: 24px; margin: 0 0 6px; display: flex; align-items: center; gap: 12px; flex-wrap: wrap; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 28px 0 10px; }
.took { color: var(--soft); font-weight: 400; font-size: 20px; }
.badge { border-radius: 6px; padding: 2px 12px; font-size: 15px; }
.facts, .counts { margin: 4px 0; color: var(--soft); display: flex; flex-wrap: wrap; gap: 4px 22px; }
.facts b { color: var(--ink); font-weight: 500; }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; background: var(--idle); margin-right: 7px; }
.dot.succeeded, .dot.reused { background: var(--good); } .dot.failed, .dot.timed-out { background: var(--bad); }
.dot.allowed-failure, .dot.cancelled, .dot.stopped { background: var(--warn); } .dot.running { background: var(--busy); }
.failure { border: 1px solid var(--bad); border-radius: 8px; padding: 2px 18px 6px; margin-top: 20px; background: var(--panel); }
.failure h2 { margin-top: 12px; } .failure li { margin: 6px 0; } .failure p { white-space: pre-line; overflow-wrap: anywhere; }
.hint::before { content: "hint: "; color: var(--mark); }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 10px 14px; max-height: 24em;
  overflow: auto; font: 13px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 500; white-space: nowrap; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: break-word; } td:last-child { overflow-wrap: anywhere; }
.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.kind { color: var(--soft); font-size: 12px; margin-left: 4px; }
a { color: var(--mark); text-decoration-thickness: 1px; text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
.skip { position: absolute; left: -999px; } .skip:focus { left: 8px; top: 8px; background: var(--paper); padding: 6px 12px; z-index: 3; }
.top { border-bottom: 1px solid var(--line); background: var(--panel); position: sticky; top: 0; z-index: 2; }
.bar-in { max-width: 1240px; margin: 0 auto; padding: 10px 24px; display: flex; align-items: baseline; gap: 6px 16px; flex-wrap: wrap; }
.brand { font-weight: 700; letter-spacing: .02em; } .project { color: var(--soft); }
nav { display: flex; gap: 4px; }
nav a { text-decoration: none; padding: 3px 10px; border-radius: 6px; color: var(--ink); }
nav a:hover { background: var(--line); } nav a[aria-current] { background: var(--ink); color: var(--paper); }
#live { margin-left: auto; color: var(--soft); font-size: 13px; }
#live.on::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: var(--good); margin-right: 6px; }
#live.off::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: var(--warn); margin-right: 6px; }
.fields { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: end; margin: 10px 0 14px; }
.fields label { display: flex; flex-direction: column; gap: 2px; font-size: 13px; color: var(--soft); }
.grow { flex: 1 1 260px; }
input, select, button { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--idle);
  border-radius: 6px; padding: 5px 10px; min-height: 34px; }
input[type=search], input[type=text] { width: 100%; }
button { cursor: pointer; background: var(--panel); } button:hover { border-color: var(--ink); }
button.bad { color: var(--bad-ink); border-color: var(--bad); }
form { display: inline-block; margin: 0; } form.fields { display: flex; } form.whole { display: block; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 10px 0; align-items: center; }
.said { background: var(--panel); border-left: 3px solid var(--mark); padding: 8px 14px; margin: 0 0 14px; }
.state { white-space: nowrap; } .soft { color: var(--soft); } .small { font-size: 13px; }
.mono { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
td a { overflow-wrap: anywhere; }
.list td { padding: 8px 14px 8px 0; } .list tr:hover td { background: var(--panel); }
.list .inputs { max-width: 26em; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.list .below { color: var(--soft); font-size: 13px; }
input[type=checkbox] { min-height: 0; width: 16px; height: 16px; vertical-align: -2px; }
.state .running { color: var(--mark); } .bad-ink { color: var(--bad-ink); } .good-ink { color: var(--good-ink); } .warn-ink { color: var(--warn-ink); }
.failure h2 { color: var(--bad-ink); }
.badge { color: #fff; background: #5b6472; font-weight: 600; } .badge.succeeded { background: #146c49; }
.badge.failed, .badge.timed-out { background: #b3261e; } .badge.cancelled, .badge.stopped { background: #855000; }
.badge.running { background: #1f5fc4; }
.lined { position: relative; } .lined > .step > summary, .step > summary[id], .row.head { padding-right: 48px; }
.lined:last-child > .step { border-bottom: 0; } .tolog { position: absolute; right: 8px; top: 5px; font-size: 13.5px; }
.step[hidden] + .tolog { display: none; }
.dot.running { animation: beat 1.6s ease-in-out infinite; }
@keyframes beat { 50% { opacity: .35; } }
@media (prefers-reduced-motion: reduce) { .dot.running { animation: none; } }
.log { background: #14171c; color: #e6e8ec; border-radius: 8px; padding: 12px 14px; margin: 10px 0; overflow: auto;
  max-height: min(72vh, 900px); min-height: 9em; font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.log div { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.5em; } .log .cut { color: #98a2b3; font-style: italic; }
.bold { font-weight: 700; } .dim { color: #98a2b3; } .italic { font-style: italic; } .underline { text-decoration: underline; }
.ink-0 { color: #98a2b3; } .ink-1 { color: #ff7b72; } .ink-2 { color: #56d364; } .ink-3 { color: #e3b341; }
.ink-4 { color: #79c0ff; } .ink-5 { color: #d2a8ff; } .ink-6 { color: #56d4dd; } .ink-7 { color: #d0d7de; }
.ink-8 { color: #a5adba; } .ink-9 { color: #ffa198; } .ink-10 { color: #7ee787; } .ink-11 { color: #f2cc60; }
.ink-12 { color: #a5d6ff; } .ink-13 { color: #e2c5ff; } .ink-14 { color: #87e8f0; } .ink-15 { color: #fff; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 14px; }
.card { border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; background: var(--panel); }
.card h2 { margin: 0 0 6px; display: flex; gap: 8px; align-items: baseline; } .card h2 .soft { margin-left: auto; font-weight: 400; font-size: 13px; }
.card p { margin: 6px 0; } .card ul { margin: 6px 0; padding-left: 18px; }
meter { width: 84px; height: 12px; vertical-align: -1px; }
.measure { display: grid; grid-template-columns: 4.5em 90px 1fr; gap: 2px 8px; align-items: center; font-size: 13px; }
.spark { width: 90px; height: 22px; } .spark polyline { fill: none; stroke: var(--mark); stroke-width: 1.5; }
.differs td { font-weight: 500; }
.pager { display: flex; gap: 16px; margin: 14px 0; }
@media (max-width: 720px) {${PARTS_PHONE}
  main { padding: 16px 14px 40px; } .bar-in { padding: 8px 14px; } h1 { font-size: 20px; }
  table.list, .list tbody, .list tr, .list td { display: block; width: 100%; }
  .list thead { position: absolute; left: -9999px; }
  .list tr { border-bottom: 1px solid var(--line); padding: 8px 0; }
  .list td { border: 0; padding: 2px 0; } .list td:empty { display: none; }
  .list tr { position: relative; padding-right: 34px; } .list td.pick { position: absolute; right: 2px; top: 8px; width: auto; }
  input[type=checkbox] { width: 22px; height: 22px; }
  .list .state, .list .number { display: inline-block; width: auto; padding-right: 14px; }
  .log { max-height: 66vh; }
}
@media print { .top, form, .skip { display: none; } }
`;
