/* SPDX-License-Identifier: MIT */
/* The Julia sources that are part of the library. Internal to the library. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* By its path below /org/libmalt/. */
GBytes *malt_julia_dup_source (const char *path);

/* The runtime with the files of a transport, which NULL ends. */
GBytes *malt_julia_dup_runtime (const char *const *files);

/* What a Julia runs first: core/julia/boot.jl and the file of a transport, as the body of one module that no name leads to. @constants is
 * Julia text that stands before both. */
char *malt_julia_dup_boot (const char *constants, const char *transport);

G_END_DECLS
