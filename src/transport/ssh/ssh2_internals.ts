/** What ssh2 knows and does not show; as it is in 1.17.0, which `deno.json` pins. */
import type { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import type { Client, ParsedKey } from "./ssh2_library.ts";

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;

interface Internals {
  /** Of a connection that has begun. */
  readonly _protocol: {
    ping(): void;
    /** Given to each cipher as its keys are made. */
    _onWrite(data: Uint8Array): void;
    /** Without `sign` it only asks whether the server would take the key. */
    authPK(user: string, key: ParsedKey, algorithm: string | undefined, sign?: Sign): void;
    /** While keys are made anew; nothing else may be sent then. */
    readonly _kexinit: unknown;
    readonly _cipher: { encrypt(packet: Buffer): void };
    readonly _packetRW: {
      readonly write: {
        /** Where the payload begins. */
        readonly allocStart: number;
        alloc(payloadBytes: number): Buffer;
        finalize(packet: Buffer): Buffer;
      };
    };
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

/** Of which a signature costs less than the question that it makes needless. */
const QUICK_TO_SIGN = "ssh-ed25519";

/**
 * Logs in with a key of a file without asking first whether the server would take it: a round trip less, and
 * OpenSSH lets each such question wait for five to nine milliseconds and looks through its list of keys twice.
 */
export function signAtOnce(client: Client): void {
  const protocol = internalsOf(client)._protocol;
  const own = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm, sign) => {
    // Keys of an agent have no private half here, and their agent may ask a person.
    const isQuick = key.type === QUICK_TO_SIGN && key.isPrivateKey();
    if (sign !== undefined || !isQuick) return own(user, key, algorithm, sign);
    own(user, key, algorithm, (data, done) => done(signed(key, data)));
  };
}

/** The library's function gives an error back; it tells of it as of any failure of a connection. */
function signed(key: ParsedKey, data: Buffer): Buffer {
  const signature = key.sign(data);
  if (signature instanceof Error) throw signature;
  return signature;
}

/**
 * Lets the server's offer of its other host keys be (`hostkeys-00@openssh.com`, which wants no reply). The
 * library would make it sign with each of them, the most costly thing in a whole login, and ends the
 * connection over a key of a kind that it does not know. Grid learns no keys in passing.
 *
 * What is sent in its place only takes the acknowledgement of the offer along: until that comes, which alone
 * takes 40 ms, a server that still waits for full segments (Nagle) keeps its next answer back.
 */
export function ignoreOtherHostKeys(client: Client): void {
  const protocol = internalsOf(client)._protocol;
  const handlers = protocol._handlers;
  const own = handlers.GLOBAL_REQUEST;
  handlers.GLOBAL_REQUEST = (of, name, wantsReply, data) => {
    if (name !== "hostkeys-00@openssh.com" || wantsReply) own(of, name, wantsReply, data);
    else sendNothing(protocol);
  };
}

/** RFC 4253, section 11.2: SSH_MSG_IGNORE, with an empty text. */
const IGNORE = 2;

function sendNothing({ _kexinit, _cipher, _packetRW: { write } }: Internals["_protocol"]): void {
  if (_kexinit !== undefined) return;
  const packet = write.alloc(1 + 4);
  packet.writeUInt8(IGNORE, write.allocStart);
  packet.writeUInt32BE(0, write.allocStart + 1);
  _cipher.encrypt(write.finalize(packet));
}

/**
 * Sends each packet in one piece. The library writes its length, what is in it and its check one after the
 * other: three calls of the kernel, three segments on the wire, and a server that wakes for four bytes.
 * To be called before the keys are made.
 */
export function sendWholePackets(client: Client, socket: Writable): void {
  const protocol = internalsOf(client)._protocol;
  const own = protocol._onWrite;
  protocol._onWrite = (data) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      queueMicrotask(() => socket.uncork());
    }
    own(data);
  };
}
