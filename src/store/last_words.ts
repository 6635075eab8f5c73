/** A journal that ends the run when the disk is full, instead of breaking it off. */
import { GridError } from "../core/errors.ts";
import type { Journal } from "../engine/ports.ts";
import type { Reserve } from "./reserve.ts";

export interface LastWords {
  readonly journal: Journal;
  /** Fires when the disk was found full; what is journaled from then on goes into the reserve. */
  readonly full: AbortSignal;
}

export function withLastWords(journal: Journal, reserve: Reserve): LastWords {
  const full = new AbortController();
  return {
    full: full.signal,
    journal: {
      append(run, events) {
        try {
          journal.append(run, events);
        } catch (error) {
          const isFull = error instanceof GridError && error.code === "disk-full";
          if (!isFull || !reserve.release()) throw error;
          full.abort(noRoom(error));
          journal.append(run, events);
        }
      },
    },
  };
}

function noRoom(cause: GridError): GridError {
  return new GridError({
    code: "disk-full",
    message: "no room is left on the disk that holds .grid",
    hint: "make room there, then go on from what is done: grid resume",
    cause,
  });
}
