/** `batch_driver.py`, joined from its parts: one file travels, and is all that a node needs. */
import { nodeProgram } from "../transport/node_program.ts";

const PARTS = [
  "head.py",
  "values.py",
  "items.py",
  "leftovers.py",
  "output.py",
  "results.py",
  "on_ray.py",
  "local.py",
  "main.py",
];

export function driverSource(): string {
  return PARTS.map((part) => nodeProgram(`./driver/${part}`, import.meta.url)).join("");
}
