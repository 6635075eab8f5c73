/** The graph of a pipeline as drawings need it; from a plan or from a run. */

export interface GraphStep {
  readonly id: string;
  readonly kind: string;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** The group step that this step is a member of. */
  readonly group?: string | null | undefined;
  /** Set for a run that has begun: decides the colour. */
  readonly state?: string | undefined;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** `needs`: success is wanted. `after`: only the end. `member`: belongs to the group. */
  readonly kind: "needs" | "after" | "member";
}

/** Edges between steps that are there, without those that a group's members already carry. */
export function edgesOf(steps: readonly GraphStep[]): Edge[] {
  const known = new Set(steps.map(({ id }) => id));
  const groups = new Set(steps.flatMap(({ group }) => group ? [group] : []));
  return steps.flatMap((step): Edge[] => {
    const joins = groups.has(step.id);
    const own = (ids: readonly string[], kind: Edge["kind"]) =>
      joins ? [] : ids.filter((id) => known.has(id)).map((from) => ({ from, to: step.id, kind }));
    const member: Edge[] = step.group && known.has(step.group)
      ? [{ from: step.id, to: step.group, kind: "member" }]
      : [];
    return [...own(step.needs, "needs"), ...own(step.after, "after"), ...member];
  });
}

/** Short names for formats whose identifiers carry no brackets and slashes: `n0`, `n1`, … */
export function shortNames(steps: readonly GraphStep[]): (id: string) => string {
  const names = new Map(steps.map(({ id }, at) => [id, `n${at}`]));
  return (id) => names.get(id) ?? "n";
}
