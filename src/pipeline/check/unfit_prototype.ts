/** Zod passes over a key `__proto__`, and over whatever stands under it. */
import type { Diagnostic } from "../../document/diagnostic.ts";
import { diagnostic } from "../../document/shape/check.ts";
import { isContainer, type Source } from "../../document/source.ts";

type Path = readonly (string | number)[];

const NAME = "__proto__";

/** Paths of such keys whose values do not fit, in a file that is right but for them. */
export function unfitPrototypes(source: Source, fits: (value: unknown) => boolean): Path[] {
  const paths = [...prototypesIn(source.value, [], new Set())];
  return paths.filter((path) => !fits(withoutOthers(source.value, { path, paths })));
}

export function unfitPrototype(source: Source, path: Path): Diagnostic {
  return diagnostic({
    rule: "invalid-value",
    spot: source.pathSpot(path, "key"),
    message: `what stands under ${NAME} does not fit here`,
    hint: "give it another name to learn what is wrong",
  });
}

function* prototypesIn(value: unknown, path: Path, seen: Set<object>): Generator<Path> {
  if (!isContainer(value) || seen.has(value)) return;
  seen.add(value);
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    if (key === NAME) yield at;
    yield* prototypesIn(inner, at, seen);
  }
}

function withoutOthers(
  value: unknown,
  { path, paths }: { readonly path: Path; readonly paths: readonly Path[] },
): unknown {
  const copy = structuredClone(value);
  for (const other of paths) {
    if (path.join("\0").startsWith(other.join("\0"))) continue;
    const map = other.slice(0, -1).reduce<unknown>(
      (inner, key) => isContainer(inner) ? Reflect.get(inner, key) : undefined,
      copy,
    );
    if (isContainer(map)) Reflect.deleteProperty(map, NAME);
  }
  return copy;
}
