/** What is asked of a setup, and what came of it on a node. */
import { monotonic } from "../core/clock.ts";
import type { RayConfig } from "./config.ts";
import type { OpenNode } from "./node.ts";

export interface SetupOptions {
  readonly ray: Pick<RayConfig, "mode" | "version">;
  /** An environment that is on the node already: it is linked, nothing is installed. */
  readonly venv?: string | undefined;
  /** A folder on the node with wheels to install from, for nodes without an index. */
  readonly wheels?: string | undefined;
  /** Text of a requirements file: what the steps need besides Ray. */
  readonly requirements?: string | undefined;
  /** Make the environment anew even where it is as asked for. */
  readonly again?: boolean | undefined;
  /** After which a lock that nobody renews is nobody's; its holder renews it every 5 s. */
  readonly lockPatienceSeconds?: number | undefined;
  readonly signal: AbortSignal;
}

export interface SetupResult {
  readonly node: string;
  readonly state: "made" | "unchanged" | "failed";
  readonly python: string | undefined;
  /** Version of Ray; undefined where none was asked for. */
  readonly ray: string | undefined;
  /** How many packages there are. */
  readonly packages: number | undefined;
  /** Of their names and versions: equal on nodes that have the same. */
  readonly digest: string | undefined;
  /** What made it; undefined where nothing was made. */
  readonly tool: "uv" | "venv" | undefined;
  /** The node through which it was made in the workspace that both share. */
  readonly sharedWith: string | undefined;
  readonly durationMs: number;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
}

/** What an environment holds, as `setup_versions.sh` prints it. */
export function contentsIn(stdout: string) {
  const done = /^@setup done (\S+) (\S+) (\d+) ([0-9a-f]+)$/m.exec(stdout);
  if (!done) return undefined;
  const [, python, ray, packages, digest] = done;
  return { python, ray: ray === "-" ? undefined : ray, packages: Number(packages), digest };
}

export function resultOf(
  { node }: OpenNode,
  started: number,
  rest: Partial<SetupResult> & Pick<SetupResult, "state">,
): SetupResult {
  return {
    node: node.name,
    python: undefined,
    ray: undefined,
    packages: undefined,
    digest: undefined,
    tool: undefined,
    sharedWith: undefined,
    durationMs: Math.round(monotonic() - started),
    reason: undefined,
    hint: undefined,
    ...rest,
  };
}
