/** Code to nodes and results back, over any transport. */
import type { Transport } from "../transport/transport.ts";
import type { Entry } from "./entry.ts";
import type { TreeRef, TreeRun } from "./tree.ts";

export interface SyncTarget {
  readonly node: string;
  readonly transport: Transport;
  /** Absolute `remote_root` on the node. */
  readonly root: string;
}

export interface SyncOptions {
  /** Absolute folder on this machine, or a single file. */
  readonly source: string;
  /** Of the folder only this name; set where the source is a single file. */
  readonly only?: string | undefined;
  /** Folder name below each target's root. */
  readonly as: string;
  /** Patterns in gitignore syntax; `.grid/` is always excluded. */
  readonly exclude: readonly string[];
  /** Absolute path of an extra ignore file. Nested `.gitignore` files are always honoured. */
  readonly excludeFrom: string | undefined;
  /** Of `exclude`, what is not in the cluster config: whoever syncs by hand has to say it. */
  readonly ownExclude?: readonly string[];
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  readonly delete: boolean;
  /** Deletes even where more than half of the files on a node would go. */
  readonly allowLargeDelete?: boolean;
  /** Default: `backup`. */
  readonly onDrift?: OnDrift | undefined;
  /** Hears every ten seconds how far a node is. */
  readonly progress?: ((progress: SyncProgress) => void) | undefined;
  /** Hears before anything is touched what of others is in the way. */
  readonly tell?: ((message: string) => void) | undefined;
  readonly maxParallelTransfers: number;
  /** Patterns below the source of what is fetched into it; that does not count in the digest. */
  readonly fetchTargets?: readonly string[];
  /** The run that the code is for. Absent: the plain folder is used, and nobody is told whose it is. */
  readonly tree?: SyncTree | undefined;
  /** Folder for the hash cache, for example `<project>/.grid/cache`. */
  readonly cacheFolder: string;
  /** From how many things on a source is known again by what the file system says of it; default 500. */
  readonly worthKnowing?: number | undefined;
  /** Hears of what was just done, on whichever node; for whoever looks where the time goes. */
  readonly phase?: ((name: string) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Of what is on its way to or from one node. */
export interface SyncProgress {
  readonly node: string;
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
  /** Bytes in a second, since the last time. */
  readonly rate: number;
}

export interface AskedTree {
  readonly target: SyncTarget;
  /** Folder name as asked for. */
  readonly as: string;
}

export interface HeldTree extends AskedTree {
  /** Of the tree's place. */
  readonly key: string;
  /** Of the manifest there; "?" while it is open what that will be. */
  readonly digest: string;
}

export interface SyncTree {
  readonly run: TreeRun;
  /** Pins what was brought until the run is over. */
  readonly keeper: { ask(tree: AskedTree): void; hold(tree: HeldTree): void };
  /** Patterns below the folder of what the run's steps may write over. */
  readonly writes: readonly string[];
  /** Hears what of a source a node holds now. */
  readonly brought?: (source: string, entries: readonly Entry[]) => void;
  /** Hears, before anything is touched, what the user should know. */
  readonly tell: (message: string) => void;
}

/**
 * What becomes of files on a node that Grid did not write, or that changed there, where something else
 * is to take their place: the sync fails, they stay, or they are moved aside.
 */
export type OnDrift = "fail" | "keep" | "backup";

export interface SyncReport {
  readonly node: string;
  /** Absolute folder on the node. */
  readonly folder: string;
  readonly sent: number;
  readonly deleted: number;
  readonly total: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Of what the folder now holds: paths and contents, no times. */
  readonly digest: string;
  /** How a later step proves that the folder holds just this. */
  readonly tree?: TreeRef;
  /** Files that somebody changed on the node since the last sync, and that were put right. */
  readonly drifted: readonly string[];
  /** Things not synced (sockets, devices, links that leave the root), with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** One target's result; a node that fails does not stop the others. */
export type SyncResult =
  | { readonly ok: true; readonly report: SyncReport }
  | { readonly ok: false; readonly node: string; readonly error: unknown };

/** The digest that a sync would report for a node that has nothing. */
export type DigestSource = (options: SyncOptions) => Promise<string>;

/** Walks and hashes once, then brings every target up to date. */
export type SyncFolders = (
  targets: readonly SyncTarget[],
  options: SyncOptions,
) => Promise<readonly SyncResult[]>;

export interface FetchOptions {
  readonly transport: Transport;
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Paths or globs below it. */
  readonly from: readonly string[];
  /** Absolute folder on this machine. */
  readonly to: string;
  /** Absolute folder for what a fetch that breaks off leaves to the next try; absent: nothing is left. */
  readonly keptFolder?: string | undefined;
  /** Hears every ten seconds how far it is. */
  readonly progress?: ((progress: SyncProgress) => void) | undefined;
  /** Hears what is about to be brought, before anything is written; throws where it may not be. */
  readonly accept?: ((paths: readonly string[]) => void) | undefined;
  readonly signal: AbortSignal;
}

export interface FetchReport {
  /** Paths below `to`, sorted. */
  readonly files: readonly string[];
  readonly bytes: number;
  /** Whether the node could say by SHA-256 what it has, so that what arrived could be compared. */
  readonly isVerified: boolean;
  /** Things that were not brought, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Of what each pattern found, the file that was written last; its age by the clock of the node. */
  readonly newest: readonly {
    readonly pattern: string;
    readonly path: string;
    readonly ageMs: number;
  }[];
}

/** What a fetch would bring. */
export interface FetchExplanation {
  readonly node: string;
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Absolute folder on this machine. */
  readonly to: string;
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    /** With the same content, so that it need not travel. */
    readonly isHere: boolean;
  }[];
  readonly folders: readonly string[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** @throws {GridError} `sync` naming every path that matched nothing */
export type FetchFiles = (options: FetchOptions) => Promise<FetchReport>;
