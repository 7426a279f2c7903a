/* SPDX-License-Identifier: MIT */
/*
 * The start of the one Julia of this process.
 *
 * Julia can be initialised once, never again, and not unloaded: so this is the life of
 * one static struct. States (guarded by lock):
 *
 *   NONE      nothing has happened; a failure to find or to load libjulia leads back to here
 *   STARTING  one thread finds Julia, makes the Julia thread and waits for it; others
 *             wait for that one
 *   RUNNING   the boot has said that it is ready
 *   BROKEN    Julia was initialised and the boot failed: there is no second try
 */
#include "malt-inprocess-start.h"

#include "malt-inprocess-loader.h"
#include "malt-inprocess-runtime.h"
#include "platform/malt-platform.h"
#include "process/malt-julia-program.h"

#include <string.h>

#define CANCEL_LOOK_US 20000 /* how late a cancelled start may be noticed */
#define N_DESCRIPTORS 32 /* of the event loop, of files while they are loaded */
#define N_THREADS 8
#define START_BYTES ((gsize) 512 * 1024 * 1024)

typedef enum
{
  STATE_NONE,
  STATE_STARTING,
  STATE_RUNNING,
  STATE_BROKEN,
} State;

static struct
{
  GMutex lock; /* guards the rest */
  GCond changed; /* of state */
  State state;
  GError *error; /* (owned) (nullable): why BROKEN */
  MaltInProcessJulia *julia; /* (owned) (nullable): constant from RUNNING on */
  char *threads; /* (owned) (nullable) */
  char *project; /* (owned) (nullable) */
  gboolean handles_signals;
  gboolean has_stdin;
} start; /* all zero is the initial state */

typedef struct
{
  MaltInProcessLibrary *library;
  GStrv options; /* (owned) */
  char *boot; /* (owned) */
} ThreadData;

static void
fail_boot (GError *error)
{
  g_mutex_lock (&start.lock);
  start.state = STATE_BROKEN;
  start.error = error;
  g_cond_broadcast (&start.changed);
  g_mutex_unlock (&start.lock);
}

static gpointer
run_julia (gpointer data)
{
  ThreadData *thread = data;
  GError *error = NULL;

  malt_inprocess_library_init (thread->library, start.julia,
                               (const char *const *) thread->options);
  if (malt_inprocess_library_eval (thread->library, thread->boot, &error))
    error = g_error_new_literal (MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                                 "Julia left the loop of libmalt");
  fail_boot (error);
  return NULL;
}

static GStrv
make_options (const MaltInProcessSettings *settings)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *threads = settings->threads != NULL ? settings->threads : "1";
  g_autofree char *thread_flag = g_strconcat ("--threads=", threads, NULL);

  /* The boot text is interpreted; it restores what evaluated code is run with. */
  g_strv_builder_add_many (
      builder, "julia", "--startup-file=no", "--compile=min",
      settings->handles_signals ? "--handle-signals=yes" : "--handle-signals=no", NULL);
  if (strcmp (threads, "environment") != 0) /* JULIA_NUM_THREADS */
    g_strv_builder_add (builder, thread_flag);
  if (settings->project != NULL)
    {
      g_autofree char *project = g_strconcat ("--project=", settings->project, NULL);

      g_strv_builder_add (builder, project);
    }
  return g_strv_builder_end (builder);
}

/* Its stack is as large as that of a main thread, since that is what Julia takes a thread
 * that initialises it for. */
static gboolean
start_thread (ThreadData *data, GError **error)
{
  if (malt_platform_start_thread (run_julia, data, error))
    return TRUE;
  g_prefix_error (error, "no thread for Julia can be made: ");
  return FALSE;
}

static gboolean
check_settings (const MaltInProcessSettings *settings, GError **error)
{
  const char *threads = settings->threads;

  if (threads != NULL && strcmp (threads, "auto") != 0 &&
      strcmp (threads, "environment") != 0 &&
      !g_ascii_string_to_unsigned (threads, 10, 1, 1024, NULL, NULL))
    {
      g_set_error (
          error, MALT_ERROR, MALT_ERROR_CONFIG,
          "option 'threads': expected a number from 1 to 1024, auto or environment, "
          "got '%s'",
          threads);
      return FALSE;
    }
  if (!settings->handles_signals && threads != NULL && strcmp (threads, "1") != 0)
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CONFIG,
                           "option 'handle-signals': 'false' is possible with one thread "
                           "only: Julia stops "
                           "its threads for garbage collection by a signal");
      return FALSE;
    }
  return TRUE;
}

/* Julia ends the process if it does not get what it needs while it starts. */
static gboolean
check_resources (GError **error)
{
  gpointer pages;

  if (!malt_platform_check_descriptors (N_DESCRIPTORS, error) ||
      !malt_platform_check_threads (N_THREADS, error))
    return FALSE;
  pages = malt_platform_map_pages (START_BYTES);
  if (pages == NULL)
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_RESOURCES,
                           "no memory to start Julia in");
      return FALSE;
    }
  malt_platform_unmap_pages (pages, START_BYTES);
  return TRUE;
}

