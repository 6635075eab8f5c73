/** Small tables of the page: what steps computed, inputs, connections to nodes. */
import { formatDuration } from "../core/duration.ts";
import { formatCount, formatSize } from "../core/size.ts";
import { fileAddress, shortened, table, wide } from "./html_parts.ts";
import { isScalar } from "./html_sweep.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";

/**
 * Numbers and words that steps computed; those of cells stand in the table of their matrix.
 *
 * @param folder address of the run's folder, with its slash; empty where the page lies in it
 */
export function renderOutputs(report: RunDocument, folder = ""): string {
  const rows = report.steps.filter((step) => isAlone(step) && hasAny(step.outputs)).flatMap((
    step,
  ) =>
    Object.entries(step.outputs)
      .filter(([name, value]) => isScalar(value) && !(step.kind === "ray-batch" && name === "file"))
      .map(([name, value]) => [`${step.id}.${name}`, shortened(String(value))])
  );
  return table({ rows: [...rows, ...busyRows(report)], name: "pairs" }) +
    filedList(report, folder);
}

/** Most steps compute nothing; lists of nothing are not free. */
function hasAny(values: Readonly<Record<string, unknown>>): boolean {
  for (const _ in values) return true;
  return false;
}

function isAlone({ kind, matrix }: StepDocument): boolean {
  return kind !== "select-node" && kind !== "sync" && matrix === null;
}

/** How long the batches of a step have kept each GPU. */
function busyRows(report: RunDocument): readonly (readonly string[])[] {
  const batches = report.steps.filter(({ kind }) => kind === "ray-batch");
  return batches.flatMap(({ id, attempts }) => {
    const busy = Object.entries(attempts.at(-1)?.batch?.busyMs ?? {});
    return busy.map(([gpu, ms]) => [`${id}: ${gpu} busy`, formatDuration(ms)]);
  });
}

/** Lists too long for a page, each as a link; folders of runs lie side by side. */
function filedList(report: RunDocument, folder: string): string {
  const items = report.steps.filter(({ filed }) => hasAny(filed)).flatMap((step) =>
    Object.entries(step.filed).map(([name, { run, file, items, bytes }]) => {
      const path = `results/${fileAddress(file)}`;
      const address = run === report.run ? path : `../${encodeURIComponent(run)}/${path}`;
      const size = `${formatCount(items)} values, ${formatSize(bytes)}`;
      const link = `<a href="${folder}${address}">${text(file)}</a>`;
      return `<li>${text(`${step.id}.${name}`)}: ${size}, ${link}</li>`;
    })
  );
  return items.length === 0 ? "" : `<ul>${items.join("")}</ul>`;
}

export function renderInputs(report: RunDocument): string {
  const rows = Object.entries(report.inputs).map(([name, value]) => [
    name,
    shortened(typeof value === "string" ? value : JSON.stringify(value)),
  ]);
  return table({ rows, name: "pairs" });
}

/** A machine that was reached without a connection has nothing to tell. */
export function renderTransports(report: RunDocument): string {
  const rows = report.transports
    .filter(({ handshakes, bytesSent, bytesReceived }) =>
      handshakes + bytesSent + bytesReceived > 0
    )
    .map((each) => [
      each.node,
      String(each.handshakes),
      String(each.reconnects),
      String(each.channels),
      formatSize(each.bytesSent),
      formatSize(each.bytesReceived),
      each.roundTripMs === null ? "" : `${each.roundTripMs.toFixed(1)} ms`,
    ]);
  const heads = ["node", "handshakes", "reconnects", "channels", "sent", "received", "round trip"];
  return wide("Connections to nodes", table({ heads, rows, name: "nodes" }));
}
