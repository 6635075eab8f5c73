import { join } from "node:path";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";
import type { OutputChunk } from "../engine/reader.ts";
import type { LogNames } from "./log_names.ts";

export interface LogFilesOptions {
  /** Absolute; made where it is missing. */
  readonly folder: string;
  /** From when on nothing more is kept. */
  readonly isFull?: () => boolean;
  /** Told once per file that cannot be written. */
  readonly warn: (message: string) => void;
}

interface LogFile {
  readonly path: string;
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
  readonly #written = new Set<string>();
  #names: LogNames | undefined;

  constructor(options: LogFilesOptions) {
    this.#options = options;
  }

  setNames(names: LogNames): void {
    this.#names = names;
  }

  /** Whether the attempt printed anything; one that did not has no file. */
  has(step: string, attempt: number): boolean {
    return this.#written.has(keyOf(step, attempt));
  }

  write({ step, attempt, bytes }: OutputChunk): void {
    if (bytes.length === 0 || this.#options.isFull?.()) return;
    const log = this.#fileOf(step, attempt);
    if (!log.file) return;
    try {
      for (let at = 0; at < bytes.length;) at += log.file.writeSync(bytes.subarray(at));
    } catch (error) {
      closeFile(log);
      this.#warn(log.path, error);
    }
  }

  /** The attempt is over: no more output is expected. */
  finish(step: string, attempt: number): void {
    const key = keyOf(step, attempt);
    const log = this.#open.get(key);
    if (log) closeFile(log);
    this.#open.delete(key);
  }

  [Symbol.dispose](): void {
    for (const log of this.#open.values()) closeFile(log);
    this.#open.clear();
  }

  #fileOf(step: string, attempt: number): LogFile {
    const key = keyOf(step, attempt);
    const known = this.#open.get(key);
    if (known) return known;
    const name = this.#names?.(step, attempt) ?? `${attempt}.log`;
    const path = join(this.#options.folder, name);
    const log: LogFile = { path, file: this.#openFile(path) };
    this.#open.set(key, log);
    this.#written.add(key);
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
    const why = error instanceof Error ? error.message : String(error);
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
