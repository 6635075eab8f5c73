/** The app over a store in a folder of its own, asked without a network. */
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { GridError } from "../../src/core/errors.ts";
import type { Event } from "../../src/engine/event.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { createApp, type WebApp } from "../../src/web/app.ts";
import { OWN_NAMES } from "../../src/web/server.ts";
import type { NodesView, SchedulesView, WebSources } from "../../src/web/sources.ts";
import { tempDir } from "./temp_dir.ts";

export const TOKEN = "letmein";

export interface WebRig extends Disposable {
  readonly folder: string;
  /** As another process has it. */
  readonly writer: Store;
  readonly app: WebApp;
  /** What was asked of the runners and nodes, in words. */
  readonly asked: string[];
  nodes: NodesView;
  schedules: SchedulesView;
  append(events: readonly Event[]): void;
  log(run: string, name: string, text: string): void;
  ask(path: string, init?: RequestInit & { readonly bare?: boolean }): Promise<Response>;
  text(path: string): Promise<string>;
  /** The form token of a page, for a POST. */
  post(path: string, headers?: Record<string, string>): Promise<Response>;
}

/** Rig with a run whose id the events name. */
export function webRig({ isPublic = false }: { readonly isPublic?: boolean } = {}): WebRig {
  const dir = tempDir();
  const path = join(dir.path, "grid.db");
  const [store, writer] = [openStore(path), openStore(path)];
  const asked: string[] = [];
  const rig = {
    nodes: { nodes: [], queue: [] } as NodesView,
    schedules: { rows: [], problems: [], isServing: false } as SchedulesView,
  };
  const sources: WebSources = {
    project: "/home/ada/<project>",
    store,
    clock: systemClock,
    account: "ada",
    folder: (run) => join(dir.path, "runs", run),
    nodes: () => Promise.resolve(rig.nodes),
    schedules: () => rig.schedules,
    lookAtNodes: () => Promise.resolve(void asked.push("look")),
    metrics: () => Promise.resolve("# HELP up x\nup 1\n"),
    completeReport: ({ run }) => Promise.resolve(void asked.push(`report ${run}`)),
    resume: (run) => {
      asked.push(`resume ${run}`);
      if (run.endsWith("bad")) {
        return Promise.reject(new GridError({ code: "conflict", message: "Cannot resume: <no>" }));
      }
      return Promise.resolve(run);
    },
  };
  const app = createApp(sources, { token: TOKEN, names: OWN_NAMES, isPublic });
  const ask: WebRig["ask"] = async (path, { bare = false, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("host")) headers.set("host", "127.0.0.1:8090");
    if (!bare) headers.set("cookie", `other=1; grid_8090=${TOKEN}`);
    return await app.fetch(new Request(`http://127.0.0.1:8090${path}`, { ...init, headers }));
  };
  const text = async (path: string) => await (await ask(path)).text();
  return Object.assign(rig, {
    folder: dir.path,
    writer,
    app,
    asked,
    append: (events: readonly Event[]) => {
      const [started] = events;
      const run = started?.type === "run.started" ? started.run : "";
      writer.append(run, events);
    },
    log: (run: string, name: string, text: string) => {
      const logs = join(dir.path, "runs", run, "logs");
      Deno.mkdirSync(logs, { recursive: true });
      Deno.writeTextFileSync(join(logs, name), text, { append: true });
    },
    ask,
    text,
    post: async (path: string, headers: Record<string, string> = {}) => {
      const form = /name="form" value="([^"]+)"/.exec(await text("/nodes"))?.[1] ?? "";
      const body = new URLSearchParams({ form }).toString();
      return await ask(path, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          "content-length": String(body.length),
          origin: "http://127.0.0.1:8090",
          ...headers,
        },
      });
    },
    [Symbol.dispose]: () => {
      app[Symbol.dispose]();
      store[Symbol.dispose]();
      writer[Symbol.dispose]();
      dir[Symbol.dispose]();
    },
  });
}

export interface SentEvent {
  readonly event: string;
  readonly id: string | undefined;
  // deno-lint-ignore no-explicit-any -- tests know what they expect
  readonly data: any;
}

/** What a stream of events sends, one by one; gone at the end of the block. */
export class SentEvents implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    if (response.body === null) throw new Error("a stream without a body");
    this.#reader = response.body.getReader();
  }

  /** Undefined once the stream has ended. */
  async next(): Promise<SentEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split("\n");
        this.#text = this.#text.slice(end + 2);
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const [event, data] = [field("event"), field("data")];
        if (event !== undefined) {
          return { event, id: field("id"), data: JSON.parse(data ?? "null") };
        }
        continue;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The first that is so. */
  async find(wanted: (event: SentEvent) => boolean): Promise<SentEvent> {
    for (let event = await this.next(); event !== undefined; event = await this.next()) {
      if (wanted(event)) return event;
    }
    throw new Error("the stream ended before");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
