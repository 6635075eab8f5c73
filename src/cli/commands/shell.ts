import type { OpenNode } from "../../cluster/node.ts";
import { GridError } from "../../core/errors.ts";
import type { ChannelExit } from "../../transport/transport.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { knownNodes, openNodes } from "../nodes.ts";
import { ownScreen } from "../own_screen.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";
import { stepShell } from "../step_shell.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<run>", "a node; or a run, where there is a step")
    .argument("[step]", "the step: the shell starts in its folder, with its variables")
    .action<GlobalFlags>(async (name, step, flags) => {
      const screen = ownScreen();
      if (screen === undefined) throw noTerminal(name, step);
      await using session = await openSession(flags, context);
      const { signal } = session;
      const { node, script, words } = await placeOf(session, { name, step });
      if (words !== undefined) context.stderr(`${words}\n`);
      const exit = await node.transport.terminal(screen, {
        command: script,
        signal,
        env: languageOf(context.env),
      });
      context.setExitCode(codeOf(exit));
    });
}

interface ShellPlace {
  readonly node: OpenNode;
  /** Undefined for the account's login shell. */
  readonly script?: string;
  /** What is to be said before. */
  readonly words?: string | undefined;
}

async function placeOf(
  session: Session,
  { name, step }: { readonly name: string; readonly step: string | undefined },
): Promise<ShellPlace> {
  if (step === undefined) return { node: await nodeOf(session, name) };
  const found = stepShell(session.grid.store, { run: name, step });
  const node = await nodeOf(session, found.node);
  return { node, script: found.script(node), words: found.words };
}

async function nodeOf(session: Session, name: string): Promise<OpenNode> {
  if (name !== "local") knownNodes(session, [name]);
  const { open: [node], failed: [away] } = await openNodes(session, {
    names: [name],
    withLocal: true,
  });
  if (node) return node;
  throw away?.error ?? new GridError({ code: "bug", message: `Cannot open "${name}"` });
}

/** As `ssh` does by Debian's and others' configuration. */
function languageOf(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => /^(LANG|LC_\w+)$/.test(name)));
}

function codeOf(exit: ChannelExit): number {
  // As ssh and shells do; which number a signal has differs between systems, so that none is told.
  return exit.kind === "code" ? exit.code : 255;
}

function noTerminal(name: string, step: string | undefined): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot open a shell: this is no terminal",
    hint: step === undefined
      ? `a command needs none: grid run "uptime" --node ${name}`
      : "a command needs none: grid run COMMAND --node NODE",
  });
}
