import { DARK, LIGHT, PARTS_PHONE, PARTS_STYLE } from "./html_parts_style.ts";

/** Looks of `report.html`; follows the reader's choice of light or dark. Logs are dark in both. */
export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
html { scroll-padding-top: 72px; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 28px 24px 8px; }
a { color: var(--busy); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -999px; background: var(--paper); padding: 8px 14px; z-index: 9; }
.skip:focus { left: 12px; top: 8px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 14px; }
h1 { font-size: 26px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; margin: 0 0 8px;
  display: flex; align-items: center; gap: 6px 12px; flex-wrap: wrap; overflow-wrap: anywhere; }
h2 { font-size: 17px; font-weight: 650; margin: 34px 0 10px; }
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
.soft { color: var(--soft); font-size: 13.5px; }
p { margin: 6px 0; }
.failure { border: 1px solid var(--bad); border-left-width: 4px; border-radius: 8px;
  padding: 4px 20px 12px; margin-top: 22px; background: var(--panel); }
.failure h2 { margin: 12px 0 4px; } .failure h2 a { color: var(--bad); }
.causes { padding-left: 20px; } .causes li { margin: 8px 0; } .names { overflow-wrap: anywhere; font-size: 13.5px; }
.hint::before { content: "hint: "; color: var(--busy); font-weight: 600; }
.next code { display: inline-block; background: var(--paper); border: 1px solid var(--line);
  border-radius: 6px; padding: 2px 8px; margin: 2px 6px 2px 0; overflow-wrap: anywhere; }
summary { cursor: pointer; }
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
.failure summary { color: var(--soft); font-size: 13.5px; width: fit-content; }
${PARTS_STYLE}
footer { max-width: 1160px; margin: 0 auto; padding: 20px 24px 36px; color: var(--soft); font-size: 13px; }
${logStyle()}
@media (max-width: 720px) {${PARTS_PHONE}
  main { padding: 18px 14px 8px; } footer { padding: 16px 14px 28px; } h1 { font-size: 21px; }
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
