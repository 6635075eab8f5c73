/** The section of one version in `CHANGELOG.md`. */
export function changesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const section = sections.find((text) =>
    text.startsWith(`## ${version} `) || text.startsWith(`## ${version}\n`)
  );
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version}"`);
  return section.trimEnd() + "\n";
}
