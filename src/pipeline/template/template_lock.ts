import { dirname, join } from "node:path";
import { GridError } from "../../core/errors.ts";

/** Which commit each branch or tag meant when it was first used. */
export const LOCK_FILE = "grid.lock.json";

interface LockFile {
  readonly version: 1;
  /** `<url>@<ref>` → commit. */
  readonly templates: Readonly<Record<string, string>>;
}

/** The lock file of a project: read once, written when something new was pinned. */
export class TemplateLock {
  readonly #path: string;
  #templates: Record<string, string> | undefined;

  constructor(project: string) {
    this.#path = join(project, LOCK_FILE);
  }

  /** @throws {GridError} `usage` if the lock file is damaged */
  async commitOf(key: string): Promise<string | undefined> {
    return (await this.#read())[key];
  }

  /** Every line: `<url>@<ref>` → commit. */
  async pins(): Promise<Readonly<Record<string, string>>> {
    return await this.#read();
  }

  async pin(key: string, commit: string): Promise<void> {
    const templates = { ...await this.#read(), [key]: commit };
    this.#templates = templates;
    const sorted = Object.fromEntries(Object.entries(templates).sort(([a], [b]) => a < b ? -1 : 1));
    const lock: LockFile = { version: 1, templates: sorted };
    // Renamed into place, so that a reader never sees half of it.
    const draft = await Deno.makeTempFile({ dir: dirname(this.#path), prefix: `.${LOCK_FILE}.` });
    await Deno.writeTextFile(draft, `${JSON.stringify(lock, null, 2)}\n`);
    await Deno.chmod(draft, 0o644);
    await Deno.rename(draft, this.#path);
  }

  async #read(): Promise<Record<string, string>> {
    this.#templates ??= await readLock(this.#path);
    return this.#templates;
  }
}

async function readLock(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
  try {
    const { templates } = JSON.parse(text) as LockFile;
    const entries = Object.entries(templates);
    if (entries.every(([, commit]) => /^[0-9a-f]{40,64}$/.test(commit))) {
      return Object.fromEntries(entries);
    }
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot read ${path}: it is not a lock file of templates`,
    hint: "restore it from version control, or delete it to pin every template anew",
    cause,
  });
}
