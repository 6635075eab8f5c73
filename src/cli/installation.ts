/** Which Grid this is: what `grid --version` says, and what a bug report needs. */
import { fileURLToPath } from "node:url";
import { VERSION } from "../core/version.ts";

export interface Installation {
  readonly version: string;
  /** Of the clone, or what the package was built from; undefined where neither says it. */
  readonly commit: string | undefined;
  readonly deno: string;
  /** Absolute: the clone, or the folder of the installed package. */
  readonly folder: string;
}

/** Written by the release beside the code it builds. */
const BUILD_FILE = "build.json";

export async function readInstallation(): Promise<Installation> {
  const folder = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
  const commit = builtFrom(folder) ?? await checkedOut(folder);
  return { version: VERSION, commit, deno: Deno.version.deno, folder };
}

export function installationWords({ version, commit, deno, folder }: Installation): string {
  const built = commit === undefined ? "" : `commit ${commit}, `;
  return `${version} (${built}Deno ${deno}, ${folder})\n`;
}

function builtFrom(folder: string): string | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${folder}/${BUILD_FILE}`)).commit;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // a clone
    throw error;
  }
}

/** Asks git only of a clone itself: the folder may lie in somebody else's repository. */
async function checkedOut(folder: string): Promise<string | undefined> {
  try {
    Deno.statSync(`${folder}/.git`);
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", folder, "rev-parse", "--short=10", "HEAD"],
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    // A copy without its history, or a machine without git.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
