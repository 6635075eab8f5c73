import { existsSync } from "node:fs";
import { basename, join, relative, resolve, sep } from "node:path";
import { GridError } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { lazy } from "../../core/lazy.ts";
import { quote } from "../../core/shell.ts";
import { VERSION } from "../../core/version.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { loadSchedules } from "../../pipeline/load_schedules.ts";
import type { UnitOptions } from "../schedule_units.ts";
import { hintForMissing } from "../../pipeline/near_file.ts";
import { repositoryAround } from "../repository_paths.ts";
import { readOwn, writeNew, writtenWords } from "../new_files.ts";
import { type GlobalFlags, readSettings } from "../settings.ts";

/** How to come by what the files of CI systems count on. */
const PACKAGE = "Grid's npm package; deno task release in a clone of Grid makes it in dist/";
const HOST_KEYS = "the nodes' lines of your ~/.ssh/known_hosts, where grid trust adds them";

interface CiFlags extends GlobalFlags {
  readonly pipeline?: string;
}

/** Where each system looks for its file, and the example that it is made from. */
const SYSTEMS: Readonly<Record<string, { readonly path: string; readonly example: string }>> = {
  github: { path: ".github/workflows/grid.yml", example: "github.yml" },
  gitlab: { path: ".gitlab-ci.yml", example: "gitlab.yml" },
  jenkins: { path: "Jenkinsfile", example: "Jenkinsfile" },
  cron: { path: "ci/crontab", example: "crontab" },
  systemd: { path: "", example: "" },
};

export function define(command: Command, context: CommandContext): void {
  const init = command.command(
    "init",
    "write the file with which a CI system, cron or systemd runs a pipeline",
  );
  init
    .argument("<system>", Object.keys(SYSTEMS).join(", "))
    .option("--pipeline <file>", "the pipeline to run; default the only one in pipelines/")
    .action<CiFlags>((system, flags) => write(system, { flags, context }));
}

interface CiOptions {
  readonly flags: CiFlags;
  readonly context: CommandContext;
}

async function write(system: string, { flags, context }: CiOptions): Promise<void> {
  const known = own(SYSTEMS, system);
  if (known === undefined) {
    throw new GridError({
      code: "usage",
      message: `Cannot write a file for "${system}": it is no CI system that Grid knows`,
      hint: `there are ${Object.keys(SYSTEMS).join(", ")}`,
    });
  }
  const { project } = readSettings(flags, context);
  const pipeline = flags.pipeline ?? onlyPipeline(project);
  checkThere(pipeline, project);
  if (system === "systemd" || system === "cron") {
    const { pipeline: name, schedules } = await loadSchedules({
      file: resolve(project, pipeline),
      project,
    });
    const program = programOnPath(context) ?? "/usr/local/bin/grid";
    const enabled = schedules.filter(({ isEnabled }) => isEnabled);
    const options = { pipeline: name, file: pipeline, project, program, schedules: enabled };
    if (schedules.length > 0 && enabled.length === 0) throw switchedOff(pipeline);
    if (system === "systemd" && enabled.length === 0) throw noTimes(pipeline);
    if (enabled.length > 0) return await writeTimes(system, options, { flags, context });
  }
  const example = readOwn(`examples/ci/${known.example}`)
    .replaceAll(/grid-\d+\.\d+\.\d+\.tgz/g, `grid-${VERSION}.tgz`);
  const text = system === "cron"
    ? crontab(example, { pipeline, project, context })
    : example.replaceAll("pipelines/train.yaml", plainName(pipeline));
  // A crontab is found wherever it lies, and says where the project is.
  const { root, below } = system === "cron"
    ? { root: project, below: "" }
    : placeInRepository(project);
  const shown = below === "" ? text : inFolder(text, { system, below });
  const [written] = writeNew([{ path: known.path, text: shown }], root);
  const path = relative(project, join(root, known.path));
  if (written?.was === "kept") {
    throw alreadyThere(path);
  }
  const files = written === undefined ? [] : [{ ...written, path }];
  if (flags.json) context.stdout(JSON.stringify({ files }) + "\n");
  else context.stderr(writtenWords(files) + nextWords(system, project));
}

/** From the pipeline's own times. */
async function writeTimes(
  system: "systemd" | "cron",
  options: UnitOptions,
  { flags, context }: CiOptions,
): Promise<void> {
  const [{ crontabOf, systemdUnits }, { cronFacts }] = await Promise.all([
    lazy<typeof import("../schedule_units.ts")>("../schedule_units.ts", import.meta.url),
    lazy<typeof import("../own_clock.ts")>("../own_clock.ts", import.meta.url),
  ]);
  const { project } = options;
  const made = system === "systemd"
    ? systemdUnits(options)
    : [crontabOf(options, await cronFacts())];
  const files = writeNew(made, project);
  const kept = files.find(({ was }) => was === "kept");
  if (kept !== undefined) throw alreadyThere(kept.path);
  if (flags.json) context.stdout(JSON.stringify({ files }) + "\n");
  else {
    const next = system === "cron" ? nextWords(system, project) : timerWords(made, project);
    context.stderr(writtenWords(files) + next);
  }
}

/** For the account that runs them; without lingering they end with its last session. */
function timerWords(made: readonly { readonly path: string }[], project: string): string {
  const paths = made.map(({ path }) => quote(join(project, path))).join(" ");
  const timers = made.flatMap(({ path }) => path.endsWith(".timer") ? [basename(path)] : []);
  return `next     systemctl --user link ${paths}\n` +
    `         systemctl --user enable --now ${timers.map(quote).join(" ")}\n` +
    "         loginctl enable-linger    # so that it runs while nobody is logged in\n";
}

