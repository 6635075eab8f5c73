/** How the ids of a run's steps stand in a narrow place: shortened, and still all different. */
import { shortNames } from "../core/short_names.ts";
import type { RunState } from "../engine/reduce.ts";
import { displayWidth } from "./width.ts";

/** For the steps of one run and a number of columns: how each id is written there. */
export type NamesFor = (state: RunState, width: number) => (id: string) => string;

/** Looks at all steps, so that a step has the same name whichever others are in view. */
export const namesFor: NamesFor = ({ steps }, width) =>
  shortNames([...steps.keys()], { width, widthOf: displayWidth });

/** The same for one run that is drawn again and again: the steps of a run never change. */
export function rememberedNames(): NamesFor {
  let last: { readonly width: number; readonly nameOf: (id: string) => string } | undefined;
  return (state, width) => {
    if (last?.width !== width) last = { width, nameOf: namesFor(state, width) };
    return last.nameOf;
  };
}
