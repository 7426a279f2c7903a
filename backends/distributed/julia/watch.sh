# SPDX-License-Identifier: MIT
# Watches over the Julia process $1, a worker on a machine of its own. Every few seconds the bridge sends it a beat, which it passes on as SIGUSR1. A
# worker that is busy does not; but then the beats wait in the receive queues of its sockets, which grow. If neither happens for
# four rounds, the bridge is lost, and the worker is ended with all that it started.
missed=0
queued=
trap 'missed=0' USR1
trap 'exit 0' TERM
waiting() {
  sockets=$(ls -l "/proc/$1/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\].*/\1/p' | tr '\n' ' ')
  cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6" 2>/dev/null | awk -v sockets=" $sockets" '
    index(sockets, " " $10 " ") { split($5, queues, ":"); print queues[2] }'
}
while kill -0 "$1" 2>/dev/null; do
  sleep 3 &
  wait $! || continue
  now=$(waiting "$1")
  [ "$now" = "$queued" ] || missed=0
  queued=$now
  missed=$((missed + 1))
  [ "$missed" -gt 3 ] && { kill -9 "-$1" 2>/dev/null || kill -9 "$1"; }
done
