# The server wants a password beside the key. The message says that the key was accepted, by both
# transports, and no key is to be added.
# nodes: 1
# sshd: PasswordAuthentication yes
# sshd: AuthenticationMethods publickey,password
# home: fresh
set -u
for transport in ssh openssh; do
  sed -i "s/transport: [a-z]*/transport: $transport/" config/cluster_config.yaml
  grid run 'echo in' --node node1 >out 2>&1 && { echo "it got in by $transport"; exit 1; }
  grep -q 'the key was accepted .*also wants a password' out || { cat out; exit 1; }
  ! grep -q 'ssh-copy-id' out || { cat out; exit 1; }
done
