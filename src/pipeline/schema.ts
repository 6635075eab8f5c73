/**
 * The whole format of a pipeline file. Editors complete and explain keys from it, by way of
 * `config/pipeline.schema.json`. It only checks: nothing is transformed here, so that every value
 * still knows its place in the file.
 */
import { z } from "../document/shape/zod.ts";
import { CATCH_UPS, OVERLAPS } from "../schedule/schedule.ts";
import { nodes } from "./gang_schema.ts";
import {
  duration,
  json,
  limit,
  name,
  oneOrMore,
  scalar,
  size,
  text,
  textList,
  variable,
} from "./schema_atoms.ts";
import {
  axisWords,
  classWords,
  commandWords,
  cronWords,
  hooksWords,
  hookWords,
  INPUT_TYPES,
  lifeWords,
  mapLike,
  outputWords,
  portWords,
  readyWords,
  scheduleWords,
  scriptWords,
  secretsWords,
  secretWords,
  selectorWords,
  shellWords,
  stepsWords,
  tasksWords,
  typeWords,
  variableWords,
} from "./schema_words.ts";

const RETRY_CLASS = /^(transport|node-lost|timeout|any|exit:(\d{1,2}|1\d\d|2[0-4]\d|25[0-5]))$/;

const selector = z.strictObject({
  gpus: z.int().min(0).optional().describe("Free GPUs the node must have; they are held"),
  gpu: z.string({ error: "gpu is the model, such as a100\nfor a number of GPUs write gpus: 1" })
    .optional().meta({
      description: "Part of the GPU model's name; one such GPU, unless gpus says how many",
      examples: ["a100", "h100"],
    }),
  "min-free-vram": size.optional().describe("Free memory that each of these GPUs must have"),
  share: z.boolean().optional().describe("Use the GPUs together with others that share, too"),
  "min-free-memory": size.optional().describe("Memory of the node that must be free"),
  "min-free-disk": size.optional().describe("Room that the workspace's disk must have"),
  "max-load": z.number().min(0).optional().describe("Load average per core, at most"),
  "max-score": z.number().min(0).optional().describe("Score in grid health, at most"),
  labels: textList.optional().describe("Labels that the node must carry, all of them"),
  among: textList.optional().describe("Choose between these nodes only"),
  exclude: textList.optional().describe("Never choose these nodes"),
  wait: duration.optional().describe("How long to wait for a node that fits; default: not at all"),
}, { error: (issue) => selectorWords(issue.code, issue.input) }).meta({
  id: "selector",
  description: "What a node must offer",
  examples: [{ gpus: 1 }],
});

const timeout = z.union([
  limit,
  z.strictObject({
    total: limit.optional().describe("Over all attempts and the waits between them"),
    attempt: limit.optional().describe("For each attempt"),
    idle: limit.optional().describe("Without a byte of output"),
    "kill-grace": duration.optional().describe(
      "Between the polite signal and the final one; default 10s",
    ),
  }),
]).meta({
  id: "timeout",
  description: "A duration for each attempt, or a map of limits",
  examples: ["30m", { total: "8h", attempt: "6h", idle: "20m" }],
});

const retryClass = z.string({ error: (issue) => classWords(issue.input) })
  .regex(RETRY_CLASS, { error: (issue) => classWords(issue.input) });

const retry = z.union([
  z.int().min(0),
  z.strictObject({
    max: z.int().min(0).optional().describe("Retries after the first attempt"),
    on: oneOrMore(retryClass).optional().describe(
      "Failures that are retried: transport, node-lost, timeout, exit:N, any",
    ),
    delay: duration.optional().describe("Wait before the first retry; default 2s"),
    backoff: z.enum(["exponential", "linear", "constant"]).optional().describe(
      "How the wait grows",
    ),
    "max-delay": duration.optional().describe(
      "The wait never grows past this; default 1m, or delay where that is longer",
    ),
    jitter: z.enum(["full", "none"]).optional().describe("full: a random part of the wait"),
    "avoid-node": z.boolean().optional().describe("Retry on another node where there is one"),
  }),
]).meta({
  id: "retry",
  description: "How many retries, or a map",
  examples: [3, { max: 3, on: ["transport", "exit:75"], "avoid-node": true }],
});

const shell = z.enum(["bash", "bash -l", "sh"], { error: (issue) => shellWords(issue.input) })
  .describe(
    "bash means bash -eo pipefail; bash -l: behind the account's login files; default bash",
  );
