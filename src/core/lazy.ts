/**
 * Loads a module when it is wanted: `await lazy<typeof import("./x.ts")>("./x.ts", import.meta.url)`.
 *
 * Deno reads and resolves every module that a literal `import()` names before it runs the first line
 * of the program; with this one it does not know of it until then.
 */
export async function lazy<Module>(specifier: string, from: string): Promise<Module> {
  return await import(new URL(specifier, from).href);
}
