/** What the checks before a run share: the steps that may run, and where. */
import { type Choice, choose } from "../../cluster/node_choice.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { HealthConfig, RayConfig } from "../../cluster/config.ts";
import { LOCAL_NODE, localNode } from "../../cluster/defaults.ts";
import type { Node, NodeHealth } from "../../cluster/node.ts";
import type { PartialEvaluation } from "../../pipeline/partial_evaluation.ts";
import type { NodeSelector, Pipeline, Step } from "../../pipeline/pipeline.ts";
import type { Text } from "../../expression/text.ts";
import { ANY_NODE } from "../placement.ts";

export interface SurveyOptions {
  readonly cluster: Cluster;
  readonly weights: Pick<HealthConfig, "cpuWeight" | "gpuWeight">;
  readonly ray: Pick<RayConfig, "mode" | "head">;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
  readonly evaluation: PartialEvaluation;
  /** Of the configured nodes, and of this machine. */
  readonly health: readonly NodeHealth[];
}

/** A step's choice among nodes; `chosen` is undefined where none fits now. */
export interface StepChoice extends Choice {
  readonly selector: NodeSelector<string>;
}

export class Survey {
  /** Steps and hooks that do work of their own, without those that the inputs keep from running. */
  readonly steps: readonly Step[];
  readonly #options: SurveyOptions;
  readonly #byId: ReadonlyMap<string, Step>;
  readonly #hooks: ReadonlySet<Step>;
  readonly #before = new Map<Step, readonly Step[]>();
  readonly #choices = new Map<Step, StepChoice | undefined>();

  constructor(pipeline: Pipeline, options: SurveyOptions) {
    this.#options = options;
    const hooks = Object.values(pipeline.hooks).flat();
    const all = [...pipeline.steps, ...hooks];
    this.#hooks = new Set(hooks);
    this.#byId = new Map(all.map((step) => [step.id, step]));
    this.steps = all.filter((step) =>
      step.action.kind !== "group" && options.evaluation.falseCondition(step) === undefined
    );
  }

  /** Steps that may do their work before this one does. */
  before(step: Step): readonly Step[] {
    const known = this.#before.get(step);
    if (known !== undefined) return known;
    const ids = this.#hooks.has(step) ? new Set(this.#byId.keys()) : this.#waitsOf(step);
    ids.delete(step.id);
    const found = this.steps.filter(({ id }) => ids.has(id));
    this.#before.set(step, found);
    return found;
  }

  /** What is before a group is before its members; what is behind a group is behind its members. */
  #waitsOf(step: Step): Set<string> {
    const found = new Set<string>();
    const queue = [step.id];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      for (let at = this.#byId.get(id); at; at = this.#byId.get(at.group ?? "")) {
        const members = at.action.kind === "group" && found.has(at.id) ? at.action.members : [];
        for (const next of [...at.needs, ...at.after, ...members]) {
          if (found.has(next)) continue;
          found.add(next);
          queue.push(next);
        }
      }
    }
    return found;
  }

  /** Nodes that a step names, as far as that is known. */
  namedBy(step: Step): string[] {
    const { action, node } = step;
    const { cluster, evaluation, ray } = this.#options;
    const known = (text: Text) => evaluation.text(text, step)?.trim() ?? [];
    if (action.kind === "sync" || action.kind === "data") {
      return action.to === "all" ? cluster.nodes.map(({ name }) => name) : action.to.flatMap(known);
    }
    if (action.kind === "ray-batch" && ray.mode === "managed") return [headOf(ray, cluster)];
    return node.kind === "named" ? [known(node.name)].flat() : [];
  }

  /** Where a step runs, as far as that can be said now; undefined where it cannot. */
  placesOf(step: Step): readonly string[] | undefined {
    const { action, node } = step;
    if (action.kind === "select-node") return [];
    const names = this.namedBy(step);
    if (names.length > 0) return names;
    const chooser = node.kind === "chosen-by" ? this.#byId.get(node.step) : step;
    const chosen = chooser && this.choiceOf(chooser)?.chosen;
    return chosen && [chosen.node.name];
  }

  /** What a run would choose now; undefined for a step that chooses nothing, or by what is not known yet. */
  choiceOf(step: Step): StepChoice | undefined {
    if (!this.#choices.has(step)) this.#choices.set(step, this.#choose(step));
    return this.#choices.get(step);
  }

  #choose(step: Step): StepChoice | undefined {
    const selector = this.#selectorOf(step);
    if (selector === undefined) return undefined;
    const { cluster, weights } = this.#options;
    const nodes = selector.among.length === 0
      ? cluster.nodes
      : selector.among.flatMap((name) => this.#node(name) ?? []);
    const candidates = nodes.flatMap((node) => {
      const health = this.healthOf(node.name);
      return health ? [{ node, health }] : [];
    });
    const choice = choose(candidates, { selector, weights, avoid: [], random: () => 0 });
    return { ...choice, selector };
  }

  healthOf(name: string): NodeHealth | undefined {
    return this.#options.health.find(({ node }) => node === name);
  }

  #node(name: string): Node | undefined {
    const { cluster } = this.#options;
    if (name === LOCAL_NODE) return localNode(this.#options.project);
    return cluster.nodes.find((node) => node.name === name);
  }

  #selectorOf(step: Step): NodeSelector<string> | undefined {
    const { action, node } = step;
    if (action.kind === "sync" || action.kind === "data" || this.namedBy(step).length > 0) {
      return undefined;
    }
    if (action.kind === "select-node") return this.#known(action.selector, step);
    if (node.kind === "selector") return this.#known(node.selector, step);
    return node.kind === "best" ? { ...ANY_NODE, among: this.#withCode(step) } : undefined;
  }

  /** Nodes that syncs before a step bring something to; none where that is not known. */
  #withCode(step: Step): string[] {
    const before = [...this.#waitsOf(step)].flatMap((id) => this.#byId.get(id) ?? []);
    const syncs = before.filter(({ action }) => action.kind === "sync");
    const named = syncs.map((sync) => this.namedBy(sync));
    if (named.some((names) => names.length === 0)) return [];
    return [...new Set(named.flat())].filter((name) => name !== LOCAL_NODE);
  }

  #known(selector: NodeSelector<Text>, step: Step): NodeSelector<string> | undefined {
    const { evaluation } = this.#options;
    const { model: modelText, exclude: excluded, ...plain } = selector;
    const texts = (list: readonly Text[]) =>
      list.flatMap((text) => evaluation.text(text, step) ?? []);
    const [labels, among] = [texts(selector.labels), texts(selector.among)];
    const exclude = texts(excluded ?? []);
    const model = modelText && evaluation.text(modelText, step);
    const isKnown = labels.length === selector.labels.length &&
      among.length === selector.among.length &&
      exclude.length === (excluded ?? []).length &&
      (model === undefined) === (modelText === undefined);
    return isKnown ? { ...plain, labels, among, exclude, model } : undefined;
  }
}

/** Managed Ray starts batches on its head, whatever the step says. */
export function headOf(ray: Pick<RayConfig, "head">, cluster: Pick<Cluster, "nodes">): string {
  return ray.head ?? cluster.nodes[0]?.name ?? LOCAL_NODE;
}
