/** Looks of a drawn graph, which stands alone or in a page. */
export const GRAPH_STYLE = `
.graph text { font: 13px system-ui, sans-serif; fill: #1d2129; text-anchor: middle; }
.graph .kind { font-size: 11px; fill: #667085; }
.graph rect { fill: #f8f9fb; stroke: #a3acba; stroke-width: 1.5; }
.graph path { fill: none; stroke: #98a2b3; stroke-width: 1.3; }
.graph marker path { stroke-dasharray: none; }
.graph .after { stroke-dasharray: 5 4; } .graph .member { stroke-dasharray: 1 4; }
.graph .succeeded rect, .graph .reused rect { stroke: #17875a; fill: #e9f6f0; }
.graph .failed rect, .graph .timed-out rect { stroke: #c8322b; fill: #fcecea; }
.graph .cancelled rect, .graph .stopped rect, .graph .allowed-failure rect { stroke: #b26b00; fill: #fdf3e3; }
.graph .running rect { stroke: #2563c9; fill: #e9f0fd; }
.graph .skipped rect { stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
.graph text { fill: #e6e8ec; } .graph .kind { fill: #98a2b3; } .graph rect { fill: #1b1f26; }
.graph .succeeded rect, .graph .reused rect { stroke: #3fbf8a; fill: #14271f; }
.graph .failed rect, .graph .timed-out rect { stroke: #ff6d64; fill: #321a1a; }
.graph .cancelled rect, .graph .stopped rect, .graph .allowed-failure rect { stroke: #e8a33d; fill: #2d2414; }
.graph .running rect { stroke: #6ca0ff; fill: #17233a; }
}
`;
