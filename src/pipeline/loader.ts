import { dirname, join, normalize } from "node:path";
import type { Place } from "../core/errors.ts";
import { GridError } from "../core/errors.ts";
import { diagnostic } from "../document/check.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import type { Spot } from "../document/lines.ts";
import { checkFile } from "./check_file.ts";
import type { CheckedFile } from "./checked_file.ts";
import { openFile } from "./file.ts";
import type { PipelineFile } from "./schema.ts";
import { checkWith } from "./template_inputs.ts";

export interface LoaderOptions {
  readonly nodeNames: readonly string[] | undefined;
}

/** A use on the way to the file at hand. */
interface Use {
  readonly path: string;
  readonly place: Place;
}

/** Reads a file and, through it, every template it uses; each file once. */
export class Loader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #options: LoaderOptions;
  readonly #files = new Map<string, CheckedFile | undefined>();

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /**
   * @param path as the user wrote it
   * @throws {GridError} `usage` if the file cannot be read
   */
  async main(path: string): Promise<CheckedFile | undefined> {
    return await this.#check(path, await readText(path), []);
  }

  async #check(
    path: string,
    text: string,
    chain: readonly Use[],
  ): Promise<CheckedFile | undefined> {
    const found: Diagnostic[] = [];
    const open = openFile(text, path);
    found.push(...open.shape);
    let checked: CheckedFile | undefined;
    if (open.file !== undefined) {
      const templates = new Map<string, CheckedFile | undefined>();
      for (const use of usesOf(open.file, (entry) => open.source.valueSpot(entry, "uses"))) {
        if (templates.has(use.reference)) continue;
        templates.set(use.reference, await this.#template(use, { path, chain, found }));
      }
      const { nodeNames } = this.#options;
      checked = checkFile(open, found, { path, templates, nodeNames });
      for (const step of checked.graph.byId.values()) {
        const template = checked.templates.get(step.id);
        if (template) checkWith(step, template, checked.reader);
      }
    }
    const all = [...open.yaml, ...withoutEchoes(found, open.yaml)];
    const usedAt = chain.map((use) => use.place).toReversed();
    this.diagnostics.push(
      ...(usedAt.length === 0 ? all : all.map((entry) => ({ ...entry, usedAt }))),
    );
    return checked;
  }

  async #template(
    use: { readonly reference: string; readonly spot: Spot },
    from: { readonly path: string; readonly chain: readonly Use[]; readonly found: Diagnostic[] },
  ): Promise<CheckedFile | undefined> {
    const path = normalize(join(dirname(from.path), use.reference));
    const chain = [...from.chain, { path: from.path, place: use.spot.place }];
    const paths = chain.map((entry) => normalize(entry.path));
    if (paths.includes(path)) {
      const names = [...paths.slice(paths.indexOf(path)), path].join(" → ");
      from.found.push(diagnostic({
        rule: "template-cycle",
        spot: use.spot,
        message: `templates use each other: ${names}`,
        hint: "remove one of these uses:",
      }));
      return undefined;
    }
    if (this.#files.has(path)) return this.#files.get(path);
    let text: string;
    try {
      text = await readText(path);
    } catch (error) {
      if (!(error instanceof GridError)) throw error;
      from.found.push(diagnostic({
        rule: "missing-template",
        spot: use.spot,
        message: `cannot read the template ${path}: ${error.message.split(": ").at(-1)}`,
        hint: "uses: is relative to the file it stands in",
      }));
      return undefined;
    }
    const checked = await this.#check(path, text, chain);
    this.#files.set(path, checked);
    return checked;
  }
}

/** On a line whose YAML is wrong nothing else is judged. */
function withoutEchoes(found: readonly Diagnostic[], yaml: readonly Diagnostic[]): Diagnostic[] {
  const lines = new Set(yaml.map((entry) => entry.place.line));
  return found.filter((entry) => !lines.has(entry.place.line));
}

function usesOf(
  file: PipelineFile,
  spotOf: (entry: object) => Spot,
): { readonly reference: string; readonly spot: Spot }[] {
  return file.steps.flatMap((entry) =>
    entry.uses === undefined ? [] : [{ reference: entry.uses, spot: spotOf(entry) }]
  );
}

/** @throws {GridError} `usage` */
async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new GridError({
      code: "usage",
      message: `Cannot read ${path}: ${reasonOf(error)}`,
      hint: "check the path; a pipeline is a .yaml file, such as pipelines/train.yaml",
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}
