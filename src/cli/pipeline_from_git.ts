/** A pipeline to begin with, out of somebody's git repository. */
import { basename } from "node:path/posix";
import { GridError, toGridError } from "../core/errors.ts";
import {
  besideInGit,
  formatGitReference,
  type GitReference,
  parseGitReference,
} from "../pipeline/template/git_reference.ts";
import { GitTemplates } from "../pipeline/template/git_templates.ts";

export interface PipelineText {
  /** File name. */
  readonly name: string;
  readonly text: string;
}

/**
 * A copy of the file. Templates that it uses stay where they are: from now on they are named by that
 * repository, and `grid.lock.json` of the project pins the commit.
 *
 * @throws {GridError} `usage` where there is no such file, or it is no text
 */
export async function pipelineFromGit(from: string, project: string): Promise<PipelineText> {
  const reference = parseGitReference(from);
  const cannot = (reason: string, hint: string | undefined) =>
    new GridError({
      code: "usage",
      message: `Cannot begin with "${from}": ${reason}`,
      ...(hint !== undefined && { hint }),
    });
  const name = reference === undefined ? "" : basename(reference.path);
  if (reference === undefined || !/^[\w.-]+\.ya?ml$/.test(name)) {
    throw cannot(
      "it is not of the form git+ssh://host/repository.git//file.yaml@tag",
      "two slashes before the file, and @ with a branch, tag or commit",
    );
  }
  try {
    const bytes = await new GitTemplates(project).read(reference);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const own = text.replace(/^# yaml-language-server:.*\n/, "");
    return { name, text: `# from ${from}\n${withFullReferences(own, reference)}` };
  } catch (thrown) {
    if (thrown instanceof TypeError) throw cannot("it is no UTF-8 text", undefined);
    const { code, message, hint } = toGridError(thrown);
    if (code === "bug") throw thrown;
    throw cannot(message, hint);
  }
}

function withFullReferences(text: string, from: GitReference): string {
  return text.replaceAll(
    /(\buses:[ \t]*["']?)(\.{1,2}\/[^\s"',}]+)/g,
    (whole: string, before: string, relative: string) => {
      const beside = besideInGit(from, relative);
      return beside === undefined ? whole : before + formatGitReference(beside);
    },
  );
}
