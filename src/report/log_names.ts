import { readableName } from "../core/file_names.ts";

/** Name of a step's log without its folder: `<step>.<attempt>.log`. */
export type LogNames = (step: string, attempt: number) => string;

/**
 * File names for the logs of these steps, in their order. Two ids that differ only in characters
 * which files cannot carry, in their end or in their case get different names: the later one is numbered.
 */
export function logNames(steps: Iterable<string>): LogNames {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const step of steps) {
    const plain = readableName(step);
    let name = plain;
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${plain}~${count}`;
    taken.add(name.toLowerCase());
    names.set(step, name);
  }
  return (step, attempt) => `${names.get(step) ?? readableName(step)}.${attempt}.log`;
}
