/**
 * `node:fs`, loaded when it is first used: that takes 30 ms, as long as all else of a short command. For
 * modules that every command loads and few use; what every command does is done with Deno's own functions.
 */
export function nodeFs(): typeof import("node:fs") {
  return globalThis.process.getBuiltinModule("node:fs");
}
