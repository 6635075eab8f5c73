/** A runner of its own on the node that it was brought to. */
import { openGround } from "../../store/ground.ts";
import { openStore } from "../../store/open.ts";
import type { CliContext } from "../context.ts";
import { startRunner } from "../runner_elsewhere.ts";
import type { BeginAnswer, BeginRequest, CancelAnswer, CancelRequest } from "./request.ts";

export async function beginHere(
  { run, words, env, secrets }: BeginRequest,
  context: CliContext,
): Promise<BeginAnswer> {
  const project = context.cwd;
  using store = openStore(openGround(project));
  const begun = await startRunner(words, {
    project,
    store,
    cwd: project,
    env: { ...context.env, ...env },
    run,
    secrets,
  });
  if (begun.run === undefined) return { said: begun.said, exitCode: begun.exitCode || 70 };
  return { pid: begun.pid };
}

export function cancelHere({ run, reason }: CancelRequest, { cwd }: CliContext): CancelAnswer {
  using store = openStore(openGround(cwd));
  return { asked: store.requestCancel(run, reason) };
}
