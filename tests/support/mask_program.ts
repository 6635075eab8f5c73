/** The two programs that mask a command's output, for tests that run each of them. */
import { maskPrograms } from "../../src/transport/job/output_mask.ts";
import { findProgram, type Part } from "./requires.ts";

export interface MaskProgram {
  readonly name: string;
  readonly part: Part;
  /** The program with its text; `readSize` replaces the number of bytes that it reads at a time. */
  argv(readSize?: number): string[];
}

export const MASK_PROGRAMS: readonly MaskProgram[] = [
  {
    name: "mask.pl",
    part: "perl",
    argv: (readSize) => ["perl", "-e", withReadSize(maskPrograms().perl, readSize)],
  },
  {
    name: "mask.py",
    part: "python3",
    argv: (readSize) => [
      python(),
      ...["-I", "-S", "-c"],
      withReadSize(maskPrograms().python, readSize),
    ],
  },
];

function withReadSize(text: string, readSize: number | undefined): string {
  if (readSize === undefined) return text;
  const changed = text.replace("READ_SIZE = 1 << 16", `READ_SIZE = ${readSize}`);
  if (changed === text) throw new Error("the program names its read size in another way now");
  return changed;
}

let interpreter: string | undefined;

/** The interpreter itself: what is called python3 may be a slow script that looks for one. */
function python(): string {
  if (interpreter === undefined) {
    const { stdout } = new Deno.Command(findProgram("python3") ?? "python3", {
      args: ["-c", "import sys; print(sys.executable)"],
    }).outputSync();
    interpreter = new TextDecoder().decode(stdout).trim();
  }
  return interpreter;
}

export interface MaskFiles {
  readonly out: Uint8Array;
  readonly err: Uint8Array;
  readonly answers: string;
}

/** Runs the program over two whole inputs, in files of that folder. */
export async function maskFiles(
  argv: readonly string[],
  options: {
    readonly folder: string;
    readonly patterns: string;
    readonly out: Uint8Array;
    readonly err: Uint8Array;
  },
): Promise<MaskFiles> {
  const { folder } = options;
  await Deno.writeFile(`${folder}/from.out`, options.out);
  await Deno.writeFile(`${folder}/from.err`, options.err);
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'cd "$0" && exec "$@" 3<from.out 4<from.err 5>to.out 6>to.err',
      folder,
      ...argv,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.patterns));
  await writer.close();
  const { stdout, success } = await child.output();
  if (!success) throw new Error("the program failed");
  return {
    out: await Deno.readFile(`${folder}/to.out`),
    err: await Deno.readFile(`${folder}/to.err`),
    answers: new TextDecoder().decode(stdout),
  };
}
