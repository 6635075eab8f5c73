# Gives a job what its runner sends; the last part of `job_pour.sh`, which says what is sent and answered.
#
# Arguments: the path of the job's files without an ending, and the bytes that its command was given before.
# Descriptor 9 is this turn's file, where it is noted how far the command is: "D" for sure, "W" while bytes
# are on their way into its pipe. Signals ask to leave; that is done between two writes, with "D" noted.
use strict;
use Fcntl;

my $READ_SIZE = 1 << 18;
my $TELL_BYTES = 1 << 20;         # told at least so often; otherwise when nothing more is there
my $F_SETPIPE_SZ = 1031;          # see fcntl(2) of Linux
my $PIPE_BYTES = 1 << 20;         # as much as everybody may have
my ($EINTR, $ENXIO, $EPIPE) = (4, 6, 32);
my %WOULD_BLOCK = (11 => 1, 35 => 1);    # EAGAIN of Linux and of the BSDs

my ($job, $has) = @ARGV;
my ($buffer, $at, $left) = ("", 0, 0);
my ($told, $noted, $leaves) = ($has, "D", 0);
$SIG{PIPE} = "IGNORE";
$SIG{$_} = sub { $leaves = 1 } for qw(TERM HUP INT);
binmode STDIN;
open my $stand, "+<&=", 9 or die "fd 9: $!\n";
sysopen my $pipe, "$job.in", O_WRONLY | O_NONBLOCK or over($!);
fcntl $pipe, $F_SETPIPE_SZ, $PIPE_BYTES if $^O eq "linux";

until ($leaves) {
  if ($left && $at < length $buffer) {
    give();
  } elsif (!$left && $buffer =~ /\G(\d+|end)\n/gc) {
    $at = pos $buffer;
    end() if $1 eq "end";
    $left = $1;
  } else {
    take();
  }
}
note("D");

# Hands on what lies in the buffer, as much as the pipe takes at once.
sub give {
  note("W");
  my $most = length($buffer) - $at;
  my $count = syswrite $pipe, $buffer, $left < $most ? $left : $most, $at;
  if (defined $count) {
    $_ += $count for $has, $at;
    $left -= $count;
    pos($buffer) = $at;
    tell_runner() if $has - $told >= $TELL_BYTES;
  } elsif ($WOULD_BLOCK{ $! + 0 }) {
    note("D");
    tell_runner();
    wait_for(undef, $pipe, 1);
  } elsif ($! != $EINTR) {
    over($!);
  }
}

# All that came was handed on, up to the beginning of a line.
sub take {
  $buffer = substr $buffer, $at if $at;
  $at = pos($buffer) = 0;
  unless (wait_for(*STDIN, undef, 0)) {
    note("D");
    tell_runner();
  }
  my $count = sysread STDIN, $buffer, $READ_SIZE, length $buffer;
  pos($buffer) = 0;
  $leaves = 1 if defined $count ? !$count : $! != $EINTR;
}

sub end {
  note("D");
  # Who holds the pipe open lets go.
  sysopen my $bell, "$job.bell", O_WRONLY | O_NONBLOCK or over($!);
  syswrite $bell, "end\n";
  note("E");
  say_word("end");
  exit;
}

sub over {
  die "$job.in: $_[0]\n" unless $_[0] == $EPIPE || $_[0] == $ENXIO || !-p "$job.bell";
  note("D");
  say_word("over");
  exit;
}

sub note {
  return if $_[0] eq $noted;
  sysseek $stand, 0, 0;
  syswrite $stand, sprintf("%s %-20d %d\n", $noted = $_[0], $has, $$);
}

sub tell_runner {
  return if $told == $has;
  say_word($told = $has);
}

# The runner is gone where it cannot be told.
sub say_word {
  $leaves = 1 unless defined syswrite STDOUT, "$_[0]\n";
}

sub wait_for {
  my ($in, $out, $seconds) = @_;
  my @bits = map { my $bits = ""; vec($bits, fileno $_, 1) = 1 if $_; $bits } $in, $out;
  return select($bits[0], $bits[1], undef, $seconds) > 0;
}
