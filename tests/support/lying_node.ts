/** A node that answers whatever a test wants it to, instead of what its programs would say. */
import type { ExecResult, Transport } from "../../src/transport/transport.ts";
import { localEndpoint } from "./local_node.ts";

export interface Lies {
  /** What commands print. */
  readonly exec?: (command: string) => string;
  /** What a turn about jobs answers. */
  readonly wait?: (command: string) => string;
}

export function lyingNode({ exec = () => "", wait = () => "" }: Lies): Transport {
  const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  return {
    endpoint: localEndpoint({ name: "liar" }),
    exec: (command): Promise<ExecResult> =>
      Promise.resolve({ code: 0, stdout: exec(command), stderr: "", cut: false }),
    wait: (command) => Promise.resolve(bytes(wait(command))),
    open: () => Promise.reject(new Error("a lying node opens no channel")),
    terminal: () => Promise.reject(new Error("not used")),
    dial: () => Promise.reject(new Error("a lying node is not dialled")),
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
