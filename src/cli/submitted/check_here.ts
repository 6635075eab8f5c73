/** What a runner on this node would lack, looked for by the very Grid that would be the runner. */
import { join } from "node:path";
import { openGrid } from "../../grid.ts";
import { loadPipeline } from "../../pipeline/load.ts";
import { preflight } from "../../steps/preflight/preflight.ts";
import { toGridError } from "../../core/errors.ts";
import { type ProblemRecord, problemRecord } from "../../document/problem_record.ts";
import { VERSION } from "../../core/version.ts";
import type { CliContext } from "../context.ts";
import { CONFIG_NAME, withoutNodes } from "./other_config.ts";
import type { CheckAnswer, CheckRequest } from "./request.ts";

export async function checkHere(
  request: CheckRequest,
  context: CliContext,
): Promise<CheckAnswer<ProblemRecord>> {
  const { others, file, inputs, env, secrets } = request;
  const project = context.cwd;
  const configFile = join(project, "..", CONFIG_NAME);
  const open = { project, configFile, env: { ...context.env, ...env }, gridVersion: VERSION };
  const { signal } = new AbortController();
  const unreached: { node: string; why: string }[] = [];
  if (others.length > 0) {
    await using grid = await openGrid(open);
    const rows = await grid.cluster.health({ signal, fresh: true, among: others });
    for (const { node, status, reason } of rows) {
      if (status === "unreachable") unreached.push({ node, why: reason ?? status });
    }
  }
  if (unreached.length > 0) withoutNodes(configFile, unreached.map(({ node }) => node));
  if (file === undefined) return { unreached, findings: [] };
  await using grid = await openGrid(open);
  try {
    const { pipeline } = await loadPipeline({
      file,
      project,
      inputs,
      env: open.env,
      nodes: [
        ...grid.cluster.nodes,
        ...unreached.map(({ node, why }) => ({ name: node, labels: [], unreached: why })),
      ],
      local: grid.config.local,
    });
    const findings = await preflight(pipeline, {
      cluster: grid.cluster,
      weights: grid.config.health,
      ray: grid.config.ray,
      project,
      env: open.env,
      signal,
    });
    // It is given these.
    const given = new Set(secrets.map((name) => `secret ${name}`));
    return { unreached, findings: findings.filter(({ about }) => !given.has(about)) };
  } catch (error) {
    return { unreached, findings: [], problem: problemRecord(toGridError(error)) };
  }
}
