#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command with MALT_JULIA set to a working julia. Where there is none: status 77, or 1 if
# MALT_TEST_REQUIRE_JULIA is 1.
set -eu

here=$(dirname "$0")
if ! MALT_JULIA=$(sh "$here/../../core/setup/julia.sh"); then
  echo 'with-julia.sh: there is no working julia' >&2
  if [ "${MALT_TEST_REQUIRE_JULIA:-0}" = 1 ]; then exit 1; fi
  exit 77
fi
export MALT_JULIA
exec "$@"
