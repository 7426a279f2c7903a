/* SPDX-License-Identifier: MIT */
/* The table of the backends that are part of the library; ends with NULL. */
#pragma once

#include <glib-object.h>

typedef GType (*MaltBackendTypeFunc) (void);

extern const MaltBackendTypeFunc malt_builtin_backends[];
