/** What the word under the cursor may become: `grid __complete WORD…`, the last word unfinished. */
import { join } from "node:path";
import { isContainer } from "../document/source.ts";
import type { Command } from "./command_line/command.ts";
import { HELP_OPTION, type Option } from "./command_line/option.ts";
import type { CliContext } from "./context.ts";

export interface Candidate {
  readonly value: string;
  readonly summary: string;
}

/** Files are the shell's own business. */
export type Candidates = readonly Candidate[] | "files";

/** Where names come from that only this project knows. */
export interface KnownNames {
  nodes(): Promise<readonly string[]>;
  /** Newest first. */
  runs(): Promise<readonly Candidate[]>;
  steps(run: string): Promise<readonly string[]>;
  /** What a pipeline file has, as far as it can be read. */
  file(path: string): Promise<NamesInFile>;
  /** Steps of the newest runs that stay; newest first. */
  services(): Promise<readonly Candidate[]>;
}

export interface NamesInFile {
  readonly steps: readonly string[];
  readonly inputs: readonly string[];
}

/** The whole program, the finished words, and the beginning of the next one. */
export async function complete(
  program: Command,
  { words, names }: { readonly words: readonly string[]; readonly names: KnownNames },
): Promise<Candidates> {
  const current = words.at(-1) ?? "";
  const { command, given, waiting } = follow(program, words.slice(0, -1));
  const found = await candidates({ command, given, waiting, current, names });
  if (found === "files") return found;
  // Of `gpu1,gpu` only the last name is unfinished.
  const done = /^(?:.*,)?/.exec(current)?.[0] ?? "";
  const isList = waiting !== undefined && NODE_LISTS.has(waiting.name);
  const begun = isList ? current.slice(done.length) : current;
  return found.filter(({ value }) => value.startsWith(begun))
    .map(({ value, summary }) => ({ value: isList ? done + value : value, summary }));
}

interface Place {
  readonly command: Command;
  /** Words that are no options and no values of options. */
  readonly given: readonly string[];
  /** The option whose value comes next. */
  readonly waiting: Option | undefined;
}

function follow(program: Command, words: readonly string[]): Place {
  let command = program;
  let waiting: Option | undefined;
  const given: string[] = [];
  for (const word of words) {
    if (waiting !== undefined) waiting = undefined;
    else if (word.startsWith("-")) {
      const option = command.allOptions.find(({ long, form }) =>
        long === word || `-${form.short}` === word
      );
      waiting = option?.valueName === undefined ? undefined : option;
    } else {
      const child = command.children.find(({ name }) => name === word);
      if (child === undefined) given.push(word);
      else command = child;
    }
  }
  return { command, given, waiting };
}

const NODES = new Set(["node", "nodes", "to"]);
const NODE_LISTS = new Set(["nodes", "to"]);

async function candidates(
  { command, given, waiting, current, names }: Place & {
    readonly current: string;
    readonly names: KnownNames;
  },
): Promise<Candidates> {
  if (waiting !== undefined) return await valuesOf(waiting, { command, given, names });
  if (current.startsWith("-")) {
    return [...command.allOptions, HELP_OPTION].map(({ long, summary }) => ({
      value: long,
      summary,
    }));
  }
  if (command.children.length > 0) {
    return command.children.map(({ name, summary }) => ({ value: name, summary }));
  }
  const argument = command.arguments[given.length] ?? command.arguments.at(-1);
  if (argument === undefined || (given.length >= command.arguments.length && !argument.isList)) {
    return [];
  }
  switch (argument.name) {
    case "run":
      if (command.name === "forward") return [...await names.services(), ...await doors(names)];
      if (command.name === "shell") return await doors(names);
      if (command.name === "stop") return [...await names.services(), ...await runs(names)];
      return await runs(names);
    case "other":
      return await runs(names);
    case "step":
      return plain(await names.steps(given[0] ?? "last"));
    case "nodes":
      return plain(await names.nodes());
    case "sets":
      return [];
    case "shell":
    case "system":
      return plain(argument.summary.split(", "));
    default:
      return "files";
  }
}

