/* SPDX-License-Identifier: MIT */
/* The version of the library that runs, which may be another than that of the headers. */
#include <malt/malt-version.h>

/**
 * malt_get_major_version:
 *
 * Says which major version of the library the program runs with. Another major version is
 * another interface.
 *
 * Returns: the major version
 */
guint
malt_get_major_version (void)
{
  return MALT_MAJOR_VERSION;
}

/**
 * malt_get_minor_version:
 *
 * Says which minor version of the library the program runs with. A greater minor version
 * only adds to the interface.
 *
 * Returns: the minor version
 */
guint
malt_get_minor_version (void)
{
  return MALT_MINOR_VERSION;
}

/**
 * malt_get_micro_version:
 *
 * Says which micro version of the library the program runs with. Micro versions have the
 * same interface.
 *
 * Returns: the micro version
 */
guint
malt_get_micro_version (void)
{
  return MALT_MICRO_VERSION;
}
