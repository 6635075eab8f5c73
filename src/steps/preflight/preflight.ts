/** What can be known before a run starts: nodes, choices, tools, files and secrets. */
import { access } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { toGridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import { formatSize } from "../core/size.ts";
import { choose } from "../cluster/choose.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { HealthConfig } from "../cluster/config.ts";
import type { NodeHealth } from "../cluster/node.ts";
import type { NodeSelector, Pipeline, SecretSource, Step } from "../pipeline/pipeline.ts";
import { pinnedTemplates } from "../pipeline/pinned_templates.ts";
import { LOCK_FILE } from "../pipeline/template_lock.ts";
import type { Text } from "../pipeline/text.ts";

export interface Finding {
  /** `node gpu1`, `step train`, `secret HF_TOKEN`. */
  readonly about: string;
  readonly ok: boolean;
  readonly words: string;
}

export interface PreflightOptions {
  readonly cluster: Cluster;
  readonly weights: Pick<HealthConfig, "cpuWeight" | "gpuWeight">;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Looks at everything that does not depend on a result of the run itself; starts nothing. */
export async function preflight(
  pipeline: Pipeline,
  options: PreflightOptions,
): Promise<readonly Finding[]> {
  const { cluster, signal } = options;
  const health = await cluster.health({ signal, fresh: true });
  const found = await Promise.all([
    health.map(nodeFinding),
    pipeline.steps.flatMap((step) => choiceFindings(step, { health, ...options })),
    toolFindings(pipeline, { health, ...options }),
    Promise.all(pathsOf(pipeline).map((path) => pathFinding(path, options.project))),
    templateFindings(options.project),
    Promise.all(pipeline.secrets.map((secret) => secretFinding(secret, options))),
  ]);
  return found.flat();
}

function nodeFinding(row: NodeHealth): Finding {
  const free = row.facts?.diskFreeBytes;
  const disk = free === undefined ? "" : `, ${formatSize(free)} of disk free`;
  const words = row.status === "ok" ? `reachable${disk}` : row.reason ?? row.status;
  return { about: `node ${row.node}`, ok: row.status === "ok", words };
}

interface ChoiceOptions extends PreflightOptions {
  readonly health: readonly NodeHealth[];
}

/** Whether some node fits a selector now; one that is computed during the run cannot be judged. */
function choiceFindings(step: Step, options: ChoiceOptions): Finding[] {
  const { action, node } = step;
  const selector = action.kind === "select-node"
    ? action.selector
    : node.kind === "selector"
    ? node.selector
    : undefined;
  const wanted = selector && constantSelector(selector);
  if (!wanted) return [];
  const candidates = options.cluster.nodes.flatMap((node) => {
    const health = options.health.find((row) => row.node === node.name);
    const isAllowed = wanted.among.length === 0 || wanted.among.includes(node.name);
    return health && isAllowed ? [{ node, health }] : [];
  });
  const { chosen, passedOver } = choose(candidates, {
    selector: wanted,
    weights: options.weights,
    avoid: [],
    random: () => 0,
  });
  const about = `step ${step.id}`;
  if (chosen) return [{ about, ok: true, words: `${chosen.node.name} would be chosen now` }];
  const reasons = passedOver.map(({ node, reason }) => `${node}: ${reason}`).join("; ");
  return [{ about, ok: false, words: `no node fits now: ${reasons}` }];
}

function constantSelector(selector: NodeSelector<Text>): NodeSelector<string> | undefined {
  const constants = (texts: readonly Text[]) =>
    texts.flatMap((text) => text.constant === undefined ? [] : [text.constant]);
  const labels = constants(selector.labels);
  const among = constants(selector.among);
  const isConstant = labels.length === selector.labels.length &&
    among.length === selector.among.length;
  return isConstant ? { ...selector, labels, among } : undefined;
}

/** Programs that kinds of steps need on a node, asked of every node that answers. */
async function toolFindings(pipeline: Pipeline, options: ChoiceOptions): Promise<Finding[]> {
  const kinds = new Set(pipeline.steps.map(({ action }) => action.kind));
  const tools = [
    ...(kinds.has("sync") || kinds.has("fetch") ? ["tar"] : []),
    ...(kinds.has("ray-batch") ? ["python3"] : []),
  ];
  if (tools.length === 0) return [];
  const alive = options.health.filter(({ status }) => status === "ok");
  const lists = await Promise.all(
    alive.map(({ node }) => missingTools(node, { tools, ...options })),
  );
  return lists.flat();
}

interface ToolOptions extends PreflightOptions {
  readonly tools: readonly string[];
}

async function missingTools(name: string, options: ToolOptions): Promise<Finding[]> {
  const { cluster, signal, tools } = options;
  const about = `node ${name}`;
  try {
    const { root, transport } = await cluster.open(name, { signal });
    // Steps find what `grid setup` made first.
    const script = `PATH=${quote(`${root}/grid_env/bin`)}:"$PATH"; ` +
      tools.map((tool) => `command -v ${tool} >/dev/null || echo ${tool}`).join("; ");
    const { stdout } = await transport.exec(script, { signal });
    return stdout.split("\n").filter((tool) => tool !== "")
      .map((tool) => ({ about, ok: false, words: `${tool} is not installed` }));
  } catch (thrown) {
    signal.throwIfAborted();
    return [{ about, ok: false, words: toGridError(thrown).message }];
  }
}

/** Files and folders of this machine that exist before the run, as far as the file says. */
function pathsOf(pipeline: Pipeline): { readonly step: string; readonly path: string }[] {
  const made = pipeline.steps.flatMap(({ action }) =>
    action.kind === "fetch" ? action.to.constant ?? [] : []
  );
  return pipeline.steps.flatMap((step) => {
    const text = step.action.kind === "sync"
      ? step.action.from
      : step.action.kind === "ray-batch" && "file" in step.action.tasks
      ? step.action.tasks.file
      : undefined;
    const path = text?.constant;
    const isMade = path !== undefined && made.some((folder) => path.startsWith(folder));
    return path === undefined || isMade ? [] : [{ step: step.id, path }];
  });
}

async function pathFinding(
  { step, path }: { readonly step: string; readonly path: string },
  project: string,
): Promise<Finding> {
  const ok = await exists(isAbsolute(path) ? path : join(project, path));
  return { about: `step ${step}`, ok, words: `${path} ${ok ? "is there" : "does not exist"}` };
}

/** A branch that has moved is no obstacle: the pinned commit runs until somebody takes the new one. */
async function templateFindings(project: string): Promise<Finding[]> {
  const pinned = await pinnedTemplates(project);
  return pinned.map(({ url, ref, commit, now }) => ({
    about: `template ${url}@${ref}`,
    ok: true,
    words: now === undefined
      ? `pinned to ${short(commit)}; it cannot be asked whether ${ref} has moved`
      : now === commit
      ? `${ref} still means ${short(commit)}`
      : `${ref} has moved to ${short(now)}; ${
        short(commit)
      } runs until its line is removed from ${LOCK_FILE}`,
  }));
}

const short = (commit: string) => commit.slice(0, 12);

/** Commands are not run: they may ask their owner for a PIN. */
async function secretFinding(
  secret: SecretSource,
  { env, project }: PreflightOptions,
): Promise<Finding> {
  const about = `secret ${secret.name}`;
  switch (secret.from) {
    case "env": {
      const ok = (env[secret.variable] ?? "") !== "";
      return { about, ok, words: `${secret.variable} is ${ok ? "set" : "not set"}` };
    }
    case "file": {
      const ok = await exists(
        isAbsolute(secret.path) ? secret.path : join(project, secret.path),
      );
      return { about, ok, words: `${secret.path} ${ok ? "is there" : "does not exist"}` };
    }
    case "command":
      return { about, ok: true, words: `will be asked of ${secret.run[0]}` };
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
