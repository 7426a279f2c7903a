/* SPDX-License-Identifier: MIT */
/* Faults that are planted where the soak meets the library, so that a test sees each
 * of them counted. */
#include "soak.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* All but the last two come with an operation. */
static const char *const names[] = {
  "twice", "lost", "value", "hang", "descriptor", "child", NULL,
};

static gint is_armed; /* (atomic) */

gboolean
soak_break_exists (const char *name)
{
  return g_strv_contains (names, name);
}

void
soak_breaks_begin (void)
{
  g_atomic_int_set (&is_armed, TRUE);
}

/* It has yet to come with an operation. */
gboolean
soak_break_is_pending (void)
{
  const char *planted = soak_get_options ()->fault;

  return planted != NULL && g_atomic_int_get (&is_armed) &&
         strcmp (planted, "descriptor") != 0 && strcmp (planted, "child") != 0;
}

/* Once. */
gboolean
soak_break_is_due (const char *name)
{
  const char *planted = soak_get_options ()->fault;

  return planted != NULL && strcmp (planted, name) == 0 &&
         g_atomic_int_compare_and_exchange (&is_armed, TRUE, FALSE);
}

void
soak_break_host (void)
{
  if (soak_break_is_due ("descriptor"))
    {
      if (open ("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
        soak_note ("no descriptor to leak");
    }
  if (soak_break_is_due ("child") && fork () == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      pause ();
      _exit (0);
    }
}
