#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes this machine ready, builds the project and runs all of its tests.
#
# The last lines and the exit status are ctest's. Two tests run at a time, but the benchmark alone;
# CTEST_PARALLEL_LEVEL says otherwise. Environment: see julia.sh and build.sh, too; CI makes a
# test that finds no julia fail.

set -eu

setup=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
package_set='test'
# shellcheck source=core/setup/build.sh
. "$setup/build.sh"

if [ -n "${CI:-}" ]; then
  export MALT_TEST_REQUIRE_JULIA=1
fi
exec ctest --test-dir "$build" --output-on-failure --no-tests=error \
  -j "${CTEST_PARALLEL_LEVEL:-2}"
