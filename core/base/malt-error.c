/* SPDX-License-Identifier: MIT */
/* The error domain. Its errors are extended: a remote exception carries its parts, a
 * terminated worker why it ended, so that nobody has to search a message. */
#include "base/malt-error-private.h"

#include <errno.h>
#include <malt/malt-error-construction.h>
#include <string.h>

#define MAX_MESSAGE_CHARS 240
#define MAX_NAME_CHARS 100
#define MAX_LOOKED_AT_BYTES ((gsize) 32 * 1024)

typedef struct
{
  char *exception_type; /* (owned) (nullable) */
  char *exception_message; /* (owned) (nullable) */
  char *backtrace; /* (owned) (nullable) */
  gsize n_bytes_before; /* of the message, where both are printed */
  char *worker_summary; /* (owned) (nullable) */
  MaltTermination *termination; /* (owned) (nullable) */
} MaltErrorPrivate;

static void
malt_error_private_init (MaltErrorPrivate *priv)
{
  memset (priv, 0, sizeof *priv);
}

static void
malt_error_private_copy (const MaltErrorPrivate *source, MaltErrorPrivate *target)
{
  target->exception_type = g_strdup (source->exception_type);
  target->exception_message = g_strdup (source->exception_message);
  target->backtrace = g_strdup (source->backtrace);
  target->n_bytes_before = source->n_bytes_before;
  target->worker_summary = g_strdup (source->worker_summary);
  if (source->termination != NULL)
    target->termination = malt_termination_ref (source->termination);
}

static void
malt_error_private_clear (MaltErrorPrivate *priv)
{
  g_free (priv->exception_type);
  g_free (priv->exception_message);
  g_free (priv->backtrace);
  g_free (priv->worker_summary);
  g_clear_pointer (&priv->termination, malt_termination_unref);
}

G_DEFINE_EXTENDED_ERROR (MaltError, malt_error)

MaltError
malt_error_code_of_errno (int error_number, MaltError otherwise)
{
  switch (error_number)
    {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
      return MALT_ERROR_RESOURCES;
    default:
      return otherwise;
    }
}

gboolean
malt_error_set_by_errno (GError **error, MaltError otherwise, const char *what)
{
  int error_number = errno;

  g_set_error (error, MALT_ERROR, malt_error_code_of_errno (error_number, otherwise),
               "%s: %s", what, g_strerror (error_number));
  return FALSE;
}

/* Texts */

char *
malt_text_to_line (const char *text, gsize max_chars)
{
  g_autofree char *valid =
      g_utf8_make_valid (text, (gssize) strnlen (text, MAX_LOOKED_AT_BYTES));
  GString *line = g_string_new (NULL);
  gsize n_chars = 0;
  gsize n_spaces = 0;

  for (const char *p = g_strchug (valid); *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isspace (c) || g_unichar_iscntrl (c))
        {
          n_spaces = 1;
          continue;
        }
      if (n_chars + n_spaces >= max_chars)
        {
          g_string_append (line, "…");
          break;
        }
      if (n_spaces > 0)
        g_string_append_c (line, ' ');
      g_string_append_unichar (line, c);
      n_chars += 1 + n_spaces;
      n_spaces = 0;
    }
  return g_string_free (line, FALSE);
}

char *
malt_text_list (const char *const *names)
{
  GString *list = g_string_new (NULL);

  for (gsize i = 0; names[i] != NULL; i++)
    {
      g_autofree char *name = malt_text_to_line (names[i], MAX_NAME_CHARS);

      g_string_append_printf (list, "%s'%s'", i == 0 ? "" : ", ", name);
    }
  return g_string_free (list, FALSE);
}

/* Errors that carry more than a message */

/**
 * malt_error_new_remote_exception:
 * @exception_type: name of the exception's type, such as "DomainError"
 * @message: what Julia's `showerror` prints
 * @backtrace: (nullable): what Julia prints below it
 * @worker_summary: (nullable): which worker
 *
 * Makes the error of a call that threw. For backends.
 *
 * Returns: (transfer full): an error with the code %MALT_ERROR_REMOTE_EXCEPTION
 */
GError *
malt_error_new_remote_exception (const char *exception_type, const char *message,
                                 const char *backtrace, const char *worker_summary)
{
  g_autofree char *type = malt_text_to_line (exception_type, MAX_NAME_CHARS);
  g_autofree char *line = malt_text_to_line (message, MAX_MESSAGE_CHARS);
  MaltErrorPrivate *priv;
  GError *error;

  if (g_str_has_prefix (line, type))
    error = g_error_new_literal (MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION, line);
  else if (*line == '\0')
    error = g_error_new_literal (MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION, type);
  else
    error = g_error_new (MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION, "%s: %s", type, line);
  priv = malt_error_get_private (error);
  priv->exception_type = g_utf8_make_valid (exception_type, -1);
  priv->exception_message = g_utf8_make_valid (message, -1);
  if (backtrace != NULL && *backtrace != '\0')
    priv->backtrace = g_utf8_make_valid (backtrace, -1);
  priv->n_bytes_before = strlen (priv->exception_message);
  priv->worker_summary = g_strdup (worker_summary);
  return error;
}

