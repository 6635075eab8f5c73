/** What Grid itself says behind a command in a container: no words of the command's own. */
const IMAGE_LINE = /^grid: in \w{1,20}, image ([\w.:@/+-]{1,300})$/;

/** The image that this line names; undefined for any other line. `container.sh` writes it. */
export function imageIn(line: string): string | undefined {
  return IMAGE_LINE.exec(line)?.[1];
}

export function isImageLine(line: string): boolean {
  return imageIn(line) !== undefined;
}
