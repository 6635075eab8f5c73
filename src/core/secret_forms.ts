/** The ways in which a secret turns up in what programs print. */

/** Values and parts of values shorter than this would mask half of every text. */
export const SHORTEST_SECRET = 4;

/** Every spelling of the secret that is worth looking for; empty for one that is too short. */
export function secretForms(value: string): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const part of partsOf(value)) {
    for (const form of [part, ...escaped(part), ...urlEncoded(part), ...base64(part)]) {
      if (form.length >= SHORTEST_SECRET) forms.add(form);
    }
  }
  return forms;
}

/** The value, its lines, and the strings in it where it is JSON. */
function partsOf(value: string): ReadonlySet<string> {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  const parts = [value, value.trim(), ...lines, ...jsonStrings(value)];
  return new Set(parts.filter((part) =>
    part.length >= SHORTEST_SECRET &&
    // A line of brackets or dashes is no secret.
    (part === value || /[\p{L}\p{N}]/u.test(part))
  ));
}

function jsonStrings(value: string): string[] {
  if (!/^\s*[[{]/.test(value)) return [];
  let document: unknown;
  try {
    document = JSON.parse(value);
  } catch {
    return [];
  }
  const strings: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node === "string") strings.push(node, ...node.split(/[\r\n]+/));
    else if (typeof node === "object" && node !== null) Object.values(node).forEach(visit);
  };
  visit(document);
  return strings;
}

/** As in JSON, in Python's `repr`, and in the three kinds of shell words. */
function escaped(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return [
    json,
    json.replaceAll("/", "\\/"),
    ascii,
    JSON.stringify(json).slice(1, -1),
    text.replaceAll("'", `'\\''`),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll(/["$`\\]/g, "\\$&"),
    text.replaceAll(/[^A-Za-z0-9_\/:.,@%+=\x80-\uffff-]/g, "\\$&"),
    text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n"),
    text.replaceAll(/[&<>"']/g, (sign) => HTML[sign] ?? sign),
  ];
}

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Percent-encoded with more or fewer safe characters, either case of the digits, `+` for a blank. */
function urlEncoded(text: string): string[] {
  // Half of a surrogate pair cannot be encoded.
  const component = encodeURIComponent(text.toWellFormed());
  const strict = component.replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const spellings = [component, strict].flatMap((form) => [form, form.replaceAll("%2F", "/")]);
  return spellings.flatMap((form) => [form, form.replaceAll("%20", "+")])
    .flatMap((form) => [form, form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/**
 * Whatever stands before the secret shifts it by 0, 8 or 16 bits against the six-bit characters;
 * only those made of nothing but the secret are looked for.
 */
function base64(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const forms = [0, 1, 2].map((before) => {
    const shifted = new Uint8Array(before + bytes.length);
    shifted.set(bytes, before);
    const whole = shifted.toBase64({ omitPadding: true });
    const first = Math.ceil(before * 8 / 6);
    return whole.slice(first, Math.floor(shifted.length * 8 / 6));
  });
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}
