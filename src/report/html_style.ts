/** Looks of `report.html`; follows the reader's choice of light or dark. */
export const STYLE = `
:root { --ink: #1d2129; --soft: #667085; --line: #e4e7ec; --paper: #fff; --panel: #f8f9fb;
  --good: #17875a; --bad: #c8322b; --warn: #b26b00; --busy: #2563c9; --idle: #a3acba; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #98a2b3; --line: #2c323d;
  --paper: #14171c; --panel: #1b1f26; --good: #3fbf8a; --bad: #ff6d64; --warn: #e8a33d;
  --busy: #6ca0ff; --idle: #566070; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 24px 8px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 12px; }
h1 { font-size: 26px; margin: 0 0 6px; display: flex; align-items: center; gap: 12px; flex-wrap: wrap; }
h2 { font-size: 16px; margin: 28px 0 10px; }
.took { color: var(--soft); font-weight: 400; font-size: 20px; }
.badge { color: var(--paper); background: var(--idle); border-radius: 6px; padding: 2px 12px; font-size: 15px; }
.badge.succeeded { background: var(--good); } .badge.failed, .badge.timed-out { background: var(--bad); }
.badge.cancelled, .badge.stopped { background: var(--warn); } .badge.running { background: var(--busy); }
.facts, .counts { margin: 4px 0; color: var(--soft); display: flex; flex-wrap: wrap; gap: 4px 22px; }
.facts b { color: var(--ink); font-weight: 500; }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; background: var(--idle);
  margin-right: 7px; }
.dot.succeeded, .dot.reused { background: var(--good); }
.dot.failed, .dot.timed-out { background: var(--bad); }
.dot.allowed-failure, .dot.cancelled { background: var(--warn); }
.dot.stopped { background: var(--warn); } .dot.running { background: var(--busy); }
.failure { border: 1px solid var(--bad); border-radius: 8px; padding: 2px 18px 6px; margin-top: 20px;
  background: var(--panel); }
.failure h2 { margin-top: 12px; color: var(--bad); }
.failure li { margin: 6px 0; } summary { color: var(--soft); font-size: 13px; cursor: pointer; }
.hint::before { content: "hint: "; color: var(--busy); }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 10px 14px;
  overflow-x: auto; font: 13px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { white-space: nowrap; }
td { overflow-wrap: break-word; } td:last-child { overflow-wrap: anywhere; }
.steps td:nth-child(2) { white-space: nowrap; }
.steps td:first-child { min-width: 160px; }
.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.kind { color: var(--soft); font-size: 12px; margin-left: 4px; }
.work { font-size: 13px; color: var(--soft); } ol.work { margin: 0; padding-left: 18px; }
.pairs { width: auto; min-width: 50%; } .pairs td:first-child { padding-right: 40px; color: var(--soft); }
code { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.scroll { max-height: 75vh; overflow-y: auto; }
.gantt { width: 100%; height: auto; display: block; }
.gantt text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.gantt .label { text-anchor: end; } .gantt .mark { text-anchor: middle; fill: var(--soft); }
.gantt .grid { stroke: var(--line); }
svg.graph { max-width: 100%; height: auto; display: block; }
.bar { fill: var(--idle); } .bar.succeeded { fill: var(--good); }
.bar.failed, .bar.timed-out { fill: var(--bad); } .bar.cancelled { fill: var(--warn); }
.bar.stopped { fill: var(--warn); } .bar.running { fill: var(--busy); }
.steps .failed, .steps .timed-out { color: var(--bad); } .steps .succeeded { color: var(--good); }
.steps i.dot { color: inherit; }
a { color: var(--busy); }
footer { max-width: 1080px; margin: 0 auto; padding: 16px 24px 32px; color: var(--soft); font-size: 13px; }
@media print { .scroll { max-height: none; } .failure { break-inside: avoid; } }
`;
