/** Signals to jobs of one node, together: one look at the node's processes serves all that wait. */
import { jobCall, jobLibrary } from "./job_script.ts";
import type { Transport } from "../transport.ts";

export interface SignalOptions {
  readonly signal: "TERM" | "KILL";
  /** Processes that got the polite signal before, by number and start. */
  readonly seen: ReadonlySet<string>;
}

/** A process by `<pid>:<start>`, for a number may go to another one; and its name. */
export type Found = ReadonlyMap<string, string>;

interface Request extends SignalOptions {
  readonly id: string;
  resolve(found: Found): void;
  reject(reason: unknown): void;
}

const known = new WeakMap<Transport, Map<string, NodeSignals>>();

/** The one sender for this node and the jobs below this folder. */
export function nodeSignals(transport: Transport, root: string): NodeSignals {
  const roots = known.get(transport) ?? new Map<string, NodeSignals>();
  known.set(transport, roots);
  const signals = roots.get(root) ?? new NodeSignals(transport, root);
  roots.set(root, signals);
  return signals;
}

export class NodeSignals {
  readonly #transport: Transport;
  readonly #root: string;
  #waiting: Request[] = [];
  #isSending = false;

  constructor(transport: Transport, root: string) {
    this.#transport = transport;
    this.#root = root;
  }

  /** Signals every process of the job and returns those that it found. @throws a transport code */
  send(id: string, options: SignalOptions): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    this.#waiting.push({ id, ...options, resolve, reject });
    if (!this.#isSending) void this.#sendAll();
    return promise;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    // Whoever is told to end in this turn of the event loop comes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#sendNow(this.#waiting.splice(0));
    this.#isSending = false;
  }

  async #sendNow(requests: readonly Request[]): Promise<void> {
    const words = requests.flatMap(({ id, signal, seen }) => [id, signal, seen.size, ...seen]);
    try {
      const { stdout } = await this.#transport.exec(
        jobCall("grid_signal", [this.#root, ...words]),
        {
          encoding: "latin1",
          library: jobLibrary(),
        },
      );
      const found = parseFound(stdout);
      for (const { id, resolve } of requests) resolve(found.get(id) ?? new Map());
    } catch (error) {
      for (const { reject } of requests) reject(error);
    }
  }
}

function parseFound(text: string): ReadonlyMap<string, Found> {
  const all = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [first = "", second = "", ...name] = line.split(" ");
    if (first === "=") all.set(second, current = new Map());
    else if (first !== "") current.set(first, name.join(" "));
  }
  return all;
}
