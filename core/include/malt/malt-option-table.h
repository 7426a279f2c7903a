/* SPDX-License-Identifier: MIT */
/* MaltOption: an option of a backend, as the backend describes it. For authors of backends. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt-abstract-worker.h> can be included directly."
#endif

#include <malt/malt-config.h>

G_BEGIN_DECLS

/**
 * MaltOption:
 * @name: name, in kebab case, as it stands in key files
 * @type: type
 * @default_value: (nullable): the default in text form, or %NULL: unset
 * @choices: (nullable): for %MALT_OPTION_ENUM: the accepted texts, ended by %NULL
 * @minimum: for %MALT_OPTION_INT: the least value; both 0: any
 * @maximum: for %MALT_OPTION_INT: the greatest value
 * @is_common: the option means the same for every backend that has it, and may be set
 *   without naming one
 * @summary: one line, shown by `malt backends` and in messages
 *
 * An option that a backend knows. A table of them ends with an entry whose name is %NULL.
 */
typedef struct
{
  const char *name;
  MaltOptionType type;
  const char *default_value;
  const char *const *choices;
  gint64 minimum;
  gint64 maximum;
  gboolean is_common;
  const char *summary;
} MaltOption;

G_END_DECLS
