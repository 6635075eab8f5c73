import type { Command } from "../command_line/command.ts";
import { formatDuration } from "../../core/duration.ts";
import { GridError } from "../../core/errors.ts";
import type { Endpoint } from "../../transport/transport.ts";
import type { CommandContext } from "../command_module.ts";
import { durationMs } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";
import { sshEndpoints } from "../ssh_endpoints.ts";

interface LoginFlags extends GlobalFlags {
  readonly end?: true;
  readonly for?: number;
}

const IDLE_MS = 8 * 3600 * 1000;

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<nodes...>", "names, separated by blanks or commas")
    .option("--for <duration>", "ends when unused for so long; default 8h", { read: durationMs })
    .option("--end", "end these connections")
    .close(
      "For nodes whose login asks for a password, a code or a touch: your own ssh asks here, once." +
        "\nEvery later command rides on that connection, without a question, until it ends.",
    )
    .action<LoginFlags>(async (names, flags) => {
      await using session = await openSession(flags, context);
      const { settings, grid, signal } = session;
      const endpoints = sshEndpoints(names, { grid, action: "log in to" });
      if (!flags.end) refuseWithoutTerminal(endpoints, context);
      const nodes: LoginFact[] = [];
      // Ctrl-C reaches ssh too, which then just ends.
      const orInterrupted = (error: unknown): never => {
        signal.throwIfAborted();
        throw error;
      };
      for (const endpoint of endpoints) {
        const work = flags.end
          ? end(endpoint, context)
          : open(endpoint, { context, idleMs: flags.for ?? IDLE_MS });
        nodes.push({ node: endpoint.name, state: await work.catch(orInterrupted) });
      }
      if (settings.json) context.stdout(JSON.stringify({ nodes }, null, 2) + "\n");
    });
}

interface LoginFact {
  readonly node: string;
  readonly state: "opened" | "was-open" | "ended" | "was-gone";
}

interface OpenOptions {
  readonly context: CommandContext;
  readonly idleMs: number;
}

async function open(
  endpoint: Endpoint,
  { context, idleMs }: OpenOptions,
): Promise<LoginFact["state"]> {
  const { openLogin } = await import("../../transport/openssh/login.ts");
  const state = await openLogin(endpoint, { env: context.env, idleMs });
  const { name } = endpoint;
  context.stderr(
    state === "was-open"
      ? `${name}: logged in already; end it: grid login --end ${name}\n`
      : `${name}: logged in; commands ride on this connection until nobody has used it for ` +
        `${formatDuration(idleMs)}; end it: grid login --end ${name}\n`,
  );
  return state;
}

async function end(
  endpoint: Endpoint,
  { env, stderr }: CommandContext,
): Promise<LoginFact["state"]> {
  const { endLogin } = await import("../../transport/openssh/login.ts");
  const wasOpen = await endLogin(endpoint, { env });
  stderr(`${endpoint.name}: ${wasOpen ? "connection ended" : "there was no connection"}\n`);
  return wasOpen ? "ended" : "was-gone";
}

function refuseWithoutTerminal([first]: readonly Endpoint[], context: CommandContext): void {
  // A program may ask in the place of the terminal.
  if (context.stderrIsTerminal || context.env["SSH_ASKPASS"] || !first) return;
  throw new GridError({
    code: "usage",
    message: `Cannot log in to "${first.name}": there is no terminal to ask at`,
    hint: `log in from a terminal, and later commands ride on it: grid login ${first.name}`,
  });
}
