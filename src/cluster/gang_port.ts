/**
 * The port at which the ranks of a gang meet: on rank 0's node, below what the kernel gives to connections,
 * claimed there for the gang's life, and proved by every other rank before anything starts.
 */
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { quote, quoteAll } from "../core/shell.ts";
import { nodeProgram } from "../transport/node_program.ts";
import { notHeld } from "./holds.ts";
import type { OpenNode } from "./node.ts";

export interface GangPort {
  readonly port: number;
  /** Without a tool to listen with, nothing can be proved. */
  readonly canProve: boolean;
  /** What whoever dials it hears. */
  readonly nonce: string;
  /** Of the process that listens, "-" for none. */
  readonly listener: string;
}

type Ground = Pick<OpenNode, "transport" | "node">;

/** How long the listener waits for the others. */
const PROOF_SECONDS = 30;

function programs(): string {
  return ["claims.sh", "claim.sh", "gang_port.sh"]
    .map((name) => nodeProgram(name, import.meta.url)).join("");
}

/** @throws {GridError} `workspace` where nothing can be claimed there; a transport code */
export async function claimPort(
  { transport, node }: Ground,
  { address, signal }: { readonly address: string; readonly signal: AbortSignal },
): Promise<GangPort> {
  const nonce = randomWord(20);
  const family = address.includes(":") ? "6" : "4";
  const { stdout } = await transport.exec(
    `${programs()}\ngrid_gang_port ${quoteAll([nonce, PROOF_SECONDS, family].map(String))}`,
    { signal },
  );
  const line = stdout.trim();
  const [, port, listener = "-"] = /^port (\d{4,5}) (\d{1,10}|-)$/.exec(line) ?? [];
  if (port !== undefined) {
    return { port: Number(port), canProve: listener !== "-", nonce, listener };
  }
  const error = notHeld(node.name, line.replace(/^fault /, ""));
  throw new GridError({
    code: error.code,
    message: error.message.replace("claim GPUs", "claim a port"),
    hint: error.hint,
    node: node.name,
  });
}

/** Undefined where the port was reached; "unproved" where the node has nothing to dial with. */
export async function dialPort(
  { transport }: Ground,
  { address, port, nonce, signal }: {
    readonly address: string;
    readonly port: number;
    readonly nonce: string;
    readonly signal: AbortSignal;
  },
): Promise<string | undefined> {
  const { stdout } = await transport.exec(
    `${programs()}\ngrid_gang_dial ${quoteAll([address, String(port)])}`,
    { signal },
  );
  const line = stdout.trim();
  if (line === `said ${nonce}`) return undefined;
  if (line.startsWith("said")) return "something else answers there";
  if (line.startsWith("failed ")) return line.slice(7, 107).replaceAll(/[^\w .,:-]/g, "");
  return "unproved";
}

/** Nobody listens there any more, and the port stays claimed. */
export async function endProof(at: Ground, port: GangPort): Promise<void> {
  await at.transport.exec(
    `${programs()}\ngrid_gang_close ${quoteAll([String(port.port), port.listener, "yes"])}`,
  );
}

/** Others may have it. */
export async function releasePort(at: Ground, port: Pick<GangPort, "port">): Promise<void> {
  await at.transport.exec(
    `${programs()}\ngrid_gang_close ${quoteAll([String(port.port), "-", "no"])}`,
  );
}

/** Whether something listens there now. @throws {GridError} a transport code */
export async function isTaken(at: Ground, port: number, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await at.transport.exec(
    `${programs()}\nif grid_port_listens ${port}; then echo taken; else echo free; fi`,
    { signal },
  );
  return stdout.trim() === "taken";
}

/** Shell text by which the job on rank 0 makes the claim its own; on one line. */
export function holdPort(port: number): string {
  const file = `"\${GRID_LEASE_DIR:-/tmp}/grid-claims-$(id -u)/port.${port}"`;
  const own =
    `read -r grid_s </proc/$$/stat && set -- \${grid_s##*) } && echo "$$ \${20}" >|${file}`;
  return `(${own}) 2>/dev/null || :; `;
}

/** For a message. */
export function unreachable(
  { rank, node, main, address, port, why }: {
    readonly rank: number;
    readonly node: string;
    readonly main: string;
    readonly address: string;
    readonly port: number;
    readonly why: string;
  },
): GridError {
  return new GridError({
    code: "tcp",
    message:
      `Cannot start on many nodes: rank ${rank} on "${node}" cannot reach rank 0 on "${main}" ` +
      `(${address}) port ${port}: ${why}`,
    hint:
      `nodes of one step need a network that no firewall divides; where the address is wrong, write ` +
      `address: for ${quote(main)} in the cluster config`,
    node,
  });
}
