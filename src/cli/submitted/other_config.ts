/** The cluster as a node sees it that is to run a pipeline: itself, and the others by their addresses. */
import { readFileSync, writeFileSync } from "node:fs";
import { checkConfig } from "../../cluster/check_config.ts";
import type { ClusterConfig } from "../../cluster/config.ts";
import type { OpenNode } from "../../cluster/node.ts";
import type { RawCluster } from "../../cluster/schema.ts";
import { PRIVATE_FILE } from "../../core/private_modes.ts";
import { resolveAddress } from "../../transport/ssh/address.ts";

/** Beside the project; JSON is YAML. */
export const CONFIG_NAME = "cluster_config.yaml";

export interface OtherConfig {
  /** Of the file there. */
  readonly text: string;
  /** Nodes that it knows besides the one that it is for. */
  readonly others: readonly string[];
  /** Nodes that are this very machine, which is nobody's node from there. */
  readonly here: readonly string[];
}

export interface OtherConfigOptions {
  readonly config: ClusterConfig;
  /** That it is for. */
  readonly node: OpenNode;
  readonly env: Readonly<Record<string, string>>;
}

type RawNode = Exclude<RawCluster["nodes"][number], string>;

/** @throws {DiagnosticsError}, {GridError} `usage` where a node's name leads nowhere */
export async function otherConfig(
  { config, node, env }: OtherConfigOptions,
): Promise<OtherConfig> {
  const raw = await rawOf(config);
  const { key_file: _key, known_hosts: _hosts, proxy_jump: _jump, ...ssh } = raw.ssh ?? {};
  const nodes: RawNode[] = [];
  const here: string[] = [];
  for (const [at, one] of raw.nodes.entries()) {
    const configured = config.nodes[at];
    const plain = withoutWay(typeof one === "string" ? { name: one } : one);
    if (configured === undefined) continue;
    if (plain.name === node.node.name) {
      nodes.push({ ...plain, transport: "local", remote_root: node.root });
    } else if (configured.endpoint.transport === "local") {
      here.push(plain.name);
    } else {
      const { host, port, user } = await resolveAddress(configured.endpoint, { env });
      nodes.push({ ...plain, transport: "ssh", host: plain.address ?? host, port, user });
    }
  }
  const text = JSON.stringify({ ...raw, nodes, ssh }, null, 2) + "\n";
  const others = nodes.map(({ name }) => name).filter((name) => name !== node.node.name);
  return { text, others, here };
}

/** Keys, known hosts and jump hosts are those of this machine's account. */
function withoutWay(node: RawNode): RawNode {
  const { host: _host, port: _port, user: _user, transport: _how, ...rest } = node;
  const { key_file: _key, known_hosts: _hosts, proxy_jump: _jump, ...plain } = rest;
  return plain;
}

async function rawOf({ file, nodes }: ClusterConfig): Promise<RawCluster> {
  if (file !== undefined) {
    const content = readIfThere(file);
    if (content !== undefined) return (await checkConfig(content, file)).value;
  }
  // Without a file there are two nodes on this machine.
  return {
    nodes: nodes.map(({ name, remoteRoot }) => ({
      name,
      transport: "local",
      remote_root: remoteRoot,
    })),
    ray: { mode: "embedded" },
  };
}

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** On the node itself, once it knows whom it cannot reach. */
export function withoutNodes(configFile: string, names: readonly string[]): void {
  const raw: RawCluster = JSON.parse(readFileSync(configFile, "utf8"));
  const nodes = raw.nodes.filter((node) =>
    !names.includes(typeof node === "string" ? node : node.name)
  );
  writeFileSync(configFile, JSON.stringify({ ...raw, nodes }, null, 2) + "\n", {
    mode: PRIVATE_FILE,
  });
}
