/**
 * A key and a self-signed certificate for one transfer between two nodes, which prove to each other by
 * them who they are. No authority is asked, and nothing else ever believes them.
 */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface OneTimeCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8 in PEM. */
  readonly key: string;
}

/** Nodes' clocks may be wrong by years, and the key is gone in a moment. */
const VALID = ["20000101000000Z", "20991231235959Z"] as const;

/** ASN.1 tags: ITU-T X.690, 8.1.2. */
const SEQUENCE = 0x30, SET = 0x31, INTEGER = 0x02, BITS = 0x03, OID = 0x06, UTF8 = 0x0c;
const GENERALIZED_TIME = 0x18, VERSION = 0xa0;

/** ecdsa-with-SHA256 (RFC 5758, 3.2), and commonName (RFC 5280, A.1). */
const ECDSA_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];

/** X.509 version 3 with an ECDSA key on P-256: RFC 5280, 4.1. */
export function oneTimeCertificate(): OneTimeCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const serial = randomBytes(16);
  serial[0] = 1 + (serial[0]! & 0x3f); // positive, and without a zero in front
  const name = der(
    SEQUENCE,
    der(
      SET,
      der(
        SEQUENCE,
        der(OID, COMMON_NAME),
        der(UTF8, Buffer.from(`grid-${serial.toString("hex")}`)),
      ),
    ),
  );
  const algorithm = der(SEQUENCE, der(OID, ECDSA_SHA256));
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, [2])),
    der(INTEGER, serial),
    algorithm,
    name,
    der(SEQUENCE, ...VALID.map((time) => der(GENERALIZED_TIME, Buffer.from(time)))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign("sha256", body, privateKey);
  const whole = der(SEQUENCE, body, algorithm, der(BITS, [0], signature));
  const lines = whole.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** Tag, length, content: X.690, 8.1. */
function der(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
