/** What Grid itself says behind a command in a container: no words of the command's own. */
export function isImageLine(line: string): boolean {
  return /^grid: in \w{1,20}, image /.test(line);
}
