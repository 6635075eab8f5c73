import { parseFileGlob } from "../core/file_glob.ts";
import { parseGlob } from "../core/glob.ts";
import type { Place } from "../core/errors.ts";
import type { Mistake } from "../document/shape/check.ts";
import type { Spot } from "../document/lines.ts";
import { isContainer } from "../document/source.ts";
import { readAction, readBefore, readNode, readOutputs } from "./action.ts";
import { checkAxis } from "./matrix/axis_check.ts";
import type { Action, CacheRule, HookMoment, NodeRequest, OutputSource } from "./pipeline.ts";
import type { HookEntry, MatrixEntry, RetryEntry, TimeoutEntry } from "./schema.ts";
import { type KindKey, STEP_KINDS } from "./step_kinds.ts";
import type { Text } from "../expression/text.ts";
import type { ExpressionUse, TextReader } from "../expression/reader.ts";

/** A step as written in its file, before matrices and templates are expanded. */
export interface WrittenStep {
  readonly id: string;
  readonly entry: HookEntry;
  readonly spot: Spot;
  readonly place: Place;
  readonly hook: HookMoment | undefined;
  /** Undefined where the kind is wrong, which has been reported. */
  readonly kind: KindKey | undefined;
  readonly needs: readonly Edge[];
  readonly after: readonly Edge[];
  readonly condition: Text | undefined;
  readonly action: Action<Text> | undefined;
  readonly node: NodeRequest<Text> | undefined;
  readonly env: Readonly<Record<string, Text>>;
  readonly secrets: readonly Edge[];
  readonly timeout: TimeoutEntry | undefined;
  readonly retry: RetryEntry | undefined;
  readonly outputs: readonly OutputSource<Text>[];
  readonly workingDirectory: Text | undefined;
  readonly before: readonly Text[] | undefined;
  readonly cache: CacheRule<Text> | undefined;
  readonly inputs: readonly Text[];
  readonly matrix: MatrixEntry | undefined;
  /** Inputs for the template of `uses`. */
  readonly with: Readonly<Record<string, Text>>;
  /** Every expression in the step, to be checked against what it can see. */
  readonly uses: readonly ExpressionUse[];
  /** Something was taken out of the step, so that what is missing may have been there. */
  readonly isDamaged: boolean;
}

/** For `uses`, its keys are carried to the steps of the template as they are. */
const ON_ONE_NODE: ReadonlySet<KindKey> = new Set(["run", "fetch", "uses"]);

/** A name that refers to another step or to a secret, and where it is written. */
export interface Edge {
  readonly name: string;
  readonly spot: Spot;
}

export interface WrittenStepOptions {
  readonly id: string;
  readonly spot: Spot;
  readonly hook: HookMoment | undefined;
  readonly reader: TextReader;
  /** Something was taken out of the step, so that what is missing may have been there. */
  readonly isDamaged: boolean;
}

export function readWrittenStep(entry: HookEntry, options: WrittenStepOptions): WrittenStep {
  const { id, spot, hook, reader, isDamaged } = options;
  const kind = kindOf(entry, { reader, spot, isDamaged });
  reader.takeUses();
  const { cache } = entry;
  // What runs on one node, and is made ready when it is chosen.
  const onNode = <T>(read: () => T): T =>
    kind !== undefined && ON_ONE_NODE.has(kind) ? reader.onNode(read) : read();
  const step = {
    id,
    entry,
    spot,
    place: spot.place,
    hook,
    kind,
    needs: edges(entry, "needs", reader),
    after: edges(entry, "after", reader),
    condition: entry.if === undefined ? undefined : reader.condition(entry, "if"),
    action: kind === undefined || kind === "uses"
      ? undefined
      : onNode(() => readAction(entry, kind, reader)),
    node: nodeOf(entry, reader),
    env: onNode(() => reader.variables(entry.env)),
    secrets: edges(entry, "secrets", reader),
    timeout: entry.timeout,
    retry: entry.retry,
    outputs: onNode(() => readOutputs(entry, reader)),
    workingDirectory: onNode(() => reader.optional(entry, "working-directory")),
    before: onNode(() => readBefore(entry, reader)),
    inputs: reader.globs(entry, "inputs", parseFileGlob),
    cache: cache && {
      inputs: reader.globs(cache, "inputs", parseFileGlob),
      key: reader.optional(cache, "key"),
      files: cache.files === undefined ? undefined : reader.globs(cache, "files", parseGlob),
    },
    matrix: readAxes(entry.matrix, reader),
    with: reader.map(entry.with),
    isDamaged,
  };
  return { ...step, uses: reader.takeUses() };
}

