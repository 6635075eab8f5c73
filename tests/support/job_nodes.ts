/** Nodes for the contracts of jobs: this machine, and one behind a real sshd. */
import { createLocalTransport } from "../../src/transport/local.ts";
import { createPool } from "../../src/transport/pool.ts";
import { type AccountOptions, transportAs } from "./account_transport.ts";
import { awaitLauncher, type ContractNode } from "./job_contract.ts";
import { localEndpoint } from "./local_node.ts";
import { startOpenSsh } from "./openssh.ts";
import type { Account } from "./requires.ts";
import { tempDir } from "./temp_dir.ts";

// deno-lint-ignore require-await
export async function openLocalNode(): Promise<ContractNode> {
  const folder = tempDir();
  const transport = createLocalTransport(localEndpoint());
  return {
    transport,
    root: folder.path,
    [Symbol.asyncDispose]: async () => {
      await transport[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** The same node once it starts jobs through its launcher. */
export function withLauncher(open: () => Promise<ContractNode>): () => Promise<ContractNode> {
  return async () => {
    const node = await open();
    await awaitLauncher(node);
    return node;
  };
}

export interface AccountNodeOptions extends AccountOptions {
  /** Default: a new one, removed in the end. */
  readonly folder?: string;
}

/** This machine through another shell or as another account. */
// deno-lint-ignore require-await
export async function openAccountNode(options: AccountNodeOptions): Promise<ContractNode> {
  const folder = options.folder === undefined
    ? tempDir()
    : { path: options.folder, [Symbol.dispose]: () => {} };
  if (options.uid !== undefined) Deno.chownSync(folder.path, options.uid, options.uid);
  const transport = transportAs(options);
  return {
    transport,
    root: folder.path,
    [Symbol.asyncDispose]: async () => {
      await transport[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

export interface SshNodeOptions {
  readonly account?: Account | undefined;
  /** Default `ssh`. */
  readonly transport?: "ssh" | "openssh";
}

export async function openSshNode(
  { account, transport = "ssh" }: SshNodeOptions = {},
): Promise<ContractNode> {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0, ...(account && { account }) });
  const pool = createPool({ handshakes: 10 });
  const [node] = lab.nodes;
  if (!node) throw new Error("the lab has no node");
  Deno.mkdirSync(node.root, { recursive: true });
  if (account) Deno.chownSync(node.root, account.uid, account.gid);
  return {
    transport: pool.transport({ ...node.endpoint, transport }),
    root: node.root,
    [Symbol.asyncDispose]: async () => {
      await pool[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}
