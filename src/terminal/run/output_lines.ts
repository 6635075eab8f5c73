import type { OutputChunk } from "../../engine/reader.ts";
import { LineSplitter } from "../line_splitter.ts";

type Streams = Record<OutputChunk["stream"], LineSplitter>;

/** Cuts the output of many attempts into lines, each stream for itself. */
export class OutputLines {
  readonly #open = new Map<string, Streams>();

  push(chunk: OutputChunk): readonly string[] {
    const streams = this.#open.get(chunk.step) ?? openStreams();
    this.#open.set(chunk.step, streams);
    return streams[chunk.stream].push(chunk.bytes);
  }

  /** The lines of a step that had no newline; call it when an attempt is over. */
  end(step: string): readonly string[] {
    const streams = this.#open.get(step);
    this.#open.delete(step);
    return streams ? [...streams.stdout.end(), ...streams.stderr.end()] : [];
  }

  /** The same for every step that is still open. */
  endAll(): readonly { readonly step: string; readonly line: string }[] {
    return [...this.#open.keys()].flatMap((step) => this.end(step).map((line) => ({ step, line })));
  }
}

function openStreams(): Streams {
  return { stdout: new LineSplitter(), stderr: new LineSplitter() };
}
