/* SPDX-License-Identifier: MIT */
/* The error domain of the library, and what its two rich errors carry. Documentation
 * stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <gio/gio.h>
#include <malt/malt-version.h>

G_BEGIN_DECLS

/**
 * MaltError:
 * @MALT_ERROR_FAILED: something failed that no other code describes
 * @MALT_ERROR_REMOTE_EXCEPTION: evaluated code threw; see malt_error_get_exception_type()
 *   and its companions
 * @MALT_ERROR_WORKER_TERMINATED: the worker is gone or was never running; see
 *   malt_error_get_termination()
 * @MALT_ERROR_CANCELLED: the answer was given up through a cancellable or malt_future_cancel()
 * @MALT_ERROR_TIMED_OUT: the deadline passed
 * @MALT_ERROR_LAUNCH_FAILED: a worker could not be started
 * @MALT_ERROR_NOT_SUPPORTED: this backend cannot do it; its capability bit is clear
 * @MALT_ERROR_INVALID_ARGUMENT: an argument, handle or text that cannot be right
 * @MALT_ERROR_CONFIG: an option that is unknown, of the wrong type, or contradicts another
 * @MALT_ERROR_UNKNOWN_BACKEND: no backend has that name
 * @MALT_ERROR_BACKEND_UNAVAILABLE: the backend is known and cannot work here
 * @MALT_ERROR_ENCODE: a value could not be turned into bytes (on either side)
 * @MALT_ERROR_DECODE: the worker could not read the request; nothing was run
 * @MALT_ERROR_PROTOCOL: the worker sent something that is not in the protocol
 * @MALT_ERROR_VALUE: a value is of another kind than asked for, or does not fit
 * @MALT_ERROR_CHANNEL_CLOSED: the channel is closed and empty
 * @MALT_ERROR_RESOURCES: the system has no descriptor, thread, process or memory left for it
 * @MALT_ERROR_FORKED: this process was forked from the one whose workers these are
 *
 * Codes of the %MALT_ERROR domain.
 */
typedef enum
{
  MALT_ERROR_FAILED,
  MALT_ERROR_REMOTE_EXCEPTION,
  MALT_ERROR_WORKER_TERMINATED,
  MALT_ERROR_CANCELLED,
  MALT_ERROR_TIMED_OUT,
  MALT_ERROR_LAUNCH_FAILED,
  MALT_ERROR_NOT_SUPPORTED,
  MALT_ERROR_INVALID_ARGUMENT,
  MALT_ERROR_CONFIG,
  MALT_ERROR_UNKNOWN_BACKEND,
  MALT_ERROR_BACKEND_UNAVAILABLE,
  MALT_ERROR_ENCODE,
  MALT_ERROR_DECODE,
  MALT_ERROR_PROTOCOL,
  MALT_ERROR_VALUE,
  MALT_ERROR_CHANNEL_CLOSED,
  MALT_ERROR_RESOURCES,
  MALT_ERROR_FORKED,
} MaltError;

#define MALT_ERROR (malt_error_quark ())

MALT_EXPORT
GQuark malt_error_quark (void);

/**
 * MaltTerminationReason:
 * @MALT_TERMINATION_UNKNOWN: not known (yet)
 * @MALT_TERMINATION_EXITED: the worker ended by itself; the status is its exit status
 * @MALT_TERMINATION_SIGNALLED: a signal ended it; the status is the signal's number
 * @MALT_TERMINATION_OUT_OF_MEMORY: the system ended it for want of memory; the status is
 *   the signal's number
 * @MALT_TERMINATION_STOPPED: the host asked it to end, with malt_worker_stop() or
 *   malt_worker_kill(), or dropped its last reference
 * @MALT_TERMINATION_PROTOCOL: it said something that is not in the protocol and was ended for that
 * @MALT_TERMINATION_LOST: the connection was lost; whether the worker lives is not known
 *
 * Why a worker ended.
 */
typedef enum
{
  MALT_TERMINATION_UNKNOWN,
  MALT_TERMINATION_EXITED,
  MALT_TERMINATION_SIGNALLED,
  MALT_TERMINATION_OUT_OF_MEMORY,
  MALT_TERMINATION_STOPPED,
  MALT_TERMINATION_PROTOCOL,
  MALT_TERMINATION_LOST,
} MaltTerminationReason;

#define MALT_TYPE_TERMINATION (malt_termination_get_type ())

typedef struct _MaltTermination MaltTermination;

MALT_EXPORT
GType malt_termination_get_type (void) G_GNUC_CONST;
MALT_EXPORT
MaltTermination *malt_termination_ref (MaltTermination *termination);
MALT_EXPORT
void malt_termination_unref (MaltTermination *termination);
MALT_EXPORT
MaltTerminationReason malt_termination_get_reason (MaltTermination *termination);
MALT_EXPORT
int malt_termination_get_exit_status (MaltTermination *termination);
MALT_EXPORT
int malt_termination_get_signal (MaltTermination *termination);
MALT_EXPORT
const char *malt_termination_get_stderr (MaltTermination *termination);
MALT_EXPORT
const char *malt_termination_get_call (MaltTermination *termination);
MALT_EXPORT
char *malt_termination_to_string (MaltTermination *termination);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltTermination, malt_termination_unref)

MALT_EXPORT
const char *malt_error_get_exception_type (const GError *error);
MALT_EXPORT
const char *malt_error_get_exception_message (const GError *error);
MALT_EXPORT
const char *malt_error_get_backtrace (const GError *error);
MALT_EXPORT
char *malt_error_dup_exception_text (const GError *error);
MALT_EXPORT
const char *malt_error_get_worker_summary (const GError *error);
MALT_EXPORT
MaltTermination *malt_error_get_termination (const GError *error);

G_END_DECLS
