/**
 * A path below some folder, as text from outside: a node, an archive, a file. Checked once, here, and
 * then the type says so; what it cannot promise is that no part of it is a link.
 */

declare const checked: unique symbol;

/** Parts with one `/` between them; none is empty, `.` or `..`, so it never leaves its folder. */
export type RelativePath = string & { readonly [checked]: true };

export interface RelativePathOptions {
  /** Line breaks, escapes and the like may stand in it: what a tree of the user's own may hold. */
  readonly allowControls?: boolean;
}

/** Linux: `PATH_MAX` and `NAME_MAX`, in bytes of UTF-8. */
const MOST_BYTES = 4096;
const MOST_PART_BYTES = 255;
/** Of one UTF-16 code unit, in UTF-8. */
const MOST_UNIT_BYTES = 3;

const encoder = new TextEncoder();

/** Undefined where the text is no such path: `relativePathFault` says why. */
export function asRelativePath(
  text: string,
  options: RelativePathOptions = {},
): RelativePath | undefined {
  return relativePathFault(text, options) === undefined ? text as RelativePath : undefined;
}

/** Why the text is no path below a folder, in words that follow "it"; undefined where it is one. */
export function relativePathFault(
  text: string,
  { allowControls = false }: RelativePathOptions = {},
): string | undefined {
  if (text === "") return "is empty";
  if (text.startsWith("/")) return "is absolute";
  if (isLongerThan(MOST_BYTES, text)) {
    return `is longer than ${MOST_BYTES} bytes`;
  }
  if (text.includes("\0")) return "holds a NUL character";
  if (!allowControls && /\p{Cc}/u.test(text)) return "holds a control character";
  if (!text.isWellFormed()) return "is not valid Unicode";
  const odd = /(?:^|\/)(\.{0,2})(?:\/|$)/.test(text) ? text.split("/") : [];
  if (odd.includes("..")) return "leads upwards (..)";
  if (odd.includes(".")) return "holds a part that is only a dot";
  if (odd.includes("")) return "holds an empty part";
  // A short text has no long part.
  if (
    text.length * MOST_UNIT_BYTES > MOST_PART_BYTES &&
    text.split("/").some((part) => isLongerThan(MOST_PART_BYTES, part))
  ) {
    return `holds a part longer than ${MOST_PART_BYTES} bytes`;
  }
  return undefined;
}

/** In bytes of UTF-8; most texts are far from it, and need no counting. */
function isLongerThan(most: number, text: string): boolean {
  if (text.length * MOST_UNIT_BYTES <= most) return false;
  return text.length > most || encoder.encode(text).length > most;
}
