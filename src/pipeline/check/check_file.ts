import type { Diagnostic } from "../../document/diagnostic.ts";
import { readBefore, readNode } from "../action.ts";
import { readWrittenStep, type WrittenStep } from "../written_step.ts";
import type { FileUses } from "./expression_uses.ts";
import { loadScripts } from "../../script/scripts.ts";
import { lazy } from "../../core/lazy.ts";
import { loadPatterns } from "../../core/pattern.ts";
import { type CheckedFile, HOOK_MOMENTS } from "./checked_file.ts";
import { checkFetch } from "./fetch_check.ts";
import type { OpenFile } from "../file.ts";
import { buildGraph, reportDuplicate } from "../graph.ts";
import { readInputs } from "../input/inputs.ts";
import { checkHook } from "./hook_check.ts";
import { checkLimits } from "./limit_check.ts";
import { checkMatrix } from "../matrix/matrix.ts";
import type { KnownEnvironment, KnownNode } from "../load_options.ts";
import { checkNodes } from "./node_check.ts";
import type { Concurrency, HookMoment, SecretSource } from "../pipeline.ts";
import { checkPlainPlaces } from "./plain_places.ts";
import type { PipelineFile } from "../schema.ts";
import type { ScheduleCheck } from "./schedule_check.ts";
import { checkTaken, readSecrets, unknownSecretHint } from "./secrets.ts";
import { checkBefore } from "./script_traps.ts";
import { checkStep } from "./step_check.ts";
import { TextReader } from "../../expression/reader.ts";

export interface CheckOptions {
  readonly path: string;
  /** Templates by what `uses:` says; undefined for one that cannot be read. */
  readonly templates: ReadonlyMap<string, CheckedFile | undefined>;
  /** Undefined where nobody knows them. */
  readonly nodes: readonly KnownNode[] | undefined;
  readonly local?: KnownEnvironment | undefined;
  /** Its steps may run where the step that uses it says. */
  readonly isTemplate?: boolean;
}

