/** What many nodes printed, equal texts once. */
import { foldNames } from "../core/name_ranges.ts";
import { harmlessText } from "./harmless.ts";
import type { Paint } from "./style.ts";

export interface ShownOutput {
  readonly node: string;
  readonly code: number | undefined;
  readonly problem: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** The largest group first; those that failed come last, where they are seen. */
export function renderFolded(outputs: readonly ShownOutput[], paint: Paint): string {
  const groups = Map.groupBy(
    outputs,
    ({ code, problem, stdout, stderr }) => JSON.stringify([code, problem, stdout, stderr]),
  );
  const isBad = ([first]: readonly ShownOutput[]) => first?.code === 0 ? 0 : 1;
  return [...groups.values()]
    .toSorted((a, b) => isBad(a) - isBad(b) || b.length - a.length)
    .map((group) => groupText(group, paint)).join("");
}

function groupText(group: readonly ShownOutput[], paint: Paint): string {
  const [first] = group;
  if (first === undefined) return "";
  const { code, problem, stdout, stderr } = first;
  const count = group.length === 1 ? "" : ` (${group.length} nodes)`;
  const end = problem !== undefined ? `: ${problem}` : code === 0 ? "" : `: exit code ${code}`;
  const head = `── ${foldNames(group.map(({ node }) => node))}${count}${end}`;
  const hue = code === 0 ? paint.bold : paint.red;
  return `${hue(harmlessText(head))}\n${whole(stdout)}${whole(stderr)}`;
}

/** Safe to show, and a line of its own at the end. */
function whole(text: string): string {
  if (text === "") return "";
  const shown = harmlessText(text);
  return shown.endsWith("\n") ? shown : `${shown}\n`;
}
