/** `grid run` takes a file or a command; some options are for the one, some for the other. */
import { join } from "node:path";
import { exists } from "../core/exists.ts";
import { GridError } from "../core/errors.ts";

export type RunForm = "file" | "command";

/** What a name on the command line is taken for. */
export function formOf(target: string): RunForm {
  return /\.ya?ml$/.test(target) ? "file" : "command";
}

/** The file that somebody may have meant who runs the name of a pipeline as a command. */
export function fileInstead(command: string, cwd: string): string | undefined {
  if (!/^[\w-]+$/.test(command)) return undefined;
  const files = ["", "pipelines/"].flatMap((folder) =>
    ["yaml", "yml"].map((kind) => `${folder}${command}.${kind}`)
  );
  return files.find((file) => exists(join(cwd, file)));
}

interface OnlyFor {
  readonly form: RunForm;
  readonly long: string;
  /** What to do instead with the other form. */
  readonly hint: string;
}

const TAKES_WORDS = "a command has no inputs: write the value into it";
const NO_STEPS = "a command is a single step: leave the option out";
const IN_STEPS = "in a pipeline file, each step says it";

/** By key of the flags. */
const ONLY_FOR: Readonly<Record<string, OnlyFor>> = {
  input: { form: "file", long: "--input", hint: TAKES_WORDS },
  inputs: { form: "file", long: "--inputs", hint: TAKES_WORDS },
  from: { form: "file", long: "--from", hint: NO_STEPS },
  only: { form: "file", long: "--only", hint: NO_STEPS },
  failFast: { form: "file", long: "--fail-fast", hint: NO_STEPS },
  maxParallel: { form: "file", long: "--max-parallel", hint: NO_STEPS },
  node: { form: "command", long: "--node", hint: `${IN_STEPS}: node: gpu1` },
  gpus: { form: "command", long: "--gpus", hint: `${IN_STEPS}: node: { gpus: 1 }` },
  gpu: { form: "command", long: "--gpu", hint: `${IN_STEPS}: node: { gpu: A100 }` },
  label: { form: "command", long: "--label", hint: `${IN_STEPS}: node: { labels: [a100] }` },
  all: { form: "command", long: "--all", hint: `${IN_STEPS}: matrix: { on: [gpu1, gpu2] }` },
  nodes: { form: "command", long: "--nodes", hint: `${IN_STEPS}: node: gpu1` },
  wait: { form: "command", long: "--wait", hint: `${IN_STEPS}: node: { gpus: 1, wait: 30m }` },
  timeout: { form: "command", long: "--timeout", hint: `${IN_STEPS}: timeout: 30m` },
  noStdin: { form: "command", long: "--no-stdin", hint: "steps have nothing to read anyway" },
};

/**
 * Nothing that was asked for is ignored.
 *
 * @throws {GridError} `usage` for options of the other form, and for a command without a word
 */
export function checkForm(target: string, flags: object): void {
  const form = formOf(target);
  if (target.trim() === "") {
    throw new GridError({
      code: "usage",
      message: "Cannot run an empty command",
      hint: 'for example: grid run "nvidia-smi", or grid run pipeline.yaml',
    });
  }
  const given = new Map<string, unknown>(Object.entries(flags));
  if (form === "command" && String(given.get("node") ?? "").trim().startsWith("{")) {
    throw new GridError({
      code: "usage",
      message: "Cannot run a command with a selector as its --node: that takes the name of one",
      hint:
        "--gpus 4 --gpu A100 --label fast say what a node shall offer; a pipeline takes every selector",
    });
  }
  const wrong = Object.entries(ONLY_FOR)
    .filter(([key, only]) => only.form !== form && isGiven(given.get(key)))
    .map(([, only]) => only);
  const [first] = wrong;
  if (first === undefined) return;
  const here = form === "file" ? "a pipeline file" : "a command";
  throw new GridError({
    code: "usage",
    message: `Cannot run ${here} with ${wrong.map(({ long }) => long).join(", ")}: ` +
      `${wrong.length === 1 ? "it is" : "they are"} for ${
        form === "file" ? "a command" : "a pipeline file"
      }`,
    hint: first.hint,
  });
}

/** By key of the flags: what one node is chosen by, which has no sense on all. */
const ONE_NODE: Readonly<Record<string, string>> = {
  node: "--node",
  gpus: "--gpus",
  gpu: "--gpu",
  label: "--label",
  maxOutput: "--max-output",
};

/** @throws {GridError} `usage` for options that choose one node, and for `--nodes` without `--all` */
export function checkAll(flags: object): void {
  const given = new Map<string, unknown>(Object.entries(flags));
  if (given.get("all") !== true) {
    if (given.get("nodes") === undefined) return;
    throw new GridError({
      code: "usage",
      message: "Cannot run on --nodes: one node is chosen, unless --all is said",
      hint: "--all --nodes gpu1,gpu2 runs on both; --node gpu1 on that one",
    });
  }
  const wrong = Object.keys(ONE_NODE).filter((key) => isGiven(given.get(key)));
  if (wrong.length === 0) return;
  throw new GridError({
    code: "usage",
    message: `Cannot run on --all nodes with ${
      wrong.map((key) => ONE_NODE[key]).join(", ")
    }: that is for one node`,
    hint: "--all --nodes gpu1,gpu2 names some of them",
  });
}

/** Options that may be repeated begin as empty lists. */
function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

/** Of a run that is repeated nothing may be changed. @throws {GridError} `usage` */
export function checkAgain(target: string | undefined, flags: object): void {
  const given = new Map<string, unknown>(Object.entries(flags));
  const changing = Object.entries(ONLY_FOR)
    .filter(([key]) => !["failFast", "maxParallel"].includes(key) && isGiven(given.get(key)))
    .map(([, { long }]) => long);
  const words = [...(target === undefined ? [] : [`"${target}"`]), ...changing];
  if (words.length === 0) return;
  throw new GridError({
    code: "usage",
    message: `Cannot run --again with ${words.join(", ")}: the earlier run says all that`,
    hint: "leave it out, or run the pipeline anew: grid run pipeline.yaml",
  });
}
