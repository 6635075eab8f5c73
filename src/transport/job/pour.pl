# Gives a job what its runner sends; the last part of `job_pour.sh`, which says what is sent and answered.
#
# Arguments: the path of the job's files without an ending, and the bytes that its command was given before.
# Descriptor 9 is this turn's file, where it is noted how far the command is: "D" for sure, "W" while bytes
# are on their way into its pipe. Signals ask to leave; that is done between two writes, with "D" noted.
use strict;
use Config;
use Fcntl;

# The kernel's own way from one pipe to another, without a copy: its number by the words perl was built for.
my %SPLICES = ("x86_64" => 275, "aarch64" => 76);
my $splice = $Config{archname} =~ /^(\w+)-linux/ && $Config{ptrsize} == 8 ? $SPLICES{$1} : undef;
my $SPLICE_F_NONBLOCK = 2;
# Behind a line, most of a piece is left to splice.
my ($READ_SIZE, $LINE_SIZE) = (1 << 18, 32);
my $TELL_BYTES = 1 << 20;         # told at least so often
my $TELL_SECONDS = 0.005;         # otherwise when nothing has moved for so long
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
if ($^O eq "linux") {
  fcntl $_, $F_SETPIPE_SZ, $PIPE_BYTES for $pipe, *STDIN;
}

until ($leaves) {
  if ($left && $at < length $buffer) {
    give();
  } elsif ($left && defined $splice) {
    pass_on();
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
    await(undef, $pipe, 1);
  } elsif ($! != $EINTR) {
    over($!);
  }
}

# Hands on what has come, as much as the pipe takes at once, unseen.
sub pass_on {
  note("W");
  my $count = syscall $splice, 0, 0, fileno $pipe, 0, $left + 0, $SPLICE_F_NONBLOCK;
  if ($count > 0) {
    $has += $count;
    $left -= $count;
    tell_runner() if $has - $told >= $TELL_BYTES;
  } elsif ($count == 0) {
    $leaves = 1;
  } elsif ($WOULD_BLOCK{ $! + 0 }) {
    wait_for(*STDIN, undef, 0) ? await(undef, $pipe, 1) : await(*STDIN, undef, undef);
  } elsif ($! == $EPIPE) {
    over($!);
  } elsif ($! != $EINTR) {
    # Not from this kind of file, or not on this kernel.
    undef $splice;
  }
}

# All that came was handed on, up to the beginning of a line.
sub take {
  $buffer = substr $buffer, $at if $at;
  $at = pos($buffer) = 0;
  await(*STDIN, undef, undef) unless wait_for(*STDIN, undef, 0);
  my $count = sysread STDIN, $buffer, defined $splice ? $LINE_SIZE : $READ_SIZE, length $buffer;
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

# Until bytes are there, or room; the runner hears how far it is where that takes a while.
sub await {
  note("D");
  my ($in, $out, $seconds) = @_;
  wait_for($in, $out, $TELL_SECONDS) and return;
  tell_runner();
  wait_for($in, $out, $seconds) unless $leaves;
}

sub wait_for {
  my ($in, $out, $seconds) = @_;
  my @bits = map { my $bits = ""; vec($bits, fileno $_, 1) = 1 if $_; $bits } $in, $out;
  return select($bits[0], $bits[1], undef, $seconds) > 0;
}
