/** Bars of steps and what their colours mean; on the report's page and on that of a run under way. */
export const BARS_LIGHT =
  "--queue: #cfd5de; --node: #8b6fd6; --sync: #1691a6; --fetch: #1691a6; --retry: #e0a03c; --done: #3d9d72;";
export const BARS_DARK =
  "--queue: #3a424f; --node: #9d84e8; --sync: #2bb3c9; --fetch: #2bb3c9; --retry: #d9983a; --done: #2f9c6e;";

export const LEGEND_STYLE =
  `.legend { color: var(--soft); font-size: 13px; display: flex; flex-wrap: wrap; gap: 2px 16px; }
.key { display: inline-block; width: 18px; height: 8px; border-radius: 2px; margin-right: 6px; }`;

export const BARS_STYLE =
  `rect.span { fill: var(--idle); } rect.queue { fill: var(--queue); } rect.node { fill: var(--node); } rect.retry { fill: var(--retry); }
rect.sync, rect.fetch { fill: var(--sync); } rect.run { fill: var(--done); }
rect.failed, rect.timed-out { fill: var(--bad); } rect.allowed-failure, rect.cancelled, rect.stopped { fill: var(--warn); }
rect.run.running { fill: var(--busy); }
.key.queue { background: var(--queue); } .key.node { background: var(--node); } .key.retry { background: var(--retry); }
.key.sync, .key.fetch { background: var(--sync); } .key.run { background: var(--done); }`;
