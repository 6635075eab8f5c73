/** What values of a pipeline file are made of: names, texts, durations, sizes. */
import type { JsonValue } from "../core/json.ts";
import { z } from "../document/shape/zod.ts";
import { durationWords, nameWords, sizeWords } from "./schema_words.ts";

/** Names of steps, inputs and outputs. */
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const DURATION = /^(\d+(\.\d+)?(ms|s|m|h|d))+$/;
const SIZE = /^\d+(\.\d+)?\s*([KMGT]i?B|B)$/;
/** Not only zeros: nothing can be done in no time. */
const SOME_TIME = /^(?!(0+(\.0+)?(ms|s|m|h|d))+$)/;

/** 27 years at most for each part; nothing that is meant is longer. */
const REASONABLE = /^(?!.*\d{5,}(\.\d+)?d)(?!.*\d{7,}(\.\d+)?h)(?!.*\d{9,}(\.\d+)?[ms])/;

/** The second line of a message is its hint. */
export const name = z.string({ error: (issue) => nameWords(issue.input) })
  .regex(NAME, { error: (issue) => nameWords(issue.input) });
export const variable = z.string().regex(VARIABLE, {
  error: (issue) =>
    `${JSON.stringify(issue.input)} is not a name of an environment variable\n` +
    (String(issue.input).includes("${{")
      ? "write the name out; only the value may be an expression"
      : "letters, digits and _; it starts with a letter or _"),
});

export const scalar = z.union([z.string(), z.number(), z.boolean()]);
/** Text that may hold expressions. */
export const text = scalar.meta({ description: "Text; ${{ … }} is replaced" });
export const json = z.json().meta({
  id: "value",
  description: "Any value",
}) as unknown as z.ZodType<
  JsonValue
>;
export const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item)]);
export const textList = oneOrMore(text);

export const duration = z.string({ error: (issue) => durationWords(issue.input) })
  .regex(DURATION, { error: (issue) => durationWords(issue.input) })
  .regex(REASONABLE, {
    error: (issue) => `${issue.input} is longer than any step lives\nremove the key for no limit`,
  })
  .meta({ description: "A duration with its unit", examples: ["30s", "30m", "1h30m", "2d"] });
export const size = z.string({ error: (issue) => sizeWords(issue.input) })
  .regex(SIZE, { error: (issue) => sizeWords(issue.input) })
  .meta({ description: "A size with its unit", examples: ["500MB", "16GiB"] });

export const limit = duration.regex(SOME_TIME, {
  error: (issue) => `${issue.input} leaves no time\nremove the key where there is no limit`,
});
