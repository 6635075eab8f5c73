import { homedir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { nearest } from "../../core/did_you_mean.ts";
import { GridError } from "../../core/errors.ts";
import { quote } from "../../core/shell.ts";
import { lazy } from "../../core/lazy.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { listOwn, type NewFile, readOwn, writeNew, writtenWords } from "../new_files.ts";
import { nameList } from "../option_values.ts";
import type { GlobalFlags } from "../settings.ts";

interface InitFlags extends GlobalFlags {
  readonly from?: string;
  readonly nodes?: readonly string[];
}

const TEMPLATES = "pipelines/templates";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[folder]", "the project; default the current folder")
    .option(
      "--from <template>",
      "begin with this template of Grid's, or a copy of this file, also git+…//file@tag",
    )
    .option("--nodes <names>", "hosts of your ~/.ssh/config, separated by commas", {
      read: nameList,
    })
    .close(
      "Writes a pipeline that runs, a cluster config and a line for git; what is there is kept.\n" +
        "Without --nodes it asks at a terminal which of your hosts to use.",
    )
    .action<InitFlags>(async (folder, flags) => {
      await init(resolve(context.cwd, folder ?? "."), { flags, context });
    });
}

interface InitOptions {
  readonly flags: InitFlags;
  readonly context: CommandContext;
}

async function init(project: string, { flags, context }: InitOptions): Promise<void> {
  const pipelines = await firstPipelines(flags.from, { cwd: context.cwd, project });
  const first = pipelines[0]?.path ?? "";
  const hosts = await sshHosts(context);
  const nodes = flags.nodes ?? askForHosts(hosts, context);
  const files = writeNew([
    { path: "config/cluster_config.yaml", text: clusterText(nodes, hosts) },
    ...pipelines,
    // Not in the repository: editors read it, and `grid init` writes it anew after an update.
    { path: ".grid/.gitignore", text: "*\n" },
  ], project);
  for (const schema of ["pipeline", "cluster_config"]) {
    const path = join(project, ".grid", `${schema}.schema.json`);
    Deno.writeTextFileSync(path, readOwn(`config/${schema}.schema.json`));
  }
  const ignored = ignoreOwnFolder(project);
  if (flags.json) context.stdout(JSON.stringify({ project, files }) + "\n");
  else {
    context.stderr(
      writtenWords(files.filter(({ path }) => !path.includes(".grid/"))) +
        (ignored ? "added    .grid/ to .gitignore\n" : "") +
        nextWords(project, { first, hasNodes: nodes.length > 0, cwd: context.cwd }),
    );
  }
}

interface NextOptions {
  readonly first: string;
  readonly hasNodes: boolean;
  readonly cwd: string;
}

function nextWords(project: string, { first, hasNodes, cwd }: NextOptions): string {
  const commands = [
    ...(project === cwd ? [] : [`cd ${quote(relative(cwd, project))}`]),
    `grid plan ${first}`,
    `grid run ${first}`,
    ...(hasNodes ? ["grid health"] : []),
  ];
  return commands.map((command, at) => `${at === 0 ? "next" : "    "}     ${command}\n`).join("");
}

/** The names of `Host` lines that are no patterns, as ssh's own files have them. */
async function sshHosts({ env }: CommandContext): Promise<string[]> {
  const { configFiles, readIfFile } = await lazy<
    typeof import("../../transport/ssh/ssh_config_files.ts")
  >("../../transport/ssh/ssh_config_files.ts", import.meta.url);
  const home = env["HOME"] || homedir();
  const texts = configFiles([join(home, ".ssh", "config")], { home, env }).map(readIfFile);
  const names = texts.flatMap((text) => [...text.matchAll(/^[ \t]*Host[ \t=]+(.+)$/gim)])
    .flatMap(([, words = ""]) => words.trim().split(/\s+/))
    .filter((name) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name));
  return [...new Set(names)];
}

function askForHosts(hosts: readonly string[], context: CommandContext): readonly string[] {
  if (hosts.length === 0 || !context.stderrIsTerminal) return [];
  const words = context.ask(
    `hosts of your ~/.ssh/config: ${hosts.join(", ")}\nuse which, separated by commas? [none] `,
  );
  const chosen = (words ?? "").split(/[,\s]+/).filter((name) => name !== "");
  const unknown = chosen.find((name) => !hosts.includes(name));
  if (unknown === undefined) return chosen;
  throw new GridError({
    code: "usage",
    message: `Cannot use the host "${unknown}": your ~/.ssh/config does not name it`,
    hint: `there are ${hosts.join(", ")}; for another one write grid init --nodes ${unknown}`,
  });
}

