/** Whether the Ray is there that batches will want. */
import type { Cluster } from "../../cluster/cluster.ts";
import type { RayConfig } from "../../cluster/config.ts";
import { toGridError } from "../../core/errors.ts";
import { readSession } from "../../ray/session.ts";
import { aboutStep, type Finding, obstacle, withoutRepeats } from "./finding.ts";
import type { Survey } from "./survey.ts";

export interface RayFindingsOptions {
  readonly cluster: Pick<Cluster, "open">;
  readonly ray: Pick<RayConfig, "mode">;
  readonly signal: AbortSignal;
}

/** Only of a Ray that Grid starts: whether one elsewhere answers, its own address would have to be asked. */
export async function rayFindings(
  survey: Survey,
  { cluster, ray, signal }: RayFindingsOptions,
): Promise<readonly Finding[]> {
  if (ray.mode !== "managed") return [];
  const batches = survey.steps.filter(({ action }) => action.kind === "ray-batch");
  const heads = new Set(batches.flatMap((step) => survey.placesOf(step) ?? []));
  const found = await Promise.all([...heads].map(async (name) => {
    if (survey.healthOf(name)?.status !== "ok") return [];
    const state = await stateOf(name, { cluster, signal });
    return state === undefined
      ? []
      : batches.map((step) =>
        obstacle(aboutStep(step), `${state} on ${name}: grid cluster start`, "ray")
      );
  }));
  return withoutRepeats(found.flat());
}

/** Undefined where it lives. */
async function stateOf(
  name: string,
  { cluster, signal }: Omit<RayFindingsOptions, "ray">,
): Promise<string | undefined> {
  try {
    const session = await readSession(await cluster.open(name, { signal }), signal);
    if (session?.lives) return undefined;
    return session ? "Ray has died" : "no Ray of ours is running";
  } catch (thrown) {
    signal.throwIfAborted();
    return toGridError(thrown).message;
  }
}
