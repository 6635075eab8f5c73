import type { Tree } from "../tree.ts";
import type { Range } from "./yaml_node.ts";

/** Moves every place, for a text that was changed before it was read. */
export function relocate(tree: Tree, move: (offset: number) => number): void {
  const moved = ([start, end]: Range): Range => [move(start), move(end)];
  for (const [container, { start, entries }] of tree.containers) {
    const there = [...entries].map(([name, { key, value, scalar }]) =>
      [name, {
        key: key && moved(key),
        value: moved(value),
        scalar: scalar && { ...scalar, range: moved(scalar.range) },
      }] as const
    );
    tree.containers.set(container, { start: move(start), entries: new Map(there) });
  }
  for (const [index, problem] of tree.problems.entries()) {
    tree.problems[index] = {
      ...problem,
      range: moved(problem.range),
      ...(problem.first === undefined ? {} : { first: move(problem.first) }),
    };
  }
}