function clusterText(nodes: readonly string[], hosts: readonly string[]): string {
  const head = `# yaml-language-server: $schema=../.grid/cluster_config.schema.json
# The machines. Each name is an alias of ~/.ssh/config, or { name: gpu1, host: 10.0.0.7, user: ml }.
`;
  if (nodes.length > 0) return `${head}nodes: [${nodes.join(", ")}]\n`;
  const yours = hosts.length > 0 ? `# Yours: nodes: [${hosts.join(", ")}]\n` : "";
  return `${head}${yours}nodes:
  - { name: local1, transport: local, remote_root: .grid/nodes/local1 }
  - { name: local2, transport: local, remote_root: .grid/nodes/local2 }
`;
}

const HELLO = `name: hello
inputs:
  who: { type: string, default: world }
steps:
  - id: code
    sync: { from: ., to: all }

  - id: greet
    needs: code
    env: { WHO: "\${{ inputs.who }}" }
    run: |
      echo "hello $WHO from $GRID_NODE"
      echo "letters=\${#WHO}" >> "$GRID_OUTPUT"

  - id: count
    needs: greet
    env: { LETTERS: "\${{ steps.greet.outputs.letters }}" }
    run: echo "that was $LETTERS letters"
`;
const SCHEMA_LINE = "# yaml-language-server: $schema=../.grid/pipeline.schema.json\n";

interface FromOptions {
  readonly cwd: string;
  /** The new project. */
  readonly project: string;
}

/** What to begin with, and the templates beside it that it uses. */
async function firstPipelines(
  from: string | undefined,
  { cwd, project }: FromOptions,
): Promise<NewFile[]> {
  if (from === undefined) return [{ path: "pipelines/hello.yaml", text: SCHEMA_LINE + HELLO }];
  if (from.startsWith("git+")) {
    const { pipelineFromGit } = await lazy<typeof import("../pipeline_from_git.ts")>(
      "../pipeline_from_git.ts",
      import.meta.url,
    );
    const { name, text } = await pipelineFromGit(from, project);
    return [{ path: `pipelines/${name}`, text: SCHEMA_LINE + text }];
  }
  const names = listOwn(TEMPLATES).map((file) => file.replace(/\.yaml$/, ""));
  if (/\.ya?ml$/.test(from)) {
    const path = resolve(cwd, from);
    return withUsed(basename(path), (name) => Deno.readTextFileSync(join(dirname(path), name)));
  }
  if (names.includes(from)) {
    return withUsed(`${from}.yaml`, (name) => ownPipeline(readOwn(`${TEMPLATES}/${name}`)));
  }
  const near = nearest(from, names);
  throw new GridError({
    code: "usage",
    message: `Cannot begin with "${from}": Grid has no such template`,
    hint: `${near ? `did you mean ${near}? ` : ""}there are ${
      names.join(", ")
    }, or name a file or git+<address>//<file>@<tag>`,
  });
}

/** A template of Grid's as a pipeline of somebody's own: its name, its folder, no word on its use. */
function ownPipeline(text: string): string {
  return text.replace(/^(# yaml-language-server:.*\n)?(#.*\n)*/, "")
    .replace(/^name: ([\w-]+)-template$/m, "name: $1")
    .replace(/^( *source: \{.*\bdefault: )examples\/[\w-]+/m, "$1.");
}

function withUsed(first: string, read: (name: string) => string): NewFile[] {
  const found = new Map<string, string>();
  const add = (name: string) => {
    if (found.has(name)) return;
    const text = read(name).replace(/^# yaml-language-server:.*\n/, "");
    found.set(name, SCHEMA_LINE + text);
    for (const [, used = ""] of text.matchAll(/^\s*uses:\s*\.\/([\w.-]+\.ya?ml)\s*$/gm)) add(used);
  };
  add(first);
  return [...found].map(([name, text]) => ({ path: `pipelines/${name}`, text }));
}

/** True where a line was added. */
function ignoreOwnFolder(project: string): boolean {
  const path = join(project, ".gitignore");
  const text = readIfThere(path);
  if (/^\/?\.grid\/?\s*$/m.test(text)) return false;
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  Deno.writeTextFileSync(path, `${before}.grid/\n`);
  return true;
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
