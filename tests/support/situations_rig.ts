/** Real runs in a time of their own, and what `grid metrics` says of them there. */
import { join } from "node:path";
import { collectMetrics } from "../../src/cli/collect_metrics.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { type Grid, openGrid } from "../../src/grid.ts";
import { metricsText } from "../../src/metrics/metrics.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { nodeKey } from "../../src/cluster/row_cache.ts";
import { tempDir } from "./temp_dir.ts";

const MINUTE_MS = 60_000;

/** Text of `grid metrics` at a minute. */
export interface Snapshot {
  readonly minute: number;
  readonly text: string;
}

export interface LookOptions {
  /** Per core. */
  readonly load?: number;
  /** Why nothing can run there. */
  readonly state?: "drained" | "unusable";
}

export interface SituationOptions {
  /** Of the cluster config; default one local node. */
  readonly nodes?: string;
  readonly expected?: ReadonlyMap<string, number>;
}

/** A project whose date begins at the epoch, as Prometheus' tests of rules do. */
export class Situation implements AsyncDisposable {
  readonly snapshots: Snapshot[] = [];
  readonly grid: Grid;
  readonly #folder: Disposable;
  readonly #expected: ReadonlyMap<string, number> | undefined;
  readonly #time: { minute: number };

  private constructor(grid: Grid, parts: {
    readonly folder: Disposable;
    readonly expected: ReadonlyMap<string, number> | undefined;
    readonly time: { minute: number };
  }) {
    this.grid = grid;
    this.#folder = parts.folder;
    this.#expected = parts.expected;
    this.#time = parts.time;
  }

  static async open({ nodes, expected }: SituationOptions = {}): Promise<Situation> {
    const folder = tempDir();
    const config = join(folder.path, "cluster.yaml");
    Deno.writeTextFileSync(
      config,
      `nodes: [${nodes ?? "{ name: n1, transport: local }"}]
remote_root: ${join(folder.path, "root")}
health_check: { timeout: 5 }
`,
    );
    const time = { minute: 0 };
    const clock: Clock = { ...systemClock, now: () => time.minute * MINUTE_MS };
    const grid = await openGrid({
      project: folder.path,
      configFile: config,
      env: Deno.env.toObject(),
      gridVersion: "0",
      clock,
    });
    return new Situation(grid, { folder, expected, time });
  }

  at(minute: number): this {
    this.#time.minute = minute;
    return this;
  }

  /** Begins a run; it has its result when the promise is done. */
  async run(yaml: string, signal: AbortSignal = new AbortController().signal): Promise<string> {
    const { project, cluster } = this.grid;
    const file = join(project, `${yaml.match(/^name: (\w+)/m)?.[1]}.yaml`);
    Deno.writeTextFileSync(file, yaml);
    const { pipeline } = await loadPipeline({ file, project, nodes: cluster.nodes, env: {} });
    const { result } = await this.grid.run(pipeline, { signal, readers: () => [] });
    return result;
  }

  /** Asks the nodes, and takes the load of this busy machine for `load` per core. */
  async look({ load = 0.1, state }: LookOptions = {}): Promise<void> {
    const { cluster, store } = this.grid;
    await cluster.health({ fresh: true });
    for (const node of cluster.nodes) {
      const key = `probe ${nodeKey(node)}`;
      const row = store.load([key]).get(key);
      const probe = JSON.parse(row?.json ?? "{}");
      if (row === undefined || probe.facts === undefined) continue;
      const drains = [{ account: "ada", sinceAt: 0, reason: "new power supply" }];
      const facts = {
        ...probe.facts,
        load1: load * (probe.facts.cores ?? 1),
        ...state === "drained" && { drains },
      };
      const told = { ...probe, facts, ...state && { status: "unusable" } };
      store.save(new Map([[key, { at: row.at, json: JSON.stringify(told) }]]));
    }
  }

  async tell(options?: LookOptions): Promise<void> {
    await this.look(options);
    const reading = await collectMetrics(this.grid, {
      signal: new AbortController().signal,
      look: false,
      expected: this.#expected,
      warn: (message) => {
        throw new Error(message);
      },
    });
    this.snapshots.push({ minute: this.#time.minute, text: await metricsText(reading) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.grid[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

export interface Host {
  readonly instance: string;
  readonly snapshots: readonly Snapshot[];
  /** Minute of its last sign; undefined where it never stops. */
  readonly goneAt?: number;
}

export interface Span {
  readonly minutes: number;
  /** Minutes from one value to the next. */
  readonly step: number;
}

/** In promtool's notation; what a snapshot says stands until the next one. */
export function seriesOf(
  hosts: readonly Host[],
  { minutes, step }: Span,
): Record<string, string>[] {
  return hosts.flatMap(({ instance, snapshots, goneAt = minutes }) => {
    const told = snapshots.map(({ minute, text }) => ({
      minute,
      values: valuesOf(text, instance),
    }));
    const names = new Set(told.flatMap(({ values }) => [...values.keys()]));
    return [...names].map((series) => {
      const values = Array.from({ length: Math.ceil(minutes / step) + 1 }, (_, at) => {
        const minute = at * step;
        if (minute > goneAt) return "_";
        // cron goes on asking: only that moves.
        if (series.startsWith("grid_metrics_timestamp_seconds")) return String(minute * 60);
        return told.findLast((each) => each.minute <= minute)?.values.get(series) ?? "_";
      });
      return { series, values: packed(values.map(staleAfter)) };
    });
  });
}

/** Prometheus marks the end of a series that a scrape no longer brings. */
function staleAfter(value: string, at: number, values: readonly string[]): string {
  return value === "_" && at > 0 && values[at - 1] !== "_" ? "stale" : value;
}

/** `1 1 1 2` as `1x2 2`. */
function packed(values: readonly string[]): string {
  const runs: { value: string; count: number }[] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last?.value === value) last.count++;
    else runs.push({ value, count: 1 });
  }
  return runs.map(({ value, count }) =>
    count === 1 ? value : value === "_" ? `_x${count}` : `${value}x${count - 1}`
  ).join(" ");
}

function valuesOf(text: string, instance: string): Map<string, string> {
  return new Map(
    text.split("\n").filter((line) => /^grid_/.test(line)).map((line) => {
      const [, name = "", labels, value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const all = [`instance="${instance}"`, 'job="grid"', ...(labels ? [labels] : [])].join(",");
      return [`${name}{${all}}`, value];
    }),
  );
}
