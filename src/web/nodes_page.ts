/** The nodes as they were seen last, who holds their GPUs, and who waits. */
import { formatDuration } from "../core/duration.ts";
import { formatSize } from "../core/size.ts";
import { actionForm, ageWords, type Frame, renderPage } from "./layout.ts";
import type { Parts } from "./live.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";
import type { GpuView, NodesView, NodeView, QueueView } from "./sources.ts";

export function nodesPage(frame: Frame, view: NodesView): Markup {
  const parts = nodesMarkup(view, frame.now);
  return renderPage(frame, {
    title: "Nodes",
    at: "nodes",
    live: "/nodes/events",
    main: markup`<h1>Nodes</h1>
<div class="actions">${actionForm(frame, { path: "/nodes/look", label: "look at them now" })}</div>
${parts.cards}
${parts.queue}`,
  });
}

export function nodesParts(view: NodesView, now: number): Parts {
  const { cards, queue } = nodesMarkup(view, now);
  return new Map([["cards", cards.text], ["queue", queue.text]]);
}

function nodesMarkup({ nodes, queue }: NodesView, now: number) {
  return {
    cards: markup`<div id="cards" class="cards">${
      nodes.map((node, at) => card(node, at, now))
    }</div>`,
    queue: markup`<section id="queue">${
      queue.length === 0
        ? markup`<p class="soft">Nobody holds a GPU, and nobody waits for one, as far as the last looks saw.</p>`
        : queueTable(queue)
    }</section>`,
  };
}

const STATES = {
  ok: "succeeded",
  unusable: "allowed-failure",
  unreachable: "failed",
  unknown: "pending",
} as const;

function card(node: NodeView, number: number, now: number): Markup {
  const { name, status, at, score, reason, hint, drains, remarks, gpus, scores } = node;
  const age = at === undefined
    ? "nobody looked yet"
    : `seen ${ageWords(now - at)}${now - at < 1000 ? "" : " ago"}`;
  const words = status === "ok" ? (score === undefined ? "" : `score ${score.toFixed(1)}`) : status;
  return markup`
    <article class="card"
      id="n-${number}"><h2><i class="dot ${
    STATES[
      status
    ]
  }"></i>${name} <span class="soft">${age}</span></h2>
    <p>${words}${sparkline(scores)}</p>
    ${reason === undefined ? NOTHING : markup`<p class="bad-ink">${reason}</p>`}${
    hint === undefined ? NOTHING : markup`<p class="small">${hint}</p>`
  }
    ${
    drains.length === 0
      ? NOTHING
      : markup`<p class="warn-ink">no new work, says ${drains.join(", ")}</p>`
  }
    ${measures(node)}
    ${gpus.length === 0 ? NOTHING : markup`<ul>${gpus.map(gpuLine)}</ul>`}
    ${
    remarks.length === 0
      ? NOTHING
      : markup`<ul class="small">${remarks.map((each) => markup`<li>${each}</li>`)}</ul>`
  }</article>
  `;
}

function measures(node: NodeView): Markup {
  const {
    cpuPercent,
    gpuPercent,
    memoryAvailableBytes: free,
    memoryTotalBytes: total,
    diskFreeBytes,
  } = node;
  const rows = [
    measure("cpu", cpuPercent, ""),
    // Without GPUs their load is none.
    measure("gpu", node.gpus.length === 0 ? undefined : gpuPercent, ""),
    measure(
      "memory",
      free === undefined || !total ? undefined : 100 * (1 - free / total),
      free === undefined ? "" : `${formatSize(free)} free`,
    ),
  ];
  return markup`<div class="measure">${rows}${
    diskFreeBytes === undefined
      ? NOTHING
      : markup`<span>disk</span><span></span><span>${formatSize(diskFreeBytes)} free</span>`
  }</div>`;
}

function measure(name: string, percent: number | undefined, words: string): Markup {
  if (percent === undefined) return NOTHING;
  const value = Math.round(Math.min(100, Math.max(0, percent)));
  return markup`
    <span>${name}</span><meter min="0" max="100" high="90" value="${value}"
      aria-label="${name}">${value} %</meter><span>${percent.toFixed(0)} %${
    words === "" ? "" : `, ${words}`
  }</span>
  `;
}

function gpuLine(gpu: GpuView): Markup {
  const {
    index,
    name,
    memoryUsedBytes: used,
    memoryTotalBytes: total,
    utilizationPercent: busy,
    sick,
    holders,
  } = gpu;
  const words = [
    ...(used === undefined || total === undefined
      ? []
      : [`${formatSize(used)} of ${formatSize(total)}`]),
    ...(busy === undefined ? [] : [`${busy.toFixed(0)} % busy`]),
    ...(sick === undefined ? [] : [`not to be used: ${sick}`]),
  ];
  return markup`<li><b>${index}</b> ${name} <span class="soft small">${words.join(", ")}</span>${
    holders.length === 0
      ? markup`<span class="good-ink small">${sick === undefined ? "free" : ""}</span>`
      : markup`<div class="small">${holders.join("; ")}</div>`
  }</li>`;
}

/** Scores of the last looks; a gap where the node could not be used. */
function sparkline(scores: readonly (number | undefined)[]): Markup {
  const known = scores.filter((score) => score !== undefined);
  if (known.length < 2) return NOTHING;
  const most = Math.max(...known, 1);
  const x = (at: number) => ((at / (scores.length - 1)) * 88 + 1).toFixed(1);
  const points = scores.flatMap((score, at) =>
    score === undefined ? [] : [`${x(at)},${(20 - (score / most) * 18).toFixed(1)}`]
  );
  return markup`
    <svg class="spark" viewBox="0 0 90 22" role="img" aria-label="Scores of the last ${scores.length} looks">
      <polyline points="${points.join(" ")}" />
    </svg>
  `;
}

function queueTable(queue: readonly QueueView[]): Markup {
  const rows = queue.map((entry) =>
    markup`
      <tr>
        <td>${entry.node}</td>
        <td>${typeof entry.place === "number" ? `#${entry.place} in line` : entry.place}</td>
        <td class="number">${entry.gpus}</td>
        <td>${entry.account}</td>
        <td class="mono">${entry.run}</td>
        <td>${entry.step}</td>
        <td>${entry.project}</td>
        <td class="number">${formatDuration(entry.ageMs)}</td>
        <td class="number">${
      entry.leftMs === undefined ? "" : `~${formatDuration(entry.leftMs)}`
    }</td>
      </tr>
    `
  );
  return markup`
    <h2>GPUs: who holds, who waits</h2>
    <table class="list">
      <thead>
        <tr>
          <th>node</th>
          <th>place</th>
          <th>GPUs</th>
          <th>account</th>
          <th>run</th>
          <th>step</th>
          <th>project</th>
          <th>since</th>
          <th>free in</th>
        </tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
  `;
}
