/** The one door to ssh2: the order of the two imports matters, see `closing_ciphers.ts`. */
import { restoreCrypto } from "./closing_ciphers.ts";
import ssh2 from "ssh2";

restoreCrypto();

export default ssh2;
