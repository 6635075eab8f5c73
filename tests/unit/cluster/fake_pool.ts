/** Nodes that answer probes as they are told, without a process or a network. */
import { GridError } from "../../../src/core/errors.ts";
import type {
  Endpoint,
  ExecOptions,
  ExecResult,
  Transport,
  TransportPool,
} from "../../../src/transport/transport.ts";

export type Answer = string | GridError | "silence";

/** `pool.answers.set("a", probeAnswer({ load: 2 }))`; `pool.asked` counts the commands per node. */
export class FakePool implements TransportPool {
  readonly answers = new Map<string, Answer>();
  readonly asked = new Map<string, number>();
  readonly commands: string[] = [];
  /** Most commands that were under way at once. */
  busiest = 0;
  #busy = 0;

  transport(endpoint: Endpoint): Transport {
    const exec = (command: string, options: ExecOptions = {}) => {
      this.commands.push(command);
      return this.#exec(endpoint.name, options);
    };
    return {
      endpoint,
      exec,
      wait: () => Promise.reject(new Error("not used")),
      open: () => Promise.reject(new Error("not used")),
      terminal: () => Promise.reject(new Error("not used")),
      dial: () => Promise.reject(new Error("not used")),
      stats: {
        handshakes: 0,
        reconnects: 0,
        channels: 0,
        bytesSent: 0,
        bytesReceived: 0,
        roundTripMs: undefined,
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  stats() {
    return new Map();
  }

  [Symbol.asyncDispose]() {
    return Promise.resolve();
  }

  async #exec(name: string, { signal }: ExecOptions): Promise<ExecResult> {
    this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
    this.#busy++;
    this.busiest = Math.max(this.busiest, this.#busy);
    try {
      return await this.#answer(name, signal);
    } finally {
      this.#busy--;
    }
  }

  async #answer(name: string, signal: AbortSignal | undefined): Promise<ExecResult> {
    const answer = this.answers.get(name) ?? "silence";
    if (answer instanceof GridError) throw answer;
    if (answer !== "silence") {
      await Promise.resolve();
      return { code: 0, stdout: answer, stderr: "", cut: false };
    }
    return await new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}

export interface ProbeAnswer {
  readonly load?: number;
  readonly cores?: number;
  readonly freeKib?: number;
  /** Used MiB of each GPU of 24 GiB. */
  readonly gpus?: readonly number[];
}

export function probeAnswer(options: ProbeAnswer = {}): string {
  const { load = 0, cores = 4, freeKib = 10_000_000, gpus } = options;
  const rows = gpus?.map((used, index) =>
    `@gpu ${index}, GPU-${index}, A100, ${used}, 24576, 0, 40`
  );
  return [
    "@grid-probe 1",
    `@load ${load}`,
    `@cpus-online 0-${cores - 1}`,
    "@df-begin",
    `/dev/sda 20000000 1000 ${freeKib} 10% /`,
    "@df-end",
    ...(rows ? ["@gpu-tool nvidia-smi", "@gpu-query first", ...rows, "@gpu exit 0"] : []),
    "@claims end",
    "@grid-probe end",
  ].join("\n");
}

export function refused(name: string): GridError {
  return new GridError({
    code: "tcp",
    message: `Cannot connect to "${name}": connection refused`,
    hint: "is sshd running there?",
    node: name,
  });
}
