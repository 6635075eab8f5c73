import type { z } from "./zod.ts";

/** Keys that a schema allows at a path; empty where any key may stand. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let found = [schema._zod.def as Def];
  for (const part of path) {
    found = found.flatMap((def) => unfold(def)).flatMap((def) => step(def, part));
  }
  const keys = found.flatMap((def) => unfold(def))
    .flatMap((def) => def.type === "object" ? Object.keys(def.shape ?? {}) : []);
  return [...new Set(keys)];
}

/** The parts of zod's definitions that lead from an outer value to an inner one. */
interface Def {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly catchall?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly getter?: () => z.ZodType;
}

function defOf(schema: z.ZodType | undefined): Def[] {
  return schema === undefined ? [] : [schema._zod.def as Def];
}

/** Takes off `optional`, `default`, `pipe` and the like, and opens unions. */
function unfold(def: Def): Def[] {
  switch (def.type) {
    case "union":
      return (def.options ?? []).flatMap((option) => defOf(option)).flatMap(unfold);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
    case "catch":
      return defOf(def.innerType).flatMap(unfold);
    case "pipe":
      return defOf(def.in).flatMap(unfold);
    case "lazy":
      return defOf(def.getter?.()).flatMap(unfold);
    default:
      return [def];
  }
}

function step(def: Def, part: PropertyKey): Def[] {
  if (def.type === "array") return defOf(def.element);
  if (def.type === "record") return defOf(def.valueType);
  if (def.type !== "object" || typeof part !== "string") return [];
  return defOf(def.shape?.[part] ?? def.catchall);
}
