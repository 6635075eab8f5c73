/** What came of the tasks of a batch, collected as tests like to look at it. */
import { parseJson, pythonJson } from "../../src/core/exact_json.ts";
import type { JsonValue } from "../../src/core/json.ts";
import type { BatchOutcome, BatchSpec, OutcomeSink } from "../../src/ray/batch.ts";

export type TaskResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly error: string };

export interface BatchResults {
  readonly results: readonly TaskResult[];
  readonly failed: number;
}

/** Fields of a spec, with tasks as values. */
export type SpecFields = Omit<Partial<BatchSpec>, "tasks"> & {
  readonly tasks?: readonly JsonValue[];
};

export function specFields({ tasks, ...fields }: SpecFields): Partial<BatchSpec> {
  return tasks === undefined ? fields : { ...fields, tasks: tasks.map(pythonJson) };
}

export class CollectedOutcomes implements OutcomeSink {
  #results = "";
  #errors = "";
  readonly #decoders = { results: new TextDecoder(), errors: new TextDecoder() };

  results(bytes: Uint8Array): void {
    this.#results += this.#decoders.results.decode(bytes, { stream: true });
  }

  errors(bytes: Uint8Array): void {
    this.#errors += this.#decoders.errors.decode(bytes, { stream: true });
  }

  of({ failed }: BatchOutcome): BatchResults {
    const errors = new Map(
      linesOf(this.#errors).map((line): [number, string] => {
        const { index, error } = JSON.parse(line);
        return [index, error];
      }),
    );
    const results = linesOf(this.#results).map((line, index): TaskResult => {
      const error = errors.get(index);
      return error === undefined ? { ok: true, value: parseJson(line) } : { ok: false, error };
    });
    return { results, failed };
  }
}

function linesOf(text: string): string[] {
  return text.split("\n").slice(0, -1);
}
