# Starts jobs for one shell and sees them to their end; does for all of them what `grid_supervise` does
# for one, at less than half the cost. For a node with perl and its POSIX module.
#
# Arguments: the pipe on which requests come, the shell's pid, the commands' umask, and variables that were taken out of
# this process's environment so that perl itself does not obey them.
# A request: how many fields follow; the path of the job's files without an ending, the guard's pid, the
# folder, how many variables follow, these as NAME=VALUE, the words of the command. NUL ends each. A variable
# GRID_RECORD is for this program: see "a file that tells of the process".
#
# SIGUSR1 says that requests have come. SIGHUP and SIGTERM ask to leave once the last job has ended.
# The pipe's name is removed as soon as all that is heeded.
use strict;
use Fcntl;
# The functions alone: the rest of POSIX is most of what each fork would have to copy.
BEGIN { eval { require XSLoader; XSLoader::load("POSIX"); POSIX::SIGCHLD() } or require POSIX }

my $LOOK_SECONDS = 15;    # between two looks whether the shell lives
my $READ_SIZE = 1 << 13;
my ($SET_LEASE, $GET_LEASE) = (1024, 1025);    # of Linux; not every Fcntl has names for them
# Variables that bash obeys when it starts, or would not take from a script; see its manual, "Shell Variables".
my $OBEYED = qr/^(BASH|COMP|DIRSTACK|E?UID|ENV|EPOCH|EXECIGNORE|FUNC|GCONV|GLOBIGNORE|GROUPS|HIST|HOST
  |IFS|LANG|LC_|LD_|LINENO|LOCPATH|MACHTYPE|MALLOC_|NLSPATH|OLDPWD|OPT|OSTYPE|PIPESTATUS|POSIXLY|PPID|PS
  |PWD|RANDOM|SECONDS|SHELL|SHLVL|SRANDOM|TEXTDOMAIN|TIMEFORMAT|TMOUT|TZ|_$)/x;

my ($pipe, $shell, $umask, @hidden) = @ARGV;
my %running;              # by pid: the job's files, their guard, and its state file, kept open
my $spare;                # a bash that waits to be told its job: pid, pipe, and the words it was started with
my @words;                # those of the last job
my @emptied;              # jobs that ended, whose files may hold nothing: the next ones' files are made of them
my %given;                # the variables of the last job that was forked, which this process still has
my %account;              # what it had under their names before
my $boot = do { open my $file, "<", "/proc/sys/kernel/random/boot_id"; <$file> };
chomp $boot if defined $boot;
$umask = oct $umask;
my ($inbox, $leaving, $idle) = ("", 0, 0);

my $before = POSIX::SigSet->new();
# Delivered only where they are waited for, so that none is lost between a look and the sleep after it.
my $heeded = POSIX::SigSet->new(
  POSIX::SIGHUP(), POSIX::SIGTERM(), POSIX::SIGCHLD(), POSIX::SIGUSR1(), POSIX::SIGALRM());
POSIX::sigprocmask(POSIX::SIG_BLOCK(), $heeded, $before) or die "$!\n";
my @ignored = grep { ($SIG{$_} || "") eq "IGNORE" } qw(HUP TERM CHLD USR1 ALRM PIPE XFSZ IO);
# What is caught here is as usual again in a command; what is ignored would stay so. A shell starts what
# runs in the background with INT and QUIT ignored.
$SIG{$_} = sub { } for qw(CHLD USR1 INT QUIT PIPE XFSZ IO);
$SIG{ALRM} = sub { $idle = 1 };
$SIG{$_} = sub { $leaving = 1 } for qw(HUP TERM);
delete $ENV{OLDPWD};
/^([^=]*)=(.*)$/s and $ENV{$1} = $2 for @hidden;
POSIX::setsid();
sysopen my $requests, $pipe, O_RDONLY | O_NONBLOCK or die "$pipe: $!\n";
unlink $pipe or die "$pipe: $!\n";

while (1) {
  launch(@$_) for requests();
  reap();
  $leaving ||= getppid() != $shell;
  last if $leaving && !%running;
  prepare() if @words && !$spare && !are_many_short();
  dismiss() if $idle;
  $idle = 0;
  alarm $LOOK_SECONDS;
  POSIX::sigsuspend($before);
}
dismiss();

sub requests {
  1 while sysread $requests, $inbox, $READ_SIZE, length $inbox;
  my @found;
  # The last one is what came of a field that is not whole, mostly nothing.
  my @fields = split /\0/, $inbox, -1;
  push @found, [ (splice @fields, 0, $fields[0] + 1)[1 .. $fields[0]] ] while @fields > 1 && @fields > $fields[0] + 1;
  $inbox = join "\0", @fields;
  return @found;
}

