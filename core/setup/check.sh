#!/bin/sh
# SPDX-License-Identifier: MIT
# Everything that is checked besides the tests of test.sh: layout, clang-tidy, a build by clang, the tests under sanitizers and
# under valgrind. Takes the names of the checks to run: format, clang, tidy, sanitize, valgrind; without names, all.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$top"
jobs=$(nproc 2>/dev/null || echo 2)
checks=${*:-format clang tidy sanitize valgrind}
MALT_JULIA=${MALT_JULIA:-$(sh core/setup/julia.sh)}
export MALT_JULIA

c_files() { git ls-files '*.c' '*.h'; }

# configure <folder> <compiler> [option...]
configure() {
  folder=$1 compiler=$2
  shift 2
  cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER="$compiler" -DMALT_WERROR=ON \
    -DMALT_TESTS=ON -DMALT_CONTRACT=ON "$@" >/dev/null
}

check_format() {
  c_files | xargs clang-format --dry-run -Werror
}

check_clang() {
  configure build-clang clang
  cmake --build build-clang -j "$jobs"
}

check_tidy() {
  configure build-clang clang
  cmake --build build-clang -j "$jobs" >/dev/null
  git ls-files '*.c' | grep -vE '^tests/(fuzz|tsan|windows)/|^core/setup/|-(windows|elsewhere)\.c$' | xargs -n 4 -P "$jobs" clang-tidy -p build-clang --quiet
}

check_sanitize() {
  configure build-sanitize gcc -DMALT_SANITIZE=address,undefined
  cmake --build build-sanitize -j "$jobs"
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 \
    ctest --test-dir build-sanitize --output-on-failure -LE 'benchmark|introspection|embeds-julia'
  # libjulia cannot be loaded under AddressSanitizer.
  configure build-undefined gcc -DMALT_SANITIZE=undefined
  cmake --build build-undefined -j "$jobs"
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    ctest --test-dir build-undefined --output-on-failure -L embeds-julia
}

check_valgrind() {
  configure build gcc
  cmake --build build -j "$jobs"
  ctest --test-dir build -L valgrind -N | sed -n 's/^ *Test *#[0-9]*: //p' | while read -r name; do
    echo "valgrind: $name"
    valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
      --suppressions=tests/valgrind.supp "build/tests/$name" >/dev/null
  done
}

for check in $checks; do
  echo "== $check"
  case $check in
    format | clang | tidy | sanitize | valgrind) "check_$check" ;;
    *) echo "check.sh: no check is called $check; known: format clang tidy sanitize valgrind" >&2; exit 2 ;;
  esac
done
echo "all checks passed: $checks"
