/** A name cut in its middle: what tells the cells of a matrix apart stands at the end of them. */
export function shortName(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const head = Math.floor(longest / 3);
  return `${name.slice(0, head)}…${name.slice(head + 1 - longest)}`;
}
