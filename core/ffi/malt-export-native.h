/* SPDX-License-Identifier: MIT */
/* A host function with a signature, as the two ways of calling it see it. Internal to the
 * library. */
#pragma once

#include "ffi/malt-signature.h"

G_BEGIN_DECLS

typedef struct
{
  char *name; /* (owned): for messages */
  MaltSignature *signature; /* (owned): with user_data and GError ** behind */
  GCallback function;
  gpointer user_data; /* (owned), if there is a destroy */
  GDestroyNotify destroy; /* (nullable) */
} MaltExportNative;

G_END_DECLS
