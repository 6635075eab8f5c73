/** The one door to ssh2: the order of the two imports matters, see `closing_ciphers.ts`. */
import { restoreCrypto } from "./closing_ciphers.ts";
import type {} from "npm:@types/node@24.19.2";
// @ts-types="npm:@types/ssh2@1.15.6"
import ssh2 from "npm:ssh2@1.17.0";

restoreCrypto();

export type {
  AnyAuthMethod,
  BaseAgent,
  CipherAlgorithm,
  Client,
  ClientChannel,
  KexAlgorithm,
  MacAlgorithm,
  ParsedKey,
  ServerHostKeyAlgorithm,
} from "npm:@types/ssh2@1.15.6";
export default ssh2;
