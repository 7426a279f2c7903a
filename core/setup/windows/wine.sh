#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a program for Windows under Wine, in a prefix of its own and without a display.
#
# Usage: wine.sh PROGRAM [ARGUMENT...]
#        wine.sh --terminal PROGRAM [ARGUMENT...]   in the terminal that it is called in
#        wine.sh --start   makes the prefix where there is none, and starts what Wine runs beside programs
#        wine.sh --stop    ends all that runs in the prefix
#
# The prefix stands beside the libraries, and counts as Windows 10. What the program writes comes when it has ended:
# processes of Wine's own live on, and would keep a pipe open. Environment: MALT_WINDOWS_SYSROOT (what windows/sysroot.sh
# prints), MALT_WINE_PREFIX (default: wine-prefix there).

set -eu

if [ -z "${MALT_WINDOWS_SYSROOT:-}" ]; then
  MALT_WINDOWS_SYSROOT=$(sh "$(dirname -- "$0")/sysroot.sh")
fi
WINEPREFIX=${MALT_WINE_PREFIX:-$MALT_WINDOWS_SYSROOT/wine-prefix}
# Its Mono and Gecko would be asked for in a window.
WINEDLLOVERRIDES='mscoree,mshtml='
WINEDEBUG=${WINEDEBUG:--all}
# Arguments and file names are taken for what this says.
LC_ALL=C.UTF-8
export WINEPREFIX WINEDLLOVERRIDES WINEDEBUG LC_ALL
unset DISPLAY WAYLAND_DISPLAY

start () {
  mkdir -p "$WINEPREFIX"
  exec 9>"$WINEPREFIX.lock"
  flock 9
  if [ ! -e "$WINEPREFIX/.malt-ready" ]; then
    wine wineboot -i </dev/null >/dev/null 2>&1 9>&-
    wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f </dev/null >/dev/null 2>&1 9>&-
    : >"$WINEPREFIX/.malt-ready"
  fi
  wine cmd /c exit </dev/null >/dev/null 2>&1 9>&-
  exec 9>&-
}

case $1 in
  --start)
    start
    exit
    ;;
  --stop)
    for server in wineserver /usr/lib/wine/wineserver; do
      if command -v "$server" >/dev/null; then "$server" -k || true; "$server" -w || true; exit; fi
    done
    exit
    ;;
esac

terminal=
if [ "$1" = --terminal ]; then
  terminal=1
  shift
fi
if [ ! -e "$WINEPREFIX/.malt-ready" ]; then start; fi
# Libraries are looked for in the sysroot and, since tests stand in a folder of the build, above the program's.
folder=$(CDPATH='' cd -- "$(dirname -- "$1")/.." && pwd)
WINEPATH=$(printf 'Z:%s/bin;Z:%s' "$MALT_WINDOWS_SYSROOT" "$folder" | tr / '\134')
export WINEPATH
if [ -n "$terminal" ]; then exec wine "$@"; fi

said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
status=0
wine "$@" </dev/null >"$said/output" 2>"$said/errors" || status=$?
cat "$said/output"
cat "$said/errors" >&2
exit "$status"
