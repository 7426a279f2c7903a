#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes this machine ready, builds the project and shows a few evaluations.
#
# It exits with 0 only if each of them ended as it should. Environment: see julia.sh and build.sh.

set -eu

setup=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
package_set='build'
# shellcheck source=core/setup/build.sh
. "$setup/build.sh"

failures=0

# show STATUS SOURCE: prints the command, runs it and compares its exit status.
show () {
  printf "\n\$ malt eval '%s'\n" "$2"
  status=0
  "$build/malt" eval "$2" </dev/null 2>&1 || status=$?
  if [ "$status" -ne "$1" ]; then
    printf 'demo.sh: that ended with exit status %s, expected %s\n' "$status" "$1" >&2
    failures=$((failures + 1))
  elif [ "$status" -ne 0 ]; then
    printf '(exit status %s, as it should be)\n' "$status"
  fi
}

show 0 '1 + 1'
show 0 'x = [1 2; 3 4]; x * x'
show 0 'struct P; a; b; end; P(1, "x")'
show 1 'sqrt(-1)'

[ "$failures" -eq 0 ]
