/** What an expression is made of, as far as a check asks about it. */

/** Offsets inside the expression's source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Named extends Span {
  readonly name: string;
}

/** `steps.train.outputs.loss`: a root name and the constant part of the path after it. */
export interface Reference {
  readonly root: Named;
  readonly path: readonly Named[];
  /** The reference stands inside `has(…)`, where the last part may be missing. */
  readonly optional: boolean;
}

/** `c.outputs.loss` in `steps.sweep.matrix.map(c, c.outputs.loss)`: a path inside an item of a list. */
export interface ItemReference extends Reference {
  readonly list: Reference;
}

export interface Argument extends Span {
  /** The text where the argument is a constant one. */
  readonly text: string | undefined;
}

export interface Call extends Named {
  readonly args: readonly Argument[];
  /** `inputs.tag` in `inputs.tag.contains("x")`; undefined for a plain function. */
  readonly receiver: Span | undefined;
}

/** A name beside constant texts: `steps.a.state == "failed"`, `inputs.m in ["small", "large"]`. */
export interface Comparison {
  readonly operator: "==" | "!=" | "in";
  readonly reference: Reference | ItemReference;
  readonly texts: readonly Named[];
}

export interface Zero extends Span {
  readonly operator: "/" | "%";
}

/** Something wrong in an expression. */
export interface Problem {
  readonly rule: string;
  readonly at: Span;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly severity?: "error" | "warning";
}
