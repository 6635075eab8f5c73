import { normalize } from "node:path";
import type { Place } from "../core/errors.ts";
import { GridError } from "../core/errors.ts";
import { diagnostic } from "../document/shape/check.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import type { Spot } from "../document/lines.ts";
import { checkFile } from "./check/check_file.ts";
import { type CheckedFile, HOOK_MOMENTS } from "./check/checked_file.ts";
import { type FileReports, openFile } from "./file.ts";
import { hintForMissing } from "./near_file.ts";
import { isGitReference } from "./template/git_reference.ts";
import type { KnownEnvironment, KnownNode } from "./load_options.ts";
import type { PipelineFile } from "./schema.ts";
import { checkWith } from "./template/template_inputs.ts";
import { TemplateSource } from "./template/template_source.ts";
import { isAddress, usesHint } from "./template/uses_hint.ts";

export interface LoaderOptions {
  /** The project folder: it holds the lock file and the cache of templates. */
  readonly project: string;
  readonly nodes?: readonly KnownNode[] | undefined;
  readonly local?: KnownEnvironment | undefined;
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
  readonly #source: TemplateSource;
  readonly #files = new Map<string, CheckedFile | undefined>();

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.#source = new TemplateSource(options.project);
  }

  /**
   * @param path as the user wrote it
   * @throws {GridError} `usage` if the file cannot be read
   */
  async main(path: string): Promise<CheckedFile | undefined> {
    const content = await this.#source.read(path).catch((error: unknown) => {
      if (!(error instanceof GridError)) throw error;
      throw new GridError({
        code: "usage",
        message: `Cannot read ${path}: ${error.message}`,
        hint: error.cause instanceof Deno.errors.NotFound
          ? hintForMissing(path, this.#options.project)
          : "a pipeline is a .yaml file, such as pipelines/train.yaml",
        cause: error,
      });
    });
    return await this.#check(path, content, []);
  }

  async #check(
    path: string,
    content: Uint8Array,
    chain: readonly Use[],
  ): Promise<CheckedFile | undefined> {
    const found: Diagnostic[] = [];
    const open = await openFile(content, path);
    found.push(...open.shape);
    let checked: CheckedFile | undefined;
    if (open.file !== undefined) {
      const templates = new Map<string, CheckedFile | undefined>();
      for (const use of usesOf(open.file, (entry) => open.source.valueSpot(entry, "uses"))) {
        if (templates.has(use.reference)) continue;
        templates.set(use.reference, await this.#template(use, { path, chain, found }));
      }
      const { nodes, local } = this.#options;
      const isTemplate = chain.length > 0;
      checked = await checkFile(open, found, { path, templates, nodes, local, isTemplate });
      const hooks = HOOK_MOMENTS.flatMap((moment) => checked?.hooks[moment] ?? []);
      for (const step of [...checked.graph.byId.values(), ...hooks]) {
        const template = checked.templates.get(step.id);
        if (template) checkWith(step, template, checked.reader);
      }
    }
    const all = [...open.yaml, ...withoutEchoes(found, open)];
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
    const report = (rule: string, message: string, hint?: string) => {
      from.found.push(diagnostic({ rule, spot: use.spot, message, hint }));
      return undefined;
    };
    let path = use.reference;
    try {
      path = this.#source.locate(use.reference, from.path);
      const chain = [...from.chain, { path: from.path, place: use.spot.place }];
      // Only the first is as somebody wrote it; the others have their one form already.
      const paths = chain.map(({ path }) => isGitReference(path) ? path : normalize(path));
      if (paths.includes(path)) {
        const names = [...paths.slice(paths.indexOf(path)), path].join(" → ");
        const hint = "remove one of these uses:";
        return report("template-cycle", `templates use each other: ${names}`, hint);
      }
      if (this.#files.has(path)) return this.#files.get(path);
      const checked = await this.#check(path, await this.#source.read(path), chain);
      this.#files.set(path, checked);
      return checked;
    } catch (error) {
      if (!(error instanceof GridError)) throw error;
      const shown = path === use.reference || isAddress(use.reference) ? use.reference : path;
      const message = `cannot read the template ${shown}: ${error.message}`;
      return report(
        "missing-template",
        message,
        error.hint ?? await usesHint(use.reference, from.path),
      );
    }
  }
}

/** Without what follows only from lines whose YAML is wrong. */
function withoutEchoes(found: readonly Diagnostic[], open: FileReports): Diagnostic[] {
  const kept = open.source.withoutEchoes(found);
  return open.hasLostNames ? kept.filter(({ rule }) => !NAME_RULES.has(rule)) : kept;
}

/** What they miss may stand where nobody could read it. */
const NAME_RULES: ReadonlySet<string> = new Set([
  "ambiguous-node",
  "missing-input",
  "not-before",
  "unknown-axis",
  "unknown-input",
  "unknown-name",
  "unknown-output",
  "unknown-secret",
  "unknown-step",
]);

function usesOf(
  file: PipelineFile,
  spotOf: (entry: object) => Spot,
): { readonly reference: string; readonly spot: Spot }[] {
  const hooks = HOOK_MOMENTS.flatMap((moment) => file.hooks?.[moment] ?? []);
  return [...file.steps, ...hooks].flatMap((entry) =>
    entry.uses === undefined ? [] : [{ reference: entry.uses, spot: spotOf(entry) }]
  );
}
