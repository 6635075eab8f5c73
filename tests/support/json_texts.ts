/** JSON as programs write it, with numbers in every spelling, for round trips. */
import fc from "fast-check";
import { parseJson } from "../../src/core/exact_json.ts";
import { ExactNumber } from "../../src/core/exact_number.ts";
import type { JsonValue } from "../../src/core/json.ts";

/** What every object seems to hold, `__proto__` among them; names like any other in a file. */
export const INHERITED_NAMES: readonly string[] = Object.getOwnPropertyNames(Object.prototype);

const digits = (options: { minLength: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), ...options });

/** Any number in JSON's grammar, up to 40 digits and wide exponents. */
export function numberText(): fc.Arbitrary<string> {
  const whole = fc.oneof(
    fc.constant("0"),
    fc.tuple(fc.constantFrom(..."123456789"), digits({ minLength: 0, maxLength: 39 }))
      .map(([first, rest]) => first + rest),
  );
  const fraction = fc.oneof(
    fc.constant(""),
    digits({ minLength: 1, maxLength: 25 }).map((text) => `.${text}`),
  );
  const exponent = fc.oneof(
    { arbitrary: fc.constant(""), weight: 3 },
    {
      arbitrary: fc.tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "+", "-"), fc.nat(500))
        .map((parts) => parts.join("")),
      weight: 1,
    },
  );
  const ordinary = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.integer().map(String),
    fc.bigInt().map(String),
  );
  return fc.oneof(
    ordinary,
    fc.tuple(fc.constantFrom("", "-"), whole, fraction, exponent).map((parts) => parts.join("")),
  );
}

/** A value as compact JSON text. Keys are words, since whole numbers as keys change their order. */
export function jsonText({ finite = false } = {}): fc.Arbitrary<string> {
  const number = finite ? numberText() : fc.oneof(
    { arbitrary: numberText(), weight: 9 },
    { arbitrary: fc.constantFrom("NaN", "Infinity", "-Infinity"), weight: 1 },
  );
  const text = fc.string({ unit: "grapheme" }).map((value) => JSON.stringify(value));
  const scalar = fc.oneof(number, number, text, fc.constantFrom("true", "false", "null"));
  const key = fc.oneof(
    { arbitrary: fc.string({ unit: fc.constantFrom(..."abcxyz_ -"), minLength: 1 }), weight: 3 },
    { arbitrary: fc.constantFrom(...INHERITED_NAMES), weight: 1 },
  );
  return fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, scalar, tie("list"), tie("map")),
    list: fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
    map: fc.uniqueArray(fc.tuple(key, tie("value")), { maxLength: 4, selector: ([name]) => name })
      .map((pairs) =>
        `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`
      ),
  })).value as fc.Arbitrary<string>;
}

/** The text as a function of Python gives it back: fractions as the nearest double, `-0` as `0`. */
export function asPython(text: string): string {
  return JSON.stringify(mapNumbers(parseJson(text), (number) => {
    if (!/[.eE]/.test(number)) return number === "-0" ? "0" : number;
    return String(Number(number));
  }));
}

/** Whether a float of Python has room for all its numbers. */
export function fitsPython(text: string): boolean {
  let fits = true;
  mapNumbers(parseJson(text), (number) => {
    fits &&= !/[.eE]/.test(number) || Number.isFinite(Number(number));
    return number;
  });
  return fits;
}

function mapNumbers(value: JsonValue, change: (text: string) => string): unknown {
  if (typeof value === "number") return `number ${change(JSON.stringify(value))}`;
  if (value instanceof ExactNumber) return `number ${change(value.text)}`;
  if (Array.isArray(value)) return value.map((item) => mapNumbers(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapNumbers(item, change)]),
  );
}
