/** A source, a node's workspace and the options to sync one to the other, all below one folder. */
import { dirname, join } from "node:path";
import { createLocalTransport } from "../../src/transport/local.ts";
import type { Endpoint, Transport } from "../../src/transport/transport.ts";
import { syncFolders } from "../../src/sync/folders.ts";
import type { SyncOptions, SyncReport, SyncTarget } from "../../src/sync/sync.ts";
import { measuredTransport } from "./measured_transport.ts";
import { tempDir } from "./temp_dir.ts";

export function localEndpoint(name: string): Endpoint {
  return {
    name,
    transport: "local",
    host: undefined,
    port: undefined,
    user: undefined,
    keyFile: undefined,
    knownHosts: undefined,
    proxyJump: undefined,
    connectTimeoutMs: 5000,
    commandTimeoutMs: 10_000,
    keepaliveMs: 10_000,
    maxRetries: 0,
  };
}

export interface SyncRig extends AsyncDisposable {
  readonly folder: string;
  readonly source: string;
  readonly root: string;
  /** Where the source lands: `<root>/app`. */
  readonly there: string;
  readonly transport: Transport;
  readonly target: SyncTarget;
  readonly options: SyncOptions;
  /** Writes files of the source; a value of `undefined` removes. */
  write(files: Readonly<Record<string, string | undefined>>): void;
  /** Syncs to the one node. @throws what the sync throws */
  sync(options?: Partial<SyncOptions>): Promise<SyncReport>;
}

/** How files come to a node: straight into its folders where it is this machine, or in an archive. */
export const WAYS = ["here", "wire"] as const;
export type Way = typeof WAYS[number];

export interface SyncRigOptions {
  /** Default: `here`. */
  readonly way?: Way;
  /** Another way to the node; the rig closes it. */
  readonly transport?: Transport;
  readonly root?: string;
}

export function startSyncRig(given: SyncRigOptions = {}): SyncRig {
  const temp = tempDir();
  const folder = temp.path;
  const source = join(folder, "source");
  const root = given.root ?? join(folder, "node");
  Deno.mkdirSync(source);
  Deno.mkdirSync(root, { recursive: true });
  const here = createLocalTransport(localEndpoint("n1"));
  const transport = given.transport ?? (given.way === "wire" ? measuredTransport(here) : here);
  const target = { node: transport.endpoint.name, transport, root };
  const options: SyncOptions = {
    source,
    as: "app",
    exclude: [],
    excludeFrom: undefined,
    useChecksums: true,
    followSymlinks: false,
    delete: true,
    maxParallelTransfers: 5,
    cacheFolder: join(folder, "cache"),
    signal: AbortSignal.timeout(300_000),
  };
  return {
    folder,
    source,
    root,
    there: join(root, "app"),
    transport,
    target,
    options,
    write: (files) => writeFiles(source, files),
    async sync(more = {}) {
      const [result] = await syncFolders([target], { ...options, ...more });
      if (result?.ok) return result.report;
      throw result?.error ?? new Error("no result");
    },
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      temp[Symbol.dispose]();
    },
  };
}

export function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | undefined>>,
): void {
  for (const [path, text] of Object.entries(files)) {
    const full = join(folder, path);
    if (text === undefined) Deno.removeSync(full, { recursive: true });
    else {
      Deno.mkdirSync(dirname(full), { recursive: true });
      Deno.writeTextFileSync(full, text);
    }
  }
}

/** Every path below `folder` with what it is: `file x <text>`, `link <target>` or `folder`. */
export function readTree(folder: string, prefix = ""): Record<string, string> {
  const tree: Record<string, string> = {};
  const entries = [...Deno.readDirSync(join(folder, prefix))];
  for (const entry of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    const path = prefix + entry.name;
    const full = join(folder, path);
    if (entry.isSymlink) tree[path] = `link ${Deno.readLinkSync(full)}`;
    else if (entry.isDirectory) {
      tree[path] = "folder";
      Object.assign(tree, readTree(folder, `${path}/`));
    } else if (entry.isFile) {
      const isProgram = ((Deno.statSync(full).mode ?? 0) & 0o100) !== 0;
      tree[path] = `file${isProgram ? " x" : ""} ${Deno.readTextFileSync(full)}`;
    }
  }
  return tree;
}
