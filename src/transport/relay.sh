# Copies between stdin/stdout and a TCP connection of the node, where its server forbids forwarding: with the
# first program that is there. On stderr "connected" once it is, as far as that program tells; else it ends with
# 4, why being the last line, or with 3 where there is no such program.
#
# function: reads -> sets
#   (outside): - -> grid_relay_bash grid_relay_perl grid_relay_python
#   grid_relay: PATH grid_relay_bash grid_relay_perl grid_relay_python -> PATH grid_help
#   grid_can: - -> -
# shellcheck shell=sh

# grid_relay ROOT HOST PORT
grid_relay() {
  PATH=$1/grid_env/bin:$PATH
  if grid_can python3 -c ''; then
    exec python3 -c "$grid_relay_python" "$2" "$3"
  elif grid_can perl -MIO::Socket::INET -e ''; then
    exec perl -MIO::Socket::INET -e "$grid_relay_perl" "$2" "$3"
  elif grid_can bash --norc -c ':'; then
    exec bash --norc -c "$grid_relay_bash" bash "$2" "$3"
  elif grid_help=$(nc -h 2>&1 </dev/null || nc --help 2>&1 </dev/null) || [ -n "$grid_help" ]; then
    echo connected >&2
    # Without -N that of OpenBSD does not tell the server that no more comes; others know no such option.
    case $grid_help in *' -N'* | *' -46CDdFhklN'*) exec nc -N "$2" "$3" ;; esac
    exec nc "$2" "$3"
  fi
  exit 3
}

# A stub, or a program that lacks its library, is none.
grid_can() {
  command -v "$1" >/dev/null 2>&1 && "$@" </dev/null >/dev/null 2>&1
}

grid_relay_python='
import os, socket, sys, threading
try:
    link = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
except OSError as error:
    print(error.strerror or error, file=sys.stderr)
    sys.exit(4)
print("connected", file=sys.stderr, flush=True)
link.settimeout(None)
def send():
    try:
        while True:
            data = os.read(0, 65536)
            if not data:
                break
            link.sendall(data)
        link.shutdown(socket.SHUT_WR)
    except OSError:
        pass
threading.Thread(target=send, daemon=True).start()
try:
    while True:
        data = link.recv(65536)
        if not data:
            break
        while data:
            data = data[os.write(1, data):]
except OSError as error:
    print(error.strerror or error, file=sys.stderr, flush=True)
    os._exit(4)
os._exit(0)
'

# shellcheck disable=SC2016
grid_relay_perl='
use strict;
my $link = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Proto => "tcp", Timeout => 10);
unless ($link) { my $why = $@; $why =~ s/^IO::Socket::INET: connect: //; print STDERR "$why\n"; exit 4 }
print STDERR "connected\n";
$SIG{PIPE} = "IGNORE";
sub copy {
  my ($from, $to) = @_;
  while (my $count = sysread $from, my $data, 65536) {
    my $done = 0;
    while ($done < $count) { $done += syswrite($to, $data, $count - $done, $done) || return }
  }
}
my $child = fork;
die "fork: $!\n" unless defined $child;
unless ($child) { copy(*STDIN, $link); shutdown $link, 1; exit }
copy($link, *STDOUT);
kill "KILL", $child;
'

# It cannot tell the server that no more comes: so long the answer may still take then, and no longer.
# shellcheck disable=SC2016
grid_relay_bash='
exec 3<>"/dev/tcp/$1/$2" 4<&0 || exit 4
echo connected >&2
cat <&4 >&3 &
up=$!
cat <&3 4<&- &
down=$!
exec 1>&-
wait -n
for (( tenths = 0; tenths < 600; tenths++ )); do
  kill -0 $down || break
  sleep 0.1
done 2>/dev/null
kill $up $down 2>/dev/null
exit 0
'
