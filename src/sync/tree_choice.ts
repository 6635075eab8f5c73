/** Which of a project's trees on a node a run's code goes to: asked of the node, which alone knows. */
import { monotonic, systemClock } from "../core/clock.ts";
import { digestOf } from "../core/digest.ts";
import { GridError } from "../core/errors.ts";
import { exists } from "../core/exists.ts";
import { quote } from "../core/shell.ts";
import { type Place, placeOf } from "./place.ts";
import type { SyncTarget } from "./sync.ts";
import type { TreeRun } from "./tree.ts";
import { isSamePlace, ownerWords, readOwner, type TreeOwner, writeOwner } from "./tree_owner.ts";
import { nodeProgram } from "../transport/node_program.ts";

export interface TreeOptions {
  readonly target: SyncTarget;
  /** Folder name as asked for. */
  readonly as: string;
  readonly run: TreeRun;
  readonly signal: AbortSignal;
  readonly now: number;
  /** Hears what the user should know before anything is touched. */
  readonly tell?: ((message: string) => void) | undefined;
}

/** A tree that the run has pinned. */
export interface ChosenTree {
  readonly place: Place;
  /** Number among the project's trees. */
  readonly slot: number;
  /** Of the code there; undefined where there is none. */
  readonly digest: string | undefined;
  readonly isAsLeft: boolean;
}

/** A copy on the node of a large tree takes its time. */
const CLAIM_MS = 15 * 60_000;
/** How long to wait for a run that may be bringing the same code just now. */
const PATIENCE_MS = 15_000;
const POLL_MS = 250;

interface Answer {
  readonly verb: string;
  readonly slot: number;
  readonly digest: string | undefined;
  readonly isAsLeft: boolean;
  readonly owner: TreeOwner | undefined;
  readonly holders: readonly { readonly run: string; readonly owner: TreeOwner | undefined }[];
  /** Project that the plain folder belongs to, where it is another one. */
  readonly plain: { readonly project: string; readonly owner: TreeOwner | undefined } | undefined;
}

/** What the first look found: the tree itself, or that others are in the way. */
export interface TreeLook {
  readonly chosen: ChosenTree | undefined;
  readonly answer: Answer;
}

/** One round trip: takes the tree where the project is at home, unless another run uses it. */
export async function lookForTree(options: TreeOptions): Promise<TreeLook> {
  const answer = await ask(options, { call: "grid_tree_look", install: true });
  const { plain, verb } = answer;
  // A project that was moved here finds its trees again.
  if (plain && isAbandoned(plain.owner, options.run.owner)) return { chosen: undefined, answer };
  if (verb !== "taken") return { chosen: undefined, answer };
  tellOwner(answer, options);
  tellPlain(answer, options);
  return { chosen: chosenTree(answer, options), answer };
}

/** The project's main tree as it stands; takes nothing. */
export async function peekAtTree(options: TreeOptions): Promise<ChosenTree> {
  const answer = await ask(options, { call: "grid_tree_look peek" });
  tellOwner(answer, options);
  tellPlain(answer, options);
  const [holder] = answer.holders;
  if (holder !== undefined) {
    const { name } = placeOfTree(options, answer.slot);
    options.tell?.(
      `a run is under way in "${name}" on ${options.target.node}: ${
        ownerWords(holder.owner, options.now)
      }; other code would go beside it`,
    );
  }
  return chosenTree(answer, options);
}

/** A tree for the code with this digest, where somebody was in the way of the first. */
export async function claimTree(
  digest: string,
  { answer: first }: TreeLook,
  options: TreeOptions,
): Promise<ChosenTree> {
  const adopted = first.plain && isAbandoned(first.plain.owner, options.run.owner)
    ? first.plain.project
    : "-";
  const until = monotonic() + PATIENCE_MS;
  for (;;) {
    const patience = monotonic() < until ? "patient" : "hasty";
    const answer = await ask(options, {
      call: `grid_tree_claim ${digest} ${quote(adopted)} ${patience}`,
    });
    if (answer.verb === "wait") {
      await systemClock.sleep(POLL_MS, { signal: options.signal });
      continue;
    }
    tellOwner(answer, options);
    tellPlain(answer, options);
    tellHolders(answer, options);
    return chosenTree(answer, options);
  }
}

/** Brought from a folder of this account and machine that is not there any more. */
export function isAbandoned(
  owner: TreeOwner | undefined,
  own: Pick<TreeOwner, "account" | "machine" | "folder">,
): boolean {
  return owner !== undefined && isSamePlace(owner, own) && owner.folder !== own.folder &&
    !exists(owner.folder);
}

function tellOwner({ owner, slot, digest }: Answer, options: TreeOptions): void {
  const { run, tell, target, now } = options;
  if (owner === undefined || digest === undefined || isSamePlace(owner, run.owner)) return;
  const place = placeOfTree(options, slot);
  tell?.(
    `"${place.name}" on ${target.node} holds code of ${ownerWords(owner, now)}; ` +
      "this run's takes its place",
  );
}

