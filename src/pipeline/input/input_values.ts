import type { JsonValue } from "../../core/json.ts";
import { lazy } from "../../core/lazy.ts";
import { setOwn } from "../../core/own.ts";
import { diagnostic, suggest } from "../../document/shape/check.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";
import type { CheckedFile } from "../check/checked_file.ts";
import type { Given } from "./inputs_file.ts";
import type { GivenInputs } from "../load_options.ts";
import { type InputSpec, parseInput } from "./inputs.ts";

export interface InputValues {
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Values of every declared input: flags, then the inputs file, then the environment, then defaults. */
export async function resolveInputs(
  main: CheckedFile,
  options: GivenInputs & { readonly requireInputs?: boolean | undefined },
): Promise<InputValues> {
  const diagnostics: Diagnostic[] = [];
  const fromFile = options.inputsFile === undefined
    ? new Map<string, Given>()
    : await fromInputsFile(options.inputsFile, diagnostics);
  const flags = new Map(
    Object.entries(options.inputs ?? {}).map(([name, text]): [string, Given] => [
      name,
      { text, origin: "-i", spot: undefined },
    ]),
  );
  for (const [name, given] of [...flags, ...fromFile]) {
    if (!main.inputs.has(name)) diagnostics.push(unknownInput(name, given, main));
  }
  const values: Record<string, JsonValue> = {};
  for (const spec of main.inputs.values()) {
    const given = flags.get(spec.name) ?? fromFile.get(spec.name) ?? fromEnv(spec, options.env);
    setOwn(values, spec.name, valueOf(spec, given, { diagnostics, ...options }));
  }
  return { values, diagnostics };
}

function valueOf(
  spec: InputSpec,
  given: Given | undefined,
  { diagnostics, requireInputs = true }: {
    readonly diagnostics: Diagnostic[];
    readonly requireInputs?: boolean | undefined;
  },
): JsonValue {
  if (given === undefined) {
    if (spec.required && spec.default === undefined && requireInputs) {
      diagnostics.push(diagnostic({
        rule: "missing-input",
        spot: spec.spot,
        message: `input "${spec.name}" is required and has no value`,
        hint: `give it with -i ${spec.name}=…, or set ${variableOf(spec.name)}`,
      }));
    }
    return spec.default ?? null;
  }
  const parsed = parseInput(spec, given.text);
  if (parsed.ok) return parsed.value;
  diagnostics.push(diagnostic({
    rule: "bad-input",
    spot: given.spot ?? spec.spot,
    message: `input "${spec.name}" ${parsed.problem} (from ${given.origin})`,
  }));
  return spec.default ?? null;
}

function unknownInput(name: string, given: Given, main: CheckedFile): Diagnostic {
  const { source } = main.reader;
  const declared = source.pathSpot(["inputs"], "key");
  return diagnostic({
    rule: "unknown-input",
    spot: given.spot ?? declared,
    message: `the pipeline has no input "${name}" (from ${given.origin})`,
    hint: suggest(name, [...main.inputs.keys()], "inputs"),
  });
}

/** `GRID_INPUT_` and the name in capitals, dashes as underscores. */
export function variableOf(name: string): string {
  return `GRID_INPUT_${name.toUpperCase().replaceAll("-", "_")}`;
}

function fromEnv(spec: InputSpec, env: Readonly<Record<string, string>>): Given | undefined {
  const variable = variableOf(spec.name);
  const text = env[variable];
  return text === undefined ? undefined : { text, origin: variable, spot: undefined };
}

async function fromInputsFile(path: string, diagnostics: Diagnostic[]) {
  const { readInputsFile } = await lazy<typeof import("./inputs_file.ts")>(
    "./inputs_file.ts",
    import.meta.url,
  );
  return await readInputsFile(path, diagnostics);
}
