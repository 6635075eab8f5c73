/** A network that holds this machine alone: who is in it reaches its own loopback and nothing else. */
import { until } from "./cli.ts";

export interface SealedNetwork extends AsyncDisposable {
  /** Words before a command, which becomes it, in that network. */
  readonly enter: readonly string[];
}

export async function sealNetwork(): Promise<SealedNetwork> {
  const holder = new Deno.Command("unshare", {
    args: ["--net", "sh", "-c", "ip link set lo up || busybox ip link set lo up; exec sleep 3000"],
    stdin: "null",
    stdout: "null",
  }).spawn();
  const program = () => Deno.readTextFileSync(`/proc/${holder.pid}/comm`).trim();
  await until(() => program() === "sleep", { what: "the network" });
  return {
    enter: ["nsenter", `--net=/proc/${holder.pid}/ns/net`],
    [Symbol.asyncDispose]: async () => {
      holder.kill("SIGKILL");
      await holder.status;
    },
  };
}