const before = oneOrMore(z.string()).describe(
  "Shell lines that run before the command, in its shell; one that fails fails the step",
);
const inFile = z.strictObject({
  file: text.describe("The value; the variable names a file on the node that holds it"),
}, { error: (issue) => variableWords(issue) });
const env = z.record(variable, z.union([text, inFile]), { error: mapLike("each as NAME: value") })
  .meta({
    description: "Environment variables; ${{ … }} is replaced",
    examples: [{ EPOCHS: "${{ inputs.epochs }}" }],
  });
const node = z.union([text, selector]).meta({
  id: "node",
  description: "Where it runs: a name, local, an expression, or what the node must offer",
  examples: ["gpu1", "local", { gpus: 1 }],
});

const output = z.union([
  scalar,
  z.discriminatedUnion("from", [
    z.strictObject({
      from: z.literal("file").describe("Read from a file"),
      path: text.describe("File relative to the step's folder"),
      json: z.string().optional().describe("Path into a JSON file, such as .val_loss"),
    }),
    z.strictObject({
      from: z.literal("stdout").describe("Read from what the command prints"),
      match: z.string().describe("Regular expression; its first group on the last match counts"),
    }),
    z.strictObject({
      from: z.literal("value").describe("Computed when the step has ended"),
      value: text.describe("Text; ${{ … }} is replaced"),
    }),
  ]),
], { error: (issue) => outputWords(issue.input) }).meta({
  id: "output",
  examples: [
    { from: "file", path: "metrics.json", json: ".val_loss" },
    { from: "stdout", match: "loss=([0-9.]+)" },
  ],
});

const sync = z.strictObject({
  from: text.optional().describe("Folder relative to the project folder; default: the project"),
  to: textList.optional().describe("all, or names of nodes; default all"),
  as: text.optional().describe("Folder name below remote_root; default: name of the source folder"),
  "exclude-from": text.optional().describe("Extra ignore file in gitignore syntax"),
  exclude: textList.optional().describe("Extra patterns in gitignore syntax"),
  delete: z.boolean().optional().describe(
    "Remove what an earlier sync put there and the source no longer has; default true",
  ),
  "on-drift": z.enum(["fail", "keep", "backup"]).optional().describe(
    "What becomes of files in the way that Grid did not write: fail, keep them, or move them aside; default backup",
  ),
  writes: textList.optional().describe("Globs of synced files that steps write over on the node"),
}, { error: mapLike("sync: { from: folder }") });

const data = z.strictObject({
  from: text.describe("Folder or file, relative to the project folder; all of it is the data set"),
  to: textList.optional().describe("all, or names of nodes; default all"),
  name: name.optional().describe("What it is called in GRID_DATA_<NAME>; default: the step's id"),
  exclude: textList.optional().describe("Patterns in gitignore syntax of what is left out"),
  direct: z.boolean().optional().describe(
    "Nodes may give it to each other; false: each gets it from this machine; default true",
  ),
}, { error: mapLike("data: { from: folder }") });

const tasks = z.union([
  z.string(),
  z.array(json),
  z.strictObject({ file: text.describe("JSON lines, a JSON list, or one task per line") }),
  z.strictObject({ range: z.int().min(0).describe("The numbers from 0 up to this, without it") }),
], { error: (issue) => tasksWords(issue.input) });

const rayBatch = z.strictObject({
  call: text.optional().describe("module:function, called once per task"),
  command: text.optional().describe("Shell command; finds its task in $GRID_TASK"),
  tasks: tasks.describe("A list, {file: …}, {range: 100}, or an expression that gives a list"),
  setup: text.optional().describe(
    "module:function, called once per process; call gets what it returns as second argument",
  ),
  "batch-size": z.union([z.int().min(1), z.literal("auto")]).optional().describe(
    "Tasks per batch; default auto, which follows the time that tasks take",
  ),
  "gpus-per-batch": z.number().min(0).optional().describe("GPUs per batch; default 0"),
  "cpus-per-batch": z.number().min(0).optional().describe("CPUs per batch; default 1"),
  "max-failures": z.int().min(0).optional().describe("Failed tasks that are tolerated; default 0"),
  "max-in-flight": z.int().min(1).optional().describe("Batches at once; default as many as fit"),
  "item-timeout": limit.optional().describe("How long one task may take; default no limit"),
  "item-retries": z.union([
    z.int().min(0),
    z.strictObject({
      max: z.int().min(0).describe("How often"),
      on: textList.optional().describe("Names of exception classes; default any"),
    }),
  ]).optional().describe("How often a failed task is tried again at once; default 0"),
  "on-item-failure": z.enum(["continue", "stop"]).optional().describe(
    "Whether tasks go on beginning once more than max-failures have failed; default continue",
  ),
}, { error: mapLike("ray-batch: { call: module:function, tasks: { range: 10 } }") });

