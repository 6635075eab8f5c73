/** Journals and logs of runs on a node, brought home: what is told is checked, and never believed twice. */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { isRunId } from "../../core/ids.ts";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../../core/private_modes.ts";
import type { Event } from "../../engine/event.ts";
import type { NodeRunner } from "../../store/node_runners.ts";
import { readEvent } from "../../store/read_event.ts";
import type { Store } from "../../store/store.ts";
import type { Conversation } from "../../sync/conversation.ts";
import { aheadMs, homeTimed } from "./home_time.ts";
import { FED, type Known } from "./request.ts";

export interface MirrorOptions {
  readonly store: Store;
  /** Absolute folder of a run named by its full id. */
  readonly folder: (run: string) => string;
  /** Where the runs live; those that go on from one of them live there, too. */
  readonly place: Pick<NodeRunner, "node" | "folder" | "project">;
}

const MOST_FRAME = { bytes: 64 * 2 ** 20, what: "an event" };

export class Mirror {
  readonly #options: MirrorOptions;
  /** Ids of all that live there. */
  readonly #runs: Set<string>;
  /** How far the node's clock is, in milliseconds. */
  #aheadMs = 0;

  constructor(options: MirrorOptions) {
    this.#options = options;
    const { store, place } = options;
    this.#runs = new Set(
      store.nodeRunners.all().filter(({ node, folder }) =>
        node === place.node && folder === place.folder
      )
        .map(({ run }) => run),
    );
  }

  get runs(): ReadonlySet<string> {
    return this.#runs;
  }

  /** What is here already. */
  known(): Record<string, Known> {
    const { store, folder } = this.#options;
    return Object.fromEntries([...this.#runs].map((run) => {
      const seq = store.row(run) === undefined ? 0 : store.eventsSince(run, 0).at(-1)?.seq ?? 0;
      return [run, { seq, files: sizesIn(folder(run)) }];
    }));
  }

  /**
   * Takes all up to the next `told`; false where the node has no more to say, ever.
   *
   * @throws {GridError} `answer-invalid` for what no Grid says; a transport code
   */
  async take(talk: Conversation): Promise<boolean> {
    for (;;) {
      const line = await talk.line().catch((error) => {
        // It leaves once everything is over.
        if (error instanceof GridError && error.code === "shell" && this.#isOver()) {
          return undefined;
        }
        throw error;
      });
      if (line === undefined) return false;
      if (line === "told") return true;
      const [word, run = "", ...rest] = line.split(" ");
      if (word === "clock") {
        this.#aheadMs = aheadMs(this.#number(run), systemClock.now());
        continue;
      }
      if (!isRunId(run)) throw this.#invalid(line);
      if (word === "event") await this.#takeEvent(talk, run, rest);
      else if (word === "file") await this.#takeFile(talk, run, rest);
      else if (word === "runner" && /^(?:alive|gone)$/.test(rest[0] ?? "")) {
        this.#takeRunner(run, rest[0] === "alive");
      } else throw this.#invalid(line);
    }
  }

  async #takeEvent(talk: Conversation, run: string, [seq, size]: readonly string[]): Promise<void> {
    const bytes = await talk.bytes(this.#number(size), MOST_FRAME);
    const event = readEvent(new TextDecoder().decode(bytes));
    if (typeof event === "string") throw this.#invalid(`an event of ${run} that ${event}`);
    this.#admit(run, event);
    this.#options.store.copy(run, [{
      seq: this.#number(seq),
      event: homeTimed(event, this.#aheadMs),
    }]);
  }

  /** Nothing is taken for a run of this machine, or of another place. */
  #admit(run: string, event: Event): void {
    if (event.type === "run.started" && event.run !== run) throw this.#invalid(`run ${event.run}`);
    if (this.#runs.has(run)) return;
    const { store, place } = this.#options;
    const isFollower = event.type === "run.started" && this.#runs.has(event.resumes ?? "");
    if (!isFollower || store.row(run) !== undefined || store.nodeRunners.find(run) !== undefined) {
      throw this.#invalid(`run ${run}, which is not of there`);
    }
    this.#runs.add(run);
    store.nodeRunners.put({ ...place, run, isAlive: true, seenAt: systemClock.now() });
  }

  async #takeFile(
    talk: Conversation,
    run: string,
    [at, size, ...words]: readonly string[],
  ): Promise<void> {
    const start = this.#number(at);
    const bytes = await talk.bytes(this.#number(size), MOST_FRAME);
    const name = words.join(" ");
    if (!FED.test(name) || name.includes("/..") || name.endsWith("/.")) {
      throw this.#invalid(`a file ${name}`);
    }
    if (!this.#runs.has(run)) throw this.#invalid(`a file of ${run}, which is not of there`);
    const path = join(this.#options.folder(run), name);
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
    // At its place: whoever brings the same at the same time writes the same.
    const file = openSync(path, "a", PRIVATE_FILE);
    closeSync(file);
    const place = openSync(path, "r+");
    try {
      if (start > fstatSync(place).size) throw this.#invalid(`a file ${name} with a hole`);
      for (let done = 0; done < bytes.length;) {
        done += writeSync(place, bytes, done, bytes.length - done, start + done);
      }
    } finally {
      closeSync(place);
    }
  }

  #takeRunner(run: string, isAlive: boolean): void {
    const { store, place } = this.#options;
    if (!this.#runs.has(run)) return;
    store.nodeRunners.put({ ...place, run, isAlive, seenAt: systemClock.now() });
  }

  #number(text = ""): number {
    if (!/^\d{1,15}$/.test(text)) throw this.#invalid(`${text || "nothing"} for a number`);
    return Number(text);
  }

  #isOver(): boolean {
    return [...this.#runs].every((run) =>
      this.#options.store.nodeRunners.find(run)?.isAlive !== true
    );
  }

  #invalid(what: string): GridError {
    const { node } = this.#options.place;
    return new GridError({
      code: "answer-invalid",
      message: `Cannot bring home what runs on "${node}": it told of ${
        what.replaceAll(/\p{Cc}/gu, "?").slice(0, 200)
      }`,
      hint: "nothing of that was believed; see: grid doctor",
      node,
    });
  }
}

function sizesIn(folder: string): Record<string, number> {
  const names = ["", "logs/", "results/"].flatMap((below) => {
    try {
      return readdirSync(join(folder, below)).map((name) => `${below}${name}`);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    }
  });
  return Object.fromEntries(
    names.filter((name) => FED.test(name)).map((name) => [name, statSync(join(folder, name)).size]),
  );
}
