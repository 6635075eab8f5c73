/**
 * What Node brings, loaded when it is first used: each takes 15 to 30 ms, as long as all else of a short command. For
 * modules that every command loads and few use; what every command does is done with Deno's own functions.
 */
export function nodeFs(): typeof import("node:fs") {
  return globalThis.process.getBuiltinModule("node:fs");
}

export function nodeCrypto(): typeof import("node:crypto") {
  return globalThis.process.getBuiltinModule("node:crypto");
}
