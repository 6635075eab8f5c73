/** The graph as an indented list: every step once, below the last of the steps it waits for. */
import { type GraphStep, hooksOf, shortCondition, withoutHooks } from "./graph.ts";

/** Members of a group that are named; a sweep may have hundreds. */
const MOST_MEMBERS = 8;

export function renderGraphText(steps: readonly GraphStep[]): string {
  const hooks = hooksOf(steps).flatMap((
    { moment, hooks },
  ) => ["", moment, ...treeLines(hooks, "  ")]);
  return [...treeLines(withoutHooks(steps), ""), ...hooks].map((line) => `${line}\n`).join("");
}

function treeLines(steps: readonly GraphStep[], indent: string): string[] {
  const tree = new Tree(steps);
  return tree.roots.flatMap((root) => tree.lines(root, { head: indent, tail: indent }));
}

interface Indent {
  /** What stands before the step itself. */
  readonly head: string;
  /** What stands before everything below it. */
  readonly tail: string;
}

class Tree {
  readonly roots: readonly GraphStep[];
  readonly #children = new Map<string, GraphStep[]>();
  readonly #members = new Map<string, GraphStep[]>();

  constructor(steps: readonly GraphStep[]) {
    const known = new Map(steps.map((step) => [step.id, step]));
    const isMember = (step: GraphStep) => step.group ? known.has(step.group) : false;
    for (const step of steps) if (isMember(step)) add(this.#members, step.group ?? "", step);
    // A member stands below its group, whatever it waits for itself.
    const standing = steps.filter((step) => !isMember(step));
    const depths = depthsOf(steps);
    const roots: GraphStep[] = [];
    for (const step of standing) {
      const parent = parentOf(step, depths);
      if (parent === undefined) roots.push(step);
      else add(this.#children, parent, step);
    }
    this.roots = roots;
  }

  lines(step: GraphStep, indent: Indent): string[] {
    const members = this.#members.get(step.id) ?? [];
    const children = this.#children.get(step.id) ?? [];
    const below = indent.tail + (children.length > 0 ? "│ " : "  ");
    return [
      `${indent.head}${step.id}  ${words(step, { members: members.length, indent })}`,
      ...members.slice(0, MOST_MEMBERS).map((member) =>
        `${below}• ${member.id}${memberWords(member)}`
      ),
      ...(members.length > MOST_MEMBERS
        ? [`${below}… and ${members.length - MOST_MEMBERS} more`]
        : []),
      ...children.flatMap((child, at) => {
        const isLast = at === children.length - 1;
        return this.lines(child, {
          head: `${indent.tail}${isLast ? "└─ " : "├─ "}`,
          tail: `${indent.tail}${isLast ? "   " : "│  "}`,
        });
      }),
    ];
  }
}

/** Kind, then what the step waits for besides the one that it stands below. */
function words(step: GraphStep, at: { readonly members: number; readonly indent: Indent }): string {
  const kind = at.members > 0 ? `${at.members} step${at.members > 1 ? "s" : ""}` : step.kind;
  const needs = step.needs.length > 1 ? [`needs ${step.needs.join(", ")}`] : [];
  const after = step.after.length > 0 ? [`after ${step.after.join(", ")}`] : [];
  const state = step.state === undefined ? [] : [step.state];
  const condition = step.if === undefined ? [] : [`if ${shortCondition(step.if)}`];
  const waits = [...needs, ...after, ...condition].join(", ");
  return [kind, ...state, ...(waits === "" ? [] : [`(${waits})`])].join("  ");
}

/** A member's own condition; what it waits for stands at the group. */
function memberWords({ if: condition }: GraphStep): string {
  return condition === undefined ? "" : `  (if ${shortCondition(condition)})`;
}

/** The deepest step among those it waits for; of two equally deep ones the later. */
function parentOf(step: GraphStep, depths: ReadonlyMap<string, number>): string | undefined {
  let parent: string | undefined;
  for (const id of [...step.needs, ...step.after]) {
    const depth = depths.get(id);
    if (depth === undefined) continue;
    if (parent === undefined || depth >= (depths.get(parent) ?? 0)) parent = id;
  }
  return parent;
}

/** Longest way from a beginning. Steps come after what they wait for. */
function depthsOf(steps: readonly GraphStep[]): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const step of steps) {
    const before = [...step.needs, ...step.after].map((id) => depths.get(id) ?? -1);
    depths.set(step.id, Math.max(-1, ...before) + 1);
  }
  return depths;
}

function add(map: Map<string, GraphStep[]>, key: string, step: GraphStep): void {
  const list = map.get(key);
  if (list) list.push(step);
  else map.set(key, [step]);
}
