/** OpenSSH nodes that know Ray, a cluster configuration for them, and Grid's own Ray on them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { RayConfig } from "../../src/cluster/config.ts";
import { configOf } from "../../src/cluster/defaults.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { openCluster } from "../../src/cluster/open.ts";
import { systemClock } from "../../src/core/clock.ts";
import { MemoryCache } from "../unit/cluster/nodes.ts";
import type { OpenNode } from "../../src/cluster/node.ts";
import type { BatchHost, BatchRunner, BatchSpec } from "../../src/ray/batch.ts";
import type { RayOptions } from "../../src/ray/lifecycle.ts";
import { createRayCluster } from "../../src/ray/managed.ts";
import { createBatchRunner } from "../../src/ray/runner.ts";
import { createPool } from "../../src/transport/pool.ts";
import {
  type BatchResults,
  CollectedOutcomes,
  type SpecFields,
  specFields,
} from "./batch_results.ts";
import { type OpenSshLab, type OpenSshOptions, startOpenSsh } from "./openssh.ts";

export interface RayLabOptions extends Partial<OpenSshOptions> {
  /** Declared, as an owner does in the configuration; there need not be any. */
  readonly declaredGpus?: number;
  /** `code/work.py` on every node. */
  readonly work?: string;
  readonly config?: Partial<RayConfig>;
}

export class RayLab implements AsyncDisposable, RayOptions {
  readonly cluster = createRayCluster();
  readonly headName = "node1";
  readonly signal = new AbortController().signal;
  readonly config: RayConfig;
  /** Ends every name of a batch: what is left of one is looked for by name, and labs share machines. */
  readonly tag = `-${crypto.randomUUID().slice(0, 8)}`;
  #ids = 0;

  private constructor(
    readonly lab: OpenSshLab,
    readonly pool: ReturnType<typeof createPool>,
    readonly nodes: readonly OpenNode[],
    config: Partial<RayConfig>,
    private readonly hasGpuTool: boolean,
  ) {
    this.config = {
      mode: "managed",
      address: undefined,
      head: undefined,
      version: undefined,
      dashboardHost: "127.0.0.1",
      dashboardPort: freePort(),
      gcsPort: freePort(),
      headBindAll: true,
      namespace: "default",
      logLevel: "info",
      objectStoreMemory: 100_000_000,
      ...config,
    };
    this.grid = openCluster({
      config: configOf({
        nodes: lab.nodes.map(({ name, endpoint: { host, port, user } }) => ({
          name,
          host,
          port,
          user,
        })),
        ssh: { key_file: lab.keyFile, known_hosts: lab.knownHosts },
      }, { file: "lab.yaml", project: lab.folder, env: {} }),
      pool,
      cache: new MemoryCache(),
      clock: systemClock,
      project: lab.folder,
      random: Math.random,
    });
  }

  static async start(options: RayLabOptions = {}): Promise<RayLab> {
    const { declaredGpus: gpus, work = "", config = {}, ...rest } = options;
    const lab = await startOpenSsh({ nodes: 2, ray: true, gpus: 0, ...rest });
    const pool = createPool({ handshakes: 10 });
    const nodes = lab.nodes.map(({ name, endpoint, root, home }): OpenNode => {
      Deno.mkdirSync(join(root, "code"), { recursive: true });
      Deno.writeTextFileSync(join(root, "code", "work.py"), work);
      return {
        node: { name, endpoint, labels: [], gpus, remoteRoot: root },
        transport: pool.transport(endpoint),
        root,
        home,
      };
    });
    return new RayLab(lab, pool, nodes, config, (rest.gpus ?? 0) > 0);
  }

  /** The same nodes as steps see them, with their GPUs and who holds these. */
  readonly grid: Cluster;

  /** Where the lab has a tool for GPUs, Ray gets those that nobody holds. */
  get health(): RayOptions["health"] {
    if (!this.hasGpuTool) return undefined;
    return async (name) => (await this.grid.health({ among: [name], fresh: true }))[0];
  }

  get reached(): readonly OpenNode[] {
    return this.nodes;
  }

  get head(): OpenNode {
    const [head] = this.nodes;
    assert.ok(head);
    return head;
  }

  start(options: Partial<RayOptions> = {}) {
    return this.cluster.start({ ...this.options, ...options });
  }

  /** What `grid cluster` is told; parts of it can be replaced. */
  get options(): RayOptions {
    const { config, headName, nodes, reached, health, signal } = this;
    return { config, headName, nodes, reached, health, signal };
  }

  /** @param host with `runner`: one that lives longer than the batch */
  async run(
    fields: SpecFields,
    { runner, ...host }: Partial<BatchHost> & { readonly runner?: BatchRunner } = {},
  ): Promise<BatchResults> {
    const named: BatchSpec = {
      id: `run.batch.${++this.#ids}`,
      resultsKey: `run.batch.${this.#ids}`,
      target: { call: "work:where" },
      tasks: ["0", "1", "2", "3", "4", "5", "6", "7"],
      batchSize: 1,
      gpusPerBatch: 0,
      cpusPerBatch: 1,
      maxFailures: 0,
      cwd: join(this.head.root, "code"),
      code: "code",
      identityEnv: {},
      env: {},
      secrets: {},
      killGraceMs: 5000,
      ...specFields(fields),
    };
    const spec = { ...named, id: `${named.id}${this.tag}` };
    await using own = createBatchRunner(this.config);
    const outcomes = new CollectedOutcomes();
    const outcome = await (runner ?? own).run(this.head, spec, {
      signal: this.signal,
      outcomes,
      output: () => {},
      progress: () => {},
      jobStarted: () => {},
      ...host,
    });
    return outcomes.of(outcome);
  }

  /** Folders for temporary files, as the nodes have recorded them. */
  temporaryFolders(): string[] {
    return this.nodes.map(({ root }) => {
      const record = Deno.readTextFileSync(join(root, ".grid", "ray", "session"));
      return /^temp=(.+)$/m.exec(record)?.[1] ?? "";
    });
  }

  /** Kill -9 of this lab's processes that fit; at most so many. */
  kill(fits: (command: string) => boolean, most = Infinity): void {
    const found = this.lab.leftovers().filter(({ command }) => fits(command)).slice(0, most);
    assert.ok(found.length > 0, "there is nothing to kill");
    for (const { pid } of found) Deno.kill(pid, "SIGKILL");
  }

  /** Processes of this lab's Ray. */
  leftovers(): string[] {
    return this.lab.leftovers().map(({ pid, command }) => `${pid} ${command}`)
      .filter((line) => /ray/i.test(line));
  }

  /** What still runs once processes that are about to end have had time to. */
  async stayers(): Promise<string[]> {
    const until = Date.now() + 20_000;
    while (this.leftovers().length > 0 && Date.now() < until) await systemClock.sleep(50);
    return this.leftovers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.stop(this);
    this.grid[Symbol.dispose]();
    await this.pool[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
  }
}

/** Below those that the system gives to connections: nobody else comes upon it before Ray does. */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      using _listener = Deno.listen({ hostname: "0.0.0.0", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

export async function until(
  isTrue: () => boolean | Promise<boolean>,
  complaint: string | (() => string),
): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!await isTrue()) {
    if (Date.now() > deadline) {
      assert.fail(typeof complaint === "string" ? complaint : complaint());
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
