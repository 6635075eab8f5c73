/** Templates that come with Grid: `uses: grid:notify-slack`. */
import { fileURLToPath } from "node:url";

const PREFIX = "grid:";
const FILES: Readonly<Record<string, string>> = {
  "notify-slack": "notify/slack.yaml",
  "notify-webhook": "notify/webhook.yaml",
  "notify-mail": "notify/mail.yaml",
};

export function isOwnReference(reference: string): boolean {
  return reference.startsWith(PREFIX);
}

export function ownReferences(): readonly string[] {
  return Object.keys(FILES).map((name) => PREFIX + name);
}

/** The file of this installation; undefined where there is none of that name. */
export function ownTemplate(reference: string): string | undefined {
  const file = new Map(Object.entries(FILES)).get(reference.slice(PREFIX.length));
  if (file === undefined) return undefined;
  return fileURLToPath(new URL(`../../../pipelines/templates/${file}`, import.meta.url));
}