/** An axis may be an expression; reading it puts it among those that are checked. */
function readAxes(matrix: MatrixEntry | undefined, reader: TextReader): MatrixEntry | undefined {
  for (const [key, value] of Object.entries(matrix ?? {})) {
    if (matrix === undefined || typeof value !== "string") continue;
    checkAxis(matrix, { axis: key, text: reader.axis(matrix, key), reader });
  }
  return matrix;
}

/** `fetch: {node: …}` says the same as `node:` beside it. */
function nodeOf(entry: HookEntry, reader: TextReader): NodeRequest<Text> | undefined {
  const inside = entry.fetch && readNode(entry.fetch, reader);
  const outside = readNode(entry, reader);
  if (inside && outside && entry.fetch) {
    const within = reader.source.keySpot(entry.fetch, "node");
    const beside = reader.source.keySpot(entry, "node");
    const isFirst = offsetOf(entry, "node") < offsetOf(entry, "fetch");
    reader.report({
      rule: "two-nodes",
      spot: isFirst ? within : beside,
      message: "the node is named twice, inside fetch: and beside it",
      hint: "keep one of them",
    });
  }
  return outside ?? inside;
}

function kindOf(
  entry: HookEntry,
  { reader, spot, isDamaged }: Pick<WrittenStepOptions, "reader" | "spot" | "isDamaged">,
): KindKey | undefined {
  const [first, ...more] = STEP_KINDS.filter((kind) => entry[kind] !== undefined)
    .sort((a, b) => offsetOf(entry, a) - offsetOf(entry, b));
  for (const second of more) {
    reader.report({
      rule: "two-kinds",
      spot: reader.source.keySpot(entry, second),
      message: `a step does one thing: ${first} is already there, ${second} is another`,
      hint: "make it two steps, joined by needs:",
    });
  }
  if (first === undefined && !isDamaged) {
    reader.report(
      indented(entry, reader) ?? {
        rule: "no-kind",
        spot,
        message: "the step does not say what to do",
        hint: `add one of ${STEP_KINDS.join(", ")}`,
      },
    );
  }
  if (entry.with !== undefined && entry.uses === undefined && !isDamaged) {
    reader.report({
      rule: "with-without-uses",
      spot: reader.source.keySpot(entry, "with"),
      message: "with: gives inputs to a template, but the step uses none",
      hint: "add uses: ./template.yaml, or write the values under env:",
    });
  }
  if (entry.service !== undefined && entry.run === undefined && !isDamaged) {
    reader.report({
      rule: "service-without-run",
      spot: reader.source.keySpot(entry, "service"),
      message: "service: says that a command stays, but the step has none",
      hint: "add run: with the command that serves",
    });
  }
  if (entry.nodes !== undefined && entry.run === undefined && !isDamaged) {
    reader.report({
      rule: "nodes-without-run",
      spot: reader.source.keySpot(entry, "nodes"),
      message: `nodes: runs a command on many nodes, and the step has none`,
      hint: first === "sync"
        ? "a sync goes to all nodes by itself; to: names some"
        : "add run: with the command; other kinds of step use one node each",
    });
  }
  if (first === "uses" && entry.outputs !== undefined) {
    reader.report({
      rule: "outputs-of-template",
      spot: reader.source.keySpot(entry, "outputs"),
      message: "a template's outputs are declared in the template",
      hint: "move outputs: to the top of the template",
    });
  }
  return first;
}

/** Keys keep the order of the file. */
/** What the step does stands in its `env` or `with`, one indentation too deep. */
function indented({ env, with: given }: HookEntry, reader: TextReader): Mistake | undefined {
  for (const [outer, container] of Object.entries({ env, with: given })) {
    const kind = container && STEP_KINDS.find((kind) => Object.hasOwn(container, kind));
    if (kind === undefined || container === undefined) continue;
    return {
      rule: "no-kind",
      spot: reader.source.keySpot(container, kind),
      message: `${kind}: stands inside ${outer}: here, so the step does not say what to do`,
      hint: `give it as many spaces as ${outer}:`,
    };
  }
  return undefined;
}

function offsetOf(entry: HookEntry, key: string): number {
  return Object.keys(entry).indexOf(key);
}

function edges(entry: HookEntry, key: "needs" | "after" | "secrets", reader: TextReader): Edge[] {
  const value = entry[key];
  if (value === undefined) return [];
  if (!isContainer(value)) return [{ name: value, spot: reader.source.valueSpot(entry, key) }];
  return value.map((name, index) => ({ name, spot: reader.source.valueSpot(value, index) }));
}