/** Text may also be written by its numbers. */
const MAY_HOLD_EXPRESSION = /\{\{|\\[xuU]/;
/** `match:` of an output, `pattern:` of an input, `.matches()` of an expression. */
const MAY_HOLD_PATTERN = /match|pattern|service|\\[xuU]/;

/** Finds every mistake that can be found without running; they end in `diagnostics`. */
export async function checkFile(
  open: OpenFile,
  diagnostics: Diagnostic[],
  options: CheckOptions,
): Promise<CheckedFile> {
  const { source, file, damaged } = open;
  if (source.matches(MAY_HOLD_EXPRESSION)) await loadScripts();
  if (source.matches(MAY_HOLD_PATTERN)) await loadPatterns();
  const reader = new TextReader(source, diagnostics);
  const inputs = readInputs(file, reader);
  const secrets = readSecrets(file, reader);
  const env = reader.onNode(() => reader.variables(file.env));
  const defaultNode = readNode(file.defaults ?? {}, reader);
  const { defaults } = file;
  const defaultFolder = defaults &&
    reader.onNode(() => reader.optional(defaults, "working-directory"));
  const defaultBefore = defaults && reader.onNode(() => readBefore(defaults, reader));
  const fileUses = reader.takeUses();
  const concurrency = readConcurrency(file, reader);
  const concurrencyUses = reader.takeUses();
  const schedules = await checkSchedules(file, { reader, inputs });
  const steps = file.steps.map((entry, index) =>
    readWrittenStep(entry, {
      id: entry.id,
      spot: source.has(entry, "id")
        ? source.valueSpot(entry, "id")
        : source.valueSpot(file.steps, index),
      hook: undefined,
      reader,
      isDamaged: damaged.has(entry),
    })
  );
  const hooks = readHooks(open, { reader, steps, templates: options.templates });
  const outputs = reader.map(file.outputs);
  const outputUses = reader.takeUses();
  const hookIds = new Set(HOOK_MOMENTS.flatMap((moment) => hooks[moment].map(({ id }) => id)));
  const graph = buildGraph(steps, { reader, hookIds });
  const templates = new Map(
    [...steps, ...HOOK_MOMENTS.flatMap((moment) => hooks[moment])].flatMap((step) => {
      const template = step.entry.uses && options.templates.get(step.entry.uses);
      return template ? [[step.id, template] as const] : [];
    }),
  );
  const checked: CheckedFile = {
    path: options.path,
    file,
    reader,
    inputs,
    env,
    graph,
    hooks,
    secrets,
    concurrency,
    schedules,
    outputs,
    defaultNode,
    defaultFolder,
    defaultBefore,
    templates,
  };
  const declared = declaredSecrets(file, { secrets, reader });
  for (const step of [...steps, ...HOOK_MOMENTS.flatMap((moment) => hooks[moment])]) {
    checkSecrets(step, declared, reader);
    checkMatrix(step, { reader, damaged });
    checkTaken(step.entry.env, reader);
    checkStep(step, reader);
    checkFetch(step, reader);
  }
  checkLimits(file.defaults ?? {}, reader);
  checkBefore(file.defaults ?? {}, reader);
  checkTaken(file.env, reader);
  checkPlainPlaces(file, reader);
  checkNodes(checked, options.nodes);
  const uses = { fileUses, concurrencyUses, outputUses };
  if (hasExpressions(checked, uses)) {
    const { checkExpressions } = await lazy<typeof import("./expression_uses.ts")>(
      "./expression_uses.ts",
      import.meta.url,
    );
    await checkExpressions(checked, { ...uses, ...options });
  }
  return checked;
}

/** What reads cron expressions is for files that have some. */
async function checkSchedules(file: PipelineFile, check: ScheduleCheck) {
  if (file.schedule === undefined) return [];
  const { readSchedules } = await lazy<typeof import("./schedule_check.ts")>(
    "./schedule_check.ts",
    import.meta.url,
  );
  return readSchedules(file, check);
}

function hasExpressions({ graph, hooks }: CheckedFile, uses: FileUses): boolean {
  const steps = [...graph.byId.values(), ...HOOK_MOMENTS.flatMap((moment) => hooks[moment])];
  return [...Object.values(uses), ...steps.map((step) => step.uses)].some((list) =>
    list.length > 0
  );
}

function readConcurrency(file: PipelineFile, reader: TextReader): Concurrency | undefined {
  if (file.concurrency === undefined) return undefined;
  return {
    group: reader.text(file.concurrency, "group"),
    max: file.concurrency.max ?? 1,
    onConflict: file.concurrency["on-conflict"] ?? "queue",
  };
}

/** The hooks of one moment are a graph of their own; their names are unique in the whole file. */
function readHooks(
  open: OpenFile,
  { reader, steps, templates }: Pick<CheckOptions, "templates"> & {
    readonly reader: TextReader;
    readonly steps: readonly WrittenStep[];
  },
): CheckedFile["hooks"] {
  const { source, file, damaged } = open;
  const taken = new Map(steps.map((step) => [step.id, step]));
  const read = (moment: HookMoment): WrittenStep[] => {
    const entries = file.hooks?.[moment] ?? [];
    const found = entries.map((entry, index) => {
      const spot = source.valueSpot(entries, index);
      checkHook(entry, { reader, template: templates.get(entry.uses ?? "") });
      const id = entry.id ?? `on-${moment}-${index + 1}`;
      return readWrittenStep(entry, {
        id,
        spot,
        hook: moment,
        reader,
        isDamaged: damaged.has(entry),
      });
    });
    for (const hook of found) {
      const first = taken.get(hook.id);
      if (first) reportDuplicate(hook, first, reader);
    }
    for (const hook of found) taken.set(hook.id, hook);
    return [...buildGraph(found, { reader }).order];
  };
  return { success: read("success"), failure: read("failure"), exit: read("exit") };
}

/** With those whose declaration is faulty; undefined where any may have been declared. */
function declaredSecrets(
  file: PipelineFile,
  { secrets, reader }: { readonly secrets: readonly SecretSource[]; readonly reader: TextReader },
): string[] | undefined {
  if (reader.source.removedFrom(file).has("secrets")) return undefined;
  const faulty = file.secrets === undefined ? [] : [...reader.source.removedFrom(file.secrets)];
  return [...secrets.map(({ name }) => name), ...faulty.map(String)];
}

function checkSecrets(
  step: WrittenStep,
  known: readonly string[] | undefined,
  reader: TextReader,
): void {
  for (const { name, spot } of step.secrets) {
    if (known === undefined || known.includes(name)) continue;
    const hint = unknownSecretHint(name, known);
    reader.report({ rule: "unknown-secret", spot, message: `unknown secret "${name}"`, hint });
  }
}
