import type { JsonValue } from "../../core/json.ts";
import { own, setOwn } from "../../core/own.ts";
import { suggest } from "../../document/shape/check.ts";
import type { WrittenStep } from "../written_step.ts";
import type { CheckedFile } from "../check/checked_file.ts";
import { parseInput } from "../input/inputs.ts";
import type { InputRule } from "../pipeline.ts";
import { Text } from "../../expression/text.ts";
import type { TextReader } from "../../expression/reader.ts";
import { declaredIn } from "../input/typed_input.ts";

/** The inputs of one use of a template; an expression is evaluated when the template starts. */
export function templateInputs(
  step: WrittenStep,
  template: CheckedFile,
): Record<string, JsonValue | Text> {
  const values: Record<string, JsonValue | Text> = {};
  for (const spec of template.inputs.values()) {
    const given = own(step.with, spec.name);
    const constant = given?.constant;
    const parsed = constant === undefined ? undefined : parseInput(spec, constant);
    setOwn(values, spec.name, parsed?.ok ? parsed.value : given ?? spec.default ?? null);
  }
  return values;
}

/** What the values must be that are still to come. */
export function rulesOf(
  inputs: Readonly<Record<string, JsonValue | Text>>,
  template: CheckedFile,
): Record<string, InputRule> {
  const open = [...template.inputs].filter(([name]) => own(inputs, name) instanceof Text);
  return Object.fromEntries(open);
}

/** Reports what `with:` gives wrongly, too much or too little. */
export function checkWith(step: WrittenStep, template: CheckedFile, reader: TextReader): void {
  const container = step.entry.with ?? {};
  const names = [...template.inputs.keys()];
  for (const [name, text] of Object.entries(step.with)) {
    const spec = template.inputs.get(name);
    if (spec === undefined) {
      reader.report({
        rule: "unknown-input",
        spot: reader.source.keySpot(container, name),
        message: `the template has no input "${name}"`,
        hint: suggest(name, names, "inputs"),
      });
      continue;
    }
    const parsed = text.constant === undefined ? undefined : parseInput(spec, text.constant);
    if (parsed === undefined || parsed.ok) continue;
    reader.report({
      rule: "bad-input",
      spot: reader.source.valueSpot(container, name),
      message: `input "${name}" ${parsed.problem}`,
      hint: declaredIn(spec),
    });
  }
  for (const spec of template.inputs.values()) {
    if (!spec.required || spec.default !== undefined || Object.hasOwn(step.with, spec.name)) {
      continue;
    }
    reader.report({
      rule: "missing-input",
      spot: reader.source.valueSpot(step.entry, "uses"),
      message: `the template needs the input "${spec.name}"`,
      hint: `add with: { ${spec.name}: … }`,
    });
  }
}