async function runs(names: KnownNames): Promise<readonly Candidate[]> {
  return [{ value: "last", summary: "the run that began last" }, ...await names.runs()];
}

/** What one may enter by its name. */
async function doors(names: KnownNames): Promise<readonly Candidate[]> {
  const nodes = [...await names.nodes(), "local"];
  return [...nodes.map((value) => ({ value, summary: "a node" })), ...await runs(names)];
}

async function valuesOf(
  { name, details }: Option,
  { command, given, names }: Pick<Place, "command" | "given"> & { readonly names: KnownNames },
): Promise<Candidates> {
  if (details.choices !== undefined) return plain(details.choices);
  if (command.name === "fetch") {
    if (name === "to") return "files";
    if (name === "step") return plain(await names.steps("last"));
  }
  if (name === "run") return await names.runs();
  if (NODES.has(name)) return plain(await names.nodes());
  if (name === "step" || name === "from" || name === "only") {
    const of = given[0];
    if (of === undefined) return [];
    return plain(isPipeline(of) ? (await names.file(of)).steps : await names.steps(of));
  }
  if (name === "input") {
    const file = given.find(isPipeline);
    const inputs = file === undefined ? [] : (await names.file(file)).inputs;
    return inputs.map((input) => ({ value: `${input}=`, summary: "" }));
  }
  return /^(?:config|token-file|inputs|pipeline|fingerprints|output|out)$/.test(name)
    ? "files"
    : [];
}

function isPipeline(word: string): boolean {
  return /\.ya?ml$/.test(word);
}

function plain(values: readonly string[]): Candidate[] {
  return values.map((value) => ({ value, summary: "" }));
}

/** Lines for the shell; nothing at all where something is wrong, which is no time for messages. */
export function completionLines(found: Candidates): string {
  if (found === "files") return ":files\n";
  return found.map(({ value, summary }) => `${value}\t${summary}\n`).join("");
}

/** Runs shown: the newest are what one means. */
const MOST_RUNS = 20;

export function namesOf(context: CliContext): KnownNames {
  const runs = async () => {
    const { openRuns } = await import("./past_runs.ts");
    return openRuns({}, context);
  };
  return {
    nodes: async () => {
      const [{ loadClusterConfig }, { readSettings }] = await Promise.all([
        import("../cluster/load_config.ts"),
        import("./settings.ts"),
      ]);
      const { project, configFile } = readSettings({}, context);
      const { nodes } = await loadClusterConfig({ project, file: configFile, env: context.env });
      return nodes.map(({ name }) => name);
    },
    runs: async () => {
      using past = await runs();
      return past.store.runs({ limit: MOST_RUNS })
        .map(({ run, pipeline, result }) => ({ value: run, summary: `${pipeline}, ${result}` }));
    },
    steps: async (run) => {
      using past = await runs();
      const [started] = past.store.events(run);
      return started?.type === "run.started" ? started.steps.map(({ id }) => id) : [];
    },
    file: async (path) => {
      const { readSource } = await import("../document/source.ts");
      const { value } = readSource(await Deno.readFile(join(context.cwd, path)), path);
      const { steps, inputs } = (value ?? {}) as { readonly steps?: unknown; inputs?: unknown };
      const ids = Array.isArray(steps) ? steps.map((step) => (step as { id?: unknown })?.id) : [];
      return {
        steps: ids.filter((id) => typeof id === "string"),
        inputs: isContainer(inputs) ? Object.keys(inputs) : [],
      };
    },
    services: async () => {
      using past = await runs();
      const { store } = past;
      const found = store.runs({ limit: MOST_RUNS }).flatMap(({ run }) =>
        store.events(run).flatMap((event) =>
          event.type === "step.finished" && isService(event.outputs)
            ? [{ value: event.step, summary: `a service of ${run}` }]
            : []
        )
      );
      return found.filter(({ value }, at) =>
        found.findIndex((other) => other.value === value) === at
      );
    },
  };
}

/** By what no other step gives: only its node knows whether it still serves. */
function isService(outputs: Readonly<Record<string, unknown>>): boolean {
  return typeof outputs["job"] === "string" && typeof outputs["node"] === "string";
}
