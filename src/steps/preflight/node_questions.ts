/** Questions about what is on a node, asked all together in one short command. */
import type { Cluster } from "../../cluster/cluster.ts";
import type { OpenNode } from "../../cluster/node.ts";
import { toGridError } from "../../core/errors.ts";
import { quote } from "../../core/shell.ts";
import { pathPrefix } from "../placement.ts";
import { type Finding, obstacle, withoutRepeats } from "./finding.ts";

export interface NodeQuestion {
  /** A node that answers. */
  readonly node: string;
  /** Shell text that succeeds where all is well. It finds the PATH that steps have. */
  test(node: OpenNode): string;
  /** What is to be said where it does not succeed. */
  readonly otherwise: Finding;
}

export interface AskOptions {
  readonly cluster: Pick<Cluster, "open">;
  readonly signal: AbortSignal;
}

/** What is not well, in the order of the questions of each node. */
export async function askNodes(
  questions: readonly NodeQuestion[],
  options: AskOptions,
): Promise<Finding[]> {
  const byNode = Map.groupBy(questions, ({ node }) => node);
  const answers = await Promise.all([...byNode].map((entry) => askNode(...entry, options)));
  return withoutRepeats(answers.flat());
}

async function askNode(
  name: string,
  questions: readonly NodeQuestion[],
  { cluster, signal }: AskOptions,
): Promise<Finding[]> {
  try {
    const node = await cluster.open(name, { signal });
    const texts = questions.map((question) => question.test(node));
    const unique = [...new Set(texts)];
    const script = [
      `PATH=${pathPrefix(node).map(quote).join(":")}:$PATH`,
      ...unique.map((text, index) => `(${text}) >/dev/null 2>&1 || echo ${index}`),
    ].join("\n");
    // In a shell of its own: PATH must not stay changed.
    const { stdout } = await node.transport.exec(`(${script}\n)`, { signal });
    const failed = new Set(stdout.split("\n").filter((line) => line !== "").map(Number));
    return questions.flatMap(({ otherwise }, at) =>
      failed.has(unique.indexOf(texts[at] ?? "")) ? [otherwise] : []
    );
  } catch (thrown) {
    signal.throwIfAborted();
    const { message, code } = toGridError(thrown);
    return [obstacle(`node ${name}`, message, code)];
  }
}
