/** A command that runs in a container: what the node's shell does around it, and how it is asked for afterwards. */
import type { OpenNode } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import { quote, quoteAll } from "../core/shell.ts";
import { containerFault } from "../pipeline/container.ts";
import type { Container } from "../pipeline/pipeline.ts";
import type { KillReport } from "../transport/job/job.ts";
import type { Transport } from "../transport/transport.ts";
import { nodeProgram } from "../transport/node_program.ts";
import { survivorWords } from "./run_failure.ts";

export interface ContainerJob {
  readonly container: Container<string>;
  /** Names of variables that reach the command; their values are nowhere on a command line. */
  readonly names: readonly string[];
  readonly secrets: readonly string[];
  /** Absolute folders that are there at the same place. */
  readonly folders: readonly string[];
  /** Absolute; of these names that hold a value of the job. */
  readonly files: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly graceMs: number;
  /** It may have started before, and its node does not know. */
  readonly isAgain: boolean;
  readonly isPlainShell: boolean;
  /** Others reach it at its node's address: a service, or a rank of a gang. */
  readonly isReached: boolean;
}

const ENGINES = { auto: "docker podman apptainer singularity" } as const;

/** Between the engine's polite signal and its final one; the job's own grace ends it before. */
const LEAST_GRACE_S = 1;
/** What an earlier start left is removed; its own keeper may be at it. */
const MOST_AGAIN = 3;

/**
 * Shell text that runs what `$GRID_SCRIPT` holds in a container, and does not return.
 *
 * @throws {GridError} `step-failed` for words that would mean something else to the engine
 */
export function containerScript(job: ContainerJob): string {
  const { container, names, secrets, folders, files, cwd, graceMs } = job;
  const fault = containerFault(container);
  if (fault !== undefined) {
    const { message, hint } = fault;
    throw new GridError({
      code: "step-failed",
      message: `Cannot start the container: ${message}`,
      hint,
    });
  }
  const { engine, image, gpus, user = "" } = container;
  const engines = engine === "auto" ? ENGINES.auto : engine;
  const volumes = container.volumes.map((volume) => absoluteVolume(volume, cwd));
  const own = [...folders, ...files].map((path) => `${path}:${path}`);
  const mounts = [...new Set([...own, ...volumes])];
  const oci = [
    ...mounts.flatMap((mount) => ["-v", mount]),
    "-w",
    cwd,
    ...names.flatMap((name) => ["-e", name]),
    ...(job.isReached && !container.options.some(isNetwork) ? ["--network=host"] : []),
    ...container.options,
  ];
  const apptainer = [
    ...mounts.flatMap((mount) => ["--bind", mount]),
    "--pwd",
    cwd,
    ...container.options,
  ];
  const carried = names.map((name) => `export APPTAINERENV_${name}="\${${name}-}"`);
  const there = volumes.map((volume) => volume.split(":")[0] ?? "")
    .filter((path) => path.startsWith("/"));
  return [
    nodeProgram("container.sh", import.meta.url),
    `grid_engines=${quote(engines)} grid_image=${quote(image)} grid_gpus=${gpus} ` +
    `grid_user=${quote(user)} grid_hidden=${quote(secrets.join(" "))} ` +
    `grid_grace=${Math.max(LEAST_GRACE_S, Math.floor(graceMs / 1000))} ` +
    `grid_again=${job.isAgain ? MOST_AGAIN : 0} grid_boot=${quote(boot(job))}`,
    ...there.map((path) =>
      `[ -e ${quote(path)} ] || grid_refuse_container ${quote(`no volume: ${path} is not there`)}`
    ),
    ...folders.map((path) => `[ -d ${quote(path)} ] || mkdir -p ${quote(path)}`),
    `: >>${quote(files[0] ?? "/dev/null")}`,
    "grid_choose_engine",
    `printf 'grid: container start %s\\n' "$grid_engine" >|"$grid_mark"`,
    `grid_note_engine "\${grid_mark%.output}.value.container"`,
    "case $grid_engine in",
    `  apptainer | singularity) ${carried.join("; ")}; grid_contain ${quoteAll(apptainer)} ;;`,
    `  *) grid_contain ${quoteAll(oci)} ;;`,
    "esac",
    "",
  ].join("\n");
}