void
malt_error_set_message_bytes_before_backtrace (GError *error, gsize n_bytes)
{
  MaltErrorPrivate *priv = malt_error_get_private (error);

  if (n_bytes < priv->n_bytes_before && priv->exception_message[n_bytes] == '\n')
    priv->n_bytes_before = n_bytes;
}

/**
 * malt_error_new_terminated:
 * @termination: (nullable): why the worker ended; %NULL: it never ran, or is about to end
 * @worker_summary: (nullable): which worker
 * @call_summary: (nullable): the call that will have no answer
 *
 * Makes the error of a call on a worker that is gone. For backends.
 *
 * Returns: (transfer full): an error with the code %MALT_ERROR_WORKER_TERMINATED
 */
GError *
malt_error_new_terminated (MaltTermination *termination, const char *worker_summary,
                           const char *call_summary)
{
  const char *subject = worker_summary != NULL ? worker_summary : "the worker";
  g_autofree char *reason = NULL;
  g_autofree char *call = NULL;
  MaltErrorPrivate *priv;
  GError *error;

  reason = termination != NULL ? malt_termination_to_string (termination)
                               : g_strdup ("is not running");
  if (call_summary != NULL)
    call = malt_text_to_line (call_summary, MAX_NAME_CHARS);
  error =
      g_error_new (MALT_ERROR, MALT_ERROR_WORKER_TERMINATED, "%s %s%s%s", subject, reason,
                   call != NULL ? "; no answer to " : "", call != NULL ? call : "");
  priv = malt_error_get_private (error);
  priv->worker_summary = g_strdup (worker_summary);
  if (termination != NULL)
    priv->termination = malt_termination_copy_for_call (termination, call_summary);
  return error;
}

static const MaltErrorPrivate *
peek_private (const GError *error)
{
  if (error == NULL || error->domain != MALT_ERROR)
    return NULL;
  return malt_error_get_private (error);
}

/**
 * malt_error_get_exception_type:
 * @error: an error of any domain
 *
 * Gives the name of the type of a remote exception, such as "DomainError".
 *
 * Returns: (nullable): the name; %NULL unless the code is %MALT_ERROR_REMOTE_EXCEPTION
 */
const char *
malt_error_get_exception_type (const GError *error)
{
  const MaltErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->exception_type : NULL;
}

/**
 * malt_error_get_exception_message:
 * @error: an error of any domain
 *
 * Gives the whole message of a remote exception, as Julia's `showerror` prints it; it may
 * have several lines. The error's own message is its beginning on one line.
 *
 * Returns: (nullable): the message; %NULL unless the code is %MALT_ERROR_REMOTE_EXCEPTION
 */
const char *
malt_error_get_exception_message (const GError *error)
{
  const MaltErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->exception_message : NULL;
}

/**
 * malt_error_get_backtrace:
 * @error: an error of any domain
 *
 * Gives the stack trace of a remote exception, as Julia prints it, cut where evaluated code
 * begins, with all that Julia prints behind it: the place in the file, and the causes.
 *
 * Returns: (nullable): the stack trace; %NULL: there is none
 */
const char *
malt_error_get_backtrace (const GError *error)
{
  const MaltErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->backtrace : NULL;
}

/**
 * malt_error_dup_exception_text:
 * @error: an error of any domain
 *
 * Makes the text that Julia prints for a remote exception that nothing caught, behind `ERROR: `:
 * message, stack trace and causes, in Julia's order. There is no line break at its end.
 *
 * Returns: (transfer full) (nullable): the text; %NULL unless the code is
 *   %MALT_ERROR_REMOTE_EXCEPTION
 */
char *
malt_error_dup_exception_text (const GError *error)
{
  const MaltErrorPrivate *priv = peek_private (error);

  if (priv == NULL || priv->exception_message == NULL)
    return NULL;
  if (priv->backtrace == NULL)
    return g_strdup (priv->exception_message);
  return g_strdup_printf ("%.*s\n%s", (int) priv->n_bytes_before, priv->exception_message,
                          priv->backtrace);
}

/**
 * malt_error_get_worker_summary:
 * @error: an error of any domain
 *
 * Says on which worker the error arose; see malt_worker_dup_summary().
 *
 * Returns: (nullable): one line of text; %NULL: the error did not arise on a worker
 */
const char *
malt_error_get_worker_summary (const GError *error)
{
  const MaltErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->worker_summary : NULL;
}

/**
 * malt_error_get_termination:
 * @error: an error of any domain
 *
 * Says why the worker ended.
 *
 * Returns: (transfer none) (nullable): the termination; %NULL unless the code is
 *   %MALT_ERROR_WORKER_TERMINATED and the worker has run
 */
MaltTermination *
malt_error_get_termination (const GError *error)
{
  const MaltErrorPrivate *priv = peek_private (error);

  return priv != NULL ? priv->termination : NULL;
}
