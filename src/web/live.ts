/** One look at the store for all who watch: what is other than before goes to those whom it concerns. */
import { type Clock, monotonic } from "../core/clock.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import { eventBytes, EventStream } from "./event_stream.ts";

/** A person does not notice a quarter of a second. */
const LOOK_MS = 250;
const BEAT_MS = 15_000;
/** Browsers that watch at the same time. */
const MOST_STREAMS = 64;

/** Id of an element → its HTML. */
export type Parts = ReadonlyMap<string, string>;

export interface Shown {
  readonly parts: Parts;
  /** Nothing more will come. */
  readonly isOver: boolean;
}

export interface Look {
  /** Whether another process has written to the store since the look before. */
  readonly isChanged: boolean;
  /** Milliseconds since the topic was last made. */
  readonly ageMs: number;
}

/** Undefined: as before. */
export type Topic = (look: Look) => Shown | undefined | Promise<Shown | undefined>;

/** Called at every look, for what only one browser is shown. */
export type Watch = (stream: EventStream) => void | Promise<void>;

interface Channel {
  readonly topic: Topic;
  readonly streams: Set<EventStream>;
  shown: Shown | undefined;
  madeAt: number;
}

export class Live implements Disposable {
  readonly #store: Store;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #channels = new Map<string, Channel>();
  readonly #watches = new Map<EventStream, Watch>();
  #version: number | undefined;
  #isLooking = false;
  #beatAt = monotonic();
  readonly #end = new AbortController();

  constructor({ store, clock }: { readonly store: Store; readonly clock: Pick<Clock, "sleep"> }) {
    this.#store = store;
    this.#clock = clock;
  }

  get streams(): number {
    return this.#all().length;
  }

  /** Topics of one key are one and the same. @throws {GridError} `conflict` where too many watch */
  follow(key: string, topic: Topic): EventStream {
    this.#checkRoom();
    const known = this.#channels.get(key);
    const channel: Channel = known ??
      { topic, streams: new Set(), shown: undefined, madeAt: -Infinity };
    this.#channels.set(key, channel);
    const stream = new EventStream({
      onClose: () => {
        channel.streams.delete(stream);
        if (channel.streams.size === 0) this.#channels.delete(key);
      },
    });
    channel.streams.add(stream);
    // Others may have had news since this browser's page was made.
    if (channel.shown) stream.push(partsEvent(channel.shown.parts));
    this.#start();
    return stream;
  }

  /** @throws {GridError} `conflict` where too many watch */
  watch(watch: Watch): EventStream {
    this.#checkRoom();
    const stream = new EventStream({ onClose: () => this.#watches.delete(stream) });
    this.#watches.set(stream, watch);
    this.#start();
    return stream;
  }

  #checkRoom(): void {
    if (!this.#end.signal.aborted && this.streams < MOST_STREAMS) return;
    throw new GridError({
      code: "conflict",
      message: `Cannot follow this: ${MOST_STREAMS} pages are being followed already`,
      hint: "close some of them",
    });
  }

  #start(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.#loop();
  }

  /** Goes on as long as anybody watches. */
  async #loop(): Promise<void> {
    const { signal } = this.#end;
    while (this.streams > 0 && !signal.aborted) {
      await this.#lookOnce();
      await this.#clock.sleep(LOOK_MS, { signal }).catch(() => {});
    }
    this.#isLooking = false;
  }

  async #lookOnce(): Promise<void> {
    try {
      this.#store.checkPlace();
      const version = this.#store.dataVersion();
      const isChanged = version !== this.#version;
      this.#version = version;
      for (const channel of [...this.#channels.values()]) await this.#update(channel, isChanged);
      for (const [stream, watch] of [...this.#watches]) await callWatch(watch, stream);
    } catch (thrown) {
      // The store cannot be read at all.
      for (const stream of this.#all()) fail(stream, thrown);
    }
    if (monotonic() - this.#beatAt < BEAT_MS) return;
    this.#beatAt = monotonic();
    for (const stream of this.#all()) stream.beat();
  }

  #all(): readonly EventStream[] {
    const followed = [...this.#channels.values()].flatMap(({ streams }) => [...streams]);
    return [...followed, ...this.#watches.keys()];
  }

  async #update(channel: Channel, isChanged: boolean): Promise<void> {
    try {
      const { shown: before, topic, madeAt } = channel;
      const shown = await topic({
        isChanged: isChanged || before === undefined,
        ageMs: monotonic() - madeAt,
      });
      if (shown === undefined) return;
      channel.madeAt = monotonic();
      channel.shown = shown;
      const news = new Map([...shown.parts].filter(([id, html]) => before?.parts.get(id) !== html));
      const event = news.size > 0 ? partsEvent(news) : undefined;
      for (const stream of [...channel.streams]) {
        if (event !== undefined) stream.push(event);
        if (!shown.isOver) continue;
        stream.send("over", {});
        stream.close();
      }
    } catch (thrown) {
      for (const stream of [...channel.streams]) fail(stream, thrown);
    }
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    for (const stream of this.#all()) stream.close();
  }
}

async function callWatch(watch: Watch, stream: EventStream): Promise<void> {
  try {
    await watch(stream);
  } catch (thrown) {
    fail(stream, thrown);
  }
}

function partsEvent(parts: Parts): Uint8Array {
  return eventBytes("parts", Object.fromEntries(parts));
}

function fail(stream: EventStream, thrown: unknown): void {
  stream.send("problem", { message: toGridError(thrown).message });
  stream.close();
}
