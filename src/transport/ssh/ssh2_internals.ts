/** What ssh2 knows and does not show; as it is in 1.17.0, which `deno.json` pins. */
import type { Client } from "./ssh2_library.ts";

interface Internals {
  /** Of a connection that has begun. */
  readonly _protocol: {
    ping(): void;
    readonly _handlers: {
      USERAUTH_FAILURE(protocol: unknown, methods: string[], isPartial: boolean): void;
      GLOBAL_REQUEST(protocol: unknown, name: string, wantsReply: boolean, data: unknown): void;
    };
  };
  /** Whom to tell of the next answers to global requests, in order. */
  readonly _callbacks: ((refused: boolean | Error) => void)[];
}

function internalsOf(client: Client): Internals {
  return client as unknown as Internals;
}

/**
 * Asks for a sign of life (`keepalive@openssh.com`), which every server answers, if only with a no.
 * Calls back too when the connection ends.
 */
export function ping(client: Client, onAnswer: () => void): void {
  const { _protocol, _callbacks } = internalsOf(client);
  _callbacks.push(onAnswer);
  _protocol.ping();
}

/**
 * Calls back for each no to a login, with what the server would take next, and whether it was content
 * with what it was given (RFC 4252, section 5.1). The library tells neither where an agent signs.
 */
export function onAuthFailure(
  client: Client,
  heard: (methods: readonly string[], isPartial: boolean) => void,
): void {
  const handlers = internalsOf(client)._protocol._handlers;
  const own = handlers.USERAUTH_FAILURE;
  handlers.USERAUTH_FAILURE = (protocol, methods, isPartial) => {
    heard(methods, isPartial);
    own(protocol, methods, isPartial);
  };
}

/**
 * Lets the server's offer of its other host keys be (`hostkeys-00@openssh.com`, which wants no reply). The
 * library would make it sign with each of them, the most costly thing in a whole login, and ends the
 * connection over a key of a kind that it does not know. Grid learns no keys in passing.
 */
export function ignoreOtherHostKeys(client: Client): void {
  const handlers = internalsOf(client)._protocol._handlers;
  const own = handlers.GLOBAL_REQUEST;
  handlers.GLOBAL_REQUEST = (protocol, name, wantsReply, data) => {
    if (name !== "hostkeys-00@openssh.com" || wantsReply) own(protocol, name, wantsReply, data);
  };
}
