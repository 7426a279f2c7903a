#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command with a working julia, which all that it starts finds: MALT_JULIA names it,
# and it is the first of PATH. Where there is none: status 77, or 1 if MALT_TEST_REQUIRE_JULIA is 1.
#
# Environment: see julia.sh. MALT_TEST_JULIA is the julia that one of these scripts has found around this one: it works.
set -eu

here=$(dirname "$0")
if [ -z "${MALT_TEST_JULIA:-}" ] || [ "$MALT_TEST_JULIA" != "${MALT_JULIA:-}" ]; then
  if ! MALT_JULIA=$(sh "$here/../../core/setup/julia.sh"); then
    echo 'with-julia.sh: there is no working julia' >&2
    if [ "${MALT_TEST_REQUIRE_JULIA:-0}" = 1 ]; then exit 1; fi
    exit 77
  fi
  if [ "${MALT_JULIA##*/}" != julia ]; then
    echo "with-julia.sh: $MALT_JULIA is not called julia, as the one of PATH is; a link of that name will do" >&2
    exit 1
  fi
fi
MALT_TEST_JULIA=$MALT_JULIA
PATH=${MALT_JULIA%/*}:$PATH
export MALT_JULIA MALT_TEST_JULIA PATH
exec "$@"
