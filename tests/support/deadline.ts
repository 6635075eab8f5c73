/**
 * Loaded before every test file: a test that stands still fails by name, instead of holding up all that
 * come after it until somebody ends the whole.
 */

/** Many times what the slowest takes on a busy machine. */
const LIMIT_MS = 10 * 60_000;

type Body = (context: Deno.TestContext) => void | Promise<void>;

function withDeadline(run: Body): Body {
  return async (context) => {
    const { promise, reject } = Promise.withResolvers<never>();
    const words = `this test stood still: ${LIMIT_MS / 60_000} minutes have passed`;
    const timer = setTimeout(() => reject(new Error(words)), LIMIT_MS);
    try {
      await Promise.race([run(context), promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}

const declare = Deno.test;

/** The forms that the tests here use: a name with a function, options between them or not, and one object. */
function declareWithDeadline(
  first: string | Deno.TestDefinition,
  second?: Body | Omit<Deno.TestDefinition, "fn" | "name">,
  third?: Body,
): void {
  if (typeof first !== "string") declare({ ...first, fn: withDeadline(first.fn) });
  else if (typeof second === "function") declare(first, withDeadline(second));
  else if (third !== undefined) declare(first, second ?? {}, withDeadline(third));
  else throw new TypeError(`the test has no function: ${first}`);
}

Object.assign(Deno, { test: Object.assign(declareWithDeadline, declare) });