const fetch = z.strictObject({
  node: node.optional().describe("Where from; the same as node: on the step"),
  from: textList.describe("Paths or globs relative to the step's folder on the node"),
  to: text.optional().describe(
    "Folder relative to the project folder, {node} is the node's name; default: the project",
  ),
}, { error: mapLike("fetch: { from: file }") });

const container = z.union([
  text,
  z.strictObject({
    image: text.describe("As the engine names it"),
    engine: z.enum(["auto", "docker", "podman", "apptainer"]).optional().describe(
      "Default auto: the first of these that the account may use",
    ),
    gpus: z.enum(["auto", "all", "none"]).optional().describe(
      "Default auto: those that the step holds",
    ),
    volumes: textList.optional().describe(
      "host:container[:ro]; a host path that begins with ./ is relative to the step's folder",
    ),
    user: text.optional().describe("Default: files belong to the account; image: as it says"),
    options: textList.optional().describe("Further words for the engine"),
  }, { error: mapLike("container: { image: python:3.12 }") }),
]).meta({
  id: "container",
  description: "The image that the command runs in",
  examples: ["python:3.12", { image: "pytorch/pytorch", volumes: "/data:/data:ro" }],
});

const axis = z.union([z.array(json).min(1), z.string()], {
  error: (issue) => axisWords(issue.input),
});
const matrix = z.object({
  include: z.array(z.record(name, json)).optional().describe("Further cells, or more for some"),
  exclude: z.array(z.record(name, json)).optional().describe("Cells to leave out"),
  "max-parallel": z.int().min(1).optional().describe("Cells that run at the same time"),
  "fail-fast": z.boolean().optional().describe("A failed cell ends the others; default false"),
}, { error: mapLike("the values by name: { seed: [1, 2] }") }).catchall(axis).describe(
  "One run of the step per combination of these values",
);

const cache = z.strictObject({
  inputs: textList.optional().describe("Globs whose contents decide whether the step is reused"),
  key: text.optional().describe("More that decides"),
  files: textList.optional().describe(
    "Globs of what the step makes in its folder on the node; [] for nothing but outputs",
  ),
}, { error: mapLike("cache: { inputs: [src/**] }") });

