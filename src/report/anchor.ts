/** Where the step at this place of a run stands on the page: `s3` is the third, whatever signs its id is made of. */
export function anchorAt(index: number): string {
  return `s${index + 1}`;
}
