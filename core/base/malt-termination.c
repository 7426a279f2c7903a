/* SPDX-License-Identifier: MIT */
/* MaltTermination: why a worker ended. */
#include "base/malt-error-private.h"
#include "base/malt-signals.h"

#include <errno.h>
#include <malt/malt-error-construction.h>

/* Of a SIGKILL, which the host did not send. */
#define KILL_HINT ", by somebody else or perhaps for want of memory"

/**
 * MaltTermination:
 *
 * Why and how a worker ended, with what it last wrote to standard error. Immutable.
 */
struct _MaltTermination
{
  gatomicrefcount ref_count;
  MaltTerminationReason reason;
  int status;
  char *stderr_tail; /* (owned) (nullable) */
  char *call_summary; /* (owned) (nullable) */
};

G_DEFINE_BOXED_TYPE (MaltTermination, malt_termination, malt_termination_ref,
                     malt_termination_unref)

/**
 * malt_termination_new:
 * @reason: why the worker ended
 * @status: exit status or signal number, as the reason says; 0 where neither applies
 * @stderr_tail: (nullable): the last lines of its standard error
 * @call_summary: (nullable): the call that ran
 *
 * Describes the end of a worker. For backends.
 *
 * Returns: (transfer full): the termination
 */
MaltTermination *
malt_termination_new (MaltTerminationReason reason, int status, const char *stderr_tail,
                      const char *call_summary)
{
  MaltTermination *termination = g_new0 (MaltTermination, 1);

  g_atomic_ref_count_init (&termination->ref_count);
  termination->reason = reason;
  termination->status = status;
  if (stderr_tail != NULL && *stderr_tail != '\0')
    termination->stderr_tail = g_utf8_make_valid (stderr_tail, -1);
  termination->call_summary = g_strdup (call_summary);
  return termination;
}

MaltTermination *
malt_termination_copy_for_call (MaltTermination *termination, const char *call_summary)
{
  if (call_summary == NULL)
    return malt_termination_ref (termination);
  return malt_termination_new (termination->reason, termination->status,
                               termination->stderr_tail, call_summary);
}

/**
 * malt_termination_ref:
 * @termination: a termination
 *
 * Takes a reference.
 *
 * Returns: (transfer full): the same termination
 */
MaltTermination *
malt_termination_ref (MaltTermination *termination)
{
  g_return_val_if_fail (termination != NULL, NULL);
  g_atomic_ref_count_inc (&termination->ref_count);
  return termination;
}

/**
 * malt_termination_unref:
 * @termination: (transfer full): a termination
 *
 * Drops a reference.
 */
void
malt_termination_unref (MaltTermination *termination)
{
  g_return_if_fail (termination != NULL);
  if (!g_atomic_ref_count_dec (&termination->ref_count))
    return;
  g_free (termination->stderr_tail);
  g_free (termination->call_summary);
  g_free (termination);
}

/**
 * malt_termination_get_reason:
 * @termination: a termination
 *
 * Says why the worker ended.
 *
 * Returns: the reason
 */
MaltTerminationReason
malt_termination_get_reason (MaltTermination *termination)
{
  g_return_val_if_fail (termination != NULL, MALT_TERMINATION_UNKNOWN);
  return termination->reason;
}

/**
 * malt_termination_get_exit_status:
 * @termination: a termination
 *
 * Says with which status the worker's process ended.
 *
 * Returns: the exit status; -1 unless the reason is %MALT_TERMINATION_EXITED, or
 *   %MALT_TERMINATION_STOPPED and the status is known not to be 0: its hooks of `atexit`
 *   decide, and Julia exits by itself on SIGTERM
 */
int
malt_termination_get_exit_status (MaltTermination *termination)
{
  g_return_val_if_fail (termination != NULL, -1);
  if (termination->reason == MALT_TERMINATION_STOPPED && termination->status > 0)
    return termination->status;
  return termination->reason == MALT_TERMINATION_EXITED ? termination->status : -1;
}

/**
 * malt_termination_get_signal:
 * @termination: a termination
 *
 * Says which signal ended the worker's process.
 *
 * Returns: the number of the signal; 0 unless the reason is %MALT_TERMINATION_SIGNALLED,
 *   %MALT_TERMINATION_OUT_OF_MEMORY, or %MALT_TERMINATION_STOPPED by a signal that is known
 */
int
malt_termination_get_signal (MaltTermination *termination)
{
  g_return_val_if_fail (termination != NULL, 0);
  if (termination->reason == MALT_TERMINATION_SIGNALLED ||
      termination->reason == MALT_TERMINATION_OUT_OF_MEMORY)
    return termination->status;
  if (termination->reason == MALT_TERMINATION_STOPPED && termination->status < 0)
    return -termination->status;
  return 0;
}

/**
 * malt_termination_get_stderr:
 * @termination: a termination
 *
 * Gives the last lines that the worker wrote to standard error.
 *
 * Returns: (nullable): the lines, valid UTF-8; %NULL: it wrote nothing, or it is not known
 */
const char *
malt_termination_get_stderr (MaltTermination *termination)
{
  g_return_val_if_fail (termination != NULL, NULL);
  return termination->stderr_tail;
}

/**
 * malt_termination_get_call:
 * @termination: a termination
 *
 * Says which call was lost. The termination in the error of a future names the future's own
 * call; that of the worker names the one that ran, where that is known.
 *
 * Returns: (nullable): one line of text
 */
const char *
malt_termination_get_call (MaltTermination *termination)
{
  g_return_val_if_fail (termination != NULL, NULL);
  return termination->call_summary;
}

/**
 * malt_termination_to_string:
 * @termination: a termination
 *
 * Puts the reason into words that follow a subject, such as "was ended by SIGSEGV" or
 * "exited with status 3".
 *
 * Returns: (transfer full): one line of text
 */
char *
malt_termination_to_string (MaltTermination *termination)
{
  g_autofree char *signal_name = NULL;

  g_return_val_if_fail (termination != NULL, NULL);
  switch (termination->reason)
    {
    case MALT_TERMINATION_EXITED:
      /* Codes of Windows' own, which are known by their hexadecimal digits. */
      if (termination->status < 0)
        return g_strdup_printf ("exited with status 0x%08x",
                                (unsigned) termination->status);
      return g_strdup_printf ("exited with status %d", termination->status);
    case MALT_TERMINATION_SIGNALLED:
      signal_name = malt_signal_dup_name (termination->status);
      return g_strdup_printf ("was ended by %s%s", signal_name,
                              termination->status == SIGKILL ? KILL_HINT : "");
    case MALT_TERMINATION_OUT_OF_MEMORY:
      signal_name = malt_signal_dup_name (termination->status);
      return g_strdup_printf ("was ended by the system for want of memory (%s)",
                              signal_name);
    case MALT_TERMINATION_STOPPED:
      return g_strdup ("was ended by the host");
    case MALT_TERMINATION_PROTOCOL:
      return g_strdup ("broke the protocol and was ended");
    case MALT_TERMINATION_LOST:
      return g_strdup ("was lost: the connection to it ended");
    case MALT_TERMINATION_UNKNOWN:
    default:
      if (termination->status == ECHILD)
        return g_strdup ("ended for an unknown reason: other code of the host ignores "
                         "SIGCHLD or has collected its exit status");
      return g_strdup ("ended for an unknown reason");
    }
}
