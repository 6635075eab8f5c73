/** On the node: tells home what is new in the journals and the files of the runs there. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { pythonJson } from "../../core/exact_json.ts";
import type { Event } from "../../engine/event.ts";
import { openGround } from "../../store/ground.ts";
import { openStore } from "../../store/open.ts";
import type { Store } from "../../store/store.ts";
import type { CliContext } from "../context.ts";
import { FED, type FeedRequest, type Known } from "./request.ts";

const POLL_MS = 250;
/** So that nobody takes silence for a lost link. */
const BUSY_MS = 5000;
const CHUNK_BYTES = 256 * 1024;
/** What a runner may still write once its run is over. */
const AFTER_MS = 10_000;

/**
 * Frames are a line each: `clock MS` first of all where it was asked for, `event RUN SEQ BYTES` and JSON, `file RUN OFFSET BYTES NAME` and bytes,
 * `runner RUN alive|gone`, `busy`, and `told` where all that there is now was told.
 */
export async function feedHome(
  { known, follow, tellsClock }: FeedRequest,
  context: CliContext,
): Promise<void> {
  const project = context.cwd;
  using store = openStore(openGround(project));
  const feed = new Feed({ store, project, context, known });
  if (tellsClock) context.stdout(`clock ${systemClock.now()}\n`);
  let lastAt = systemClock.monotonic();
  const left = follow ? hasLeft() : undefined;
  for (;;) {
    const isOver = feed.tell();
    if (feed.hasTold || !follow) {
      context.stdout("told\n");
      lastAt = systemClock.monotonic();
    } else if (systemClock.monotonic() - lastAt > BUSY_MS) {
      context.stdout("busy\n");
      lastAt = systemClock.monotonic();
    }
    if (!follow || isOver || left?.aborted) return;
    await systemClock.sleep(POLL_MS);
  }
}

/** Whoever asked is gone once there is nothing more to read. */
function hasLeft(): AbortSignal {
  const left = new AbortController();
  void (async () => {
    const byte = new Uint8Array(1);
    try {
      while (await Deno.stdin.read(byte) !== null);
    } finally {
      left.abort();
    }
  })();
  return left.signal;
}

interface FeedOptions {
  readonly store: Store;
  readonly project: string;
  readonly context: CliContext;
  readonly known: Readonly<Record<string, Known>>;
}

class Feed {
  readonly #options: FeedOptions;
  readonly #told = new Map<string, { seq: number; readonly files: Map<string, number> }>();
  /** Runs whose end was seen, and when. */
  readonly #over = new Map<string, number>();
  readonly #runners = new Map<string, boolean>();
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** Whether the last look found anything. */
  hasTold = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    for (const [run, { seq, files }] of Object.entries(options.known)) {
      this.#told.set(run, { seq, files: new Map(Object.entries(files)) });
    }
  }

  /** Whether nothing more will come. */
  tell(): boolean {
    this.hasTold = false;
    const { store } = this.#options;
    // The eldest first: others went on from it.
    const runs = store.runs().toReversed();
    return runs.map(({ run }) => this.#tellRun(run)).every((isOver) => isOver);
  }

  #tellRun(run: string): boolean {
    const { store } = this.#options;
    // Asked first: what it wrote last is there once it has left.
    const isAlive = store.isAlive(run);
    const told = this.#told.get(run) ?? { seq: 0, files: new Map<string, number>() };
    this.#told.set(run, told);
    const events = [...store.eventsSince(run, told.seq)];
    // Nobody at home knows of a run before its first event, and nothing is taken for one.
    if (told.seq === 0 && events.length > 0) this.#tellEvents(run, told, events.splice(0, 1));
    // What was printed is there before the event that ends an attempt.
    if (told.seq > 0) this.#tellFiles(run, told.files);
    this.#tellEvents(run, told, events);
    const isDone = store.row(run)?.finishedAt !== undefined;
    if (isDone && !this.#over.has(run)) this.#over.set(run, systemClock.monotonic());
    const since = this.#over.get(run);
    const isOver = !isAlive ||
      (since !== undefined && systemClock.monotonic() - since > AFTER_MS);
    if (this.#runners.get(run) !== !isOver) {
      this.#runners.set(run, !isOver);
      this.#say(`runner ${run} ${isOver ? "gone" : "alive"}`);
    }
    return isOver;
  }

  #tellEvents(
    run: string,
    told: { seq: number },
    events: readonly { readonly seq: number; readonly event: Event }[],
  ): void {
    for (const { seq, event } of events) {
      const bytes = new TextEncoder().encode(pythonJson(event));
      this.#say(`event ${run} ${seq} ${bytes.length}`, bytes);
      told.seq = seq;
    }
  }

  #tellFiles(run: string, told: Map<string, number>): void {
    const folder = join(this.#options.project, ".grid", "runs", run);
    for (const name of filesIn(folder)) {
      let at = told.get(name) ?? 0;
      const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
      if (size <= at) continue;
      const file = openSync(join(folder, name), "r");
      try {
        while (at < size) {
          const count = readSync(file, this.#chunk, 0, CHUNK_BYTES, at);
          if (count === 0) break;
          this.#say(`file ${run} ${at} ${count} ${name}`, this.#chunk.subarray(0, count));
          at += count;
        }
      } finally {
        closeSync(file);
      }
      told.set(name, at);
    }
  }

  #say(line: string, bytes?: Uint8Array): void {
    const { context } = this.#options;
    this.hasTold = true;
    context.stdout(`${line}\n`);
    if (bytes !== undefined) context.stdout(bytes);
  }
}

function filesIn(folder: string): string[] {
  const inside = (name: string) => {
    try {
      return readdirSync(join(folder, name), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => name === "" ? entry.name : `${name}/${entry.name}`);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    }
  };
  return ["", "logs", "results"].flatMap(inside).filter((name) => FED.test(name));
}
