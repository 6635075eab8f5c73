/** A Ray cluster with the Jobs API that was started in the usual way, not by Grid. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { allProcesses, descendantsOf } from "./processes.ts";
import { findRayDashboardVenv } from "./requires.ts";

export interface Dashboard extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly address: string;
  readonly token: string;
  /** Everything that Ray writes. */
  readonly folder: string;
  /** One more node, as somebody's autoscaler would bring it. */
  join(resources: Resources): Promise<void>;
}

interface Resources {
  readonly cpus: number;
  readonly gpus: number;
}

/** One node with the CPUs and GPUs it is told to have; wants the token from everybody. */
export async function startDashboard(resources: Resources): Promise<Dashboard> {
  const temp = join("/tmp", `ray-${crypto.randomUUID().slice(0, 8)}`);
  const token = crypto.randomUUID().repeat(2);
  const [port, gcsPort] = [freePort(), freePort()];
  const { code, stderr } = await startRay(resources, {
    temp,
    token,
    ip: "127.0.0.8",
    args: [
      ...["--head", "--port", String(gcsPort), "--include-dashboard", "true"],
      ...["--dashboard-host", "127.0.0.1", "--dashboard-port", String(port)],
    ],
  });
  const joined = `${temp}-2`;
  const stop = async () => {
    await endRay(temp);
    for (const folder of [temp, joined]) {
      if (existsSync(folder)) Deno.removeSync(folder, { recursive: true });
    }
  };
  if (code !== 0) {
    await stop();
    throw new Error(`ray start failed: ${new TextDecoder().decode(stderr)}`);
  }
  return {
    address: `http://127.0.0.1:${port}`,
    token,
    folder: temp,
    join: async (resources) => {
      const args = ["--address", `127.0.0.8:${gcsPort}`];
      const options = { temp: joined, token, ip: "127.0.0.10", args };
      const { code, stderr } = await startRay(resources, options);
      if (code !== 0) throw new Error(`ray start failed: ${new TextDecoder().decode(stderr)}`);
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function startRay(
  { cpus, gpus }: Resources,
  { temp, token, ip, args }: {
    readonly temp: string;
    readonly token: string;
    readonly ip: string;
    readonly args: readonly string[];
  },
): Promise<Deno.CommandOutput> {
  const venv = findRayDashboardVenv() ?? "";
  const ray = new Deno.Command(join(venv, "bin", "ray"), {
    args: [
      ...["start", ...args, "--temp-dir", temp, "--node-ip-address", ip],
      ...["--num-cpus", String(cpus), "--num-gpus", String(gpus)],
      ...["--object-store-memory", "100000000", "--disable-usage-stats"],
      ...["--dashboard-agent-listen-port", String(freePort())],
      ...["--min-worker-port", "0", "--max-worker-port", "0"],
    ],
    env: {
      RAY_AUTH_MODE: "token",
      RAY_AUTH_TOKEN: token,
      // As Grid's own start does: its own times are too short for a busy machine.
      RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT: "120",
      RAY_DASHBOARD_STARTUP_TIMEOUT_S: "120",
      RAY_agent_register_timeout_ms: "120000",
      PATH: `${venv}/bin:${Deno.env.get("PATH")}`,
    },
    cwd: "/",
    stdin: "null",
  });
  for (let tries = 1;; tries++) {
    const output = await ray.output();
    // Its raylet gets 30 s, whatever the environment says.
    const isSlow = new TextDecoder().decode(output.stderr).includes("timed out during startup");
    if (output.code === 0 || !isSlow || tries === 4) return output;
    await endRay(temp);
    Deno.removeSync(temp, { recursive: true });
  }
}

/** Everything that names this folder, with what descends from it. */
async function endRay(temp: string): Promise<void> {
  const group = new Set<number>();
  for (let round = 0; round < 50; round++) {
    // Workers rename themselves ("ray::IDLE"), so those that descend from a named one count too.
    for (const { pid } of allProcesses().filter(({ command }) => command.includes(temp))) {
      for (const child of descendantsOf(pid)) group.add(child.pid);
      group.add(pid);
    }
    const left = allProcesses().filter(({ pid }) => group.has(pid));
    if (left.length === 0) break;
    for (const { pid } of left) endProcess(pid);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** It may have gone meanwhile. */
function endProcess(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
