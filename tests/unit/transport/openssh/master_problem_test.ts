import assert from "node:assert/strict";
import { MasterLog } from "../../../../src/transport/openssh/master_log.ts";
import {
  explainDelay,
  explainEnd,
  explainLoss,
  mayPass,
} from "../../../../src/transport/openssh/master_problem.ts";
import { localEndpoint } from "../../../support/local_node.ts";

const ENDPOINT = localEndpoint({ name: "gpu1", transport: "openssh", connectTimeoutMs: 700 });

function logOf(...lines: string[]): MasterLog {
  const log = new MasterLog();
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(""));
  // In two pieces, so that a line is cut.
  const middle = Math.floor(bytes.length / 2);
  log.push(bytes.subarray(0, middle));
  log.push(bytes.subarray(middle));
  return log;
}

const BANNER = "debug1: Local version string SSH-2.0-OpenSSH_9.2p1";
const KEX = "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1";
const AUTH = "debug1: SSH2_MSG_NEWKEYS received";
const UP = "debug1: Entering interactive session.";

Deno.test("explainEnd() knows the words of ssh", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["dns", ["ssh: Could not resolve hostname gpu1: Name or service not known"]],
    ["tcp", ["ssh: connect to host gpu1 port 22: Connection refused"]],
    ["tcp", ["ssh: connect to host gpu1 port 22: No route to host"]],
    ["banner", [BANNER, "kex_exchange_identification: Connection closed by remote host"]],
    ["banner", [BANNER, "kex_exchange_identification: banner line contains invalid characters"]],
    ["penalty", [
      BANNER,
      "debug1: kex_exchange_identification: banner line 0: Not allowed at this time",
      "kex_exchange_identification: Connection closed by remote host",
    ]],
    ["banner", [
      BANNER,
      "debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups",
      "kex_exchange_identification: Connection closed by remote host",
    ]],
    ["usage", ["No user exists for uid 4242"]],
    ["algorithm", [
      KEX,
      "Unable to negotiate with 1.2.3.4 port 22: no matching key exchange method found. Their offer: x",
    ]],
    ["host-key", [KEX, "Host key verification failed."]],
    ["auth", [AUTH, "ml@gpu1: Permission denied (publickey)."]],
    ["channel", ["channel 0: open failed: administratively prohibited: open failed"]],
    ["tcp", ["channel 0: open failed: connect failed: Connection refused"]],
    ["usage", ["/home/ml/.ssh/config: line 3: Bad configuration option: nosuch"]],
    ["usage", ["/bin/sh: 1: exec: ssh: not found"]],
  ];
  for (const [code, lines] of cases) {
    const error = explainEnd(logOf(...lines), ENDPOINT);
    assert.equal(error.code, code, `${lines}: ${error.message}`);
    assert.ok(error.hint, error.message);
  }
});

Deno.test("explainEnd() names the phase where ssh says nothing that it knows", () => {
  const codes = [[], [BANNER], [KEX], [AUTH]].map((lines) =>
    explainEnd(logOf(...lines, "something new"), ENDPOINT).code
  );
  assert.deepEqual(codes, ["tcp", "banner", "kex", "auth"]);
});

Deno.test("explainEnd() shows the host's key and the keys that were offered", () => {
  const unknown = explainEnd(
    logOf(
      KEX,
      "debug1: Server host key: ssh-ed25519 SHA256:abc",
      "No ED25519 host key is known for gpu1 and you have requested strict checking.",
      "Host key verification failed.",
    ),
    ENDPOINT,
  );
  assert.match(unknown.message, /not known: it showed ED25519 SHA256:abc$/);
  const refused = explainEnd(
    logOf(
      "debug1: Authenticating to gpu1:22 as 'ml'",
      AUTH,
      "debug1: Offering public key: /keys/a ED25519 SHA256:def explicit",
      "ml@gpu1: Permission denied (publickey).",
    ),
    ENDPOINT,
  );
  assert.match(refused.message, /as ml: the server refused \/keys\/a ED25519 SHA256:def$/);
});

Deno.test("explainDelay() says how far it came", () => {
  const errors = [[], [BANNER], [KEX], [AUTH]].map((lines) =>
    explainDelay(logOf(...lines), ENDPOINT)
  );
  assert.deepEqual(errors.map(({ code }) => code), ["tcp", "banner", "kex", "auth"]);
  for (const { message } of errors) assert.match(message, /within 700 ms/);
});

Deno.test("explainLoss() quotes why the connection went", () => {
  const log = logOf(UP, "Timeout, server gpu1 not responding.");
  assert.match(explainLoss(log, ENDPOINT).message, /server gpu1 not responding/);
  assert.equal(explainLoss(logOf(UP), ENDPOINT).code, "lost");
});

Deno.test("mayPass() is true for who was turned away in a crowd, and for nobody else", () => {
  const closed = "kex_exchange_identification: Connection closed by remote host";
  assert.equal(mayPass(logOf(BANNER, closed)), true);
  assert.equal(mayPass(logOf(BANNER, closed, "Not allowed at this time")), false);
  assert.equal(mayPass(logOf(KEX, "Host key verification failed.")), false);
  assert.equal(mayPass(logOf(AUTH, "Connection closed by 1.2.3.4 port 22")), false);
  assert.equal(mayPass(logOf("ssh: connect to host x port 22: Connection refused")), false);
});

Deno.test("a killed ssh is told as that, and never as a refused login", () => {
  for (const lines of [[], [BANNER], [BANNER, KEX, AUTH]]) {
    const log = logOf(...lines);
    log.end({ signal: "SIGKILL" });
    const error = explainEnd(log, ENDPOINT);
    assert.equal(error.code, "lost");
    assert.match(error.message, /ssh was killed on this machine by SIGKILL/);
  }
  const up = logOf(UP);
  up.end({ signal: "SIGTERM" });
  assert.match(explainLoss(up, ENDPOINT).message, /killed on this machine by SIGTERM/);
});
