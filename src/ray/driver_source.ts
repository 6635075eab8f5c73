/** `batch_driver.py`, joined from its parts: one file travels, and is all that a node needs. */
import { nodeProgram } from "../transport/node_program.ts";

const PARTS = [
  "head.py",
  "values.py",
  "items.py",
  "leftovers.py",
  "output.py",
  "outcomes.py",
  "results.py",
  "on_ray.py",
  "local.py",
  "main.py",
];

export function driverSource(): string {
  return joined(PARTS);
}

/** Prints the outcomes of a results file: `python3 -c SOURCE RESULTS TOTAL`. */
export function handOverSource(): string {
  return `${joined(["outcomes.py"])}hand_over(sys.argv[1], int(sys.argv[2]))\n`;
}

function joined(parts: readonly string[]): string {
  return parts.map((part) => nodeProgram(`./driver/${part}`, import.meta.url)).join("");
}
