# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Behind claims.sh and claim.sh: the port of a gang on its first node, and the proof that others reach it.
# Ports are claimed like GPUs, by a file that all accounts can read: <claims>/port.<number>, which says PID BORN
# of whose it is. It counts as long as that process lives.
#
# function: reads -> sets
#   (outside): - -> grid_dial_perl grid_dial_python grid_listen_perl grid_listen_python
#   grid_port_listens: - -> grid_hex
#   grid_port_claimed: - -> grid_born_then grid_pid grid_rest
#   grid_port_of_others: grid_claims grid_claims_base -> grid_other
#   grid_port_range: - -> grid_low grid_port_count grid_port_low grid_rest
#   grid_gang_port: PPID grid_born grid_claims grid_fault grid_port_count grid_port_low -> grid_gang_listener
#       grid_number grid_old grid_port_claim grid_runner grid_tries
#   grid_gang_listen: grid_listen_perl grid_listen_python -> -
#   grid_gang_close: grid_claims -> -
#   grid_gang_dial: grid_dial_perl grid_dial_python -> -

# Whether anything listens on the port, on any address.
grid_port_listens() {
  grid_hex=$(printf %04X "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$grid_hex" '
    $4 == "0A" { split($2, at, ":"); if (at[2] == port) found = 1 } END { exit !found }'
}

grid_port_claimed() { # FILE
  [ -f "$1" ] && read -r grid_pid grid_born_then grid_rest 2>/dev/null <"$1" &&
    grid_lease_lives "$grid_pid" "$grid_born_then"
}

# Whether another account has it.
grid_port_of_others() { # NUMBER
  for grid_other in "$grid_claims_base"/grid-claims-*/port."$1"; do
    [ "$grid_other" = "$grid_claims/port.$1" ] || ! grid_port_claimed "$grid_other" || return 0
  done
  return 1
}

# Sets grid_port_low and grid_port_count: what lies below that which the kernel gives to connections.
grid_port_range() {
  grid_low=32768
  if read -r grid_low grid_rest 2>/dev/null </proc/sys/net/ipv4/ip_local_port_range; then :; fi
  [ "$grid_low" -gt 12000 ] 2>/dev/null || grid_low=32768
  grid_port_low=$((grid_low - 10000)) grid_port_count=10000
}

# grid_gang_port NONCE SECONDS FAMILY: claims a free port, listens there for so long and says NONCE to all who
# come. Prints "port NUMBER LISTENER", LISTENER "-" where there is no tool for that; or "fault WORDS".
grid_gang_port() {
  grid_claims_own || { printf 'fault %s\n' "$grid_fault"; return; }
  grid_port_range
  grid_runner=$PPID
  [ "$grid_runner" -gt 1 ] || grid_runner=$$
  grid_lease_lives "$grid_runner" - || :
  # What ended without letting go.
  for grid_old in "$grid_claims"/port.*; do
    [ ! -f "$grid_old" ] || grid_port_claimed "$grid_old" || rm -f "$grid_old"
  done
  grid_lease_lives "$grid_runner" - || :
  grid_port_claim="$grid_runner $grid_born"
  grid_tries=0
  while [ "$grid_tries" -lt 64 ]; do
    grid_tries=$((grid_tries + 1))
    grid_number=$(od -An -N2 -tu2 /dev/urandom)
    grid_number=$((grid_port_low + grid_number % grid_port_count))
    ! grid_port_listens "$grid_number" || continue
    ! grid_port_of_others "$grid_number" || continue
    (set -C && umask 022 && printf '%s\n' "$grid_port_claim" >"$grid_claims/port.$grid_number") 2>/dev/null || continue
    # Of two accounts that take it at the same moment at least one sees the other.
    if grid_port_of_others "$grid_number"; then
      rm -f "$grid_claims/port.$grid_number"
      continue
    fi
    grid_gang_listener=$(grid_gang_listen "$grid_number" "$@")
    case $grid_gang_listener in
      taken) rm -f "$grid_claims/port.$grid_number" ;;
      *) printf 'port %s %s\n' "$grid_number" "${grid_gang_listener:--}"; return ;;
    esac
  done
  echo 'fault no port is free'
}

