import { pinnedTemplates } from "../../pipeline/template/pinned_templates.ts";
import { LOCK_FILE } from "../../pipeline/template/template_lock.ts";
import { type Finding, well } from "./finding.ts";

/** A branch that has moved is no obstacle: the pinned commit runs until somebody takes the new one. */
export async function templateFindings(project: string): Promise<Finding[]> {
  const pinned = await pinnedTemplates(project);
  return pinned.map(({ url, ref, commit, now }) => {
    const words = now === undefined
      ? `pinned to ${short(commit)}; it cannot be asked whether ${ref} has moved`
      : now === commit
      ? `${ref} still means ${short(commit)}`
      : `${ref} has moved to ${short(now)}; ${
        short(commit)
      } runs until its line is removed from ${LOCK_FILE}`;
    return well(`template ${url}@${ref}`, words);
  });
}

const short = (commit: string) => commit.slice(0, 12);
