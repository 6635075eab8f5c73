/** Writes outputs too large for an event: a file of the run for each, one JSON value per line. */
import { join } from "node:path";
import { concatBytes } from "../core/bytes.ts";
import { parseJson, pythonJson } from "../core/exact_json.ts";
import { distinctName } from "../core/file_names.ts";
import { nodeFs } from "../core/node_builtins.ts";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";
import type { Masker } from "../core/secret.ts";
import type { OutputPlace, OutputWriter } from "../engine/ports.ts";
import { refusing } from "./output_files.ts";

const NEWLINE = 10;
const DECODER = new TextDecoder();

export interface OutputFolder {
  readonly run: string;
  /** Absolute folder of the run. */
  readonly folder: string;
  readonly masker: Masker;
}

/** @throws {GridError} `disk-full` and the like */
export function createOutputFile(
  { run, folder, masker }: OutputFolder,
  { step, attempt, name }: OutputPlace,
): OutputWriter {
  const file = `${distinctName([step])}.${attempt}.${name}.jsonl`;
  const path = join(folder, "results", file);
  const descriptor = refusing(path, () => {
    nodeFs().mkdirSync(join(folder, "results"), { recursive: true, mode: PRIVATE_FOLDER });
    return nodeFs().openSync(path, "w", PRIVATE_FILE);
  });
  const mask = masker.isIdle ? undefined : new LineMask(masker);
  let isOpen = true;
  let [items, bytes] = [0, 0];
  const put = (lines: Uint8Array) => {
    refusing(path, () => {
      for (let at = 0; at < lines.length;) at += nodeFs().writeSync(descriptor, lines, at);
    });
    bytes += lines.length;
    for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) items++;
  };
  const close = () => {
    if (isOpen) nodeFs().closeSync(descriptor);
    isOpen = false;
  };
  return {
    path,
    write: (lines) => put(mask ? mask.push(lines) : lines),
    finish: () => {
      close();
      return mask?.found ? undefined : { run, file, items, bytes };
    },
    [Symbol.dispose]: close,
  };
}

/** A line that holds a secret stays JSON when it is masked. */
class LineMask {
  found = false;
  #rest: Uint8Array[] = [];
  readonly #masker: Masker;

  constructor(masker: Masker) {
    this.#masker = masker;
  }

  push(bytes: Uint8Array): Uint8Array {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#rest.push(bytes.slice());
      return new Uint8Array();
    }
    const whole = concatBytes([...this.#rest, bytes.subarray(0, end)]);
    this.#rest = end === bytes.length ? [] : [bytes.slice(end)];
    const text = DECODER.decode(whole);
    if (this.#masker.text(text) === text) return whole;
    const lines = text.slice(0, -1).split("\n").map((line) => this.#mask(line));
    return new TextEncoder().encode(`${lines.join("\n")}\n`);
  }

  #mask(line: string): string {
    if (this.#masker.text(line) === line) return line;
    this.found = true;
    return pythonJson(this.#masker.value(parseJson(line)));
  }
}
