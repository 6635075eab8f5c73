/** A Ray cluster with the Jobs API that was started in the usual way, not by Grid. */
import { join } from "node:path";
import { allProcesses } from "./processes.ts";
import { findRayDashboardVenv } from "./requires.ts";

export interface Dashboard extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly address: string;
  readonly token: string;
}

/** One node with the CPUs and GPUs it is told to have; wants the token from everybody. */
export async function startDashboard(
  resources: { readonly cpus: number; readonly gpus: number },
): Promise<Dashboard> {
  const venv = findRayDashboardVenv() ?? "";
  const temp = join("/tmp", `ray-${crypto.randomUUID().slice(0, 8)}`);
  const token = crypto.randomUUID().repeat(2);
  const port = freePort();
  const { code, stderr } = await new Deno.Command(join(venv, "bin", "ray"), {
    args: [
      ...["start", "--head", "--port", String(freePort()), "--temp-dir", temp],
      ...["--node-ip-address", "127.0.0.8", "--include-dashboard", "true"],
      ...["--dashboard-host", "127.0.0.1", "--dashboard-port", String(port)],
      ...["--num-cpus", String(resources.cpus), "--num-gpus", String(resources.gpus)],
      ...["--object-store-memory", "100000000", "--disable-usage-stats"],
      ...["--dashboard-agent-listen-port", String(freePort())],
      ...["--min-worker-port", "0", "--max-worker-port", "0"],
    ],
    env: {
      RAY_AUTH_MODE: "token",
      RAY_AUTH_TOKEN: token,
      PATH: `${venv}/bin:${Deno.env.get("PATH")}`,
    },
    cwd: "/",
    stdin: "null",
  }).output();
  const own = () => allProcesses().filter(({ command }) => command.includes(temp));
  const stop = async () => {
    for (let round = 0; own().length > 0 && round < 50; round++) {
      for (const { pid } of own()) Deno.kill(pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    Deno.removeSync(temp, { recursive: true });
  };
  if (code !== 0) {
    await stop();
    throw new Error(`ray start failed: ${new TextDecoder().decode(stderr)}`);
  }
  return { address: `http://127.0.0.1:${port}`, token, [Symbol.asyncDispose]: stop };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
