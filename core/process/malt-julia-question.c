/* SPDX-License-Identifier: MIT */
/*
 * A julia that is run to its end for what it says.
 *
 * It is launched as workers are, so it inherits nothing, and if it is given up whatever
 * it has started goes with it. Everything is watched in a main context of its own, which
 * the caller's thread runs; a cancellable, which may fire in any thread, wakes that.
 */
#include "process/malt-julia-question.h"

#include "base/malt-error-private.h"
#include "platform/malt-platform.h"
#include "platform/malt-process-launcher.h"

#include <malt/malt-error-construction.h>
#include <string.h>

enum
{
  MAX_SAID_BYTES = 64 * 1024, /* of each stream; the rest is read and dropped */
  CHUNK_BYTES = 4096,
  MAX_COMPLAINT_CHARS = 300,
  MAX_ANSWER_CHARS = 60,
  MAX_PATH_CHARS = 400
};

typedef struct
{
  MaltPipe *pipe; /* (unowned) */
  GSource *source; /* (owned) (nullable) */
  GString *text; /* (owned) */
  gboolean keeps_end; /* of too much text, or else its beginning */
} Reader;

typedef struct
{
  GMainContext *context; /* (owned) (nullable) */
  MaltChild *child; /* (owned) (nullable) */
  Reader readers[2]; /* of standard output and error */
  GSource *watch; /* (owned) (nullable) */
  GSource *timer; /* (owned) (nullable) */
  gboolean has_ended;
  gboolean is_late;
} Asked;

static void
destroy_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* The sources go before what they watch. */
static void
asked_clear (Asked *asked)
{
  for (int i = 0; i < 2; i++)
    {
      destroy_source (&asked->readers[i].source);
      g_string_free (asked->readers[i].text, TRUE);
    }
  destroy_source (&asked->watch);
  destroy_source (&asked->timer);
  g_clear_pointer (&asked->child, malt_child_unref);
  g_clear_pointer (&asked->context, g_main_context_unref);
}

static void
asked_init (Asked *asked)
{
  for (int i = 0; i < 2; i++)
    asked->readers[i].text = g_string_new (NULL);
  asked->readers[1].keeps_end = TRUE;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Asked, asked_clear)

static GSource *
attach (Asked *asked, GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_callback (source, callback, data, NULL);
  g_source_attach (source, asked->context);
  return source;
}

/* Reading */

static void
keep (Reader *reader, const char *text, gsize n_bytes)
{
  GString *kept = reader->text;

  if (!reader->keeps_end)
    n_bytes = MIN (n_bytes, MAX_SAID_BYTES - kept->len);
  g_string_append_len (kept, text, (gssize) n_bytes);
  if (kept->len > MAX_SAID_BYTES)
    g_string_erase (kept, 0, (gssize) (kept->len - MAX_SAID_BYTES));
}

/* One piece: who never stops talking must not keep the timer waiting. FALSE: there is none now. */
static gboolean
read_piece (Reader *reader)
{
  char piece[CHUNK_BYTES];
  gssize n = malt_pipe_read (reader->pipe, piece, sizeof piece);

  if (n > 0)
    keep (reader, piece, (gsize) n);
  else if (n == 0)
    destroy_source (&reader->source);
  return n > 0;
}

static gboolean
on_said (gpointer reader)
{
  read_piece (reader);
  return G_SOURCE_CONTINUE;
}

/* The end */

static gboolean
on_ended (gpointer data)
{
  ((Asked *) data)->has_ended = TRUE;
  return G_SOURCE_CONTINUE;
}

static gboolean
on_late (gpointer data)
{
  ((Asked *) data)->is_late = TRUE;
  return G_SOURCE_CONTINUE;
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer context)
{
  g_main_context_wakeup (context);
}

static gboolean
launch (Asked *asked, const MaltJuliaQuestion *question, GError **error)
{
  g_auto (GStrv) environment = malt_platform_dup_environment ();
  MaltProcessLauncher launcher = { .argv = question->arguments,
                                   .envp = (const char *const *) environment,
                                   .cwd = question->cwd,
                                   .is_group_leader = TRUE };

  asked->context = malt_platform_new_context (error);
  if (asked->context == NULL)
    return FALSE;
  asked->child = malt_process_launcher_spawn (&launcher, error);
  if (asked->child == NULL)
    return FALSE;
  asked->readers[0].pipe = malt_child_get_stdout (asked->child);
  asked->readers[1].pipe = malt_child_get_stderr (asked->child);
  for (int i = 0; i < 2; i++)
    asked->readers[i].source =
        attach (asked, malt_pipe_source_new (asked->readers[i].pipe), on_said,
                &asked->readers[i]);
  asked->watch = attach (asked, malt_child_watch_new (asked->child), on_ended, asked);
  return TRUE;
}

