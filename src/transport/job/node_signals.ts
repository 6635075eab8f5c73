/** Signals to jobs of one node, together: one look at the node's processes serves all that wait. */
import { GridError } from "../../core/errors.ts";
import { jobCall, jobLibrary } from "./job_script.ts";
import type { Transport } from "../transport.ts";

export interface SignalOptions {
  readonly signal: "TERM" | "KILL";
  /** The node's time of the first polite signal, as a look told it; undefined before. */
  readonly since: string | undefined;
  /** Processes that were found before; see `Look.members`. */
  readonly seen: ReadonlySet<string>;
}

/** A look at the processes of one job. */
export interface Look {
  /** The node's time, in ticks of its own. */
  readonly at: string;
  /**
   * Names of processes by `<pid>:<start>`, for a number may go to another one; with `=` behind for a
   * helper of Grid's own.
   */
  readonly members: ReadonlyMap<string, string>;
}

interface Request extends SignalOptions {
  readonly id: string;
  resolve(look: Look): void;
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
  send(id: string, options: SignalOptions): Promise<Look> {
    const { promise, resolve, reject } = Promise.withResolvers<Look>();
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
    const words = requests.flatMap((
      { id, signal, since = "-", seen },
    ) => [id, signal, since, seen.size, ...seen]);
    try {
      const { stdout } = await this.#transport.exec(
        jobCall("grid_signal", [this.#root, ...words]),
        {
          encoding: "latin1",
          library: jobLibrary(),
        },
      );
      const looks = parseLooks(stdout);
      for (const { id, resolve, reject } of requests) {
        const look = looks.get(id);
        if (look) resolve(look);
        else reject(unanswered(this.#transport.endpoint.name, id));
      }
    } catch (error) {
      for (const { reject } of requests) reject(error);
    }
  }
}

/** Per job a line `= ID TIME`, then `PID:START FLAG NAME` for each process. Other lines say nothing. */
export function parseLooks(text: string): ReadonlyMap<string, Look> {
  const all = new Map<string, Look>();
  let members = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [first = "", second = "", ...rest] = line.split(" ");
    if (first === "=") {
      members = new Map();
      all.set(second, { at: TIME.test(rest[0] ?? "") ? rest[0] ?? "-" : "-", members });
    } else if (PROCESS.test(first)) {
      members.set(second === "=" || second === "~" ? first + second : first, rest.join(" "));
    }
  }
  return all;
}

const TIME = /^\d{1,20}$/;
const PROCESS = /^\d{1,10}:\d{0,20}$/;

/** "No processes" must be said by the node; silence is not an answer. */
function unanswered(node: string, job: string): GridError {
  return new GridError({
    code: "shell",
    message: `Cannot look for processes of job "${job}" on "${node}": no answer about it`,
    hint: `look there by hand: ssh ${node} ps -ef`,
    node,
  });
}
