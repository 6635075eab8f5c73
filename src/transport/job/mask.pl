# Masks what a command prints before it reaches a file; the twin of mask.py, for a node with perl.
#
# fd 0    the patterns in hex, one a line, and a dot as the last line, read to the end before anything
#         else; without the dot something of the list is missing, and nothing is let through
# fd 3 4  what the command writes to its stdout and stderr
# fd 5 6  where the masked bytes of 3 and 4 go
# fd 1    "ready" once signals are heeded; after each SIGUSR1, and at the end of both inputs,
#         "flushed", or "full" where something could not be written and is missing in the files
#
# SIGUSR1 says that the command has ended: what it printed is written to the last byte, and copying
# goes on for its children, until nobody can write to 3 and 4 any more. The polite signals are
# ignored, as they must not swallow the last words. No module but strict: small systems lack more.
use strict;

my $READ_SIZE = 1 << 16;
# Bytes that a pipe holds at most, unless root made it larger: no more can be left of the command.
my $LARGEST_PIPE = 1 << 20;
# Bytes of each pattern that the search looks at first.
my $HEAD = 16;
my $EINTR = 4;

my ($asked, $full) = (0, 0);
$SIG{$_} = "IGNORE" for qw(TERM INT HUP PIPE XFSZ);
$SIG{USR1} = sub { $asked = 1 };

my %begins;     # what is shorter than a head, and may become one
my %patterns;   # by head, longest first: all that may stand where the head stands
my $heads = read_patterns();
my @streams = map { open_stream(@$_) } [3, 5], [4, 6];
answer("ready");
while (grep { $_->{from} } @streams) {
  # Perl runs a handler between two of its steps, so a signal right before select would not end it.
  copy($_) for readable(1);
  flush() if $asked;
}
answer($full ? "full" : "flushed");

sub read_patterns {
  my @lines = grep { /\S/ } <STDIN>;
  exit 1 unless @lines && pop(@lines) =~ /^\.$/;
  my %whole = map { tr/0-9a-f//cd; length() ? (pack("H*", $_) => 1) : () } @lines;
  for my $pattern (sort { length $b <=> length $a } keys %whole) {
    my $head = substr $pattern, 0, $HEAD;
    push @{ $patterns{$head} }, $pattern;
    $begins{$_} = 1 for starts($head);
  }
  my @heads = sort { length $b <=> length $a } keys %patterns;
  push @{ $patterns{$_} }, grep { $whole{$_} } starts($_) for @heads;
  my $any = join("|", map { quotemeta } @heads) || "(?!)";
  return qr/$any/;
}

sub starts { map { substr $_[0], 0, $_ } reverse 1 .. length($_[0]) - 1 }

sub open_stream {
  open my $in, "<&=", $_[0] or die "fd $_[0]: $!\n";
  open my $out, ">>&=", $_[1] or die "fd $_[1]: $!\n";
  binmode $_ for $in, $out, *STDOUT;
  # held: may be the start of a secret. covered: its first bytes whose mask has been written.
  return { from => $in, to => $out, held => "", covered => 0 };
}

sub readable {
  my ($bits, @open) = ("", grep { $_->{from} } @streams);
  vec($bits, fileno $_->{from}, 1) = 1 for @open;
  return if select($bits, undef, undef, $_[0]) < 1;
  return grep { vec $bits, fileno $_->{from}, 1 } @open;
}

sub copy {
  my ($stream) = @_;
  my $count = sysread $stream->{from}, $stream->{held}, $READ_SIZE, length $stream->{held};
  return 0 if !defined $count && $! == $EINTR;
  delete $stream->{from} unless $count;
  put($stream, !$count);
  return $count;
}

sub flush {
  $asked = 0;
  my $left = @streams * $LARGEST_PIPE;
  while ($left > 0 and my @ready = readable(0)) { $left -= copy($_) for @ready }
  put($_, "at end") for @streams;
  answer($full ? "full" : "flushed");
}

# Writes of what is held all that is sure, with every secret replaced.
sub put {
  my ($stream, $at_end) = @_;
  my ($clean, $at) = (mask($stream, $at_end), 0);
  while ($at < length $clean) {
    my $written = syswrite $stream->{to}, $clean, length($clean) - $at, $at;
    $at += $written || 0;
    if (!defined $written && $! != $EINTR) { $full = 1; last }
  }
}

sub mask {
  my ($stream, $at_end) = @_;
  my ($bytes, $done, $clean) = ($stream->{held}, $stream->{covered}, "");
  my $until = length $bytes;
  # The last bytes, fewer than a head, may become one.
  my ($open) = grep { $_ <= $until && $begins{ substr $bytes, -$_ } } reverse 1 .. $HEAD - 1;
  $until -= $open || 0 unless $at_end;
  SEARCH: while ($bytes =~ /$heads/g and (my $at = $-[0]) < $until) {
    for my $pattern (@{ $patterns{ substr $bytes, $at, $+[0] - $at } }) {
      my $seen = substr $bytes, $at, length $pattern;
      if ($seen eq $pattern) {
        # Secrets that overlap become one mask.
        $clean .= substr($bytes, $done, $at - $done) . "***" if $at >= $done;
        $done = $at + length $seen if $done < $at + length $seen;
        last;
      }
      if (!$at_end && $seen eq substr $pattern, 0, length $seen) { $until = $at; last SEARCH }
    }
    pos($bytes) = $at + 1;
  }
  $clean .= substr $bytes, $done, $until - $done if $done < $until;
  @$stream{qw(held covered)} = (substr($bytes, $until), $done > $until ? $done - $until : 0);
  return $clean;
}

sub answer { syswrite STDOUT, "$_[0]\n" }