/* In state STARTING, by the thread that made it so. */
static gboolean
start_julia (const MaltInProcessSettings *settings, GCancellable *cancellable,
             GError **error)
{
  g_autofree char *program = malt_julia_get_program (
      settings->julia, NULL, settings->start_timeout_ms, cancellable, error);
  MaltInProcessJulia *julia;
  MaltInProcessLibrary *library;
  ThreadData *thread;

  if (program == NULL || !check_settings (settings, error) || !check_resources (error))
    return FALSE;
  julia =
      malt_inprocess_discover (program, settings->start_timeout_ms, cancellable, error);
  if (julia == NULL)
    return FALSE;
  library = malt_inprocess_library_open (julia, error);
  if (library == NULL)
    {
      malt_inprocess_julia_free (julia);
      return FALSE;
    }
  g_clear_pointer (&start.julia, malt_inprocess_julia_free);
  start.julia = julia;
  start.threads = g_strdup (settings->threads);
  start.project = g_strdup (settings->project);
  start.handles_signals = settings->handles_signals;
  start.has_stdin = settings->has_stdin;
  thread = g_new (ThreadData,
                  1); /* for the life of the thread, which is that of the process */
  thread->library = library;
  thread->options = make_options (settings);
  thread->boot = malt_inprocess_runtime_dup_boot (settings->has_stdin);
  return start_thread (thread, error);
}

/* With lock held. */
static gboolean
is_like (const MaltInProcessSettings *settings, GCancellable *cancellable, GError **error)
{
  g_autofree char *program = NULL;
  const char *what = NULL;

  if (settings->julia != NULL)
    {
      program = malt_julia_get_program (settings->julia, NULL, settings->start_timeout_ms,
                                        cancellable, error);
      if (program == NULL)
        return FALSE;
    }
  if (program != NULL && strcmp (program, start.julia->program) != 0)
    what = "julia";
  else if (settings->threads != NULL &&
           strcmp (settings->threads, start.threads != NULL ? start.threads : "1") != 0)
    what = "threads";
  else if (settings->project != NULL && g_strcmp0 (settings->project, start.project) != 0)
    what = "project";
  else if (settings->handles_signals != start.handles_signals)
    what = "handle-signals";
  else if (settings->has_stdin != start.has_stdin)
    what = "stdin";
  if (what != NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
                 "option '%s': the Julia of this process, '%s', was started with another "
                 "value, and there is one for all in-process workers",
                 what, start.julia->program);
  return what == NULL;
}

/* With lock held: until the state is neither STARTING nor the deadline passed nor the
 * cancellable fired. */
static void
wait_while_starting (gint64 deadline_us, GCancellable *cancellable)
{
  while (start.state == STATE_STARTING && g_get_monotonic_time () < deadline_us &&
         !g_cancellable_is_cancelled (cancellable))
    g_cond_wait_until (&start.changed, &start.lock,
                       g_get_monotonic_time () + CANCEL_LOOK_US);
}

/* With lock held, which is let go meanwhile. The state is NONE. */
static gboolean
begin (const MaltInProcessSettings *settings, GCancellable *cancellable, GError **error)
{
  gboolean is_started;

  start.state = STATE_STARTING;
  g_mutex_unlock (&start.lock);
  is_started = start_julia (settings, cancellable, error);
  g_mutex_lock (&start.lock);
  if (!is_started)
    {
      start.state = STATE_NONE;
      g_cond_broadcast (&start.changed);
    }
  return is_started;
}

gboolean
malt_inprocess_start_require (const MaltInProcessSettings *settings,
                              GCancellable *cancellable, GError **error)
{
  gint64 deadline_us = g_get_monotonic_time () + settings->start_timeout_ms * 1000;
  gboolean is_ok = FALSE;

  g_mutex_lock (&start.lock);
  for (;;)
    {
      wait_while_starting (deadline_us, cancellable);
      if (start.state != STATE_NONE)
        break;
      if (!begin (settings, cancellable, error))
        {
          g_mutex_unlock (&start.lock);
          return FALSE;
        }
    }
  if (start.state == STATE_RUNNING)
    is_ok = is_like (settings, cancellable, error);
  else if (start.state == STATE_BROKEN)
    g_propagate_error (error, g_error_copy (start.error));
  else if (!g_cancellable_set_error_if_cancelled (cancellable, error))
    g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                 "Julia did not start within %" G_GINT64_FORMAT
                 " ms; it goes on starting",
                 settings->start_timeout_ms);
  g_mutex_unlock (&start.lock);
  return is_ok;
}

const char *
malt_inprocess_start_get_version (void)
{
  return start.julia->version;
}

void
malt_inprocess_start_is_ready (void)
{
  g_mutex_lock (&start.lock);
  start.state = STATE_RUNNING;
  g_cond_broadcast (&start.changed);
  g_mutex_unlock (&start.lock);
}
