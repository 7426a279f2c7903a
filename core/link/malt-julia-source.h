/* SPDX-License-Identifier: MIT */
/* The Julia sources that are part of the library. Internal to the library. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* By its path below /org/libmalt/. */
GBytes *malt_julia_dup_source (const char *path);

/* Several, one behind the other; NULL ends them. */
GBytes *malt_julia_dup_joined (const char *const *files);

/* The runtime with the files of a transport, which NULL ends. */
GBytes *malt_julia_dup_runtime (const char *const *files);

/* What a Julia runs first: core/julia/start.jl and @files (the boot, and those of a
 * transport), which NULL ends, as the body of one module that no name leads to. @constants
 * is Julia text that stands before all. */
char *malt_julia_dup_boot (const char *constants, const char *const *files);

G_END_DECLS
