/** The classes of `[[:name:]]`, for ASCII alone, as git counts them. */

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // deno-lint-ignore no-control-regex
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[\x21-\x7e]/,
  lower: /[a-z]/,
  print: /[\x20-\x7e]/,
  punct: /[!-/:-@[-`{-~]/,
  // Git's own notion leaves out \v and \f.
  space: /[ \t\n\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** Undefined where there is no class of that name. */
export function isOfClass(name: string, byte: number): boolean | undefined {
  if (!Object.hasOwn(CLASSES, name)) return undefined;
  return CLASSES[name]?.test(String.fromCharCode(byte));
}
