/** A runner of its own on the node that it was brought to. */
import { join } from "node:path";
import { toGridError } from "../../core/errors.ts";
import { type ProblemRecord, problemRecord } from "../../document/problem_record.ts";
import { openGround } from "../../store/ground.ts";
import { openStore } from "../../store/open.ts";
import type { CliContext } from "../context.ts";
import { removeRestart, writeRestart } from "../restart.ts";
import { startRunner } from "../runner_elsewhere.ts";
import type { BeginAnswer, BeginRequest, CancelAnswer, CancelRequest } from "./request.ts";

export async function beginHere(
  request: BeginRequest,
  context: CliContext,
): Promise<BeginAnswer<ProblemRecord>> {
  try {
    return await begin(request, context);
  } catch (error) {
    return { problem: problemRecord(toGridError(error)) };
  }
}

async function begin(
  { run, words, env, secrets, restart }: BeginRequest,
  context: CliContext,
): Promise<BeginAnswer<ProblemRecord>> {
  const project = context.cwd;
  using store = openStore(openGround(project));
  // Asked once more, for the answer was lost.
  if (store.row(run) !== undefined) return { pid: 0 };
  const said = restart
    ? await writeRestart({ run, project, program: [join(project, "..", "grid")], env: context.env })
    : undefined;
  const begun = await startRunner(words, {
    project,
    store,
    cwd: project,
    env: { ...context.env, ...env },
    run,
    secrets,
    isRestarted: restart,
  });
  if (begun.run === undefined) {
    if (restart) await removeRestart(run, context.env);
    return { problem: problemRecord(begun.problem) };
  }
  return { pid: begun.pid, ...said !== undefined && { restart: said } };
}

export function cancelHere({ run, reason }: CancelRequest, { cwd }: CliContext): CancelAnswer {
  using store = openStore(openGround(cwd));
  return { asked: store.requestCancel(run, reason) };
}
