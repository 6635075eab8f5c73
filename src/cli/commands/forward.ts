import type { Command } from "../command_line/command.ts";
import { GridError, toGridError } from "../../core/errors.ts";
import { renderProblem } from "../../terminal/problem.ts";
import { dialFrom, openTunnel } from "../../transport/tunnel.ts";
import type { CommandContext } from "../command_module.ts";
import { knownNodes, openNodes } from "../nodes.ts";
import { wholeNumber } from "../option_values.ts";
import { chooseService, findServices } from "../services.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";
import type { OpenNode } from "../../cluster/node.ts";

interface ForwardFlags extends GlobalFlags {
  readonly localPort?: number;
}

const LOOPBACK = "127.0.0.1";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<run>", "a run, or a service by the name of its step; or a node")
    .argument("[step]", "the step; of a node the port")
    .option("--local-port <number>", "here; default the same, or the next one that is free", {
      read: wholeNumber,
    })
    .action<ForwardFlags>(async (name, step, flags) => {
      await using session = await openSession(flags, context);
      const { signal, settings } = session;
      const { node, port, what } = await targetOf(session, { name, step });
      // Before the tunnel listens: of a node that is this machine, its port would answer.
      await expectListener(node, port, signal);
      await using tunnel = openTunnel(node, { host: LOOPBACK, port }, {
        port: flags.localPort ?? port,
        orNext: flags.localPort === undefined,
        onProblem: (error) =>
          context.stderr(renderProblem(toGridError(error), { color: settings.color.stderr })),
      });
      const address = `http://${LOOPBACK}:${tunnel.port}`;
      if (settings.json) {
        const report = { address, port: tunnel.port, node: node.node.name, remotePort: port };
        context.stdout(JSON.stringify(report) + "\n");
      } else {
        context.stdout(`${address}\n`);
        const wanted = flags.localPort ?? port;
        const other = tunnel.port === wanted ? "" : `port ${wanted} is taken here; `;
        context.stderr(`${other}leads to ${what}; Ctrl-C closes it\n`);
      }
      await new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    });
}

interface ForwardTarget {
  readonly node: OpenNode;
  readonly port: number;
  readonly what: string;
}

/** A number is a port, for no step has such a name; so what stands before it is a node. */
async function targetOf(
  session: Session,
  { name, step }: { readonly name: string; readonly step: string | undefined },
): Promise<ForwardTarget> {
  if (step !== undefined && /^\d+$/.test(step)) {
    const port = Number(step);
    if (port < 1 || port > 65_535) throw noPort(`${step} is no port`);
    const { open: [node], failed: [away] } = await openNodes(session, {
      names: [name],
      withLocal: true,
    });
    if (node === undefined) throw away?.error ?? noPort(`"${name}" cannot be reached`);
    return { node, port, what: `port ${port} on ${name}` };
  }
  const isNode = name === "local" ||
    knownNodes(session, undefined).some((node) => node.name === name);
  if (isNode && step === undefined) throw noPort(`which port of "${name}"?`);
  const wish = { name, step, what: "forward to the service" };
  const service = chooseService(await findServices(session), wish, session.grid.store);
  const { on: node, port } = service;
  if (port === undefined) throw noPort(`"${service.step}" has none: its service: names no port`);
  return { node, port, what: `${service.step} of run ${service.run} on ${node.node.name}` };
}

function noPort(why: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot forward to a port: ${why}`,
    hint: "grid forward NODE PORT, or grid forward RUN STEP",
  });
}

/** Nobody there, and no way there, are told at once. */
async function expectListener(node: OpenNode, port: number, signal: AbortSignal): Promise<void> {
  await using _dialed = await dialFrom(node, { host: LOOPBACK, port }, signal);
}
