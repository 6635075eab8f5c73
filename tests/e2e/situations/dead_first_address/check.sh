# A name has two addresses, and one of them swallows packets (a VPN that is down, an old DNS entry).
# Whichever comes first, the other one is tried in time.
# nodes: 1
# home: fresh
# needs: python3
set -eu
python3 hole.py 127.0.0.99 "$LAB_PORT" &
hole=$!
trap 'kill "$hole"' EXIT
while [ ! -e hole.ready ]; do sleep 0.05; done
cat >config/cluster_config.yaml <<END
nodes:
  - { name: gpu, host: two-legs.test, port: $LAB_PORT, user: $LAB_USER }
ssh: { key_file: $LAB_KEY, known_hosts: $PWD/known_hosts, connect_timeout: 5 }
END
sed "s/^[^ ]*/[two-legs.test]:$LAB_PORT/" "$LAB_KNOWN_HOSTS" >known_hosts
grep -v two-legs /etc/hosts >hosts || :
for order in "127.0.0.99 $LAB_HOST" "$LAB_HOST 127.0.0.99"; do
  cp hosts /etc/hosts
  for address in $order; do echo "$address two-legs.test" >>/etc/hosts; done
  grid run 'echo in' --node gpu | grep -qx in || { echo "not reached by $order"; exit 1; }
done
