/* SPDX-License-Identifier: MIT */
/* The reader under libFuzzer. Needs a build of its own:
 *
 *   cmake -B /tmp/fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DMALT_FUZZ=ON \
 *     -DMALT_SANITIZE=address,undefined,fuzzer-no-link -DMALT_INTROSPECTION=OFF
 *   ninja -C /tmp/fuzz fuzz-reader
 *   /tmp/fuzz/tests/fuzz-reader -max_total_time=60 -rss_limit_mb=512 */
#include "fuzz-body.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  malt_fuzz_body (data, n_bytes);
  return 0;
}
