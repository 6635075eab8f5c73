/** A folder of data and nodes on this machine, each with a workspace of its own; what travels is counted. */
import { join } from "node:path";
import { readDataSet } from "../../src/data/source.ts";
import { type Spread, spreadData, type SpreadOptions } from "../../src/data/spread.ts";
import type { SyncTarget } from "../../src/sync/sync.ts";
import { createLocalTransport } from "../../src/transport/local.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { type MeasuredTransport, measuredTransport } from "./measured_transport.ts";
import { localEndpoint, writeFiles } from "./sync_rig.ts";
import { tempDir } from "./temp_dir.ts";

export interface DataRig extends AsyncDisposable {
  readonly folder: string;
  readonly source: string;
  readonly nodes: readonly (SyncTarget & { readonly transport: MeasuredTransport })[];
  readonly told: string[];
  /** Writes files of the source; a value of `undefined` removes. */
  write(files: Readonly<Record<string, string | undefined>>): void;
  spread(options?: Partial<SpreadOptions>): Promise<readonly Spread[]>;
  /** The same, and each node has it. */
  brought(options?: Partial<SpreadOptions>): Promise<readonly Brought[]>;
  /** Bytes that went to all nodes over channels since it was asked last. */
  sent(): number;
}

export type Brought = Extract<Spread, { ok: true }>;

export interface DataRigOptions {
  readonly nodes?: number;
  readonly transportOf?: (name: string, folder: string) => Transport;
}

export function startDataRig(given: DataRigOptions = {}): DataRig {
  const temp = tempDir();
  const folder = temp.path;
  const source = join(folder, "set");
  Deno.mkdirSync(source);
  const nodes = Array.from({ length: given.nodes ?? 1 }, (_, index) => {
    const name = `n${index + 1}`;
    const root = join(folder, name);
    Deno.mkdirSync(root);
    const honest = given.transportOf?.(name, folder) ?? createLocalTransport(localEndpoint(name));
    return { node: name, root, transport: measuredTransport(honest) };
  });
  const told: string[] = [];
  let counted = 0;
  const signal = AbortSignal.timeout(900_000);
  const rig: DataRig = {
    folder,
    source,
    nodes,
    told,
    write: (files) => writeFiles(source, files),
    async spread(more = {}) {
      const set = more.set ??
        await readDataSet({ source, exclude: [], cacheFolder: join(folder, "cache"), signal });
      return await spreadData({
        set,
        targets: nodes,
        use: { project: "11111111", folder: "/home/ann/project", name: "set", source },
        direct: true,
        owner: "ann@desk",
        maxParallelTransfers: 5,
        signal,
        progress: () => {},
        tell: (message) => told.push(message),
        ...more,
      });
    },
    async brought(more) {
      const results = await rig.spread(more);
      return results.map((result) => {
        if (!result.ok) throw result.error;
        return result;
      });
    },
    sent() {
      const all = nodes.reduce((sum, { transport }) => sum + transport.sent, 0);
      const since = all - counted;
      counted = all;
      return since;
    },
    async [Symbol.asyncDispose]() {
      for (const { transport } of nodes) await transport[Symbol.asyncDispose]();
      await new Deno.Command("chmod", { args: ["-R", "u+rwX", folder] }).output();
      temp[Symbol.dispose]();
    },
  };
  return rig;
}
