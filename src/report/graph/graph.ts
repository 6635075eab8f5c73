/** The graph of a pipeline as drawings need it; from a plan or from a run. */

export interface GraphStep {
  readonly id: string;
  readonly kind: string;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** The group step that this step is a member of. */
  readonly group?: string | null | undefined;
  /** Set for what waits for the end of the run: how the run has to end. */
  readonly hook?: string | null | undefined;
  /** The condition under which it runs, as written. */
  readonly if?: string | undefined;
  /** Set for a run that has begun: decides the colour. */
  readonly state?: string | undefined;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** `needs`: success is wanted. `after`: only the end. `member`: one of the ends of the group. */
  readonly kind: "needs" | "after" | "member";
}

/** The hooks by the end of the run that they are for; moments without hooks are left out. */
export function hooksOf(
  steps: readonly GraphStep[],
): { readonly moment: string; readonly hooks: readonly GraphStep[] }[] {
  return (["success", "failure", "exit"] as const).flatMap((moment) => {
    const hooks = steps.filter(({ hook }) => hook === moment);
    return hooks.length === 0 ? [] : [{ moment: `on ${moment}`, hooks }];
  });
}

/** Steps that belong to the graph itself. */
export function withoutHooks(steps: readonly GraphStep[]): GraphStep[] {
  return steps.filter(({ hook }) => !hook);
}

/** Longer conditions are cut: a drawing is for the whole. */
const LONGEST_CONDITION = 60;

/** What stands below the name of a step: its kind, and its condition where it has one. */
export function kindLines({ kind, if: condition }: GraphStep): string[] {
  return condition === undefined ? [kind] : [kind, `if ${shortCondition(condition)}`];
}

export function shortCondition(condition: string): string {
  const words = condition.replaceAll(/\s+/g, " ");
  return words.length <= LONGEST_CONDITION ? words : `${words.slice(0, LONGEST_CONDITION - 1)}…`;
}

/**
 * Edges between steps that are there. What a group waits for leads to the members that begin it, as
 * it does in a run; the members that end it lead to the group.
 */
export function edgesOf(steps: readonly GraphStep[]): Edge[] {
  if (!steps.some(({ needs, after, group }) => group || needs.length + after.length > 0)) return [];
  const known = new Map(steps.map((step) => [step.id, step]));
  const groups = new Set<string>();
  for (const { group } of steps) if (group) groups.add(group);
  const ends = groups.size === 0 ? NO_ENDS : endsOf(steps);
  const edges: Edge[] = [];
  const add = (edge: Edge) => {
    if (known.has(edge.from) && known.has(edge.to)) edges.push(edge);
  };
  for (const { id, group } of steps) {
    const { needs, after } = groups.has(id) ? NOTHING : waitsOf(id, known);
    for (const from of needs) add({ from, to: id, kind: "needs" });
    for (const from of after) add({ from, to: id, kind: "after" });
    if (group && ends.has(id)) add({ from: id, to: group, kind: "member" });
  }
  return edges;
}

const NO_ENDS: ReadonlySet<string> = new Set();

export interface Folded {
  readonly steps: readonly GraphStep[];
  /** Steps that a group stands for. */
  readonly members: ReadonlyMap<string, number>;
}

/** Groups in place of their members, the outermost of each; for drawings that have no room for all. */
export function foldGroups(steps: readonly GraphStep[]): Folded {
  const known = new Map(steps.map((step) => [step.id, step]));
  const outermost = (id: string): string => {
    const group = known.get(id)?.group;
    return group && known.has(group) ? outermost(group) : id;
  };
  const members = new Map<string, number>();
  for (const { id, kind } of steps) {
    const top = outermost(id);
    if (top !== id && kind !== "group") members.set(top, (members.get(top) ?? 0) + 1);
  }
  const moved = (ids: readonly string[], self: string) =>
    [...new Set(ids.map(outermost))].filter((id) => id !== self);
  const kept = steps.filter(({ id }) => outermost(id) === id).map((step) => ({
    ...step,
    needs: moved(step.needs, step.id),
    after: moved(step.after, step.id),
  }));
  return { steps: kept, members };
}

type Waits = Pick<GraphStep, "needs" | "after">;

const NOTHING: Waits = { needs: [], after: [] };

/** What a step waits for; for what begins a group, what the group waits for. */
function waitsOf(id: string, known: ReadonlyMap<string, GraphStep>): Waits {
  const step = known.get(id);
  if (step === undefined) return NOTHING;
  const isFirst = step.needs.length + step.after.length === 0;
  return step.group && isFirst ? waitsOf(step.group, known) : step;
}

/** Members that no other member of their group waits for. */
function endsOf(steps: readonly GraphStep[]): ReadonlySet<string> {
  const ends = new Set(steps.map(({ id }) => id));
  const groups = new Map(steps.map(({ id, group }) => [id, group]));
  for (const { group, needs, after } of steps) {
    if (!group) continue;
    for (const id of [...needs, ...after]) if (groups.get(id) === group) ends.delete(id);
  }
  return ends;
}

/** Short names for formats whose identifiers carry no brackets and slashes: `n0`, `n1`, … */
export function shortNames(steps: readonly GraphStep[]): (id: string) => string {
  const names = new Map(steps.map(({ id }, at) => [id, `n${at}`]));
  return (id) => names.get(id) ?? "n";
}
