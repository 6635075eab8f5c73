# A service or a container starts Grid with HOME unset, empty, or naming a folder that is not there.
# A node on this machine works all the same.
set -eu
echo 'nodes: [{ name: here, transport: local }]' >config/cluster_config.yaml
check() {
  "$@" grid run 'echo in' --node here >out 2>err || { cat out err; exit 1; }
  grep -qx in out
}
check env -u HOME
check env HOME=
check env HOME="$PWD/gone"
