import { join } from "node:path";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";
import type { OutputChunk } from "../engine/reader.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { thrownWords } from "../core/refusal.ts";
import type { LogNames } from "./log_names.ts";
import { LogTimes } from "./log_times.ts";

export interface LogFilesOptions {
  /** Absolute; made where it is missing. */
  readonly folder: string;
  /** From when on nothing more is kept. */
  readonly isFull?: () => boolean;
  /** Told once per file that cannot be written. */
  readonly warn: (message: string) => void;
  /** Default: this machine's. */
  readonly clock?: Pick<Clock, "now"> | undefined;
}

/** Bytes of a log that is kept in memory beside its file, and of all of them. */
const MOST_OF_ONE = 4 * 1024;
const MOST_OF_ALL = 512 * 1024;

interface LogFile {
  readonly path: string;
  readonly name: string;
  /** Bytes in it. */
  size: number;
  /** Undefined once it could not be written. */
  file: Deno.FsFile | undefined;
}

/**
 * One file per attempt. Writes are synchronous: into the system's cache they take a tenth of what
 * handing them to another thread does, and a command that prints faster than the disk has to wait.
 */
export class LogFiles implements Disposable {
  readonly #options: LogFilesOptions;
  readonly #open = new Map<string, LogFile>();
  /** What each attempt printed, as long as that is little; a thousand files need not be read again. */
  readonly #written = new Map<string, Uint8Array | undefined>();
  #kept = 0;
  /** Bytes of each attempt that are in no file. */
  readonly #unkept = new Map<string, number>();
  readonly #times: LogTimes;
  #names: LogNames | undefined;

  constructor(options: LogFilesOptions) {
    this.#options = options;
    this.#times = new LogTimes({ folder: options.folder, clock: options.clock ?? systemClock });
  }

  setNames(names: LogNames): void {
    this.#names = names;
  }

  /** Whether the attempt printed anything; one that did not has no file. */
  has(step: string, attempt: number): boolean {
    return this.#written.has(keyOf(step, attempt));
  }

  /** The whole log of an attempt; undefined where only its file has it. */
  kept(step: string, attempt: number): Uint8Array | undefined {
    return this.#written.get(keyOf(step, attempt));
  }

  /** Bytes that the attempt printed and that are in no file. */
  unkept(step: string, attempt: number): number {
    return this.#unkept.get(keyOf(step, attempt)) ?? 0;
  }

  write({ step, attempt, bytes }: OutputChunk): void {
    if (bytes.length === 0) return;
    const log = this.#options.isFull?.() ? undefined : this.#fileOf(step, attempt);
    if (!log?.file) return this.#lose({ step, attempt }, bytes.length);
    let at = 0;
    try {
      this.#times.note(log.name, log.size);
      while (at < bytes.length) at += log.file.writeSync(bytes.subarray(at));
      log.size += bytes.length;
      this.#keep(keyOf(step, attempt), bytes);
    } catch (error) {
      this.#written.set(keyOf(step, attempt), undefined);
      this.#lose({ step, attempt }, bytes.length - at);
      closeFile(log);
      this.#warn(log.path, error);
    }
  }

  #lose({ step, attempt }: Pick<OutputChunk, "step" | "attempt">, bytes: number): void {
    this.#unkept.set(keyOf(step, attempt), this.unkept(step, attempt) + bytes);
  }

  #keep(key: string, bytes: Uint8Array): void {
    const before = this.#written.get(key);
    if (before === undefined) return;
    const length = before.length + bytes.length;
    const fits = length <= MOST_OF_ONE && this.#kept + bytes.length <= MOST_OF_ALL;
    this.#kept += fits ? bytes.length : -before.length;
    if (!fits) return void this.#written.set(key, undefined);
    const all = new Uint8Array(length);
    all.set(before);
    all.set(bytes, before.length);
    this.#written.set(key, all);
  }

  /** The attempt is over: no more output is expected. */
  finish(step: string, attempt: number): void {
    const key = keyOf(step, attempt);
    const log = this.#open.get(key);
    if (log) {
      closeFile(log);
      this.#times.forget(log.name);
    }
    this.#open.delete(key);
  }

  [Symbol.dispose](): void {
    for (const log of this.#open.values()) closeFile(log);
    this.#open.clear();
    this.#times[Symbol.dispose]();
  }

  #fileOf(step: string, attempt: number): LogFile {
    const key = keyOf(step, attempt);
    const known = this.#open.get(key);
    if (known) return known;
    const name = this.#names?.(step, attempt) ?? `${attempt}.log`;
    const path = join(this.#options.folder, name);
    const log: LogFile = { path, name, size: 0, file: this.#openFile(path) };
    this.#open.set(key, log);
    // What is opened again, as for a service, has more than what comes now.
    const isWhole = log.file !== undefined && !this.#written.has(key);
    this.#written.set(key, isWhole ? new Uint8Array() : undefined);
    return log;
  }

  #openFile(path: string): Deno.FsFile | undefined {
    try {
      if (this.#written.size === 0) {
        Deno.mkdirSync(this.#options.folder, { recursive: true, mode: PRIVATE_FOLDER });
      }
      return Deno.openSync(path, { create: true, append: true, mode: PRIVATE_FILE });
    } catch (error) {
      this.#warn(path, error);
      return undefined;
    }
  }

  #warn(path: string, error: unknown): void {
    const why = thrownWords(error);
    this.#options.warn(`Cannot write log "${path}": ${why}; the rest of this output is not kept`);
  }
}

function closeFile(log: LogFile): void {
  log.file?.close();
  log.file = undefined;
}

function keyOf(step: string, attempt: number): string {
  return `${step}\n${attempt}`;
}