const ready = z.union([
  z.string().regex(/^\/\S*$/, { error: (issue) => readyWords(issue.input) }),
  z.strictObject({
    http: z.string().regex(/^\/\S*$/).describe("A path that answers with 2xx or 3xx"),
  }),
  z.strictObject({ run: z.string().min(1).describe("A command on the node that succeeds") }),
  z.strictObject({ output: z.string().min(1).describe("Regular expression on a printed line") }),
], { error: (issue) => isObject(issue.input) ? undefined : readyWords(issue.input) });
/** What is wrong in a map is said of the key that has it. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const port = z.union([z.int().min(1).max(65535), z.literal("auto")], {
  error: (issue) => portWords(issue.input),
});
const service = z.union([
  port,
  z.strictObject({
    port: port.optional().describe("Where it listens; auto: a free one, in $GRID_SERVICE_PORT"),
    ready: ready.optional().describe("When it counts as ready; default: its port listens"),
    within: limit.optional().describe("How long it may take to become ready; default 5m"),
    for: z.union([z.literal("run"), z.literal("until-stopped"), limit], {
      error: (issue) => lifeWords(issue.input),
    }).optional().describe("How long it lives: run, until-stopped, or a duration; default run"),
  }),
], {
  error: (issue) => isObject(issue.input) ? undefined : portWords(issue.input),
}).meta({
  id: "service",
  description: "The command stays; later steps start once it is ready",
  examples: [6006, { port: "auto", ready: "/health", for: "8h" }],
});

const stepShape = {
  needs: oneOrMore(z.string()).optional().describe("Steps that must have succeeded before"),
  after: oneOrMore(z.string()).optional().describe(
    "Steps that must have ended, whatever the result",
  ),
  if: z.union([z.string(), z.boolean()]).optional().describe(
    "Runs only if this expression is true; default: all that it needs succeeded",
  ),
  node: node.optional(),
  nodes: nodes.optional(),
  env: env.optional(),
  secrets: oneOrMore(z.string()).optional().describe("Declared secrets that this step receives"),
  timeout: timeout.optional(),
  retry: retry.optional(),
  outputs: z.record(name, output, { error: mapLike("each as name: value") }).optional().describe(
    "Outputs besides those written to $GRID_OUTPUT",
  ),
  "working-directory": text.optional().describe("Relative to the step's folder on the node"),
  shell: shell.optional(),
  before: before.optional(),
  container: container.optional(),
  detach: z.boolean().optional().describe("Goes on when the runner is gone"),
  "visible-gpus": z.enum(["own", "all"]).optional().describe(
    "own: a command that asked for no GPU does not see those that others hold; default own",
  ),
  "allow-failure": z.boolean().optional().describe("A failure does not fail the run"),
  inputs: textList.optional().describe(
    "Globs of all the project's files that the step depends on; default: what was synced before it",
  ),
  cache: cache.optional().describe("Reuse the results of an earlier run with the same inputs"),
  matrix: matrix.optional(),
  sync: sync.optional().describe("Bring a folder to nodes"),
  data: data.optional().describe("Bring a data set to nodes, once for all projects there"),
  "select-node": selector.optional().describe("Choose the best node; its name is outputs.node"),
  run: z.string({ error: (issue) => scriptWords(issue.input) }).optional().describe(
    "Shell script; expressions in it are quoted",
  ),
  service: service.optional().describe(
    "The command of run: stays; later steps start once it is ready",
  ),
  "ray-batch": rayBatch.optional().describe("Many tasks in batches over Ray"),
  fetch: fetch.optional().describe("Bring files from a node here"),
  uses: z.string().optional().describe("A template: a pipeline file with inputs and outputs"),
  with: z.record(name, text, { error: mapLike("each as name: value") }).optional().describe(
    "Inputs of the template",
  ),
};

const step = z.strictObject({ id: name.describe("Name of the step"), ...stepShape }, {
  error: mapLike("each step as - id: its-name, with run: below it"),
})
  .meta({ id: "step", examples: [{ id: "train", needs: "code", run: "python train.py" }] });
const hookStep = z.strictObject(
  { id: name.optional().describe("Name of the step"), ...stepShape },
  {
    error: (issue) => hookWords(issue.code, issue.input),
  },
)
  .meta({ id: "hook", examples: [{ run: "./notify.sh", node: "local" }] });

const input = z.strictObject({
  type: z.enum(INPUT_TYPES, { error: (issue) => typeWords(issue.input) }).optional().describe(
    "Default: string, or choice where options are given",
  ),
  description: z.string().optional().describe("What it is for"),
  default: scalar.optional().describe("Value where none is given"),
  required: z.boolean().optional().describe("A run without it is refused; default false"),
  min: z.number().optional().describe("Smallest number"),
  max: z.number().optional().describe("Largest number"),
  pattern: z.string().optional().describe("Regular expression that the whole value must match"),
  options: z.array(scalar).min(1).optional().describe("What may be chosen"),
}, { error: mapLike("{ default: 3 }") });

const mask = z.array(z.string()).min(1).optional().describe(
  "Of a secret that is JSON: paths such as .private_key to mask; default: what looks secret",
);
const secretSource = z.discriminatedUnion("from", [
  z.strictObject({
    from: z.literal("env").describe("From the environment of grid run"),
    variable: variable.optional().describe("Default: the secret's own name"),
    mask,
  }),
  z.strictObject({
    from: z.literal("file").describe("From a file on the machine that runs grid"),
    path: z.string().describe("Path of the file, relative to the project folder"),
    mask,
  }),
  z.strictObject({
    from: z.literal("command").describe("What a command prints on the machine that runs grid"),
    run: z.array(z.string(), { error: (issue) => commandWords(issue.input) }).min(1).describe(
      "The command and its arguments",
    ),
    mask,
  }),
], { error: (issue) => secretWords(issue.input) });

const concurrency = z.strictObject({
  group: text.describe("Runs of the same group share the limit"),
  max: z.int().min(1).optional().describe("Runs at the same time; default 1"),
  "on-conflict": z.enum(["queue", "skip", "cancel-oldest", "fail"]).optional().describe(
    "What a run does that finds the group full; default queue",
  ),
}, { error: mapLike("concurrency: { group: train }") });

const schedule = z.strictObject({
  name: name.optional().describe("Tells it from others of the same file"),
  cron: z.string({ error: (issue) => cronWords(issue.input) }).meta({
    description: "minute hour day month weekday; with six fields the first is the second",
    examples: ["17 2 * * *", "*/30 8-18 * * MON-FRI", "@daily"],
  }),
  "time-zone": z.string().optional().meta({
    description: "Whose clock it goes by, changes of summer time included; default UTC",
    examples: ["Europe/Berlin", "America/New_York", "UTC"],
  }),
  overlap: z.enum(OVERLAPS).optional().describe(
    "When the run before still goes on: skip this one, queue it, run both in parallel, or cancel-oldest; default skip",
  ),
  "catch-up": z.enum(CATCH_UPS).optional().describe(
    "Of times at which nobody was there to start a run: the last, none or all begin later; default last",
  ),
  "start-within": limit.optional().describe(
    "How late a run may begin; default: however late",
  ),
  with: z.record(name, scalar, { error: mapLike("each as name: value") }).optional().describe(
    "Inputs of the runs",
  ),
  enabled: z.boolean().optional().describe("false: no run begins by itself; default true"),
}, { error: mapLike('schedule: { cron: "17 2 * * *", time-zone: Europe/Berlin }') }).meta({
  id: "schedule",
  description: "When a run begins by itself, with grid serve --schedule",
  examples: [{ cron: "17 2 * * *", "time-zone": "Europe/Berlin" }],
});

