/** The proof that a tree is a run's, given on the node just before a step's command, and what its failure means. */
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";
import type { Transport } from "../transport/transport.ts";
import { expandBraces } from "../core/brace.ts";
import { readGlob } from "../core/glob_fault.ts";
import type { TreeRef, TreeRun } from "./tree.ts";
import { proofProgram, treeLibrary } from "./tree_choice.ts";
import { ownerWords, readOwner, writeOwner } from "./tree_owner.ts";

export interface ProofOptions {
  readonly run: Pick<TreeRun, "owner" | "lineage" | "silenceMs">;
  /** For a job that outlives its runner: its name. */
  readonly detached?: string | undefined;
}

/** How a job ends whose tree is not its run's; what it leaves in its output file begins with the word. */
const NOT_OURS_EXIT = 75;
const NOT_OURS = "grid: tree ";
/** Each file is looked at where there are no more than that: about 0.1 s of a node's time. */
const MOST_LOOKED_AT = 20_000;

/** Shell text to put before a job's script, on the script's own first line. */
export function proofPrelude(tree: TreeRef, options: ProofOptions): string {
  const file = `${tree.root}/.grid/${proofProgram().name}`;
  const words = quoteAll([options.detached ?? "-", ...proofWords(tree, options)]);
  const [path] = [quoteAll([file])];
  return `[ -r ${path} ] || { echo '${NOT_OURS}gone' >"$GRID_OUTPUT"; exit ${NOT_OURS_EXIT}; }; ` +
    `. ${path}; grid_tree_begin ${words}; `;
}

/** Why a job with that prelude ended so; undefined where it ended in another way. */
export function readDenial(exitCode: number, outputFile: string): string | undefined {
  return exitCode === NOT_OURS_EXIT && outputFile.startsWith(NOT_OURS) ? outputFile : undefined;
}

export interface VerifyOptions extends ProofOptions {
  /** Whether each file is looked at too; default true. */
  readonly looks?: boolean;
  readonly transport: Transport;
  readonly signal: AbortSignal;
}

/** The same proof in a round trip of its own. @returns the denial; undefined where all is well */
export async function verifyTree(
  tree: TreeRef,
  options: VerifyOptions,
): Promise<string | undefined> {
  const { stdout } = await options.transport.exec(
    `grid_tree_prove ${quoteAll(proofWords(tree, options))} && echo proved`,
    { library: treeLibrary(), signal: options.signal },
  );
  const at = stdout.indexOf(NOT_OURS);
  if (at >= 0) return stdout.slice(at);
  return /^proved$/m.test(stdout) ? undefined : `${NOT_OURS}gone\n`;
}

function proofWords(
  tree: TreeRef,
  { run, looks = true }: ProofOptions & Pick<VerifyOptions, "looks">,
): string[] {
  return [
    `${tree.root}/.grid/sync/${tree.key}`,
    tree.folder,
    tree.digest,
    run.owner.run,
    run.lineage.join(" "),
    String(Math.ceil(run.silenceMs / 1000)),
    writeOwner(run.owner),
    tree.root,
    looks && tree.entries <= MOST_LOOKED_AT ? "files" : "-",
    ...tree.writes.flatMap((pattern) => readGlob("sync", pattern, expandBraces)).flatMap(
      (pattern) => {
        const plain = pattern.replace(/\/+$/, "");
        return [plain, `${plain}/*`];
      },
    ),
  ];
}

export interface DenialPlace {
  readonly node: string;
  readonly folder: string;
  readonly now: number;
}

/** What the node's refusal means for the step. */
export function denialError(denial: string, { node, folder, now }: DenialPlace): GridError {
  const [first = "", about = "", ...paths] = denial.split("\n");
  const kind = first.slice(NOT_OURS.length);
  const owner = readOwner(about);
  const changed = paths.filter((path) => path !== "");
  return new GridError({
    code: "conflict",
    message: `Cannot start on "${node}": ${stateOf(kind, { folder, changed })}` +
      (kind === "other" || kind === "torn" ? `: it is of ${ownerWords(owner, now)}` : ""),
    hint: hintFor(kind),
    node,
  });
}

function stateOf(
  kind: string,
  { folder, changed }: { readonly folder: string; readonly changed: readonly string[] },
): string {
  switch (kind) {
    case "other":
      return `the code in ${folder} is not this run's any more`;
    case "torn":
      return `the code in ${folder} is just being replaced, or half of it was`;
    case "edited": {
      const shown = changed.slice(0, 5).join(", ");
      const more = changed.length > 5 ? " and more" : "";
      return `${shown}${more} in ${folder} changed since this run brought it`;
    }
    case "locked":
      return `nothing can be written to ${folder}/../.grid`;
    default:
      return `the code that this run brought to ${folder} is gone`;
  }
}

function hintFor(kind: string): string {
  return kind === "edited"
    ? "grid resume brings it again; what steps write over belongs into sync.writes: [results/**]"
    : "grid resume brings this run's code again, beside what others use";
}
