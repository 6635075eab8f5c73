/** Probe rows and placement penalties that outlive the process. */
import type { CachedRow, HealthCache } from "./cluster.ts";
import type { Node } from "./node.ts";
import { type NodeMemory, readMemory, remember } from "./node_memory.ts";
import type { ProbeRow } from "./probe_node.ts";

/** Of the rows' meaning; rows of another version are ignored. */
const VERSION = 3;

/** Account, machine and workspace: two configs that share a cache must not mix. */
export function nodeKey({ name, endpoint, remoteRoot }: Node): string {
  if (endpoint.transport === "local") return `local#${remoteRoot}`;
  const { user, host, port, proxyJump } = endpoint;
  const via = proxyJump === undefined ? "" : ` via ${proxyJump}`;
  return `${user ?? ""}@${host ?? `alias ${name}`}:${port ?? ""}${via}#${remoteRoot}`;
}

/** Rows that can be trusted, whatever their age; corrupt ones and those from the future are left out. */
export function loadRows(
  cache: HealthCache,
  { nodes, now }: { readonly nodes: readonly Node[]; readonly now: number },
): ReadonlyMap<Node, ProbeRow> {
  const cached = cache.load(nodes.map(probeKey));
  const rows = new Map<Node, ProbeRow>();
  for (const node of nodes) {
    const row = readRow(cached.get(probeKey(node)));
    if (row !== undefined && row.at <= now) rows.set(node, row);
  }
  return rows;
}

export interface KeptLook {
  readonly row: ProbeRow;
  /** Undefined where the node could not be used. */
  readonly score: number | undefined;
}

/** Keeps the rows, each with what is remembered of earlier ones, whoever saw those. */
export function saveLooks(cache: HealthCache, looks: ReadonlyMap<Node, KeptLook>): void {
  const memories = loadMemories(cache, [...looks.keys()]);
  cache.save(
    new Map([...looks].map(([node, { row: { memory: _, at, facts, ...rest }, score }]) => {
      const memory = remember(memories.get(node), { at, score, facts });
      const json = JSON.stringify({ version: VERSION, ...rest, facts, memory });
      return [probeKey(node), { at, json }] as const;
    })),
  );
}

/** The next look asks the node; what is remembered of it stays. */
export function forgetRow(cache: HealthCache, node: Node): void {
  const json = JSON.stringify({ memory: loadMemories(cache, [node]).get(node) });
  cache.save(new Map([[probeKey(node), { at: 0, json }]]));
}

/** Those that there are. */
export function loadMemories(
  cache: HealthCache,
  nodes: readonly Node[],
): ReadonlyMap<Node, NodeMemory> {
  const cached = cache.load(nodes.map(probeKey));
  return new Map(nodes.flatMap((node) => {
    const memory = readMemory(parseObject(cached.get(probeKey(node))?.json)?.["memory"]);
    return memory === undefined ? [] : [[node, memory] as const];
  }));
}

function probeKey(node: Node): string {
  return `probe ${nodeKey(node)}`;
}

function readRow(cached: CachedRow | undefined): ProbeRow | undefined {
  const value = parseObject(cached?.json);
  if (cached === undefined || value?.["version"] !== VERSION) return undefined;
  const { status, reason, hint, facts } = value;
  if (status !== "ok" && status !== "unusable" && status !== "unreachable") return undefined;
  if (!isOptional(reason, "string") || !isOptional(hint, "string")) return undefined;
  if (facts !== undefined && !isFacts(facts)) return undefined;
  if (status === "ok" && facts === undefined) return undefined;
  const memory = readMemory(value["memory"]);
  return {
    at: cached.at,
    status,
    reason,
    hint,
    facts,
    ...(value["isMendable"] === true && { isMendable: true }),
    ...(value["isLasting"] === true && { isLasting: true }),
    ...(memory && { memory }),
  } as ProbeRow;
}

const GPU_TOOLS = new Set<unknown>([
  "nvidia-smi",
  "amd-smi",
  "rocm-smi",
  "xpu-smi",
  "none",
  "failed",
]);
const FACT_NUMBERS = [
  "load1",
  "cores",
  "memoryTotalBytes",
  "memoryAvailableBytes",
  "diskFreeBytes",
  "diskUsedPercent",
];
const GPU_NUMBERS = [
  "memoryUsedBytes",
  "memoryTotalBytes",
  "utilizationPercent",
  "temperatureCelsius",
];

function isFacts(value: unknown): boolean {
  if (!isObject(value) || !GPU_TOOLS.has(value["gpuTool"])) return false;
  const { gpus, gpuProblem, workspaceProblem } = value;
  const { work } = value;
  return FACT_NUMBERS.every((key) => isOptional(value[key], "number")) &&
    (work === undefined || isWork(work)) &&
    isOptional(gpuProblem, "string") && isOptional(workspaceProblem, "string") &&
    isRemark(value["claimsProblem"]) && isOptional(value["workspaceToken"], "string") &&
    isOptional(value["machine"], "string") &&
    isDrains(value["drains"]) && isOptionalList(value["missingTools"]) &&
    Array.isArray(gpus) && gpus.every(isGpu);
}

function isRemark(value: unknown): boolean {
  return value === undefined ||
    isObject(value) && typeof value["words"] === "string" && isOptional(value["cure"], "string");
}

function isWork(value: unknown): boolean {
  return isObject(value) &&
    ["claims", "given", "line"].every((key) => {
      const list = value[key];
      return Array.isArray(list) &&
        list.every((each) =>
          isObject(each) && typeof each["ageMs"] === "number" && typeof each["owner"] === "string"
        );
    });
}

function isGpu(value: unknown): boolean {
  return isObject(value) && typeof value["index"] === "number" &&
    typeof value["maker"] === "string" && isOptional(value["doubt"], "string") &&
    isOptional(value["sick"], "string") && isOptional(value["uuid"], "string") &&
    isOptional(value["name"], "string") &&
    (value["leases"] === undefined || areClaims(value["leases"])) &&
    GPU_NUMBERS.every((key) => isOptional(value[key], "number"));
}

function isDrains(value: unknown): boolean {
  return value === undefined || Array.isArray(value) &&
      value.every((drain) =>
        isObject(drain) && typeof drain["account"] === "string" &&
        typeof drain["sinceAt"] === "number" && typeof drain["reason"] === "string" &&
        isOptional(drain["untilAt"], "number")
      );
}

function areClaims(value: unknown): boolean {
  return Array.isArray(value) &&
    value.every((lease) =>
      isObject(lease) && typeof lease["group"] === "string" && typeof lease["holder"] === "string"
    );
}

function isOptionalList(value: unknown): boolean {
  return value === undefined ||
    Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isOptional(value: unknown, type: "string" | "number"): boolean {
  return value === undefined || typeof value === type;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined for anything but a JSON object. */
export function parseObject(json: string | undefined): Record<string, unknown> | undefined {
  if (json === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? { ...value } : undefined;
  } catch {
    // A row written half, or by something else: no row.
    return undefined;
  }
}
