/** A hook is one plain step, its own or that of a template. */
import { isOwnReference } from "../template/own_templates.ts";
import type { HookEntry } from "../schema.ts";
import type { TextReader } from "../../expression/reader.ts";
import type { CheckedFile } from "./checked_file.ts";

export function checkHook(
  entry: HookEntry,
  { reader, template }: {
    readonly reader: TextReader;
    /** Of `uses:`; undefined where there is none, or it cannot be read, which has been reported. */
    readonly template: CheckedFile | undefined;
  },
): void {
  const refuse = (key: "matrix" | "uses" | "if", message: string, hint?: string) =>
    reader.report({
      rule: "hook-kind",
      spot: reader.source.keySpot(entry, key),
      message,
      hint,
    });
  if (entry.matrix !== undefined) {
    refuse("matrix", "a hook is one plain step; matrix: is not possible here");
  }
  if (entry.uses === undefined) return;
  if (entry.if !== undefined) {
    refuse(
      "if",
      "if: is not possible beside uses: in a hook",
      "write if: into the template's step",
    );
  }
  if (template === undefined) return;
  const [step, ...more] = template.graph.byId.values();
  const isPlain = step !== undefined && step.kind !== "uses" && step.matrix === undefined;
  if (isPlain && more.length === 0) return;
  const hint = isOwnReference(entry.uses)
    ? undefined
    : "use a template of one step without a matrix";
  refuse("uses", "a hook is one plain step; this template has more", hint);
}
