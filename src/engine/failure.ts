import { GridError, toGridError } from "../core/errors.ts";
import type { Failure } from "./event.ts";

/** Anything thrown as plain data. */
export function failureOf(thrown: unknown, options: { readonly started: boolean }): Failure {
  const error = toGridError(thrown);
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.node === undefined ? {} : { node: error.node }),
    started: options.started,
  };
}

/** What an abort signal stands for; a reason of unknown kind means that somebody wants to stop. */
export function stopError(reason: unknown): GridError {
  if (reason instanceof GridError) return reason;
  return new GridError({ code: "interrupted", message: "the run was interrupted", cause: reason });
}
