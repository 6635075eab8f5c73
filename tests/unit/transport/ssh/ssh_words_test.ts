import assert from "node:assert/strict";
import { settingsOf } from "../../../../src/transport/ssh/ssh_words.ts";

Deno.test("settingsOf() reads repeated keywords, quoted paths and `none`", () => {
  const settings = settingsOf([
    "hostname 10.0.0.7",
    "identityfile ~/.ssh/a",
    "identityfile ~/.ssh/b",
    'userknownhostsfile "/with blank/known" /other',
    "proxyjump none",
    "proxycommand none",
  ].join("\n"));
  assert.deepEqual(settings.identityFiles, ["~/.ssh/a", "~/.ssh/b"]);
  assert.deepEqual(settings.userKnownHostsFiles, ["/with blank/known", "/other"]);
  assert.deepEqual([settings.proxyJump, settings.beyond], [undefined, []]);
});

Deno.test("settingsOf() names what only ssh itself can do", () => {
  const settings = settingsOf([
    "proxycommand nc %h %p",
    "revokedhostkeys /etc/ssh/revoked",
    "gssapiauthentication yes",
    "hostbasedauthentication no",
    "pkcs11provider none",
    "addressfamily inet6",
    "controlpath /home/ml/.ssh/cm",
  ].join("\n"));
  assert.deepEqual(settings.beyond, ["ProxyCommand", "RevokedHostKeys"]);
  assert.deepEqual(settings.otherLogins.map(({ keyword }) => keyword), ["GSSAPIAuthentication"]);
  assert.deepEqual([settings.addressFamily, settings.controlPath], [
    "inet6",
    "/home/ml/.ssh/cm",
  ]);
});
