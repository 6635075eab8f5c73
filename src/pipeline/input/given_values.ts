import type { WrittenStep } from "../written_step.ts";
import { trimmed } from "../../expression/cel_words.ts";
import type { CheckedFile } from "../check/checked_file.ts";
import type { Names } from "../../expression/names.ts";
import type { TextReader } from "../../expression/reader.ts";
import { typeOf } from "../../expression/type_check.ts";
import { typeWord } from "../../expression/type_fault.ts";
import { declaredIn, misfit } from "./typed_input.ts";

export interface GivenValues {
  readonly template: CheckedFile;
  readonly names: Names;
  readonly reader: TextReader;
}

/** Reports expressions under `with:` whose type is known and cannot be that of the input. */
export function checkGivenTypes(step: WrittenStep, options: GivenValues): void {
  const { template, names, reader } = options;
  const container = step.entry.with ?? {};
  for (const [name, text] of Object.entries(step.with)) {
    const spec = template.inputs.get(name);
    const [only, ...more] = text.parts;
    if (spec === undefined || only?.kind !== "expression" || more.length > 0) continue;
    const type = typeOf(only.source, names.types);
    const problem = type === undefined ? undefined : misfit(spec, type);
    if (type === undefined || problem === undefined) continue;
    const { start, end } = trimmed(only.source);
    const index = reader.spelling(container, name).indexOf(only.source) + start;
    reader.report({
      rule: "bad-input",
      spot: reader.source.spotWithin(container, name, { index, length: end - start }),
      message: `input "${name}" ${problem}, this is ${typeWord(type)}`,
      hint: declaredIn(spec),
    });
  }
}
