/** What a cached step made on its node: measured once it has succeeded, looked for before it is reused. */
import { nodeCrypto } from "../core/node_builtins.ts";
import type { OpenNode } from "../cluster/node.ts";
import { quoteAll } from "../core/shell.ts";
import type { Made } from "../engine/ports.ts";
import { parseFetchPattern } from "../sync/fetch_pattern.ts";

export interface MadePlace {
  readonly node: OpenNode;
  /** Absolute folder of the step. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Files whose names are kept, so that the one that changed can be named. */
const MOST_NAMED = 1000;
/** Bytes of names, sizes and times. */
const MOST_BYTES = 8 * 2 ** 20;

/** `unfit` says why nobody could tell later whether it is still there. */
export async function measureMade(
  patterns: readonly string[],
  place: MadePlace,
): Promise<{ readonly made: Made } | { readonly unfit: string }> {
  const found = await look(patterns, place);
  if (typeof found === "string") return { unfit: found };
  if (found.absent !== undefined) return { unfit: absentWords(found.absent, place) };
  const { digest, files } = found;
  const few = Object.keys(files).length <= MOST_NAMED ? { files } : {};
  return { made: { patterns, folder: place.folder, digest, ...few } };
}

/** One clause on what is gone or changed; undefined where all is as it was left. */
export async function lostMade(made: Made, place: MadePlace): Promise<string | undefined> {
  const where = `on ${place.node.node.name}`;
  if (made.folder !== place.folder) {
    return `what it made lies in ${made.folder} ${where}, and this run works in ${place.folder}`;
  }
  const found = await look(made.patterns, place);
  if (typeof found === "string") return found;
  if (found.absent === undefined && found.digest === made.digest) return undefined;
  const change = made.files && firstChange(made.files, found.files);
  if (found.absent !== undefined && change === undefined) return absentWords(found.absent, place);
  return change !== undefined
    ? `${change} ${where}`
    : `${made.patterns.join(", ")} in ${made.folder} ${where} is not as it was left`;
}

function absentWords(pattern: string, { node, folder }: MadePlace): string {
  return `${pattern} is not in ${folder} on ${node.node.name}`;
}

interface Found {
  /** A pattern that matches nothing. */
  readonly absent?: string;
  readonly digest: string;
  /** Path → size and time. */
  readonly files: Readonly<Record<string, string>>;
}

/** `prepared/x is gone`; undefined where the names tell nothing. */
function firstChange(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string | undefined {
  const gone = Object.keys(before).find((path) => !Object.hasOwn(now, path));
  if (gone !== undefined) return `${gone} is gone`;
  const changed = Object.keys(before).find((path) => before[path] !== now[path]);
  if (changed !== undefined) return `${changed} is not as it was left`;
  const added = Object.keys(now).find((path) => !Object.hasOwn(before, path));
  return added === undefined ? undefined : `${added} is new`;
}

async function look(
  patterns: readonly string[],
  { node, folder, signal }: MadePlace,
): Promise<Found | string> {
  const parsed = patterns.map((pattern) => ({ pattern, ...parseFetchPattern(pattern) }));
  const starts = [...new Set(parsed.map(({ start }) => start))];
  const { stdout, code, stderr } = await node.transport.exec(
    `cd -- ${quoteAll([folder])} || exit; for start in ${quoteAll(starts)}; do ` +
      `[ ! -e "$start" ] || LC_ALL=C TZ=UTC0 find -L "$start" -type f ` +
      `-exec stat -L -c '%s %y|%n' -- {} + || exit; done`,
    { signal, maxBytes: MOST_BYTES },
  );
  if (code !== 0) {
    const why = stderr.trim().split("\n").at(-1) ?? "";
    return `what it made in ${folder} on ${node.node.name} cannot be looked at: ${why}`;
  }
  const lines = [...new Set(stdout.split("\n"))].filter((line) => line !== "");
  const kept = new Set<string>();
  let absent: string | undefined;
  for (const { pattern, matches } of parsed) {
    const matching = lines.filter((line) => matches(pathOf(line)));
    if (matching.length === 0) absent ??= pattern;
    for (const line of matching) kept.add(line);
  }
  const files = [...kept].map((line) => [pathOf(line), line.slice(0, line.indexOf("|"))]);
  return {
    digest: nodeCrypto().hash("sha256", [...kept].toSorted().join("\n")),
    files: Object.fromEntries(files),
    ...(absent !== undefined && { absent }),
  };
}

/** Facts, a bar, `./` and the path. */
function pathOf(line: string): string {
  return line.slice(line.indexOf("|") + 1).replace(/^\.\//, "");
}
