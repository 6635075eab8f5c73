/** What a run's syncs brought, file by file: steps work with that, whatever became of the source since. */
import { join, normalize, relative } from "node:path";
import { nodeCrypto, nodeFs } from "../core/node_builtins.ts";
import type { Entry } from "../sync/entry.ts";
import { FileSums } from "./file_sums.ts";
import { findFiles, meantOf } from "./project_files.ts";

export class SyncedFiles {
  /** Source folder → path below it → SHA-256 in hex. The last sync comes last. */
  readonly #sources = new Map<string, ReadonlyMap<string, string>>();
  /** Paths of all files, below whatever source. */
  readonly #brought = new Set<string>();
  readonly #sums: FileSums;

  constructor(sums: FileSums = new FileSums()) {
    this.#sums = sums;
  }

  add(source: string, entries: readonly Entry[]): void {
    const contents = entries.flatMap(({ path, type, content }): [string, string][] =>
      type === "file" && content.startsWith("sha256:") ? [[path, content.slice(7)]] : []
    );
    for (const { path, type } of entries) if (type === "file") this.#brought.add(path);
    this.#sources.delete(source);
    this.#sources.set(source, new Map(contents));
  }

  /** Absolute folders. */
  get sources(): readonly string[] {
    return [...this.#sources.keys()];
  }

  /** Whether a file of that path, relative to some folder, came with a sync. */
  mayHaveBrought(path: string): boolean {
    const wanted = normalize(path);
    return this.#brought.has(wanted) ||
      [...this.#brought].some((each) => each.endsWith(`/${wanted}`) || wanted.endsWith(`/${each}`));
  }

  /**
   * One SHA-256 over the names and contents of the files that match; patterns are globs relative to
   * `project`. What was synced counts as it was then; the rest as it is now. Nothing gives "".
   *
   * @throws {GridError} `step-failed` for what is no glob, and for a file that cannot be read
   */
  hash(patterns: readonly string[], project: string): string {
    const names = new Set([
      ...findFiles(patterns, project),
      ...meantOf(patterns, this.#namesBelow(project)),
    ]);
    if (names.size === 0) return "";
    const unsynced = [...names].filter((name) =>
      this.#contentOf(name, project).content === undefined
    );
    this.#sums.announce(unsynced.map((name) => join(project, name)));
    const hash = nodeCrypto().createHash("sha256");
    for (const name of [...names].toSorted()) {
      hash.update(`${name}\0${this.#stateOf(name, project)}\0`);
    }
    return hash.digest("hex");
  }

  #stateOf(name: string, project: string): string {
    const { content, isBelow } = this.#contentOf(name, project);
    if (content !== undefined) return content;
    const path = join(project, name);
    if (!isFile(path)) return "gone";
    const sum = this.#sums.of(path);
    // Made since, or left at home by a rule: not what one that travelled would be.
    return isBelow ? `at home ${sum}` : sum;
  }

  /** As it was synced, and whether it lies where something was. */
  #contentOf(name: string, project: string) {
    const path = join(project, name);
    let isBelow = false;
    for (const [source, contents] of [...this.#sources].toReversed()) {
      const below = relative(source, path);
      if (below.startsWith("../")) continue;
      isBelow = true;
      const content = contents.get(below);
      if (content !== undefined) return { content, isBelow };
    }
    return { content: undefined, isBelow };
  }

  #namesBelow(project: string): string[] {
    return [...this.#sources].flatMap(([source, contents]) => {
      const prefix = relative(project, source);
      return [...contents.keys()].map((path) => join(prefix, path));
    });
  }
}

function isFile(path: string): boolean {
  return nodeFs().statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
