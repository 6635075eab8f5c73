/** Projects for steps on many nodes, whose nodes have the addresses that they listen on. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { project } from "./cli.ts";
import { labConfig } from "./lab.ts";
import type { OpenSshLab } from "./openssh.ts";
import type { TempDir } from "./temp_dir.ts";

/** Words for `grid` in such a project. */
export const LAB = ["--config", "lab.yaml"];
const RENDEZVOUS = join(import.meta.dirname ?? "", "rendezvous.py");

/** Each node has the address that it listens on, as machines of one network have. */
export function gangProject(lab: OpenSshLab, files: Readonly<Record<string, string>>): TempDir {
  const config = labConfig({ lab, rayMode: "embedded" })
    .replaceAll(/host: (127\.0\.0\.\d+)/g, "host: $1, address: $1")
    // Nobody waits for a cut link to be noticed.
    .replace("connect_timeout: 30", "connect_timeout: 30, keepalive: 2");
  return project({ ...files, "lab.yaml": `${config}jobs: { lease: 5 }\n` });
}

/** `LAB` becomes the lab's folder, `MEET` a launcher whose ranks meet. */
export function marked(lab: OpenSshLab, text: string): string {
  return text.replaceAll("LAB", lab.folder).replaceAll("MEET", `exec python3 ${RENDEZVOUS}`);
}

/** What ranks wrote into a file, sorted. */
export function linesOf(path: string): string[] {
  return existsSync(path) ? Deno.readTextFileSync(path).trim().split("\n").toSorted() : [];
}
