/** Random graphs of steps for fast-check: any needs, after, groups in groups, limits, failures. */
import fc from "fast-check";
import type { StepResult } from "../../src/engine/event.ts";
import type { Step } from "../../src/pipeline/pipeline.ts";
import { group, step } from "./pipelines.ts";

export interface RandomGraph {
  readonly steps: readonly Step[];
  /** How each leaf ends if it is left alone. */
  readonly results: Readonly<Record<string, "succeeded" | "failed" | "timed-out">>;
  readonly maxParallel: number;
  readonly failFast: boolean;
}

interface Shape {
  readonly before: readonly { readonly at: number; readonly edge: "needs" | "after" }[];
  readonly result: "succeeded" | "failed" | "timed-out";
  readonly allowFailure: boolean;
  readonly condition: string | undefined;
  readonly members: readonly Shape[];
  readonly maxParallel: number | undefined;
  readonly failFast: boolean;
}

const CONDITIONS = [undefined, undefined, undefined, "always()", "failure()", "success()", "false"];

/** Up to ten steps side by side; one in four is a group, down to `depth` groups in groups. */
function shapesOf(depth: number): fc.Arbitrary<readonly Shape[]> {
  const members = depth === 0 ? fc.constant([]) : fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: shapesOf(depth - 1) },
  );
  const shape = fc.record<Shape>({
    before: fc.array(
      fc.record({ at: fc.nat(50), edge: fc.constantFrom("needs" as const, "after" as const) }),
      { maxLength: 3 },
    ),
    result: fc.constantFrom("succeeded", "succeeded", "succeeded", "failed", "timed-out"),
    allowFailure: fc.boolean(),
    condition: fc.constantFrom(...CONDITIONS),
    members,
    maxParallel: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    failFast: fc.boolean(),
  });
  return fc.array(shape, { maxLength: 10, size: "max" });
}

export const graphs: fc.Arbitrary<RandomGraph> = fc.record({
  shapes: shapesOf(2),
  maxParallel: fc.integer({ min: 1, max: 5 }),
  failFast: fc.boolean(),
}).map(({ shapes, maxParallel, failFast }) => {
  const results: Record<string, "succeeded" | "failed" | "timed-out"> = {};
  return { steps: build(shapes, { prefix: "", results }), results, maxParallel, failFast };
});

interface BuildOptions {
  readonly prefix: string;
  readonly results: Record<string, StepResult>;
}

/** Edges only lead back to earlier siblings, so that no circle can come about. */
function build(shapes: readonly Shape[], { prefix, results }: BuildOptions): Step[] {
  return shapes.flatMap((shape, index) => {
    const id = `${prefix}s${index}`;
    const edges = (wanted: "needs" | "after") =>
      index === 0 ? [] : [
        ...new Set(
          shape.before.filter(({ edge }) => edge === wanted)
            .map(({ at }) => `${prefix}s${at % index}`),
        ),
      ];
    const parts = {
      needs: edges("needs"),
      after: edges("after"),
      allowFailure: shape.allowFailure,
      ...(shape.condition === undefined ? {} : { if: shape.condition }),
    };
    if (shape.members.length === 0) {
      results[id] = shape.result;
      return [step(id, parts)];
    }
    const members = build(shape.members, { prefix: `${id}/`, results });
    return group(id, members, {
      ...parts,
      of: "template",
      failFast: shape.failFast,
      ...(shape.maxParallel === undefined ? {} : { maxParallel: shape.maxParallel }),
    });
  });
}