sub launch {
  my ($job, $guard, $folder, $count, @rest) = @_;
  # Somebody removed it: then nobody waits for the job.
  sysopen my $state, "$job.state", O_RDWR or return;
  my %variables = map { /^([^=]*)=(.*)$/s } splice @rest, 0, $count;
  @words = @rest;
  my @record = take_record(\%variables);
  reuse(pop @emptied, $job) if @emptied;
  my $pid = assign($job, $folder, \%variables) || become($job, $folder, \%variables);
  my %job = (files => $job, guard => $guard, state => $state, since => time);
  if (!defined $pid) {
    complain("$job.err", "Cannot start the command: $!");
    return finish(\%job, 126, "");
  }
  my $born = born($pid);
  note($state, join " ", "supervisor", $$, fileno($state), "$pid:$born");
  $running{$pid} = \%job;
  record(@record, { pid => $pid, born => $born }) if @record;
}

# The pid of a process that turns into the command; nothing where there can be none. All that can be done before
# the fork is: each page that either of the two writes to is a page to be copied, and what the new one reads of perl
# is mapped for it anew.
sub become {
  my ($job, $folder, $variables) = @_;
  # As `cd` does; a shell believes it where it is the same folder, and so keeps links in its path.
  take_on({ PWD => $folder, %$variables });
  my $pid = fork;
  return $pid if !defined $pid || $pid > 0;
  settle();
  if (give("$job.out", 1) && give("$job.err", 2)) {
    umask $umask;
    if (chdir $folder) { exec { $words[0] } @words }
    print STDERR "Cannot start the command: $!\n";
  }
  POSIX::_exit(126);
}

# This process has these variables, and what the account has beside them. Most are those of the last job.
sub take_on {
  my ($variables) = @_;
  for my $name (grep { !exists $variables->{$_} } keys %given) {
    delete $given{$name};
    my $value = delete $account{$name};
    if (defined $value) { $ENV{$name} = $value } else { delete $ENV{$name} }
  }
  for my $name (keys %$variables) {
    my $value = $variables->{$name};
    next if exists $given{$name} && $given{$name} eq $value;
    $account{$name} = $ENV{$name} if !exists $given{$name};
    $ENV{$name} = $given{$name} = $value;
  }
}

