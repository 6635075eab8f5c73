/** Events about files: brought to nodes, and home. */
import type { Timestamp } from "./timestamp.ts";

/** A folder was brought to a node. */
export interface SyncFinished {
  /** What this event is. */
  readonly type: "sync.finished";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Name of the node. */
  readonly node: string;
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Files sent, deleted there, and in the source altogether. */
  readonly sent: number;
  /** Files removed there. */
  readonly deleted: number;
  /** All there are. */
  readonly total: number;
  /** Bytes that crossed the wire. */
  readonly bytes: number;
  /** How long it took. */
  readonly durationMs: number;
  /** Of what the folder then held: paths and contents, no times. Older journals have none. */
  readonly digest?: string;
  /** How later steps prove that the folder still holds just this; this machine's own has none. */
  readonly tree?: SyncedTree;
  /** The commit of the source's git repository. */
  readonly commit?: string;
  /** Tracked files of the source were not all as in that commit. */
  readonly changed?: boolean;
}

/** A run's code on one node. */
export interface SyncedTree {
  /** Absolute `remote_root`. */
  readonly root: string;
  /** Names what the node remembers about the folder. */
  readonly key: string;
  /** Absolute. */
  readonly folder: string;
  /** Digest of the list of all that lies there. */
  readonly digest: string;
  /** Files, links and folders in that list. */
  readonly entries: number;
  /** Patterns below the folder of what steps of the run may write over. */
  readonly writes: readonly string[];
}

/** Files were brought home. */
export interface FetchFinished {
  /** What this event is. */
  readonly type: "fetch.finished";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Name of the node. */
  readonly node: string;
  /** Absolute folder on this machine. */
  readonly folder: string;
  /** Paths below the folder. */
  readonly files: readonly string[];
  /** Bytes that crossed the wire. */
  readonly bytes: number;
}

/** A data set is on a node, whole and proved. */
export interface DataFinished {
  /** What this event is. */
  readonly type: "data.finished";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Name of the node. */
  readonly node: string;
  /** What commands know it by. */
  readonly name: string;
  /** Absolute, on the node: a folder, or a file. */
  readonly path: string;
  /** SHA-256 of the list of all that it holds. */
  readonly digest: string;
  /** All there are in it. */
  readonly files: number;
  /** Of all of them. */
  readonly bytes: number;
  /** Bytes of content that this machine sent. */
  readonly sent: number;
  /** The node that it came from, where it did not come from here. */
  readonly from?: string;
  /** It was there before. */
  readonly wasThere: boolean;
}

/** Code is on its way to a node, told every ten seconds. */
export interface SyncProgressed {
  /** What this event is. */
  readonly type: "sync.progressed";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Name of the node. */
  readonly node: string;
  /** Files that are through: of a sync those that have left this machine, of a fetch those that are here. */
  readonly files: number;
  /** Files that are to travel. */
  readonly totalFiles: number;
  /** Bytes of them that have left. */
  readonly bytes: number;
  /** All there are. */
  readonly totalBytes: number;
  /** Bytes in a second, over the last ones. */
  readonly rate: number;
}
