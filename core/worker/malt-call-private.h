/* SPDX-License-Identifier: MIT */
/* How a call is laid out, and what a worker does to one that it is given. Internal to the
 * library. */
#pragma once

#include <malt/malt-call.h>

G_BEGIN_DECLS

typedef struct
{
  char *name; /* (owned) (nullable): of a keyword */
  MaltValue *value; /* (owned) */
} MaltCallArgument;

struct _MaltCall
{
  gatomicrefcount ref_count;
  gint is_sealed; /* atomic */
  gboolean is_short; /* there was no memory for its source */
  MaltCallKind kind;
  char *text; /* (owned) (nullable): function or source */
  MaltValue *subject; /* (owned) (nullable): function handle or code */
  char *module; /* (owned) (nullable) */
  char *file_name; /* (owned) (nullable) */
  GArray *arguments; /* (owned) (nullable): of MaltCallArgument, nameless */
  GArray *keywords; /* (owned) (nullable): of MaltCallArgument */
  MaltResultMode result_mode;
  guint n_rows;
  guint n_columns;
  gboolean is_color;
  gint64 timeout_ms;
};

/* From now on the call may be read from several threads, so it cannot be changed. */
void malt_call_seal (MaltCall *call);

/* The same call, with its value discarded on the worker. (transfer full) */
MaltCall *malt_call_dup_discarding (MaltCall *call);

/* Is it whole? Errors: RESOURCES. */
gboolean malt_call_check (MaltCall *call, GError **error);

G_END_DECLS
