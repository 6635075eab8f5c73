/** Recorded answers of device tools, and programs that give them again. */
import { join } from "node:path";
import { writeProgram } from "./program_file.ts";

const FOLDER = join(import.meta.dirname ?? ".", "..", "unit", "cluster", "devices");

export interface DeviceShape {
  /** `nvidia-smi-550-healthy`. */
  readonly name: string;
  /** The program that printed it. */
  readonly tool: string;
  readonly queries: ReadonlyMap<string, { readonly exit: number; readonly text: string }>;
}

/** What each was made to say is told by the `#` lines on top of the files. */
export function readShapes(): readonly DeviceShape[] {
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => /\.txt$/.test(name))
    .toSorted().map((file) => readShape(file.slice(0, -4)));
}

export function readShape(name: string): DeviceShape {
  const text = Deno.readTextFileSync(join(FOLDER, `${name}.txt`));
  const tool = /^# tool: (\S+)/m.exec(text)?.[1] ?? "";
  const queries = new Map<string, { exit: number; text: string }>();
  let current: { exit: number; text: string } | undefined;
  for (const line of text.split("\n").filter((line) => !line.startsWith("# "))) {
    const [, query, exit] = /^### query (.+) exit (\d+)$/.exec(line) ?? [];
    const stderr = /^### stderr (.+)$/.exec(line)?.[1];
    if (query !== undefined) {
      current = { exit: Number(exit), text: "" };
      queries.set(query, current);
    } else if (stderr !== undefined) {
      // Grid reads both streams as one.
      current = queries.get(stderr);
    } else if (current !== undefined) {
      current.text += `${line}\n`;
    }
  }
  return { name, tool, queries };
}

/** Which recorded answer an argument list asks for, by a shell pattern. */
const PATTERNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "nvidia-smi": {
    "-i 0,2": "-i\\ 0,2*query-gpu=index,uuid*",
    "-L": "-L",
    "compute-apps": "*query-compute-apps=*",
    "first": "*query-gpu=index,uuid*",
    "more": "*query-gpu=index,mig*",
  },
  "amd-smi": { metric: "metric*", list: "list*" },
  "rocm-smi": { metric: "*showmeminfo*" },
  "xpu-smi": { "discovery --dump 1,2,6,16": "discovery*" },
};

/** Puts the shape's tool into `<home>/bin`, as the machine would have it. */
export function writeShapeTool(home: string, shape: DeviceShape): void {
  const bin = join(home, "bin");
  Deno.mkdirSync(bin, { recursive: true });
  const known = Object.entries(PATTERNS[shape.tool] ?? {});
  const cases = known.flatMap(([query, pattern], index) => {
    const answer = shape.queries.get(query);
    if (answer === undefined) return [];
    const file = join(home, `${shape.tool}.${index}`);
    Deno.writeTextFileSync(file, answer.text);
    return [`  ${pattern}) cat '${file}'; exit ${answer.exit} ;;`];
  });
  const script = ["#!/bin/sh", 'case "$*" in', ...cases, "esac"].join("\n");
  writeProgram(join(bin, shape.tool), `${script}\n`);
}
