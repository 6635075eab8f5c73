/** A secret as encoders write it: percent signs, base64 and hex. */

const encoder = new TextEncoder();

/** Characters beside letters and digits that an encoder leaves alone; each is one in use. */
const URL_SAFE: readonly RegExp[] = [
  /[-_.!~*'()]/, // encodeURIComponent
  /[-_.!~*'()/]/,
  /[-_.~]/, // RFC 3986, curl, Go, Python with safe=""
  /[-_.~/]/, // Python's quote
  /[-_.*]/, // forms in browsers and Java
  /[-_.]/, // PHP
  /[-_.!*()]/, // .NET
  /[-_.!~*'();/?:@&=+$,#]/, // encodeURI
  /[-_.!~*'()$&+,%]/, // name and password within a URL
];

/** Percent-encoded, with either case of the digits, `+` for a blank, and once more. */
export function urlForms(text: string): string[] {
  // Half of a surrogate pair cannot be encoded.
  const whole = text.toWellFormed();
  const once = URL_SAFE.map((safe) => percentEncoded(whole, safe));
  const lower = once.map((form) => form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
  const either = [...once, ...lower];
  return [
    ...either,
    ...either.map((form) => form.replaceAll("%20", "+")),
    ...either.map((form) => form.replaceAll("%", "%25")),
  ];
}

function percentEncoded(text: string, safe: RegExp): string {
  return text.replaceAll(/[^A-Za-z0-9]/gu, (sign) => {
    if (safe.test(sign)) return sign;
    return [...encoder.encode(sign)].map((byte) => `%${hexByte(byte).toUpperCase()}`).join("");
  });
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

export function hexForms(text: string): string[] {
  const hex = encoder.encode(text).toHex();
  return [hex, hex.toUpperCase()];
}

/**
 * Whatever stands before the secret shifts it by 0, 8 or 16 bits against the six-bit characters;
 * only those made of nothing but the secret are looked for.
 */
export function base64Forms(text: string): string[] {
  const forms = shifted(text).map(({ form }) => form);
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

/** Characters of the shortest line that programs break base64 into. */
const SHORTEST_LINE = 64;

/** Characters; at least one whole fragment lies in every line. */
const FRAGMENT = 32;

/**
 * Base64 that is broken into lines, wherever that happens: a line has a multiple of four characters
 * (64, 72 and 76 are in use). What is too long to lie in one or two lines is looked for in
 * fragments that overlap.
 */
export function brokenBase64Forms(text: string): string[] {
  return shifted(text).flatMap(({ form, toNextGroup }) => {
    const breaks: number[] = [];
    for (let at = toNextGroup; at < form.length; at += 4) if (at > 0) breaks.push(at);
    if (form.length <= SHORTEST_LINE) {
      return breaks.map((at) => brokenAt(form, { at, around: SHORTEST_LINE }));
    }
    return [
      form.slice(0, toNextGroup + FRAGMENT),
      ...breaks.map((at) => form.slice(at, at + FRAGMENT)).filter(isWholeFragment),
      form.slice(-FRAGMENT),
      ...breaks.filter((at) => at < FRAGMENT || at > form.length - FRAGMENT)
        .map((at) => brokenAt(form, { at, around: FRAGMENT })),
    ];
  });
}

function isWholeFragment(form: string): boolean {
  return form.length === FRAGMENT;
}

function brokenAt(form: string, { at, around }: { at: number; around: number }): string {
  return `${form.slice(Math.max(0, at - around), at)}\n${form.slice(at, at + around)}`;
}

interface Shifted {
  readonly form: string;
  /** Characters of the form before the first group of four that begins in it. */
  readonly toNextGroup: number;
}

function shifted(text: string): Shifted[] {
  const bytes = encoder.encode(text);
  return [0, 1, 2].map((before) => {
    const all = new Uint8Array(before + bytes.length);
    all.set(bytes, before);
    const first = Math.ceil(before * 8 / 6);
    const form = all.toBase64({ omitPadding: true }).slice(first, Math.floor(all.length * 8 / 6));
    return { form, toNextGroup: (4 - first) % 4 };
  });
}
