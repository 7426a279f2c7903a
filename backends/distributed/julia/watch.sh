# SPDX-License-Identifier: MIT
# Watches over the Julia process $1, a worker that a cluster manager has started somewhere: when all the connections that it had when it was first called
# (the others, by their inodes: one is the bridge's) are lost, it is ended with all that it started. A worker that is busy does not notice that
# by itself, but the system does: the connection is closed, or what it sends is not acknowledged (the worker has set keepalive).
# Where there are none, nothing can be known.
worker=$1
shift
first=" $* "
[ $# -gt 0 ] || exit 0
remains() {
  cat "/proc/$worker/net/tcp" "/proc/$worker/net/tcp6" 2>/dev/null | awk -v first="$first" '
    $4 == "01" && $7 < "00000006" && index(first, " " $10 " ") { found = 1 }
    END { exit !found }'
}
trap 'kill "$pause"; exit 0' TERM
while remains; do
  sleep 3 &
  pause=$!
  wait "$pause"
done
kill -9 "-$worker" 2>/dev/null || kill -9 "$worker"
