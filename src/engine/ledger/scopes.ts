/** What names mean to an expression at the moment it is evaluated. */
import type { JsonValue } from "../../core/json.ts";
import { own, setOwn } from "../../core/own.ts";
import { evaluateValue, type EvaluationScope } from "../../expression/evaluate.ts";
import type { Pipeline, Step } from "../../pipeline/pipeline.ts";
import { Text } from "../../expression/text.ts";
import { typedInput } from "../../pipeline/input/typed_input.ts";
import type { OutputFile, StepResult } from "../event.ts";
import type { LocalFiles } from "../ports.ts";
import type { ConditionStatus } from "../schedule/verdict.ts";

export interface ScopesOptions {
  readonly run: string;
  /** What `env()` sees besides the step's own variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly hashFiles: (patterns: readonly string[]) => string;
  /** Absent: outputs that lie in files are not known. */
  readonly files?: Pick<LocalFiles, "list"> | undefined;
}

/** What other steps may ask about a step that has ended. */
export interface StepRecord {
  readonly state: StepResult;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** Outputs that lie in files. */
  readonly filed?: Readonly<Record<string, OutputFile>>;
  readonly node: string | undefined;
  /** It was not asked for. */
  readonly skippedSteps?: boolean;
  /** Outputs that held a secret, which no journal keeps. */
  readonly unkept?: readonly string[];
}

export interface ScopeMoment {
  readonly attempt?: number;
  readonly status?: ConditionStatus;
  readonly env?: Readonly<Record<string, string>>;
  /** Stands in for the run's name where the result must not depend on it. */
  readonly run?: string;
}

type StepViews = Record<string, EvaluationScope["steps"][string]>;
type Inputs = EvaluationScope["inputs"];

const NOT_RUN: StepRecord = { state: "skipped", outputs: {}, node: undefined };

const NOT_CONCERNED: ConditionStatus = { success: true, failure: false, cancelled: false };

/** Grows with the run: every step that ends is seen by the steps of its own file. */
export class Scopes {
  readonly #pipeline: Pipeline;
  readonly #options: ScopesOptions;
  readonly #steps: ReadonlyMap<string, Step>;
  /** Scope → steps by local id; changed in place, since a copy per step would cost n². */
  readonly #views = new Map<string, StepViews>();
  readonly #records = new Map<string, StepRecord>();
  /** How many had ended before. */
  readonly #ends = new Map<string, number>();
  readonly #inputs = new Map<string, Inputs>();
  readonly #matricesOf = new Map<string, readonly Step[]>();
  /** By the list that expressions see. */
  readonly #files = new WeakMap<object, OutputFile>();

