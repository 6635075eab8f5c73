/** `grid doctor`: looks at one node as a step would use it. */
import type { Clock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import { randomWord } from "../core/ids.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import type { NodeEnvironment, OpenNode } from "./node.ts";

/** What a node told, by key, in order; several for what was found several times. */
export interface DoctorFacts {
  all(key: string): readonly string[];
  first(key: string): string | undefined;
  /** Milliseconds by which the node's clock is ahead of this machine's; half a second is nothing. */
  readonly skewMs: number | undefined;
}

const EXAMINE_MS = 30_000;

/** @throws {GridError} a transport code, or `answer-invalid` where the program did not come to its end */
export async function examine(
  { node, root, transport }: OpenNode,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<DoctorFacts> {
  const text = [
    nodePrelude(),
    nodeProgram("claims.sh", import.meta.url),
    nodeProgram("claims_fit.sh", import.meta.url),
    `root=${quote(root)} given=${quote(givenScript(node.environment))} grid_random=${
      randomWord(16)
    }`,
    nodeProgram("doctor.sh", import.meta.url),
  ].join("\n");
  const before = clock.now();
  const { stdout } = await transport.exec(text, { signal, timeoutMs: EXAMINE_MS });
  const facts = readFacts(stdout, { before, after: clock.now() });
  if (facts !== undefined) return facts;
  throw new GridError({
    code: "answer-invalid",
    message: `Cannot examine "${node.name}": its answer is not whole`,
    node: node.name,
  });
}

/** What the cluster config gives commands there, as shell text. */
function givenScript({ env = {}, before = [] }: Partial<NodeEnvironment> = {}): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`);
  return [...variables, ...before].join("\n");
}

export function readFacts(
  stdout: string,
  { before, after }: { readonly before: number; readonly after: number },
): DoctorFacts | undefined {
  const lines = stdout.split(/\r?\n/);
  if (!lines.includes("@doctor begin 1") || !lines.includes("@doctor end")) return undefined;
  const all = (key: string) =>
    lines.filter((line) => line.startsWith(`@doctor ${key} `))
      .map((line) => line.slice(key.length + 9).trim().slice(0, 500));
  const first = (key: string) => all(key)[0] || undefined;
  const now = 1000 * Number(first("now"));
  // The node looked at its clock at some time between; it tells whole seconds.
  const skewMs = !(now > 0)
    ? undefined
    : now + 1000 < before
    ? now + 1000 - before
    : Math.max(0, now - after);
  return { all, first, skewMs };
}
