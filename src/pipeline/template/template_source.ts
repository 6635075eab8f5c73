import { dirname, join, normalize } from "node:path";
import { GridError } from "../../core/errors.ts";
import { lazy } from "../../core/lazy.ts";
import { thrownWords } from "../../core/refusal.ts";
import { suggest } from "../../document/shape/check.ts";
import { isOwnReference, ownReferences, ownTemplate } from "./own_templates.ts";
import {
  besideInGit,
  formatGitReference,
  isGitReference,
  parseGitReference,
} from "./git_reference.ts";

/** Reads pipeline files, from disk or out of git. */
export class TemplateSource {
  readonly #project: string;

  constructor(project: string) {
    this.#project = project;
  }

  /**
   * Where `uses: reference` in the file `from` leads: a path, or the full form for git.
   *
   * @throws {GridError} `usage` if it is no reference
   */
  locate(reference: string, from: string): string {
    if (isOwnReference(reference)) {
      const path = ownTemplate(reference);
      if (path !== undefined) return path;
      throw new GridError({
        code: "usage",
        message: "no such template comes with Grid",
        hint: suggest(reference, ownReferences(), "templates"),
      });
    }
    if (isGitReference(reference)) {
      const parsed = parseGitReference(reference);
      if (parsed) return formatGitReference(parsed);
      throw new GridError({
        code: "usage",
        message: "it is not of the form git+ssh://host/repository.git//file.yaml@tag",
        hint: "two slashes before the file, and @ with a branch, tag or commit",
      });
    }
    const outer = isGitReference(from) ? parseGitReference(from) : undefined;
    if (outer === undefined) return normalize(join(dirname(from), reference));
    const beside = besideInGit(outer, reference);
    if (beside) return formatGitReference(beside);
    throw new GridError({ code: "usage", message: "it leads out of its repository" });
  }

  /** @throws {GridError} `usage` */
  async read(location: string): Promise<Uint8Array> {
    const reference = isGitReference(location) ? parseGitReference(location) : undefined;
    if (reference !== undefined) {
      const { GitTemplates } = await lazy<typeof import("./git_templates.ts")>(
        "./git_templates.ts",
        import.meta.url,
      );
      return await new GitTemplates(this.#project).read(reference);
    }
    try {
      return await Deno.readFile(location);
    } catch (error) {
      throw new GridError({ code: "usage", message: reasonOf(error), cause: error });
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return thrownWords(error);
}