  constructor(pipeline: Pipeline, options: ScopesOptions) {
    this.#pipeline = pipeline;
    this.#options = options;
    const hooks = Object.values(pipeline.hooks).flat();
    this.#steps = new Map([...pipeline.steps, ...hooks].map((step) => [step.id, step]));
    for (const step of this.#steps.values()) {
      if (this.#isNamed(step)) this.#view(step, { outputs: {}, state: "pending", node: undefined });
    }
  }

  /** What has ended is known under its full id. */
  record(id: string): StepRecord | undefined {
    return this.#records.get(id);
  }

  /** Those of the steps that have ended, in the order in which they did. */
  inOrder(ids: readonly string[]): readonly string[] {
    const place = (id: string) => this.#ends.get(id) ?? -1;
    return ids.filter((id) => this.#records.has(id)).sort((a, b) => place(a) - place(b));
  }

  /** The file that a value is the list of. */
  fileOf(value: JsonValue): OutputFile | undefined {
    return typeof value === "object" && value !== null ? this.#files.get(value) : undefined;
  }

  /** Tells the other steps of the same file how this one ended. */
  add(step: Step, ended: StepRecord): void {
    const record = { ...ended, outputs: this.#withLists(step, ended) };
    this.#records.set(step.id, record);
    this.#ends.set(step.id, this.#ends.size);
    if (!this.#isNamed(step)) return;
    const { outputs: { ranks } } = record;
    this.#view(step, {
      ...record,
      state: stateSeen(record),
      ...this.#cellsOf(step),
      ...(isGang(step) && { ranks: ranks ?? [] }),
    });
  }

  /** Lists in files are outputs like any other; nothing is read before it is asked for. */
  #withLists(step: Step, { outputs, filed = {} }: StepRecord): StepRecord["outputs"] {
    const { files } = this.#options;
    if (!files) return outputs;
    const lists = Object.entries(filed).map(([name, file]) => {
      const list = files.list(file, `${step.id}.${name}`);
      this.#files.set(list, file);
      return [name, list] as const;
    });
    return lists.length === 0 ? outputs : { ...outputs, ...Object.fromEntries(lists) };
  }

  /** @throws {GridError} where an input of the template cannot be evaluated */
  of(step: Step, moment: ScopeMoment = {}): EvaluationScope {
    const scope = this.inside(step.scope, { ...moment, matrix: step.matrix });
    const cells = this.#sameCells(step);
    return cells === undefined ? scope : { ...scope, steps: { ...scope.steps, ...cells } };
  }

  /** The scope of a whole file: a template's outputs are evaluated there. */
  inside(
    scope: string,
    moment: ScopeMoment & { readonly matrix?: Step["matrix"] } = {},
  ): EvaluationScope {
    const { attempt = 1, status = NOT_CONCERNED, env, matrix, run } = moment;
    return {
      inputs: this.#inputsOf(scope),
      steps: this.#views.get(scope) ?? {},
      matrix: matrix && { ...matrix },
      env: this.#variables(env),
      run: { id: run ?? this.#options.run, pipeline: this.#pipeline.name },
      attempt,
      status,
      hashFiles: this.#options.hashFiles,
    };
  }

  /** Most steps have none of their own; a copy of all that Grid was started with is not free. */
  #variables(own: ScopeMoment["env"] = {}): Readonly<Record<string, string>> {
    const { env } = this.#options;
    return Object.keys(own).length === 0 ? env : { ...env, ...own };
  }

  /** A template's inputs, evaluated once, where the `uses` step stands. */
  #inputsOf(scope: string): Inputs {
    const known = this.#inputs.get(scope);
    if (known) return known;
    const { inputs: declared = this.#pipeline.inputs, rules, parent = "" } =
      own(this.#pipeline.scopes, scope) ?? {};
    const user = this.#steps.get(scope);
    const entries = Object.entries(declared).map(([name, value]): [string, JsonValue] => {
      if (!(value instanceof Text) || !user) return [name, value as JsonValue];
      // A hook stands in the scope of the template whose step it is.
      const outside = user.scope === scope ? this.inside(parent) : this.of(user);
      const given = evaluateValue(value, outside);
      const rule = rules && own(rules, name);
      return [name, rule ? typedInput(rule, { given, place: value.place }) : given];
    });
    const inputs = Object.fromEntries(entries);
    this.#inputs.set(scope, inputs);
    return inputs;
  }

  /** To a cell, another step with the same matrix is its cell with the same values. */
  #sameCells(step: Step): StepViews | undefined {
    if (step.matrix === undefined || step.group === undefined) return undefined;
    const cell = step.id.slice(step.group.length);
    const views: StepViews = {};
    for (const group of this.#matrices(step.scope)) {
      const twin = group.id === step.group ? undefined : this.#steps.get(`${group.id}${cell}`);
      if (twin === undefined) continue;
      const { state, outputs, node } = this.#records.get(twin.id) ?? NOT_RUN;
      const seen = stateSeen({ state, outputs, node });
      const id = localId(group);
      const view = own(this.#views.get(step.scope) ?? {}, id);
      const ranks = isGang(twin) && { ranks: outputs["ranks"] ?? [] };
      setOwn(views, id, { ...view, outputs, node, state: seen, ...ranks });
    }
    return Object.keys(views).length === 0 ? undefined : views;
  }

  #matrices(scope: string): readonly Step[] {
    const known = this.#matricesOf.get(scope);
    if (known) return known;
    const found = [...this.#steps.values()].filter(({ action, scope: its }) =>
      its === scope && action.kind === "group" && action.of === "matrix"
    );
    this.#matricesOf.set(scope, found);
    return found;
  }

  /** Cells of a matrix are reached through their group alone. */
  #isNamed(step: Step): boolean {
    const group = step.group === undefined ? undefined : this.#steps.get(step.group);
    return !(group?.action.kind === "group" && group.action.of === "matrix");
  }

  #view(step: Step, view: StepViews[string]): void {
    const views = this.#views.get(step.scope) ?? {};
    setOwn(views, localId(step), view);
    this.#views.set(step.scope, views);
  }

  /** `steps.<id>.matrix`: one entry per cell, in the order of the matrix. */
  #cellsOf({ action }: Step): { readonly matrix?: JsonValue } {
    if (action.kind !== "group" || action.of !== "matrix") return {};
    return {
      matrix: action.members.map((id): JsonValue => {
        const record = this.#records.get(id);
        return {
          params: this.#steps.get(id)?.matrix ?? {},
          status: record ? stateSeen(record) : "skipped",
          outputs: record?.outputs ?? {},
          node: record?.node ?? null,
        };
      }),
    };
  }
}

function isGang({ action }: Step): boolean {
  return action.kind === "run" && action.gang !== undefined;
}

/** A resumed run must give expressions the values that an undisturbed one does. */
function stateSeen({ state }: StepRecord): StepResult {
  return state === "reused" ? "succeeded" : state;
}

/** `score` for the step `eval/score` of the template that `eval` uses. */
function localId({ id, scope }: Step): string {
  return scope !== "" && id.startsWith(`${scope}/`) ? id.slice(scope.length + 1) : id;
}
