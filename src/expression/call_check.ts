import { nearest } from "../core/did_you_mean.ts";
import type { Call, Problem } from "./expression_parts.ts";
import { BINDING_MACROS } from "./expression_walker.ts";
import { functionHint, methodHint } from "./foreign_functions.ts";
import { FUNCTIONS, METHODS } from "./functions.ts";

/** Whether a function is known, and whether it gets as many values as it takes. */
export function checkCall(call: Call, source: string): readonly Problem[] {
  return call.receiver === undefined ? checkFunction(call, source) : checkMethod(call, source);
}

function checkFunction(call: Call, source: string): readonly Problem[] {
  const counts = Object.hasOwn(FUNCTIONS, call.name) ? FUNCTIONS[call.name] : undefined;
  if (counts === undefined) {
    const message = `unknown function "${call.name}"`;
    return [{ rule: "unknown-function", at: call, message, hint: functionHint(call, source) }];
  }
  if (counts.includes(call.args.length)) return [];
  const wanted = counts.length === 1 ? `${counts[0]}` : `${counts[0]} to ${counts.at(-1)}`;
  return [{
    rule: "wrong-arguments",
    at: call,
    message: `${call.name}() takes ${wanted} argument${wanted === "1" ? "" : "s"}, ` +
      `here are ${call.args.length}`,
  }];
}

function checkMethod(call: Call, source: string): readonly Problem[] {
  if (!METHODS.includes(call.name)) {
    const best = nearest(call.name, METHODS);
    const hint = methodHint(call, source) ??
      (best === undefined
        ? `there are: ${METHODS.slice(0, 12).join(", ")}`
        : `did you mean "${best}"?`);
    const message = `unknown function "${call.name}"`;
    return [{ rule: "unknown-function", at: call, message, hint }];
  }
  if (!BINDING_MACROS.has(call.name) || call.args.length >= 2) return [];
  return [{
    rule: "wrong-arguments",
    at: call,
    message: `${call.name}() takes a name and an expression`,
    hint: `such as .${call.name}(c, ${
      call.name === "map" ? "c.outputs.x" : 'c.status == "succeeded"'
    })`,
  }];
}