# grid_gang_listen PORT NONCE SECONDS FAMILY: prints the number of the process that listens; "taken"; nothing
# where no tool can listen. Whoever comes closes first, so that nothing of it stays on the port.
grid_gang_listen() {
  if command -v perl >/dev/null 2>&1; then
    perl -e "$grid_listen_perl" "$@" </dev/null 2>/dev/null
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c "$grid_listen_python" "$@" </dev/null 2>/dev/null
  fi
}

grid_listen_perl='
use Socket;
my ($port, $nonce, $seconds, $family) = @ARGV;
my $wide = $family eq "6";
socket(my $door, $wide ? AF_INET6 : AF_INET, SOCK_STREAM, 0) or exit 1;
setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
my $at = $wide ? pack_sockaddr_in6($port, IN6ADDR_ANY) : sockaddr_in($port, INADDR_ANY);
unless (bind($door, $at) && listen($door, 128)) { print "taken\n"; exit 0 }
my $child = fork;
exit 1 unless defined $child;
if ($child) { print "$child\n"; exit 0 }
close STDOUT; close STDERR; close STDIN;
$SIG{CHLD} = "IGNORE"; $SIG{HUP} = "IGNORE";
my $until = time + $seconds;
$SIG{ALRM} = sub { exit 0 };
alarm $seconds;
while (accept(my $guest, $door)) {
  my $one = fork;
  if (defined $one && !$one) {
    close $door; alarm 5;
    syswrite $guest, "$nonce\n"; sysread $guest, my $rest, 1;
    exit 0;
  }
  close $guest;
}'

grid_listen_python='
import os, socket, sys, threading
port, nonce, seconds, family = sys.argv[1:]
door = socket.socket(socket.AF_INET6 if family == "6" else socket.AF_INET, socket.SOCK_STREAM)
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    door.bind(("", int(port))); door.listen(128)
except OSError:
    print("taken"); sys.exit(0)
child = os.fork()
if child:
    print(child, flush=True); os._exit(0)
for fd in (0, 1, 2):
    os.close(fd)
def end(): os._exit(0)
timer = threading.Timer(int(seconds), end); timer.daemon = True; timer.start()
def greet(guest):
    try:
        guest.settimeout(5); guest.sendall(nonce.encode() + b"\n"); guest.recv(1)
    except OSError:
        pass
    guest.close()
while True:
    guest, _ = door.accept()
    threading.Thread(target=greet, args=(guest,), daemon=True).start()
'

# grid_gang_close PORT LISTENER KEEP: nobody listens any more; with KEEP "no" the claim goes, too.
grid_gang_close() {
  grid_claims_own || return 0
  [ "$2" = - ] || kill "$2" 2>/dev/null || :
  [ "$3" = yes ] || rm -f "$grid_claims/port.$1"
}

# grid_gang_dial ADDRESS PORT: prints "said WORDS", "failed WORDS", or "no-tool".
grid_gang_dial() {
  if command -v perl >/dev/null 2>&1; then
    perl -e "$grid_dial_perl" "$@" </dev/null 2>/dev/null
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c "$grid_dial_python" "$@" </dev/null 2>/dev/null
  else
    echo no-tool
  fi
}

grid_dial_perl='
use Socket;
my ($address, $port) = @ARGV;
$SIG{ALRM} = sub { print "failed timed out\n"; exit 0 };
alarm 5;
my $wide = $address =~ /:/;
my $to = $wide ? pack_sockaddr_in6($port, Socket::inet_pton(AF_INET6, $address)) : sockaddr_in($port, inet_aton($address));
socket(my $line, $wide ? AF_INET6 : AF_INET, SOCK_STREAM, 0) or do { print "no-tool\n"; exit 0 };
connect($line, $to) or do { my $why = lc "$!"; $why =~ s/^connection //; print "failed $why\n"; exit 0 };
my $said = <$line>;
print "said $said";'

grid_dial_python='
import socket, sys
address, port = sys.argv[1:]
try:
    line = socket.create_connection((address, int(port)), 5)
    print("said " + line.makefile().readline().strip())
except socket.timeout:
    print("failed timed out")
except OSError as error:
    print("failed " + (error.strerror or str(error)).lower().replace("connection ", ""))
'
