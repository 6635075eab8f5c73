/** A token that stays the same from start to start, for services and for Prometheus. */
import { GridError, refusedError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";

/** Fewer characters could be guessed; others would have to be escaped in addresses and cookies. */
const TOKEN = /^[A-Za-z0-9._~-]{16,200}$/;

/** @throws {GridError} `usage`, `permission` */
export function readToken(file: string): string {
  const action = `use the token in "${file}"`;
  const { text, mode } = read(file, action);
  if ((mode & 0o077) !== 0) {
    throw new GridError({
      code: "usage",
      message: `Cannot ${action}: others may read it`,
      hint: `chmod 600 ${quote(file)}`,
    });
  }
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  throw new GridError({
    code: "usage",
    message: `Cannot ${action}: it is not one word of 16 to 200 letters, digits and ._~-`,
    hint: `make one: (umask 077; openssl rand -hex 16 > ${quote(file)})`,
  });
}

function read(file: string, action: string): { readonly text: string; readonly mode: number } {
  try {
    return { text: Deno.readTextFileSync(file), mode: Deno.statSync(file).mode ?? 0 };
  } catch (error) {
    throw refusedError(error, action) ?? new GridError({
      code: "usage",
      message: `Cannot ${action}: it cannot be read`,
      hint: `make one: (umask 077; openssl rand -hex 16 > ${quote(file)})`,
      cause: error,
    });
  }
}
