# shellcheck shell=sh
# What a node says of itself as one of a gang: its kernel, where its own name leads, and its addresses.
#   @boot ID
#   @name NAME ADDRESS          what its own name is to its own resolver, "-" where it is nothing
#   @address INTERFACE ADDRESS/PREFIX
#   @local ADDRESS, @route INTERFACE DESTINATION MASK    the same as the kernel writes it, without ip
#   @end
#
# function: reads -> sets
#   (outside): - -> grid_answer grid_boot grid_host
grid_boot=-
if read -r grid_boot 2>/dev/null </proc/sys/kernel/random/boot_id; then :; fi
printf '@boot %s\n' "$grid_boot"
grid_host=$(hostname 2>/dev/null || uname -n)
grid_answer=$(getent hosts "$grid_host" 2>/dev/null | awk 'NR == 1 { print $1 }')
printf '@name %s %s\n' "$grid_host" "${grid_answer:--}"
grid_answer=$(LC_ALL=C ip -o addr show up scope global 2>/dev/null |
  awk '$3 == "inet" || $3 == "inet6" { sub(/@.*/, "", $2); print "@address", $2, $4 }')
if [ -n "$grid_answer" ]; then
  printf '%s\n' "$grid_answer"
else
  awk '/32 host LOCAL/ { if (!(last in seen)) print "@local", last; seen[last] = 1 } /\|--/ { last = $2 }' \
    /proc/net/fib_trie 2>/dev/null
  awk 'NR > 1 { print "@route", $1, $2, $8 }' /proc/net/route 2>/dev/null
fi
echo @end
