/* SPDX-License-Identifier: MIT */
/* Backends in modules: finding and opening them. Internal to the library. */
#pragma once

#include <malt/malt-backend-module.h>

G_BEGIN_DECLS

/* Of a module: either its types, ended by NULL, or why there are none. */
typedef void (*MaltModuleFunc) (const char *path, const MaltBackendTypeFunc *types,
                                const GError *error);

/* Opens all modules that are found, in their order, and hands each on. Those that are opened
 * stay for the life of the process. */
void malt_modules_open (MaltModuleFunc func);

/* How a module is called that has not told its backend's name: after its file. (transfer
 * full) */
char *malt_module_dup_name (const char *path);

G_END_DECLS
