/**
 * A fleet to play with: `deno task lab` starts OpenSSH nodes on loopback, writes a cluster config
 * for them, and ends them on Ctrl-C.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findRayVenv } from "./requires.ts";
import { type OpenSshLab, startOpenSsh } from "./openssh.ts";

export interface LabConfigOptions {
  readonly lab: OpenSshLab;
  /** `managed` where the nodes have Ray, else `embedded`. */
  readonly rayMode: "managed" | "embedded";
  /** Default `ssh`. */
  readonly transport?: "ssh" | "openssh";
}

/** The lab as `cluster_config.yaml`. JSON strings are YAML strings too. */
export function labConfig({ lab, rayMode, transport = "ssh" }: LabConfigOptions): string {
  const nodes = lab.nodes.map(({ name, endpoint: { host, port, user } }) =>
    `  - { name: ${name}, host: ${host}, port: ${port}, user: ${user}, transport: ${transport} }`
  );
  return [
    "nodes:",
    ...nodes,
    "remote_root: ~/grid_workspace",
    // Many share the machine that tests run on.
    `ssh: { key_file: ${JSON.stringify(lab.keyFile)}, known_hosts: ${
      JSON.stringify(lab.knownHosts)
    }, connect_timeout: 30 }`,
    "health_check: { timeout: 30 }",
    `ray: { mode: ${rayMode} }`,
    "",
  ].join("\n");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      nodes: { type: "string", default: "3" },
      gpus: { type: "string", default: "2" },
      write: { type: "string" },
    },
  });
  const ray = findRayVenv() !== undefined;
  await using lab = await startOpenSsh({
    nodes: Number(values.nodes),
    gpus: Number(values.gpus),
    ray,
  });
  const config = labConfig({ lab, rayMode: ray ? "managed" : "embedded" });
  const path = values.write ?? join(lab.folder, "cluster_config.yaml");
  Deno.writeTextFileSync(path, config);
  console.log(config);
  console.error(`Lab is up. In another terminal:

  deno task grid health --config ${path}
  deno task grid run pipelines/train.yaml --config ${path}

Each node's GPUs are what <home>/gpu.csv says: ${lab.nodes[0]?.home}/gpu.csv
Ctrl-C ends the lab.`);
  await new Promise<void>((resolve) => {
    Deno.addSignalListener("SIGINT", resolve);
    Deno.addSignalListener("SIGTERM", resolve);
  });
}

if (import.meta.main) await main();