function tellPlain({ plain, slot }: Answer, options: TreeOptions): void {
  if (plain === undefined) return;
  const { tell, target, now } = options;
  const place = placeOfTree(options, slot);
  tell?.(
    `"${options.as}" on ${target.node} belongs to another project, of ${
      ownerWords(plain.owner, now)
    }; this one's code is in "${place.name}"`,
  );
}

function tellHolders({ holders, slot, verb }: Answer, options: TreeOptions): void {
  const [first] = holders;
  if (first === undefined || verb !== "beside") return;
  const { tell, target, now } = options;
  const more = holders.length > 1 ? ` and ${holders.length - 1} more` : "";
  tell?.(
    `a run with other code is under way in "${options.as}" on ${target.node}: ${
      ownerWords(first.owner, now)
    }${more}; this run's code is in "${placeOfTree(options, slot).name}"`,
  );
}

function chosenTree({ slot, digest, isAsLeft }: Answer, options: TreeOptions): ChosenTree {
  return { place: placeOfTree(options, slot), slot, digest, isAsLeft };
}

/** As in `tree_choice.sh`. */
export function placeOfTree(
  { target, as, run }: Pick<TreeOptions, "target" | "as" | "run">,
  slot: number,
): Place {
  const { root, name, key, folder } = placeOf(target.root, as);
  const suffix = slot === 0 ? "" : `@${run.project}${slot === 1 ? "" : `.${slot}`}`;
  return { root, name: name + suffix, key: key + suffix, folder: folder + suffix };
}

/** Shell text that sets the words of `tree_choice.sh`. */
export function treeWords({ target, as, run }: Pick<TreeOptions, "target" | "as" | "run">): string {
  const { root, name, key } = placeOf(target.root, as);
  const words = {
    root,
    name,
    tree_key: key,
    project: run.project,
    run: run.owner.run,
    mine: [run.owner.run, ...run.lineage].join(" "),
    forerunners: run.forerunners.join(" "),
    silence_s: String(Math.ceil(run.silenceMs / 1000)),
    who: writeOwner(run.owner),
    preferred: String(run.preferred?.({ node: target.node, key }) ?? ""),
  };
  return Object.entries(words).map(([word, text]) => `grid_${word}=${quote(text)}`).join("; ");
}

export function treeLibrary(): string {
  return ["tree.sh", "tree_choice.sh", "tree_proof.sh"].map((name) =>
    nodeProgram(name, import.meta.url)
  ).join("\n");
}

let proof: { readonly text: string; readonly name: string } | undefined;

/** What the shell of a job reads before its script; its name changes with its text. */
export function proofProgram(): { readonly text: string; readonly name: string } {
  if (proof === undefined) {
    const text = nodeProgram("tree.sh", import.meta.url) +
      nodeProgram("tree_proof.sh", import.meta.url);
    proof = { text, name: `tree_${digestOf(text).slice(0, 12)}.sh` };
  }
  return proof;
}

interface Question {
  readonly call: string;
  /** Puts the program there that jobs read. */
  readonly install?: boolean;
}

async function ask(options: TreeOptions, { call, install = false }: Question): Promise<Answer> {
  const { target, signal } = options;
  const { text, name } = proofProgram();
  const file = quote(`${target.root}/.grid/${name}`);
  const putting = install
    ? `[ -s ${file} ] || { mkdir -p ${quote(`${target.root}/.grid`)} && ` +
      `cat >${file}.$$ && mv -f ${file}.$$ ${file}; }\n`
    : "";
  const { stdout, stderr, code } = await target.transport.exec(
    `${putting}${treeWords(options)}; ${call}`,
    {
      signal,
      library: treeLibrary(),
      timeoutMs: CLAIM_MS,
      ...(install && { stdin: text }),
    },
  );
  const answer = parseAnswer(stdout);
  if (answer !== undefined && answer.verb !== "failed") return answer;
  throw new GridError({
    code: "workspace",
    message: `Cannot take a folder for "${options.as}" on "${target.node}": ` +
      (stderr.trim().split("\n").at(-1) || `the shell there ended with code ${code}`),
    hint: `Check the owner and the space of ${target.root}/.grid`,
    node: target.node,
  });
}

/** Exported for its test. */
export function parseAnswer(text: string): Answer | undefined {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith("tree "));
  const [, verb, slot = "0", digest = "none", verdict] = (lines[at] ?? "").split(" ");
  if (verb === undefined || !/^\d{1,4}$/.test(slot)) return undefined;
  const pairs = lines.slice(at + 2).flatMap((line, index, all) => {
    const [word = "", name = ""] = line.split(" ");
    return word === "held" || word === "plain"
      ? [{ word, name, owner: readOwner(all[index + 1] ?? "") }]
      : [];
  });
  const plain = pairs.find(({ word }) => word === "plain");
  return {
    verb,
    slot: Number(slot),
    digest: /^[0-9a-f]{64}$/.test(digest) ? digest : undefined,
    isAsLeft: verdict === "same",
    owner: readOwner(lines[at + 1] ?? ""),
    holders: pairs.filter(({ word }) => word === "held")
      .map(({ name, owner }) => ({ run: name, owner })),
    plain: plain && { project: plain.name, owner: plain.owner },
  };
}
