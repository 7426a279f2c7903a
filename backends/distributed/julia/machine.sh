# SPDX-License-Identifier: MIT
# Launches a worker on the machine where ssh runs this, and watches over it. $1 is the directory, the rest the command.
#
# The input brings the cookie of the cluster, then words of the bridge, a line each: `beat` every few seconds; `signal ID NUMBER`, answered on
# standard output, where the worker may print, too, by a zero byte and the line `malt-signal ID STATUS`. When the input ends, or no word comes
# for four rounds of the clock, the bridge is lost, and the worker is ended with all that it started. How it ended is this script's own end.
cd -- "$1" || exit
shift
IFS= read -r cookie || exit
exec 3<&0
"$@" 3<&- <<END &
$cookie
END
worker=$!
end() {
  kill -9 "-$worker" || kill -9 "$worker"
}
trap '' USR1 # a beat may come before the clock is ready for it
(
  missed=0
  trap 'missed=0' USR1
  trap 'kill "$pause"; exit' TERM
  while [ "$missed" -lt 4 ]; do
    sleep 3 &
    pause=$!
    if wait "$pause"; then missed=$((missed + 1)); else kill "$pause"; fi
  done
  end
) </dev/null >/dev/null 2>&1 3<&- &
clock=$!
(
  while read -r word id number; do
    case $word in
      beat) kill -USR1 "$clock" ;;
      signal)
        if [ "$number" = 9 ]; then end; else kill "-$number" "$worker"; fi
        printf '\000malt-signal %s %s\n' "$id" "$?"
        ;;
    esac
  done
  end
) <&3 3<&- 2>/dev/null &
reader=$!
exec 3<&-
wait "$worker" 2>/dev/null
status=$?
kill "$clock" "$reader" 2>/dev/null
exit "$status"
