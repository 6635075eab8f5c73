/**
 * A number that a JavaScript `number` would change: `1799999999999999999`, `3.10`, `1e400`, `-0.0`,
 * `NaN`. It is kept as it was written; every other number is an ordinary one.
 */
export class ExactNumber {
  /** In JSON's grammar; or `NaN`, `Infinity`, `-Infinity`, as Python writes them. */
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** A plain number where that says the same; undefined where the text is no number of JSON. */
  static of(text: string): number | ExactNumber | undefined {
    if (NOT_FINITE.has(text)) return new ExactNumber(text);
    if (!JSON_NUMBER.test(text)) return undefined;
    const plain = Number(text);
    return String(plain) === text ? plain : new ExactNumber(text);
  }

  /** Any integer. */
  static ofBigInt(value: bigint): number | ExactNumber {
    return ExactNumber.of(String(value)) ?? Number(value);
  }

  /** Also what a calculation gave: `NaN` and the infinities are no plain ones. */
  static ofNumber(value: number): number | ExactNumber {
    return Number.isFinite(value) ? value : new ExactNumber(String(value));
  }

  /** False for `NaN` and the infinities. */
  get isFinite(): boolean {
    return !NOT_FINITE.has(this.text);
  }

  /** Whether it is written without a fraction and an exponent. */
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.text);
  }

  /** The nearest `number`; undefined where that has another value than what was written. */
  get plain(): number | undefined {
    const plain = Number(this.text);
    if (!this.isFinite) return plain;
    return Number.isFinite(plain) && compareDecimals(String(plain), this.text) === 0
      ? plain
      : undefined;
  }

  /** As it was written. */
  toString(): string {
    return this.text;
  }

  /** Digits as they are; JSON itself has no word for what is not finite, so that becomes text. */
  toJSON(): unknown {
    return this.isFinite ? rawJson(this.text) : this.text;
  }
}

/** Numbers of Python's JSON that are not finite. */
export const NOT_FINITE: ReadonlySet<string> = new Set(["NaN", "Infinity", "-Infinity"]);

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** The platform has it; its types do not yet. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown };

const DECIMAL = /^\s*([-+]?)(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?\s*$/;

/** Which of two written numbers is the larger one, to the last digit; NaN where one is no number. */
export function compareDecimals(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  if (left === undefined || right === undefined) return Number.NaN;
  if (left.sign !== right.sign) return left.sign < right.sign ? -1 : 1;
  return left.sign < 0 ? compareSizes(right, left) : compareSizes(left, right);
}

/** `0.digits` times ten to the power of `exponent`, without zeros at either end. */
interface Decimal {
  readonly sign: -1 | 0 | 1;
  readonly digits: string;
  readonly exponent: bigint;
}

function partsOf(text: string): Decimal | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(text) ?? [];
  if (sign === undefined || whole + fraction === "") return undefined;
  const all = whole + fraction;
  const first = all.search(/[1-9]/);
  if (first < 0) return { sign: 0, digits: "", exponent: 0n };
  let end = all.length;
  while (all.charAt(end - 1) === "0") end--;
  return {
    sign: sign === "-" ? -1 : 1,
    digits: all.slice(first, end),
    exponent: BigInt(whole.length - first) + BigInt(exponent),
  };
}

function compareSizes(a: Decimal, b: Decimal): number {
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -1 : 1;
  // Digits behind the same point: as text.
  return a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0;
}
