import { GridError } from "../../core/errors.ts";
import { checkSource } from "../../document/shape/check.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";
import type { Spot } from "../../document/lines.ts";
import { readSource } from "../../document/source.ts";
import { z } from "../../document/shape/zod.ts";
/** The value of an input as somebody gave it. */
export interface Given {
  readonly text: string;
  /** `-i`, the file, or the variable. */
  readonly origin: string;
  /** Where it is written, if that is a file. */
  readonly spot: Spot | undefined;
}

const inputsFileSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** The values of `--inputs FILE`, a YAML map, as they are written there. */
export async function readInputsFile(
  path: string,
  diagnostics: Diagnostic[],
): Promise<Map<string, Given>> {
  const source = readSource(await readFile(path), path);
  diagnostics.push(...source.diagnostics);
  const checked = checkSource(source, inputsFileSchema);
  diagnostics.push(...source.withoutEchoes(checked.diagnostics));
  const root = source.value;
  if (checked.value === undefined || typeof root !== "object" || root === null) return new Map();
  return new Map(
    Object.keys(checked.value).map((name): [string, Given] => [name, {
      text: source.spelling(root, name) ?? "",
      origin: path,
      spot: source.valueSpot(root, name),
    }]),
  );
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new GridError({
      code: "usage",
      message: `Cannot read the inputs file ${path}: ${(error as Error).message}`,
      hint: "--inputs takes a YAML file with one value per input",
      cause: error,
    });
  }
}
