#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a program for Windows under Wine, in a prefix of its own and without a display.
#
# Usage: wine.sh PROGRAM [ARGUMENT...]
#
# The prefix stands beside the libraries, is made when it is not there, and counts as Windows 10. Environment:
# MALT_WINDOWS_SYSROOT (what windows/sysroot.sh prints), MALT_WINE_PREFIX (default: wine-prefix there).

set -eu

if [ -z "${MALT_WINDOWS_SYSROOT:-}" ]; then
  MALT_WINDOWS_SYSROOT=$(sh "$(dirname -- "$0")/sysroot.sh")
fi
WINEPREFIX=${MALT_WINE_PREFIX:-$MALT_WINDOWS_SYSROOT/wine-prefix}
# Its Mono and Gecko would be asked for in a window.
WINEDLLOVERRIDES='mscoree,mshtml='
WINEDEBUG=${WINEDEBUG:--all}
# Libraries are looked for in the sysroot and, since tests stand in a folder of the build, above the program's.
folder=$(CDPATH='' cd -- "$(dirname -- "$1")/.." && pwd)
WINEPATH=$(printf 'Z:%s/bin;Z:%s' "$MALT_WINDOWS_SYSROOT" "$folder" | tr / '\\')
export WINEPREFIX WINEDLLOVERRIDES WINEDEBUG WINEPATH
# Arguments and file names are taken for what this says.
LC_ALL=C.UTF-8
export LC_ALL
unset DISPLAY WAYLAND_DISPLAY

mark=$WINEPREFIX/.malt-ready
if [ ! -e "$mark" ]; then
  mkdir -p "$WINEPREFIX"
  exec 9>"$WINEPREFIX.lock"
  flock 9
  if [ ! -e "$mark" ]; then
    wine wineboot -i </dev/null >/dev/null 2>&1 9>&-
    wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f </dev/null >/dev/null 2>&1 9>&-
    : >"$mark"
  fi
  exec 9>&-
fi
exec wine "$@"
