import type { JsonValue } from "../core/json.ts";
import type { WrittenStep } from "./written_step.ts";
import type { Inherited, Instance } from "./instance.ts";
import type { NodeRequest, NodeSelector, Step } from "./pipeline.ts";
import { DEFAULT_RETRY, DEFAULT_TIMEOUT } from "./policy.ts";
import { partReads } from "../expression/node_reference.ts";
import { Text } from "../expression/text.ts";

export const NOTHING_INHERITED: Inherited = {
  env: {},
  secrets: [],
  timeout: DEFAULT_TIMEOUT,
  retry: DEFAULT_RETRY,
  node: { kind: "best" },
  workingDirectory: undefined,
  shell: "bash",
  detach: false,
  cache: undefined,
};

/**
 * Carries texts of a `uses` step into its template. Their expressions mean names of the outer file,
 * so each becomes an input of the template, evaluated outside, and an expression that reads it.
 */
export class Carrier {
  readonly inherited: Inherited;
  readonly #inputs: Record<string, JsonValue | Text> = {};

  constructor(instance: Instance, step: Step, written: WrittenStep) {
    const outer = instance.inherited;
    const env = { ...outer.env, ...written.env };
    this.inherited = {
      env: Object.fromEntries(
        Object.entries(env).map(([name, text]) => [name, this.#carry(text, `env ${name}`)]),
      ),
      secrets: step.secrets,
      timeout: step.timeout,
      retry: step.retry,
      node: this.#node(step.node),
      workingDirectory: step.workingDirectory && this.#carry(step.workingDirectory, "folder"),
      shell: step.shell,
      ...(step.before && {
        // Each value is quoted where it stands.
        before: step.before.map((text, index) => this.#carryParts(text, `before ${index}`)),
      }),
      detach: step.detach,
      ...(step.seesAllGpus && { seesAllGpus: true }),
      cache: step.cache && {
        inputs: step.cache.inputs.map((text, index) => this.#carry(text, `cache ${index}`)),
        key: step.cache.key && this.#carry(step.cache.key, "cache key"),
        files: step.cache.files?.map((text, index) => this.#carry(text, `cache file ${index}`)),
      },
      ...(step.inputs && {
        inputs: step.inputs.map((text, index) => this.#carry(text, `input ${index}`)),
      }),
    };
  }

  /** Inputs that the template did not declare; their names hold a blank, so nobody else's can clash. */
  get inputs(): Readonly<Record<string, JsonValue | Text>> {
    return this.#inputs;
  }

  #carry(text: Text, name: string): Text {
    if (text.constant !== undefined) return text;
    if (text.parts.some(partReads)) return this.#carryParts(text, name);
    const key = `outer ${name}`;
    this.#inputs[key] = text;
    const source = `inputs[${JSON.stringify(key)}]`;
    const { place, inFile } = text;
    return new Text([{ kind: "expression", source, place }], place, { inFile });
  }

  /** Each value by itself; what reads the node means the same in the template, and stays as it is. */
  #carryParts(text: Text, name: string): Text {
    const { place, inFile } = text;
    const parts = text.parts.flatMap((part, index) =>
      part.kind === "literal" || partReads(part)
        ? [part]
        : this.#carry(new Text([part], place), `${name}.${index}`).parts
    );
    return new Text(parts, place, { inFile });
  }

  #node(node: NodeRequest<Text>): NodeRequest<Text> {
    switch (node.kind) {
      case "named":
        return { kind: "named", name: this.#carry(node.name, "node") };
      case "selector":
        return { kind: "selector", selector: this.#selector(node.selector) };
      case "chosen-by":
      case "best":
        return node;
    }
  }

  #selector(selector: NodeSelector<Text>): NodeSelector<Text> {
    return {
      ...selector,
      labels: selector.labels.map((text, index) => this.#carry(text, `label ${index}`)),
      among: selector.among.map((text, index) => this.#carry(text, `among ${index}`)),
      ...(selector.model !== undefined && { model: this.#carry(selector.model, "gpu") }),
      ...(selector.exclude !== undefined && {
        exclude: selector.exclude.map((text, index) => this.#carry(text, `exclude ${index}`)),
      }),
    };
  }
}
