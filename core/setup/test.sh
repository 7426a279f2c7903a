#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes this machine ready, builds the project and runs all of its tests.
#
# Usage: test.sh [windows]
#   windows  builds the project for Windows as well (windows.sh), and runs those tests among the others
#
# The first line names version and path of the julia that all tests use, which is MALT_JULIA's where that is set; the last lines
# and the exit status are ctest's. tested.py makes the README's table of such outputs. One test more than there are processors
# runs at a time, for some only wait, but at most four, and the benchmark alone; CTEST_PARALLEL_LEVEL says otherwise.
# Environment: see julia.sh, build.sh and windows.sh, too; CI makes a test that finds no julia fail.

set -eu

setup=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case ${1:-} in
  '' | windows) ;;
  *)
    printf "test.sh: unknown word '%s', expected 'windows' or none\n" "$1" >&2
    exit 2
    ;;
esac
package_set='test'
# shellcheck source=core/setup/build.sh
. "$setup/build.sh"

unset MALT_TEST_WINDOWS
if [ -n "${1:-}" ]; then
  sh "$setup/windows.sh"
  MALT_TEST_WINDOWS=${MALT_WINDOWS_BUILD_DIR:-$source/build-windows}
  export MALT_TEST_WINDOWS
fi

if [ -n "${CI:-}" ]; then
  export MALT_TEST_REQUIRE_JULIA=1
fi
n_tests=$(($(nproc) + 1))
if [ "$n_tests" -gt 4 ]; then n_tests=4; fi
exec sh "$source/tests/support/with-julia.sh" ctest --test-dir "$build" --output-on-failure --no-tests=error \
  -j "${CTEST_PARALLEL_LEVEL:-$n_tests}"