/* Until it has ended, or nobody waits for that any more. */
static void
await_end (Asked *asked, gint64 timeout_ms, GCancellable *cancellable)
{
  gulong handler = 0;

  asked->timer = attach (
      asked, g_timeout_source_new ((guint) MIN (timeout_ms, G_MAXUINT)), on_late, asked);
  /* It may have to be read before it can end, but what it says is not more urgent than that. */
  g_source_set_priority (asked->timer, G_PRIORITY_HIGH);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                     asked->context, NULL);
  while (!asked->has_ended && !asked->is_late &&
         !g_cancellable_is_cancelled (cancellable))
    g_main_context_iteration (asked->context, TRUE);
  g_cancellable_disconnect (cancellable, handler);
}

/* What it was that it has failed of, for a message. */
static char *
dup_complaint (Asked *asked, MaltChildEnd end, int number)
{
  char *text = asked->readers[1].text->str;
  const char *line;
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *how = NULL;

  g_strchomp (text);
  line = strrchr (text, '\n');
  line = line != NULL ? line + 1 : text;
  if (*line != '\0')
    return malt_text_to_line (line, MAX_COMPLAINT_CHARS);
  termination =
      malt_termination_new (end == MALT_CHILD_END_SIGNALLED ? MALT_TERMINATION_SIGNALLED
                                                            : MALT_TERMINATION_EXITED,
                            number, NULL, NULL);
  how = malt_termination_to_string (termination);
  return g_strdup_printf ("it %s, and it said nothing", how);
}

/* It has ended. What it has started may hold the pipes open: their ends are not waited for. */
static gboolean
check_end (Asked *asked, const char *program, GError **error)
{
  g_autofree char *complaint = NULL;
  int number = 0;
  MaltChildEnd end;

  for (int i = 0; i < 2; i++)
    for (gsize n = 0; n < MAX_SAID_BYTES && asked->readers[i].source != NULL &&
                      read_piece (&asked->readers[i]);
         n += CHUNK_BYTES)
      ;
  malt_child_reap (asked->child);
  end = malt_child_get_end (asked->child, &number);
  if (end == MALT_CHILD_END_UNKNOWN || (end == MALT_CHILD_END_EXITED && number == 0))
    return TRUE;
  complaint = dup_complaint (asked, end, number);
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               "julia '%s' cannot be run: %s", program, complaint);
  return FALSE;
}

char *
malt_julia_question_ask (const MaltJuliaQuestion *question, GCancellable *cancellable,
                         GError **error)
{
  g_autofree char *program = malt_text_to_line (question->arguments[0], MAX_PATH_CHARS);
  g_auto (Asked) asked = { 0 };
  g_autoptr (GError) cause = NULL;

  asked_init (&asked);
  if (!launch (&asked, question, &cause))
    {
      if (!g_error_matches (cause, MALT_ERROR, MALT_ERROR_RESOURCES))
        cause->code = MALT_ERROR_BACKEND_UNAVAILABLE;
      g_propagate_error (error, g_steal_pointer (&cause));
      return NULL;
    }
  await_end (&asked, question->timeout_ms, cancellable);
  if (!asked.has_ended)
    {
      if (!g_cancellable_set_error_if_cancelled (cancellable, error))
        g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                     "julia '%s' did not say %s within %" G_GINT64_FORMAT " ms", program,
                     question->what, question->timeout_ms);
      return NULL;
    }
  if (!check_end (&asked, program, error))
    return NULL;
  return g_strdup (asked.readers[0].text->str);
}

void
malt_julia_question_fail (const MaltJuliaQuestion *question, const char *answer,
                          GError **error)
{
  g_autofree char *program = malt_text_to_line (question->arguments[0], MAX_PATH_CHARS);
  g_autofree char *line = malt_text_to_line (answer, MAX_ANSWER_CHARS);

  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               *line != '\0' ? "julia '%s' did not say %s: it said '%s'"
                             : "julia '%s' did not say %s: it said nothing%s",
               program, question->what, line);
}
