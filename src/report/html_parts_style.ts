/** Looks of what the report's page and that of a run under way have in common. */
export const LIGHT = `--ink: #1b1f27; --soft: #5b6472; --line: #e3e6eb; --paper: #fff;
  --panel: #f7f8fa; --good: #12774d; --bad: #c02b25; --warn: #955800; --busy: #1f5fc4; --idle: #9aa3b0;
  --queue: #cfd5de; --node: #8b6fd6; --sync: #1691a6; --fetch: #1691a6; --retry: #e0a03c; --done: #3d9d72;`;
export const DARK = `--ink: #e4e7ec; --soft: #9aa5b5; --line: #2a303a;
  --paper: #14171c; --panel: #1a1e25; --good: #4cc490; --bad: #ff7d74; --warn: #e8a33d;
  --busy: #7fadff; --idle: #5c6675;
  --queue: #3a424f; --node: #9d84e8; --sync: #2bb3c9; --fetch: #2bb3c9; --retry: #d9983a; --done: #2f9c6e;`;

export const PARTS_STYLE = `
h3 { font-size: 14px; font-weight: 650; margin: 20px 0 8px; }
.dot.skipped, .dot.pending { background: none; border: 2px solid var(--idle); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.body .failed, .body .timed-out { color: var(--bad); } .body .succeeded { color: var(--good); }
.body .allowed-failure, .body .cancelled, .body .stopped { color: var(--warn); }
.lead { font-size: 16px; max-width: 72ch; }
.share { color: var(--soft); font-variant-numeric: tabular-nums; }
.way ol { margin: 8px 0; padding-left: 22px; }
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
.body { padding: 2px 8px 12px 26px; overflow-wrap: anywhere; } .body p { max-width: 110ch; margin: 6px 0; }
.members { margin-left: 12px; border-left: 2px solid var(--line); }
.bars { width: 100%; height: 11px; display: block; overflow: hidden; border-radius: 2px; }
.axis { width: 100%; height: 15px; display: block; overflow: visible; }
.axis text { font: 12px system-ui, sans-serif; fill: var(--soft); text-anchor: middle; }
.axis .first { text-anchor: start; } .axis .last { text-anchor: end; }
.way summary { color: var(--soft); font-size: 13.5px; width: fit-content; }
.usage { display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: center; font-size: 13.5px; margin: 6px 0; }
.usage figure { margin: 0; display: flex; align-items: center; gap: 8px; color: var(--soft); font-size: 12px; }
.spark { width: 120px; height: 26px; background: var(--panel); border-radius: 3px; flex: none; }
.spark polyline { fill: none; stroke: var(--busy); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.logname { color: var(--soft); font-size: 13.5px; margin-bottom: 4px; }
.command { margin: 4px 0; } .command summary code { overflow-wrap: anywhere; }
.command small { color: var(--soft); }
svg.graph { height: auto; display: block; }
.legend { color: var(--soft); font-size: 13px; display: flex; flex-wrap: wrap; gap: 2px 16px; }
.key { display: inline-block; width: 18px; height: 8px; border-radius: 2px; margin-right: 6px; }
rect.span { fill: var(--idle); } rect.queue { fill: var(--queue); } rect.node { fill: var(--node); } rect.retry { fill: var(--retry); }
rect.sync, rect.fetch { fill: var(--sync); } rect.run { fill: var(--done); }
rect.failed, rect.timed-out { fill: var(--bad); } rect.allowed-failure, rect.cancelled, rect.stopped { fill: var(--warn); }
rect.run.running { fill: var(--busy); }
.key.queue { background: var(--queue); } .key.node { background: var(--node); } .key.retry { background: var(--retry); }
.key.sync, .key.fetch { background: var(--sync); } .key.run { background: var(--done); } .key.running { background: var(--busy); }`;

/** The same where there is little room. */
export const PARTS_PHONE = `
  .row { grid-template-columns: minmax(0, 1fr) auto; gap: 2px 10px; }
  .row .bars, .row .axis { grid-column: 1 / -1; } .row > .node { grid-row: 2; } .row > .number { grid-row: 1; grid-column: 2; }
  .row.head > span { display: none; }
  .row > .node:empty { display: none; }`;
