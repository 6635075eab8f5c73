/** `grid cluster dashboard`: a port here that leads to the dashboard on the head, until Ctrl-C. */
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import type { CommandContext } from "./command_module.ts";
import { readSession, tokenPath } from "../ray/session.ts";
import { openTunnel } from "../transport/tunnel.ts";
import type { Session } from "./session.ts";

export interface DashboardOptions {
  readonly session: Session;
  /** Name of the node that carries the head. */
  readonly head: string;
  readonly flags: { readonly port?: number; readonly token?: true };
  readonly context: CommandContext;
}

/** How long the dashboard may take to answer before it is said to be silent. */
const ANSWER_MS = 10_000;

/** @throws {GridError} `ray` where there is no dashboard, or the signal's reason at the end */
export async function openDashboard(
  { session: { grid, signal, settings }, head, flags, context }: DashboardOptions,
): Promise<void> {
  const node = await grid.cluster.open(head, { signal });
  const ray = await readSession(node, signal);
  if (ray?.role !== "head" || !ray.lives) {
    throw noDashboard(head, ray ? "its Ray is dead" : "no Ray of ours runs there", {
      hint: "grid cluster start",
    });
  }
  if (ray.dashboard === undefined) {
    throw noDashboard(head, "its Ray has none", {
      hint: `Install it there with ${node.root}/grid_env/bin/pip install 'ray[default]', ` +
        "then grid cluster stop and start; grid cluster status and logs need none",
    });
  }
  const [, host = "127.0.0.1", port = "8265"] = /^(.*):(\d+)$/.exec(ray.dashboard) ?? [];
  const { stdout } = await node.transport.exec(`cat ${quote(tokenPath(node))}`, { signal });
  const token = stdout.trim();
  const target = { host: host === "0.0.0.0" ? "127.0.0.1" : host, port: Number(port) };
  await using tunnel = openTunnel(node, target, { port: flags.port });
  const address = `http://127.0.0.1:${tunnel.port}`;
  await expectAnswer(address, { head, token, signal });
  if (settings.json) {
    const report = { address, node: head, ...(flags.token && { token }) };
    context.stdout(JSON.stringify(report) + "\n");
  } else {
    context.stdout(`${address}\n`);
    context.stderr(
      (flags.token ? `token: ${token}\n` : "It asks for a token: --token prints it\n") +
        "Ctrl-C closes the way there\n",
    );
  }
  await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function expectAnswer(
  address: string,
  { head, token, signal }: {
    readonly head: string;
    readonly token: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  using client = Deno.createHttpClient({});
  try {
    const response = await fetch(`${address}/api/version`, {
      client,
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    await response.body?.cancel();
    if (response.ok) return;
    throw noDashboard(head, `it answers with HTTP ${response.status}`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GridError) throw error;
    throw noDashboard(head, "it does not answer", {
      hint: `grid cluster logs --nodes ${head} 'dashboard*'`,
    });
  }
}

function noDashboard(node: string, state: string, { hint }: { hint?: string } = {}): GridError {
  const message = `Cannot open Ray's dashboard on ${node}: ${state}`;
  return new GridError({ code: "ray", message, hint, node });
}
