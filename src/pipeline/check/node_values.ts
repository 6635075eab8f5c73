/** What `node.…` may mean to a step: the `vars` of the nodes that it may run on. */
import type { WrittenStep } from "../written_step.ts";
import type { CheckedFile } from "../check/checked_file.ts";
import { chosenBy } from "../check/node_check.ts";
import type { KnownEnvironment, KnownNode } from "../load_options.ts";
import type { NodeRequest, NodeSelector } from "../pipeline.ts";
import type { Text } from "../../expression/text.ts";
import type { NodeNames } from "../../expression/names.ts";

export interface KnownNodes {
  readonly nodes?: readonly KnownNode[] | undefined;
  readonly local?: KnownEnvironment | undefined;
  readonly isTemplate?: boolean;
}

/** Where an expression is evaluated before any node is chosen. */
export const NO_NODE: NodeNames = {
  isChosen: false,
  vars: undefined,
  lacking: () => [],
  isCarried: false,
};

/** `steps.gpu.outputs.node`, and the same of a name with a dash. */
const NODE_OF_STEP = /^\s*steps(?:\.(\w+)|\["([\w-]+)"\])\.outputs\.node\s*$/;

export class NodeValues {
  readonly #file: CheckedFile;
  readonly #known: KnownNodes;
  readonly #vars: ReadonlySet<string> | undefined;

  constructor(file: CheckedFile, known: KnownNodes) {
    this.#file = file;
    this.#known = {
      ...known,
      nodes: known.nodes?.filter(({ unreached }) => unreached === undefined),
    };
    const all = [known.local, ...(known.nodes ?? []).map(({ environment }) => environment)];
    this.#vars = known.nodes && new Set(all.flatMap((one) => Object.keys(one?.vars ?? {})));
  }

  /** For what many steps share, each with a node of its own. */
  ofFile(): NodeNames {
    return { ...NO_NODE, isChosen: true, vars: this.#vars };
  }

  of(step: WrittenStep): NodeNames {
    const candidates = this.#candidates(step);
    return {
      isChosen: true,
      vars: this.#vars,
      isCarried: step.kind === "uses",
      lacking: (name) =>
        candidates.filter(({ environment }) => !Object.hasOwn(environment?.vars ?? {}, name))
          .map((node) => node.name),
    };
  }

  /** Empty where only the run tells. */
  #candidates(step: WrittenStep): readonly KnownNode[] {
    const { nodes, isTemplate } = this.#known;
    if (nodes === undefined || step.kind === "uses") return [];
    const request = step.node ?? this.#file.defaultNode;
    if (request !== undefined) return this.#requested(request);
    const [chooser] = step.hook === undefined ? chosenBy(step, this.#file) : [];
    if (chooser !== undefined) return this.#chosenAt(chooser);
    return isTemplate ? [] : nodes;
  }

  #requested(request: NodeRequest<Text>): readonly KnownNode[] {
    if (request.kind === "selector") return this.#fitting(request.selector);
    if (request.kind !== "named") return [];
    const name = request.name.constant?.trim();
    if (name === "local") {
      return [{ name, labels: [], environment: this.#known.local }];
    }
    if (name !== undefined) return (this.#known.nodes ?? []).filter((node) => node.name === name);
    const [part, ...more] = request.name.parts;
    const match = part?.kind === "expression" && more.length === 0
      ? NODE_OF_STEP.exec(part.source)
      : null;
    const chooser = this.#file.graph.byId.get(match?.[1] ?? match?.[2] ?? "");
    return chooser ? this.#chosenAt(chooser) : [];
  }

  #chosenAt({ action, matrix }: WrittenStep): readonly KnownNode[] {
    if (action?.kind !== "select-node" || matrix !== undefined) return [];
    return this.#fitting(action.selector);
  }

  /** As far as names and labels say; those that are expressions may mean any. */
  #fitting({ labels, among, exclude = [] }: NodeSelector<Text>): readonly KnownNode[] {
    const texts = [...labels, ...among, ...exclude];
    if (texts.some(({ constant }) => constant === undefined)) return [];
    const names = (list: readonly Text[]) => list.map(({ constant = "" }) => constant);
    return (this.#known.nodes ?? []).filter((node) =>
      names(labels).every((label) => node.labels.includes(label)) &&
      (among.length === 0 || names(among).includes(node.name)) &&
      !names(exclude).includes(node.name)
    );
  }
}