const hooks = z.strictObject({
  success: z.array(hookStep, { error: (issue) => hooksWords(issue.input) }).optional().describe(
    "After a run that succeeded",
  ),
  failure: z.array(hookStep, { error: (issue) => hooksWords(issue.input) }).optional().describe(
    "After a run that failed or timed out",
  ),
  exit: z.array(hookStep, { error: (issue) => hooksWords(issue.input) }).optional().describe(
    "At the very end, however it ends",
  ),
}, { error: mapLike("hooks: { failure: [{ run: ./notify.sh }] }") });

const defaults = z.strictObject({
  timeout: timeout.optional(),
  retry: retry.optional(),
  shell: shell.optional(),
  before: before.optional(),
  node: node.optional(),
  "working-directory": text.optional(),
}, { error: mapLike("defaults: { timeout: 30m }") });

export const pipelineSchema = z.strictObject({
  // Spelled out, as editors read patterns with and without JavaScript's flag u.
  // deno-lint-ignore no-control-regex
  name: z.string().min(1).regex(/^[^\u0000-\u001f\u007f-\u009f]+$/, {
    error: "the name has a line break or another control character\nwrite it on one line",
  }).optional().describe("Default: the file's name"),
  description: z.string().optional().describe("What it does, in one line"),
  inputs: z.record(name, input, { error: mapLike("each as name: { type: string }") }).optional()
    .describe("Values that a run is given"),
  secrets: z.union([z.array(variable), z.record(variable, secretSource)], {
    error: (issue) => secretsWords(issue.input),
  }).optional().describe(
    "Values that never appear in logs: names of environment variables, or a map",
  ),
  env: env.optional(),
  defaults: defaults.optional().describe("For every step that does not say otherwise"),
  concurrency: concurrency.optional().describe("How many runs of a group there may be at once"),
  schedule: z.union([schedule, z.array(schedule).min(1)], {
    error: (issue) => scheduleWords(issue.input),
  }).optional().describe("When runs begin by themselves; a list where there are several times"),
  steps: z.array(step, { error: (issue) => stepsWords(issue.input) })
    .min(1, { error: "a pipeline needs at least one step\nadd - id: hello with run: echo hello" })
    .describe("What to do; steps without needs: start at once"),
  hooks: hooks.optional().describe("Steps around the run: to tell somebody, to clean up"),
  outputs: z.record(name, text).optional().describe("For templates: what the caller can read"),
}, { error: mapLike("steps: at the top, then - id: its-name") }).meta({
  title: "Grid pipeline",
  description: "What to run, in which order, and where",
});

export type PipelineFile = z.infer<typeof pipelineSchema>;
export type HookEntry = z.infer<typeof hookStep>;
export type StepEntry = z.infer<typeof step>;
export type InputEntry = z.infer<typeof input>;
export type SelectorEntry = z.infer<typeof selector>;
export type TimeoutEntry = z.infer<typeof timeout>;
export type RetryEntry = z.infer<typeof retry>;
export type ScheduleEntry = z.infer<typeof schedule>;
export type MatrixEntry = z.infer<typeof matrix>;
export type OutputEntry = z.infer<typeof output>;
