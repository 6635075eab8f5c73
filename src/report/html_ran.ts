/** What ran: who, where, with which code, and the commands themselves. */
import { type AnchorOf, list, stepLink, table } from "./html_parts.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument } from "./run_document.ts";

/** Commands that are shown: with more of them the page would be too large; report.json has them all. */
const MOST_COMMANDS = 200;
/** Steps that are named beside a command. */
const MOST_NAMED = 5;

/** @param folder address of the run's folder, with its slash; empty where the page lies in it */
export function renderRan(
  report: RunDocument,
  { anchorOf, folder = "" }: { readonly anchorOf: AnchorOf; readonly folder?: string },
): string {
  const { runner, definition } = report;
  const rows = [
    ...(runner === null ? [] : [["by", `${runner.user}@${runner.host}`], ["on", runner.system]]),
    ["with", `Grid ${report.gridVersion}`],
    ...(report.file === "" ? [] : [["file", report.file]]),
    ["in", report.project],
    ...(definition === null ? [] : [["definition", definition]]),
    ...codesOf(report),
    ...imagesOf(report),
  ];
  return table({ rows, name: "pairs" }) + commands(report, { anchorOf, folder });
}

/** Code that was synced: each state of it once, with the nodes that got it. */
function codesOf({ steps }: RunDocument): string[][] {
  const nodes = new Map<string, Set<string>>();
  for (const { kind, attempts } of steps) {
    if (kind !== "sync") continue;
    for (const { digest, commit, changed, node } of attempts.flatMap(({ syncs }) => syncs)) {
      const words = [
        ...(commit === undefined
          ? []
          : [`commit ${commit}${changed ? ", with changes that are not in it" : ""}`]),
        ...(digest === undefined ? [] : [`digest ${digest}`]),
      ].join("; ");
      if (words !== "") nodes.set(words, (nodes.get(words) ?? new Set()).add(node));
    }
  }
  return [...nodes].map(([words, nodes]) => ["code", `${words}; on ${[...nodes].join(", ")}`]);
}

/** Container images, each with the steps that ran in it. */
function imagesOf({ steps }: RunDocument): string[][] {
  const users = new Map<string, Set<string>>();
  for (const { id, attempts } of steps) {
    for (const { image } of attempts) {
      if (image !== null) users.set(image, (users.get(image) ?? new Set()).add(id));
    }
  }
  return [...users].map(([image, ids]) => {
    const named = [...ids].slice(0, MOST_NAMED).join(", ");
    const left = ids.size - MOST_NAMED;
    return ["image", `${image}; of ${named}${left > 0 ? ` and ${left} more` : ""}`];
  });
}

function commands(
  { commands, steps }: RunDocument,
  { anchorOf, folder }: { readonly anchorOf: AnchorOf; readonly folder: string },
): string {
  const known = new Set(steps.map(({ id }) => id));
  const items = commands.slice(0, MOST_COMMANDS).map((command) => {
    const users = command.steps.filter((id) => known.has(id));
    const named = users.slice(0, MOST_NAMED).map((id) => stepLink(id, anchorOf)).join(", ");
    const left = users.length - MOST_NAMED;
    const [first = "", ...more] = command.text.split("\n");
    const whose = `<p class="soft">of ${named}${left > 0 ? ` and ${left} more` : ""}</p>`;
    const whole = `<pre tabindex="0" role="region" aria-label="Command of ${
      text(users[0] ?? "")
    }">${text(command.text)}</pre>`;
    return `<details class="command"><summary><code>${text(first)}</code>${
      more.length === 0
        ? ""
        : ` <small>and ${more.length} more ${more.length > 1 ? "lines" : "line"}</small>`
    }</summary>${whose}${whole}</details>`;
  });
  if (items.length === 0) return "";
  const more = commands.length - items.length;
  const rest = more > 0
    ? `\n<p class="soft">and ${more} more, in <a href="${folder}report.json">report.json</a></p>`
    : "";
  return `<h3>Commands, as written</h3>\n${items.join("\n")}${rest}`;
}

export function renderWarnings({ warnings }: RunDocument): string {
  return list(warnings);
}