# give FILE DESCRIPTOR: the file, made empty, is what this process has there.
sub give {
  my $file = POSIX::open($_[0], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  return defined $file && POSIX::dup2($file, $_[1]) && POSIX::close($file);
}

# Signals as they were before this program, and a session of its own.
sub settle {
  POSIX::setsid();
  # One that comes before the program is there would be caught, and lost.
  $SIG{$_} = "DEFAULT" for qw(HUP TERM);
  $SIG{$_} = "IGNORE" for @ignored;
  POSIX::sigprocmask(POSIX::SIG_SETMASK(), $before);
}

# ---- a shell that is ready -----------------------------------------------------------------------
# Starting bash is the most of what a short job takes. While one runs, the next one's is started; not where many run
# at once, which keep the processors busy as it is: to be told its job is some work for a shell, too.

sub are_many_short {
  my $lately = time - 1;
  return 1 < grep { $_->{since} >= $lately } values %running;
}

sub prepare {
  return unless $words[0] =~ m{/bash$} && $words[-3] eq "-c" && -e "/dev/fd/0";
  pipe my $reader, my $writer or return;
  take_on({});
  defined(my $pid = fork) or return;
  if ($pid == 0) {
    settle();
    POSIX::dup2(fileno $reader, 3);
    $words[-2] = ". /dev/fd/3; exec 3<&-; $words[-2]";
    exec { $words[0] } @words;
    POSIX::_exit(126);
  }
  $spare = { pid => $pid, pipe => $writer, words => "@words" };
}

# The pid of the spare shell, which has become the job; nothing where it cannot.
sub assign {
  my ($job, $folder, $variables) = @_;
  return if !$spare || $spare->{words} ne "@words" || grep { /$OBEYED/ } keys %$variables;
  my $told = join "\n", "exec >" . quote("$job.out") . " 2>" . quote("$job.err"),
    sprintf("umask %03o", $umask), "cd -- " . quote($folder) . " || exit 126", "unset OLDPWD", "SECONDS=0",
    join " ", "export OLDPWD", map { "$_=" . quote($variables->{$_}) } keys %$variables;
  my ($pid, $pipe) = @$spare{qw(pid pipe)};
  $spare = undef;
  my $written = syswrite $pipe, "$told\n";
  close $pipe;
  return $pid if defined $written && $written == length "$told\n";
  kill "KILL", $pid;
  return;
}

sub quote {
  my ($text) = @_;
  $text =~ s/'/'\\''/g;
  return "'$text'";
}

sub dismiss {
  @words = ();
  return unless $spare;
  kill "KILL", $spare->{pid};
  waitpid $spare->{pid}, 0;
  $spare = undef;
}

# ---- a file that tells of the process ------------------------------------------------------------
# GRID_RECORD holds the path of a file and, from the second line on, its text, in both of which {boot}, {born},
# {pid}, {uid} and {up} stand for what the kernel says of the job's process, and {NAME:-VALUE} for a variable. The
# file is made here at a fraction of what a shell needs for it, and the command finds GRID_RECORDED in place of
# GRID_RECORD. Where its folder is not there, or is not of this account alone, that is left to the command.

sub take_record {
  my ($variables) = @_;
  my ($path, $text) = ($variables->{GRID_RECORD} // "") =~ /^([^\n]*)\n(.*)$/s or return;
  return unless defined $boot;
  my $known = { uid => $> };
  $path = filled($path, $known, $variables);
  my ($folder) = $path =~ m{^(/.*)/[^/]+$} or return;
  my (undef, undef, undef, undef, $owner) = lstat $folder or return;
  return unless -d _ && $owner == $> && -w _;
  delete $variables->{GRID_RECORD};
  $variables->{GRID_RECORDED} = 1;
  return ($path, $text, $variables, $known);
}

sub record {
  my ($path, $text, $variables, @known) = @_;
  open my $uptime, "<", "/proc/uptime" or return;
  my ($up) = split " ", <$uptime>;
  my $mask = umask 022;
  if (open my $file, ">", $path) { print $file filled($text, { up => $up, boot => $boot }, @known, $variables) }
  umask $mask;
}

# filled TEXT WHERE...: the first of these that knows a name tells what stands for it, and else the account does.
sub filled {
  my ($text, @known) = @_;
  $text =~ s/\{(\w+)(?::-([^}]*))?\}/my $value = value_of($1, @known); length($value \/\/ "") ? $value : $2 \/\/ ""/ge;
  return $text;
}

sub value_of {
  my ($name, @known) = @_;
  for (@known, \%account, \%ENV) { return $_->{$name} if exists $_->{$name} }
  return;
}

# ---- the end of a job ----------------------------------------------------------------------------

sub reap {
  for (my @before = times; (my $pid = waitpid -1, POSIX::WNOHANG()) > 0; @before = times) {
    $spare = undef if $spare && $spare->{pid} == $pid;
    my $job = delete $running{$pid} or next;
    my $signal = $? & 127;
    # A shell would report a signal like that, and say so on its stderr.
    note($job->{state}, "signal $signal") if $signal;
    # Such as a child of a shell that was ready, which has no mark before it is a program of its own.
    my $left = kill(0, -$pid) ? "left" : "";
    note_times($job->{files}, @before);
    push @emptied, $job->{files} unless $left;
    finish($job, $signal ? 128 + $signal : $? >> 8, $left);
  }
}

sub finish {
  my ($job, $code, $left) = @_;
  sysseek $job->{state}, 0, 0;
  syswrite $job->{state}, sprintf "ended %-9s \n", "$code $left";
  close $job->{state};
  # The guard hears of it only where the shell that it belongs to is gone.
  my @ears = getppid() == $shell ? $shell : $job->{guard};
  if (open my $ear, "<", "$job->{files}.ear") { push @ears, <$ear> }
  kill "URG", map { /^(\d+)$/ ? $1 : () } @ears;
}

# Where a job printed nothing, its files become those of the next: to make and to remove some is a good part of
# what a short job costs. Without them it has still printed nothing. That nobody else has a file open, and so
# nobody will write to it, the kernel says by granting a lease.
sub reuse {
  my ($ended, $job) = @_;
  for my $end (".out", ".err") {
    sysopen my $file, "$ended$end", O_RDWR | O_NOFOLLOW | O_NONBLOCK or next;
    my (undef, undef, $mode, $links, undef, undef, undef, $size) = stat $file;
    next if !-f _ || $size || $links != 1 || ($mode & 07777) != 0600;
    next if !fcntl $file, $SET_LEASE, F_WRLCK;
    rename "$ended$end", "$job$end" or next;
    # Whoever has opened it by its old name since waits for the lease's end, and shall not see the next job.
    unlink "$job$end" if fcntl($file, $GET_LEASE, 0) != F_WRLCK;
  }
}

# What one child has taken of the processor, as the `times` of a shell says it: user and system, the second
# line of children. Only for a job that lived long enough for anybody to look.
sub note_times {
  my ($files, @before) = @_;
  return unless -e "$files.use";
  my @now = times;
  my ($user, $system) = map { sprintf "0m%.2fs", $now[$_] - $before[$_] } 2, 3;
  if (open my $used, ">", "$files.used") { print $used "0m0.00s 0m0.00s\n$user $system\n" }
}

# When the process started, in the ticks of /proc; 0 where nobody can tell.
sub born {
  my $stat = POSIX::open("/proc/$_[0]/stat", O_RDONLY) or return 0;
  POSIX::read($stat, my $line, 1024);
  POSIX::close($stat);
  return (split " ", substr($line, rindex($line, ")") + 2), 21)[19];
}

sub note {
  my ($state, $line) = @_;
  sysseek $state, 0, 2;
  syswrite $state, "$line\n";
}

sub complain {
  my ($path, $message) = @_;
  if (open my $file, ">", $path) { print $file "$message\n" }
}
