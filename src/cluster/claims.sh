# shellcheck shell=sh disable=SC2034,SC2154
# Who holds what on this node. There is no daemon: each account has a folder that it alone can write to and
# all can read, with a file per claim. Whose folder a file lies in is whose claim it is; what its words say
# about anybody else counts for nothing.
#
#   <base>/grid-claims-<uid>/job.<id>    a job that holds no GPU
#                            gpu.<id>    a job, or a runner on behalf of jobs to come, that holds GPUs
#                            run.<id>    a runner: what it is about to start here, and its places in the line
#
# A file is lines "<key> <value>"; values are words without blanks, "-" for none:
#   grid-claim 1                  the first line: the format
#   kind job | hold | run         a hold is made by a runner
#   pid PID BORN SESSION          whose claim it is; BORN as in /proc/<pid>/stat; SESSION "-": not its own
#   keeper PID BORN               sees to it that the file goes with the job's last process
#   boot ID                       of the kernel's random/boot_id: after a reboot nothing of before counts
#   up SECONDS                    since when, on the clock of /proc/uptime, which nobody sets
#   seen SECONDS, ttl SECONDS     of a runner's: when it was renewed, and for how long that holds
#   lasts SECONDS                 how long it took in earlier runs
#   run, step, project, owner     what it is for; the owner is a random word of the runner
#   place WORD                    where several nodes are folders of one machine: which of them
#   group WORD                    claims of one account and group share their GPUs
#   share yes                     claims of this kind share theirs
#   gpus KEY,KEY                  by UUID where there is one
#   held                          it has looked for others, and found none
#   placed COUNT UP               of a runner: what it has given to this node
#   wait ID UP COUNT VRAM MODEL LASTS RUN STEP     of a runner: a place in the line, for COUNT GPUs
# A claim counts as long as its process lives, or one of its session does, or its keeper.
#
# Earlier versions had one file per GPU in one folder of all: <GPU>@<pid>@<born>@<group>. They count, too.
#
# function: reads -> sets
#   (outside): GRID_LEASE_DIR -> grid_claims_base grid_lease_dir
#   grid_lease_read: - -> grid_born_then grid_of grid_pid grid_rest
#   grid_lease_lives: - -> grid_born grid_session grid_stat_line grid_wanted
#   grid_claims_now: - -> grid_boot grid_rest grid_up

grid_lease_dir=${GRID_LEASE_DIR:-/tmp/grid-gpu-leases}
grid_claims_base=${GRID_LEASE_DIR:-/tmp}

# Takes the name of an old lease apart: grid_pid, grid_born_then, grid_of.
grid_lease_read() {
  grid_rest=${1##*/}
  grid_rest=${grid_rest#*@}
  grid_pid=${grid_rest%%@*}
  grid_rest=${grid_rest#*@}
  grid_born_then=${grid_rest%%@*}
  grid_of=${grid_rest#*@}
}

# Whether a process that started at that tick lives; sets grid_born, its true start, and grid_session.
grid_lease_lives() {
  if read -r grid_stat_line 2>/dev/null <"/proc/$1/stat"; then
    grid_wanted=$2
    # shellcheck disable=SC2086
    set -- ${grid_stat_line##*) }
    grid_session=$4
    grid_born=${20}
    case $1 in Z | X) return 1 ;; esac
    [ "$grid_born" = "$grid_wanted" ]
  else
    # No /proc, or one that hides the processes of others.
    grid_born=0 grid_session=-
    case $(LC_ALL=C && kill -0 "$1" 2>&1) in '' | *ermitted*) ;; *) return 1 ;; esac
  fi
}

# Sets grid_up and grid_boot.
grid_claims_now() {
  grid_up=0 grid_boot=-
  if read -r grid_up grid_rest 2>/dev/null </proc/uptime; then :; fi
  if read -r grid_boot 2>/dev/null </proc/sys/kernel/random/boot_id; then :; fi
}
