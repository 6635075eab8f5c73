/** What follows a script as a shell reads it, loaded with the first file that may need it. */
import { lazy } from "../core/lazy.ts";

type Scripts = typeof import("./splice.ts");

let loaded: Scripts | undefined;

/** Needed before the first script with an expression is read. */
export async function loadScripts(): Promise<void> {
  loaded = await lazy<Scripts>("./splice.ts", import.meta.url);
}

export function scripts(): Scripts {
  if (loaded === undefined) throw new Error("a script before what reads it was loaded");
  return loaded;
}
