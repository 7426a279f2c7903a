#!/bin/sh
# SPDX-License-Identifier: MIT
# Lines that are run by the tests which need no Julia: builds for gcov, runs them where no julia is found, and prints a table by
# folder. Arguments are the beginnings of files that are to be listed with the lines that were not run. Fails where a folder
# has less than coverage.py asks for.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=${MALT_COVERAGE_BUILD_DIR:-$top/build-coverage}
jobs=$(nproc 2>/dev/null || echo 2)

# GCC would write what it has counted before an exec, and then stop; but here a child that is to become julia borrows our memory.
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS='--coverage -fno-builtin-execve' \
  -DMALT_TESTS=ON -DMALT_CONTRACT=OFF -DMALT_INTROSPECTION=OFF >/dev/null
cmake --build "$build" -j "$jobs" >/dev/null
find "$build" -name '*.gcda' -delete
MALT_JULIA=/nonexistent ctest --test-dir "$build" -j "$jobs" --output-on-failure --no-tests=error \
  -L '^(base|platform|value|wire|worker|ffi|link|process|fuzz|no-julia)$' -LE sanitized
exec python3 "$top/core/setup/coverage.py" "$build" "$@"
