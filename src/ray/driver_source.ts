/** `batch_driver.py`, joined from its parts: one file travels, and is all that a node needs. */
import { nodeProgram } from "../transport/node_program.ts";

const PARTS = [
  "head.py",
  "values.py",
  "items.py",
  "leftovers.py",
  "output.py",
  "tap.py",
  "ear.py",
  "outcomes.py",
  "ordered.py",
  "packed.py",
  "results.py",
  "queue.py",
  "ray_worker.py",
  "ray_run.py",
  "ray_head.py",
  "worker.py",
  "pool.py",
  "slots.py",
  "main.py",
];

export function driverSource(): string {
  return joined(PARTS);
}

/** Waits for the driver and its spec: `python3 -c SOURCE DRIVER SPEC [ray [NAME...]]`. */
export function bootSource(): string {
  return nodeProgram("./driver/boot.py", import.meta.url);
}

/** Prints the outcomes of a results file: `python3 -c SOURCE RESULTS TOTAL`. */
export function handOverSource(): string {
  return `${joined(["outcomes.py"])}hand_over(sys.argv[1], int(sys.argv[2]))\n`;
}

function joined(parts: readonly string[]): string {
  const texts = parts.map((part) => nodeProgram(`./driver/${part}`, import.meta.url));
  return [FUTURE, ...texts].join("");
}

/** Its types are for whoever reads and checks it; a Python of the node need not know them. */
const FUTURE = "from __future__ import annotations\n";
