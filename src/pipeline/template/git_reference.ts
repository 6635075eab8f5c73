import { posix } from "node:path";

/** A template in a git repository: `git+ssh://git@host/team/templates.git//train.yaml@v1`. */
export interface GitReference {
  /** What `git fetch` takes: `ssh://git@host/team/templates.git`. */
  readonly url: string;
  /** File inside the repository. */
  readonly path: string;
  /** Branch, tag or commit. */
  readonly ref: string;
}

const FORM = /^git\+((?:ssh|file|https):\/\/.+?)\/\/([^@]+)@([A-Za-z0-9][A-Za-z0-9._\/-]*)$/;

export function isGitReference(text: string): boolean {
  return text.startsWith("git+");
}

/** Undefined where the text is not of the form `git+<url>//<path>@<ref>`. */
export function parseGitReference(text: string): GitReference | undefined {
  const [, url, path, ref] = FORM.exec(text) ?? [];
  if (url === undefined || path === undefined || ref === undefined) return undefined;
  const inside = posix.normalize(path);
  return inside.startsWith("..") ? undefined : { url, path: inside, ref };
}

export function formatGitReference({ url, path, ref }: GitReference): string {
  return `git+${url}//${path}@${ref}`;
}

/** A `uses: ./other.yaml` inside a template from git means the same repository at the same commit. */
export function besideInGit(from: GitReference, relative: string): GitReference | undefined {
  const path = posix.normalize(posix.join(posix.dirname(from.path), relative));
  return path.startsWith("..") ? undefined : { ...from, path };
}
