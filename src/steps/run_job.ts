/** The job that an attempt at a `run` step becomes. */
import type { OpenNode } from "../cluster/node.ts";
import { quote } from "../core/shell.ts";
import type { StepRequest } from "../engine/ports.ts";
import type { Container, RunAction } from "../pipeline/pipeline.ts";
import type { JobSpec } from "../transport/job/job.ts";
import { dataEnv } from "./data_paths.ts";
import type { JobPlace } from "./gpu_claim.ts";
import type { RankVariables } from "./gang_variables.ts";
import { containerScript } from "./container_job.ts";
import { type ServicePlan, serviceSpec } from "./service_plan.ts";
import { pathPrefix, stateFolder, stepFolder, workFolder } from "./placement.ts";
import {
  containedScript,
  linesOf,
  type Preparation,
  type PreparedLine,
  preparedScript,
  preparedVariables,
} from "./prepared_command.ts";

const LEASE_MS = 5 * 60_000;
/** Commands of a run that are many for a node: it prepares for them with the first. */
const MANY_COMMANDS = 5;

export type RunRequest = StepRequest<RunAction<string>>;

export interface RunJobOptions {
  readonly request: RunRequest;
  /** Of the job. */
  readonly id: string;
  readonly leaseMs?: number;
  readonly commands?: number;
  readonly masks?: Readonly<Record<string, readonly string[]>>;
  /** There is something to read. */
  readonly hasInput: boolean;
  /** Digest of the project, where there is one. */
  readonly project: string | undefined;
}

export function jobSpec(
  options: RunJobOptions,
  { node, prelude, record, service: plan, gang }: JobPlace & {
    readonly service?: ServicePlan | undefined;
    /** What it finds as one of many. */
    readonly gang?: RankVariables | undefined;
  },
): JobSpec {
  const { request, id, leaseMs, commands = 0, masks = {}, hasInput } = options;
  const { run, step, attempt } = request;
  const { env: told, ...service } = serviceSpec(plan);
  const named = (request.inFiles ?? []).map((name) => [name, request.env[name] ?? ""]);
  const files = {
    ...Object.fromEntries(named),
    ...gang?.files,
    ...(request.values !== undefined && { GRID_VALUES: request.values }),
  };
  const data = dataEnv(request, node);
  const env = {
    ...node.node.environment?.env,
    ...data,
    ...request.env,
    GRID_RUN_ID: run,
    GRID_STEP: step,
    GRID_ATTEMPT: String(attempt),
    GRID_NODE: node.node.name,
    GRID_STATE_DIR: stateFolder(request, node, options.project ?? "none"),
    ...told,
    ...gang?.env,
  };
  const preparation = {
    lines: linesBefore(request, node),
    shell: request.shell,
    variables: [...new Set([...Object.keys({ ...env, ...files, ...request.secrets }), ...OF_JOB])],
    pathPrefix: pathPrefix(node),
  };
  const { container } = request.action;
  const { command, variables } = container === undefined
    ? {
      command: preparedScript(request.action.run, { prelude, ...preparation }),
      variables: preparedVariables(preparation),
    }
    : contained(options, {
      node,
      prelude,
      container,
      ...preparation,
      files: Object.keys(files),
      data: Object.values(data),
      stateFolder: env.GRID_STATE_DIR,
      isReached: plan?.port !== undefined || gang !== undefined,
    });
  return {
    id,
    root: node.root,
    command,
    shell: request.shell === "sh" ? "sh" : "bash",
    cwd: stepFolder(request, node),
    files,
    env: { ...env, ...variables },
    ...service,
    secrets: request.secrets,
    masks,
    pathPrefix: pathPrefix(node),
    detach: request.detach,
    leaseMs: leaseMs ?? LEASE_MS,
    hasInput,
    record,
    isOneOfMany: commands >= MANY_COMMANDS,
  };
}

interface Contained extends JobPlace, Preparation {
  readonly container: Container<string>;
  readonly stateFolder: string;
  /** Data sets, absolute. */
  readonly data: readonly string[];
  /** Variables that name files. */
  readonly files: readonly string[];
  /** Others reach it at its node's address. */
  readonly isReached: boolean;
}

/** The job of a command in a container. */
function contained({ request, id }: RunJobOptions, place: Contained) {
  const { node, container, variables: all, lines, shell, prelude } = place;
  const job = `${node.root}/.grid/jobs/${id}`;
  const cwd = stepFolder(request, node);
  // What the node gives is for the node.
  const given = node.node.environment?.env ?? {};
  const names = all.filter((name) =>
    Object.hasOwn(request.env, name) || !Object.hasOwn(given, name)
  );
  const contain = containerScript({
    container,
    names: [...names, ...INSIDE],
    secrets: Object.keys(request.secrets),
    folders: [...new Set([workFolder(request, node), cwd, place.stateFolder])],
    files: ["value.before", "output", ...place.files.map((name) => `value.${name}`)]
      .map((end) => `${job}.${end}`).concat(place.data),
    cwd,
    graceMs: request.killGraceMs,
    isAgain: request.resumeJob !== undefined,
    isPlainShell: shell === "sh",
    isReached: place.isReached,
  });
  const { script: command, variables } = containedScript(request.action.run, {
    prelude,
    contain,
    lines,
    shell,
  });
  return { command, variables };
}

/** What a job's shell sets, and its command finds inside. */
const INSIDE = [
  "GRID_SCRIPT",
  "GRID_BEFORE",
  "GRID_GPUS",
  "CUDA_DEVICE_ORDER",
  "CUDA_VISIBLE_DEVICES",
  "HIP_VISIBLE_DEVICES",
];

/** What every job finds. */
const OF_JOB = ["GRID_JOB", "GRID_OUTPUT"];

/** The node's lines come first: a step may count on what its node prepares. */
export function linesBefore(
  { before = [] }: Pick<RunRequest, "before">,
  { node }: Pick<OpenNode, "node">,
): readonly PreparedLine[] {
  return [
    ...(node.environment?.before ?? []).flatMap(linesOf)
      .map((script): PreparedLine => ({ script, by: "node" })),
    ...before.flatMap(linesOf).map((script): PreparedLine => ({ script, by: "step" })),
  ];
}

/**
 * Made where the step may want it; a program of the node's own hardly knows of Grid. What a project left
 * there before its folder was renamed here comes along.
 */
export function statePrelude(
  request: RunRequest,
  { node, former = [] }: {
    readonly node: OpenNode;
    readonly former?: readonly string[] | undefined;
  },
): string {
  const isAskedFor = request.action.run.includes("GRID_STATE_DIR") ||
    Object.hasOwn(request.trees ?? {}, node.node.name);
  if (!isAskedFor) return "";
  const moves = former.map((project) => {
    const old = quote(stateFolder(request, node, project));
    return `[ -d "$GRID_STATE_DIR" ] || [ ! -d ${old} ] || ` +
      `{ mkdir -p "\${GRID_STATE_DIR%/*}" && mv ${old} "$GRID_STATE_DIR"; }; `;
  });
  return `${moves.join("")}[ -d "$GRID_STATE_DIR" ] || mkdir -p "$GRID_STATE_DIR"; `;
}
