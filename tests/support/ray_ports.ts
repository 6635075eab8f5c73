/** Which ports a Ray with the dashboard listens on, and whom they answer; and what docs/ray.md says. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { allProcesses } from "./processes.ts";
import type { RayLab } from "./ray_lab.ts";
import { type Account, findRayDashboardVenv } from "./requires.ts";

export interface RayPorts {
  /** `GCS | all | refused | answers`, sorted: what listens, where, to whom without and with the token. */
  readonly rows: readonly string[];
  /** Commands of what listens and has answered nobody; a busy machine may be the reason. */
  readonly silent: readonly string[];
}

/**
 * What listens is read as the account that runs it: of another account's process the kernel shows its
 * sockets to nobody without `CAP_SYS_PTRACE`, which root has not in every container.
 */
export async function portsOf(lab: RayLab, account: Account): Promise<RayPorts> {
  const token = Deno.readTextFileSync(join(lab.head.root, ".grid", "ray", "token")).trim();
  const temporary = lab.temporaryFolders();
  // Its agents have an environment of their own.
  const named = allProcesses().filter(({ command }) =>
    temporary.some((folder) => folder !== "" && command.includes(folder))
  );
  const pids = new Set([...lab.lab.leftovers(), ...named].map(({ pid }) => String(pid)));
  const python = join(findRayDashboardVenv() ?? "", "bin", "python");
  // The checkout may lie where the account cannot read.
  const script = Deno.readTextFileSync(new URL("ray_ports.py", import.meta.url));
  const { stdout, stderr } = await new Deno.Command(python, {
    args: ["-c", script, token, ...pids],
    uid: account.uid,
    gid: account.gid,
    cwd: "/",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(text !== "", new TextDecoder().decode(stderr));
  const rows: (string | null)[][] = JSON.parse(text);
  const silent = rows.flatMap(([part, , , , right]) => right === null ? [part ?? ""] : []);
  const seen = rows.filter(([, , , , right]) => right !== null).map(
    ([part, where, without, wrong, right]) => {
      assert.equal(wrong, without, `${part} takes a wrong token for none, or the other way round`);
      return [part, where, without, right].join(" | ");
    },
  );
  return { rows: [...new Set(seen)].toSorted(), silent };
}

export function toldPorts(): string[] {
  const page = Deno.readTextFileSync(new URL("../../docs/ray.md", import.meta.url));
  const table = /\| port +\| .*\n\|.*\n((?:\|.*\n)+)/.exec(page)?.[1] ?? "";
  const rows = table.trim().split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()).slice(1, -1));
  return rows.flatMap(([part, where = "", without, right]) =>
    where.split(", ").map((one) => [part, one, without, right].join(" | "))
  ).toSorted();
}
