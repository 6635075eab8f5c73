/**
 * Which texts of a JSON secret are secret. A key file of a cloud also says `"type": "service_account"` and
 * `"project_id": "vision"`; masked, such words would vanish from every log and from inside other words.
 */

import { parseJson } from "./exact_json.ts";
import { ExactNumber } from "./exact_number.ts";
import { valueAt } from "./json_path.ts";
import type { JsonValue } from "./json.ts";

/** Names of fields that hold secrets, but not those that say where or which one. */
const SECRET_NAME =
  /(?:secret|token|passw|passphrase|pwd|private|credential|signature|cert|auth|session|cookie|key)/i;
const PLAIN_NAME = /(?:uri|url|endpoint|type|name|email|user|region|expir\w*|_at)$/i;

/** Characters; a shorter text is no key that a machine made. */
const SHORTEST_RANDOM = 16;
/** Bits per character, by how often each stands there; words and addresses stay below. */
const LEAST_ENTROPY = 3;

/**
 * Texts of fields whose name speaks of a secret, and texts that look as a machine made them. Where there
 * is neither, nobody can tell, and all of them count.
 */
export function secretTexts(document: unknown): readonly string[] {
  const all: { readonly name: string; readonly text: string }[] = [];
  const visit = (node: unknown, name: string): void => {
    if (typeof node === "string") all.push({ name, text: node });
    else if (Array.isArray(node)) node.forEach((item) => visit(item, name));
    else if (typeof node === "object" && node !== null) {
      for (const [key, inner] of Object.entries(node)) visit(inner, key);
    }
  };
  visit(document, "");
  const secret = all.filter(({ name, text }) => isSecretName(name) || looksRandom(text));
  return (secret.length > 0 ? secret : all).map(({ text }) => text);
}

/**
 * Texts and numbers at a path, those inside a list or map too. Undefined where there are none, or
 * where the value is no JSON.
 */
export function textsAt(value: string, path: string): readonly string[] | undefined {
  let document: JsonValue;
  try {
    document = parseJson(value);
  } catch {
    return undefined;
  }
  const texts: string[] = [];
  const visit = (node: JsonValue | undefined): void => {
    if (typeof node === "string") texts.push(node);
    else if (typeof node === "number" || node instanceof ExactNumber) texts.push(String(node));
    else if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === "object" && node !== null) Object.values(node).forEach(visit);
  };
  visit(valueAt(document, path));
  return texts.length === 0 ? undefined : texts;
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !PLAIN_NAME.test(name);
}

/** No blanks, letters and digits mixed, no address, and few characters twice. */
export function looksRandom(text: string): boolean {
  if (text.includes("-----BEGIN ")) return true;
  if (text.length < SHORTEST_RANDOM || /\s/.test(text)) return false;
  if (!/[A-Za-z]/.test(text) || !/\d/.test(text)) return false;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^[^@]+@[^@]+\.[a-z]+$/i.test(text)) return false;
  return entropyOf(text) >= LEAST_ENTROPY;
}

function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count / text.length * Math.log2(count / text.length);
  return bits;
}