/**
 * Of docker and podman. Without one, a container has a network of its own, and what listens in it is not on
 * the node's port; apptainer's is the node's by itself.
 */
function isNetwork(option: string): boolean {
  return /^(?:--net(?:work)?|-p|--publish|-P|--publish-all|--pod)(?:$|=)|^-p\d/.test(option);
}

/** Relative to the step's folder, where it looks like a path; a name is the engine's own volume. */
function absoluteVolume(volume: string, cwd: string): string {
  if (volume === "." || volume.startsWith(".:")) return cwd + volume.slice(1);
  return /^\.{1,2}\//.test(volume) ? `${cwd}/${volume}` : volume;
}

/** The first words inside: the command's own shell takes their place. */
function boot({ container, isPlainShell }: ContainerJob): string {
  const run = quote('eval "unset GRID_SCRIPT; $GRID_SCRIPT"');
  const wants = container.gpus === "none" ? "" : DEVICE_CHECK;
  const home = '[ -w "${HOME:-/nowhere}" ] || export HOME=/tmp';
  const shell = isPlainShell
    ? `exec sh -c ${run} grid`
    : "if command -v bash >/dev/null 2>&1; then " +
      `exec bash --norc -eo pipefail -c ${run} grid; else exec sh -e -c ${run} grid; fi`;
  return `${home}; ${wants}${shell}`;
}

/** An engine may leave out what it was asked for without a word. */
const DEVICE_CHECK =
  'if [ -n "${GRID_GPUS-}" ]; then set -- /dev/nvidia[0-9]* /dev/kfd /dev/dxg; ' +
  'for grid_one; do [ ! -e "$grid_one" ] || grid_seen=1; done; [ -n "${grid_seen-}" ] || { ' +
  'echo "grid: no GPU is there in the container" >&2; exit 125; }; fi; ';

/** How a job ended whose command did not begin in its container; undefined where it began. */
export function containerRefusal(outputFile: string): string | undefined {
  const [, words] = /^grid: container ([^\n]{1,500})\n/.exec(outputFile) ?? [];
  return words;
}

export interface ContainersLeft {
  /** Undefined where the job was in none. */
  readonly engine: string | undefined;
  /** What its engine still has of the job, by id. */
  readonly left: readonly string[];
}

/**
 * Asks the engine that ran a job what it still has of it, and has it ended; waits a few seconds for that.
 *
 * @throws {GridError} a transport code
 */
export async function endContainers(
  transport: Transport,
  { root, id }: Pick<OpenNode, "root"> & { readonly id: string },
): Promise<ContainersLeft> {
  const file = `${root}/.grid/jobs/${id}.value.container`;
  const { stdout } = await transport.exec(
    `([ -f ${quote(file)} ] || exit 0; IFS= read -r engine <${quote(file)}; echo "engine $engine"
    eval "$(sed 1d ${quote(file)})"
    case $engine in docker | podman) ;; *) exit 0 ;; esac
    tries=0
    while ids=$("$engine" ps -aq --filter ${
      quote(`label=grid.job=${id}`)
    }) || ids=unknown; [ -n "$ids" ]; do
      [ "$tries" -lt 20 ] || { echo "left" $ids; break; }
      # Its keeper is at it; later this shell helps.
      [ "$tries" -lt 10 ] || "$engine" rm -f $ids >/dev/null
      tries=$((tries + 1)); sleep 0.5 || sleep 1
    done) 2>/dev/null </dev/null`,
    { timeoutMs: 60_000 },
  );
  const engine = /^engine (\w{1,20})$/m.exec(stdout)?.[1];
  const left = /^left (.{1,1000})$/m.exec(stdout)?.[1]?.split(" ") ?? [];
  return { engine, left };
}

/** "0 survivors (processes, podman)": where was looked, and who was asked. */
export function containerWords(report: KillReport, { engine, left }: ContainersLeft): string {
  if (engine === undefined) return survivorWords(report);
  // Its client was among the processes, and has been asked.
  const words = survivorWords({ ...report, handedOver: [] });
  if (left.length === 0) return words.replace("(processes)", `(processes, ${engine})`);
  return `${words}; ${engine} still has ${left.join(", ")}`;
}
