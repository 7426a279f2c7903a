# SPDX-License-Identifier: MIT
# Watches over the Julia process $1, a worker that a cluster manager has started somewhere: when all the connections that it has
# now (it has just been called: that is the bridge's) are lost, it is ended with all that it started. A worker that is busy does not notice that
# by itself, but the system does: the connection is closed, or what it sends is not acknowledged (the worker has set keepalive).
# Where there is no /proc nothing can be known.
connections() {
  sockets=$(ls -l "/proc/$1/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\].*/\1/p' | tr '\n' ' ')
  cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6" 2>/dev/null | awk -v sockets=" $sockets" '
    $4 == "01" && $7 < "00000006" && index(sockets, " " $10 " ") { print $10 }'
}
remains() {
  now=" $(connections "$1" | tr '\n' ' ')"
  for inode in $first; do
    case $now in *" $inode "*) return 0 ;; esac
  done
  return 1
}
trap 'kill "$pause"; exit 0' TERM
first=$(connections "$1")
[ -n "$first" ] || exit 0
while remains "$1"; do
  sleep 3 &
  pause=$!
  wait "$pause"
done
kill -9 "-$1" 2>/dev/null || kill -9 "$1"
