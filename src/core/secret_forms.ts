/** The ways in which a secret turns up in what programs print. */
import { base64Forms, brokenBase64Forms, hexForms, urlForms } from "./secret_encodings.ts";
import { secretTexts, textsAt } from "./secret_json.ts";
import { escapedForms } from "./secret_escapes.ts";

/** Values and parts of values shorter than this would mask half of every text. */
export const SHORTEST_SECRET = 4;

/** Characters. A longer text of several lines is found line by line where it is escaped. */
const LONG = 512;

/** A value that is JSON, of which only what stands at these paths is secret by itself. */
export interface SecretParts {
  readonly value: string;
  readonly mask: readonly string[];
}

/** Every spelling of the secret that is worth looking for; empty for one that is too short. */
export function secretForms(secret: string | SecretParts): ReadonlySet<string> {
  const { value, mask } = typeof secret === "string" ? { value: secret, mask: undefined } : secret;
  if (value.length < SHORTEST_SECRET) return new Set();
  const forms = partsOf(value, mask).flatMap((part) => [
    part,
    ...base64Forms(part),
    ...part.length > LONG && part.includes("\n") ? [] : [...escapedForms(part), ...urlForms(part)],
  ]);
  // Whoever dumps bytes or breaks lines does it with the whole.
  const whole = value.trim();
  if (whole.length >= SHORTEST_SECRET) forms.push(...hexForms(whole), ...brokenBase64Forms(whole));
  return new Set(forms.filter((form) => form.length >= SHORTEST_SECRET));
}

/** The value, its lines, and the strings in it where it is JSON. */
function partsOf(value: string, mask: readonly string[] | undefined): readonly string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  const parts = [value, value.trim(), ...lines, ...jsonStrings(value, mask)];
  return [...new Set(parts)].filter((part) =>
    part.length >= SHORTEST_SECRET &&
    // A line of brackets or dashes is no secret.
    (part === value || /[\p{L}\p{N}]/u.test(part))
  );
}

function jsonStrings(value: string, mask: readonly string[] | undefined): string[] {
  const texts = mask ? mask.flatMap((path) => textsAt(value, path) ?? []) : likelyTexts(value);
  return texts.flatMap((text) => [text, ...text.split(/[\r\n]+/)]);
}

function likelyTexts(value: string): readonly string[] {
  if (!/^\s*[[{]/.test(value)) return [];
  let document: unknown;
  try {
    document = JSON.parse(value);
  } catch {
    return [];
  }
  return secretTexts(document);
}