function noTimes(pipeline: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot write a timer for ${pipeline}: it has no schedule`,
    hint: 'write schedule: { cron: "17 2 * * *", time-zone: Europe/Berlin } into it',
  });
}

function switchedOff(pipeline: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot let ${pipeline} begin by itself: its schedule is switched off`,
    hint: "take enabled: false out of it",
  });
}

function alreadyThere(path: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot write ${path}: it is already there`,
    hint: "take it away, or compare it with what would have been written: examples/ci of Grid",
  });
}

/** @throws {GridError} `usage` where there is no such pipeline: its job would fail for ever */
function checkThere(pipeline: string, project: string): void {
  if (existsSync(resolve(project, pipeline))) return;
  throw new GridError({
    code: "usage",
    message: `Cannot write a job for ${pipeline}: there is no such file`,
    hint: hintForMissing(join(project, pipeline), project).replaceAll(`${project}/`, ""),
  });
}

/** In the files of CI systems it stands as a word of a shell inside YAML, or Groovy. */
function plainName(pipeline: string): string {
  const name = pipeline.startsWith("-") ? `./${pipeline}` : pipeline;
  if (/^[\w./-]+$/.test(name)) return name;
  throw new GridError({
    code: "usage",
    message: `Cannot write a job for ${JSON.stringify(pipeline)}: its name has blanks or signs`,
    hint: "give the pipeline a name of letters, digits, dots, hyphens and underscores",
  });
}

interface CrontabOptions {
  readonly pipeline: string;
  readonly project: string;
  readonly context: CommandContext;
}

/** cron ends a command at a `%`, and knows no PATH of ours: the Grid at hand is named in full. */
function crontab(example: string, { pipeline, project, context }: CrontabOptions): string {
  const word = (text: string) => quote(text).replaceAll("%", "\\%");
  return example.replaceAll("pipelines/train.yaml", () => word(pipeline))
    .replaceAll("/srv/project", () => word(project))
    .replaceAll("/usr/local/bin/grid", (usual) => word(programOnPath(context) ?? usual));
}

function programOnPath({ env }: CommandContext): string | undefined {
  const folders = (env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return folders.map((folder) => join(folder, "grid")).find((path) => existsSync(path));
}

/** CI systems look for their file in the repository's root, whichever part of it is the project. */
function placeInRepository(project: string): { readonly root: string; readonly below: string } {
  const root = repositoryAround(project) ?? project;
  const below = relative(root, project).split(sep).join("/");
  if (/^[\w./-]*$/.test(below)) return { root, below };
  throw new GridError({
    code: "usage",
    message: `Cannot write a file for the folder "${below}": its name has blanks or signs`,
    hint: "give the project a folder of letters, digits, dots, hyphens and underscores",
  });
}

/** The same file for a project that lies below the root: its commands and paths start there. */
function inFolder(
  text: string,
  { system, below }: { readonly system: string; readonly below: string },
): string {
  const runs = (line: string) => line.replaceAll(/(^|[\s'])\.grid\/runs/g, `$1${below}/.grid/runs`);
  switch (system) {
    case "github":
      return text.replace(
        /^( *)timeout-minutes: .*\n/m,
        (line, indent) =>
          `${line}${indent}defaults:\n${indent}  run:\n${indent}    working-directory: ${below}\n`,
      ).replace(/^ *path: .*$/m, runs);
    case "gitlab":
      return text.replace(/^( *)before_script:\n( *)- /m, `$1before_script:\n$2- cd ${below}\n$2- `)
        .replaceAll(
          /^ *(?:paths|junit): .*$/gm,
          (line) => line.replaceAll(".grid/runs", `${below}/.grid/runs`),
        );
    default:
      return text.replaceAll(/\bsh '/g, `sh 'cd ${below} && `)
        .replaceAll(/^ *(?:junit|archiveArtifacts) .*$/gm, runs);
  }
}

function onlyPipeline(project: string): string {
  const folder = join(project, "pipelines");
  const names = existsSync(folder)
    ? [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /\.ya?ml$/.test(name))
    : [];
  const [name, ...more] = names;
  if (name !== undefined && more.length === 0) return `pipelines/${name}`;
  throw new GridError({
    code: "usage",
    message: name === undefined
      ? "Cannot choose a pipeline: there is none in pipelines/"
      : `Cannot choose a pipeline: pipelines/ has ${names.toSorted().join(", ")}`,
    hint: `name it: --pipeline pipelines/${names.toSorted()[0] ?? "train.yaml"}`,
  });
}

function nextWords(system: string, project: string): string {
  if (system === "cron") {
    // `crontab FILE` alone would take the place of all that is there.
    const file = quote(join(project, "ci", "crontab"));
    return `next     (crontab -l 2>/dev/null; cat ${file}) | crontab -\n`;
  }
  const has = (path: string) => existsSync(join(project, path));
  const wanted = [`ci/grid-${VERSION}.tgz`, ...(system === "jenkins" ? [] : ["ci/known_hosts"])];
  return wanted.filter((path) => !has(path))
    .map((path) => `missing  ${path}: ${path.endsWith(".tgz") ? PACKAGE : HOST_KEYS}\n`).join("");
}
