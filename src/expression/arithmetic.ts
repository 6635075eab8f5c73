/**
 * Calculating with whole numbers, fractions, numbers written as text and numbers that are exact, without
 * dropping a digit in silence: whole numbers stay whole at any length, and what a fraction cannot hold
 * is an error that shows the number.
 */
import { compareDecimals, ExactNumber } from "../core/exact_number.ts";
import { describeValue } from "./cel_value.ts";

/** `int`, `double`, text, and a number that neither of the first two can hold. */
export type Operand = bigint | number | string | ExactNumber;

const WHOLE: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
};
const FRACTION: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};

/** @throws where an operand is no number, or has more digits than can be calculated with */
export function calculate(operator: string, a: Operand, b: Operand): number | bigint {
  const whole = WHOLE[operator];
  const [left, right] = [integerOf(a), integerOf(b)];
  if (whole && left !== undefined && right !== undefined && !(isPlain(left) && isPlain(right))) {
    return whole(left, right);
  }
  return FRACTION[operator]?.(fractionOf(a), fractionOf(b)) ?? Number.NaN;
}

/**
 * Which is larger, to the last digit; NaN where one is not a number at all.
 *
 * @throws where a text is no number
 */
export function compare(a: Operand, b: Operand): number {
  for (const operand of [a, b]) {
    if (typeof operand === "string" && !isNumeric(operand)) throw notANumber(operand);
  }
  const [left, right] = [textOf(a), textOf(b)];
  const exact = compareDecimals(left, right);
  // The infinities and what is written otherwise (0x10) have no digits to compare.
  return Number.isNaN(exact) ? Number(left) - Number(right) || equal(left, right) : exact;
}

/** As `==` asks; text that is no number is equal to none. */
export function isEqual(a: Operand, b: Operand): boolean {
  const [left, right] = [textOf(a), textOf(b)];
  if (!isNumeric(left) || !isNumeric(right)) return false;
  return compare(left, right) === 0;
}

/** `+`: a sum, or text behind text. */
export function join(a: Operand, b: Operand): string | number | bigint {
  const text = typeof a === "string" ? a : b;
  return typeof text !== "string" || isNumeric(text) ? calculate("+", a, b) : `${a}${b}`;
}

export function isNumeric(text: string): boolean {
  return text.trim() !== "" && !Number.isNaN(Number(text));
}

function equal(left: string, right: string): number {
  return Number(left) === Number(right) ? 0 : Number.NaN;
}

function textOf(value: Operand): string {
  return String(value);
}

function integerOf(value: Operand): bigint | undefined {
  if (typeof value === "bigint") return value;
  const text = textOf(value).trim();
  // A double is a fraction to CEL, whatever its digits.
  return typeof value !== "number" && /^[-+]?\d+$/.test(text)
    ? BigInt(text.replace(/^\+/, ""))
    : undefined;
}

function isPlain(value: bigint): boolean {
  return Number.isSafeInteger(Number(value));
}

function fractionOf(value: Operand): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && !isNumeric(value)) throw notANumber(value);
  const text = textOf(value);
  const plain = Number(text);
  const number = ExactNumber.of(text.trim());
  if (number instanceof ExactNumber && isLong(number.text) && number.plain === undefined) {
    throw new Error(
      `${text.trim()} has more digits than can be calculated with here; ` +
        "calculate with it in a script",
    );
  }
  return plain;
}

/** Fractions that a program printed with all digits of a double are meant as that double. */
function isLong(text: string): boolean {
  return /^-?\d+$/.test(text) || !Number.isFinite(Number(text));
}

function notANumber(text: string): Error {
  return new Error(`${describeValue(text)} is not a number`);
}
