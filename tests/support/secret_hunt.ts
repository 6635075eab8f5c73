/** Looks for secrets where none may be: in texts, folders, and on the command lines of all processes. */
import { join } from "node:path";
import { quote } from "../../src/core/shell.ts";
import { allProcesses } from "./processes.ts";

/** A look at pieces of this length finds also what was masked only in part. */
const PIECE = 8;

/** The usual spellings of a text, base64 behind 0, 1 and 2 other bytes among them. */
export function spellings(text: string): string[] {
  const base64 = (prefix: string) => new TextEncoder().encode(prefix + text).toBase64();
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams({ q: text }).toString().slice(2),
    quote(text),
    ...["", "x", "xy"].map(base64),
  ];
}

export class SecretHunt {
  readonly #pieces: ReadonlySet<string>;

  /** @param values what must not turn up; no common words, for pieces of them are looked for */
  constructor(values: readonly string[]) {
    this.#pieces = new Set(values.flatMap(spellings).map(coreOf).flatMap(piecesOf));
  }

  /** One line where there is a leak: what stands around it. */
  inText(where: string, text: string): string[] {
    for (let at = 0; at + PIECE <= text.length; at++) {
      if (!this.#pieces.has(text.slice(at, at + PIECE))) continue;
      return [`${where}: …${text.slice(Math.max(0, at - 30), at + 50)}…`];
    }
    return [];
  }

  /** Every file below the folder, names too; what vanishes meanwhile is passed over. */
  inFolder(folder: string): string[] {
    return entriesOf(folder).flatMap(({ name, isDirectory, isFile }) => {
      const path = join(folder, name);
      const inside = isDirectory ? this.inFolder(path) : [];
      return [
        ...this.inText("a file's name", name),
        ...inside,
        ...(isFile ? this.inText(path, readBytes(path)) : []),
      ];
    });
  }

  /** What `ps -ef` would show to everybody on this machine. */
  inProcesses(): string[] {
    return allProcesses().flatMap(({ pid, command }) => this.inText(`process ${pid}`, command));
  }
}

/** What must not be found of a spelling: in base64 the ends depend on the neighbours as well. */
function coreOf(spelling: string): string {
  return /^[A-Za-z0-9+\/]{24,}=*$/.test(spelling) ? spelling.slice(4, -6) : spelling;
}

function piecesOf(text: string): string[] {
  if (text.length < PIECE) throw new Error(`"${text}" is too short to be looked for`);
  const count = text.length - PIECE + 1;
  return Array.from({ length: count }, (_, at) => text.slice(at, at + PIECE));
}

function entriesOf(folder: string): readonly Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** One character per byte, so that a database can be searched too. */
function readBytes(path: string): string {
  try {
    return new TextDecoder("latin1").decode(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
