/** Whether branches and tags of templates still mean the commits that they were pinned to. */
import { runGit } from "./git_command.ts";
import { TemplateLock } from "./template_lock.ts";

export interface PinnedTemplate {
  readonly url: string;
  readonly ref: string;
  readonly commit: string;
  /** What the branch or tag means now; undefined where it is gone, or the repository cannot be asked. */
  readonly now: string | undefined;
}

/** Asks the repository of every line in the lock file; changes nothing. */
export async function pinnedTemplates(project: string): Promise<readonly PinnedTemplate[]> {
  const pins = await new TemplateLock(project).pins();
  return await Promise.all(
    Object.entries(pins).map(async ([key, commit]) => {
      const at = key.lastIndexOf("@");
      const [url, ref] = [key.slice(0, at), key.slice(at + 1)];
      const now = isCommit(ref, commit) ? commit : await commitNow(url, ref);
      return { url, ref, commit, now };
    }),
  );
}

function isCommit(ref: string, commit: string): boolean {
  return ref.length >= 7 && commit.startsWith(ref);
}

async function commitNow(url: string, ref: string): Promise<string | undefined> {
  const { code, stdout } = await runGit(["ls-remote", url, ref, `${ref}^{}`]);
  if (code !== 0) return undefined;
  const commits = new Map(
    stdout.split("\n").map((line) => line.split("\t")).map(([commit = "", name = ""]) => [
      name,
      commit,
    ]),
  );
  // A tag with a message is an object of its own; behind ^{} stands the commit. As git, tags first.
  const names = [`refs/tags/${ref}^{}`, `refs/tags/${ref}`, `refs/heads/${ref}`, ref];
  return names.flatMap((name) => commits.get(name) ?? [])[0];
}
