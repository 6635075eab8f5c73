/** `batch_driver.py`, joined from its parts: one file travels, and is all that a node needs. */
import { nodeProgram } from "../transport/node_program.ts";

/** Of them a local worker is made, which reads no further than to the line behind them. */
const WORKER_PARTS = [
  "head.py",
  "values.py",
  "items.py",
  "failures.py",
  "leftovers.py",
  "output.py",
  "worker_main.py",
  "prefork.py",
];
const REST_BEGINS = "REST_OF_DRIVER = True\n";

const DRIVER_PARTS = ["driver_head.py", "outcomes.py", "ordered.py", "results.py", "queue.py"];
const LOCAL_PARTS = ["worker.py", "pool.py", "slots.py"];
const RAY_PARTS = [
  "driver_ray_head.py",
  "tap.py",
  "ear.py",
  "packed.py",
  "ray_worker.py",
  "ray_run.py",
  "ray_head.py",
];
const MAIN_PARTS = ["main.py"];

/** @param place reading what the other one needs takes a driver longer than many a batch; default both */
export function driverSource(place?: "local" | "ray"): string {
  const parts = [
    ...DRIVER_PARTS,
    ...(place === "ray" ? [] : LOCAL_PARTS),
    ...(place === "local" ? [] : RAY_PARTS),
    ...MAIN_PARTS,
  ];
  return joined(WORKER_PARTS) + REST_BEGINS + textOf(parts);
}

/** Waits for the driver and its spec: `python3 -c SOURCE [ray [NAME...]] DRIVER SPEC`. */
export function bootSource(): string {
  return joined(["boot.py"]);
}

/** Prints the outcomes of a results file, for `hand_over.sh`: `python3 -c SOURCE RESULTS TOTAL`. */
export function handOverSource(): string {
  return `${joined(["outcomes.py"])}hand_over(sys.argv[1], int(sys.argv[2]))\n`;
}

function joined(parts: readonly string[]): string {
  return FUTURE + textOf(parts);
}

function textOf(parts: readonly string[]): string {
  return parts.map((part) => nodeProgram(`./driver/${part}`, import.meta.url)).join("");
}

/** Its types are for whoever reads and checks it; a Python of the node need not know them. */
const FUTURE = "from __future__ import annotations\n";
