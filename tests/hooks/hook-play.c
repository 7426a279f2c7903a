/* SPDX-License-Identifier: MIT */
/* Runs a scene in a worker, sends interrupts to the hook that waits for them, and says what was
 * wrong. */
#include "malt-hooks.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum
{
  LOOK_US = 3000,
  MIN_LOOKS = 5, /* in a row */
  MAX_LOOKS = 3000
};

static guint n_words; /* how often the runtime spoke of itself */
static gboolean is_program; /* this scene */
static guint n_interrupted; /* calls, in this scene */
static gint n_delivered; /* atomic: interrupts, in this scene */
static gint n_undeliverable; /* atomic */
static MaltWorker *current; /* (nullable) atomic: of this scene, once it has begun */

/* Workers */

static MaltValue *
add (MaltWorker *worker, MaltValue **arguments, gsize n_arguments, gpointer user_data,
     GError **error)
{
  (void) worker;
  (void) n_arguments;
  (void) user_data;
  (void) error;
  return malt_value_new_int64 (malt_value_get_int64 (arguments[0]) +
                               malt_value_get_int64 (arguments[1]));
}

static void
on_output (MaltWorker *worker, MaltStream stream, guint call_id, GBytes *bytes,
           gpointer user_data)
{
  gsize n_bytes;
  const char *text = g_bytes_get_data (bytes, &n_bytes);

  (void) worker;
  (void) stream;
  (void) call_id;
  (void) user_data;
  if (is_program || (g_strstr_len (text, (gssize) n_bytes, "Malt") == NULL &&
                     g_strstr_len (text, (gssize) n_bytes, "ERROR") == NULL))
    return;
  n_words++;
  fwrite (text, 1, n_bytes, stdout);
}

static MaltWorker *
launch (GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  MaltWorker *worker;

  malt_config_set_backend (config, hook_backend);
  malt_config_set (config, "julia", g_getenv ("MALT_JULIA"));
  malt_config_set (config, "env", hook_variable);
  malt_config_set (config, "output", "signal");
  worker = malt_worker_launch (config, NULL, error);
  if (worker != NULL)
    g_signal_connect (worker, "output", G_CALLBACK (on_output), NULL);
  return worker;
}

MaltWorker *
hook_launch_warm (void)
{
  g_autoptr (GError) error = NULL;
  MaltWorker *worker = launch (&error);
  g_autoptr (MaltValue) value = NULL;

  if (worker == NULL ||
      !malt_worker_export_func (worker, "add", add, NULL, NULL, 0, &error) ||
      !(value = malt_worker_remote_eval_fetch (worker, NULL, "[1, 2]", NULL, &error)))
    g_error ("%s", error->message);
  return worker;
}

static void
expect_alive (MaltWorker *worker)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, "6 * 7");
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  if (malt_future_wait (future, PATIENCE_MS, NULL, NULL))
    value = malt_future_fetch (future, NULL, &error);
  if (value != NULL && malt_value_get_int64 (value) == 42)
    return;
  hook_fault ("the worker does not answer: %s", error != NULL ? error->message : "");
  malt_worker_kill (worker, 9, NULL);
}

/* A host that does not read */

static gint is_deaf; /* atomic */

__attribute__ ((visibility ("default"))) ssize_t
recv (int fd, void *bytes, size_t n_bytes, int flags)
{
  static ssize_t (*real) (int, void *, size_t, int);

  while (g_atomic_int_get (&is_deaf))
    g_usleep (LOOK_US);
  if (real == NULL)
    *(void **) &real = dlsym (RTLD_NEXT, "recv");
  return real (fd, bytes, n_bytes, flags);
}

static gboolean
is_asleep (MaltWorker *worker)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%d/stat", (int) malt_worker_get_pid (worker));
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && strstr (text, ") S ") != NULL;
}

void
hook_stop_reading (void)
{
  g_atomic_int_set (&is_deaf, 1);
}

void
hook_read_again (MaltWorker *worker)
{
  guint n_looks = 0;

  for (guint i = 0; i < MAX_LOOKS && n_looks < MIN_LOOKS; i++)
    {
      g_usleep (LOOK_US);
      n_looks = is_asleep (worker) ? n_looks + 1 : 0;
    }
  g_atomic_int_set (&is_deaf, 0);
}

/* Interrupts by this program */

void
hook_note_interrupt (MaltInterruptResult result)
{
  g_atomic_int_add (&n_delivered, result == MALT_INTERRUPT_DELIVERED);
  g_atomic_int_add (&n_undeliverable, result == MALT_INTERRUPT_UNDELIVERABLE);
}

void
hook_note_interrupted (void)
{
  n_interrupted++;
}

static gpointer
interrupt (gpointer data)
{
  g_autoptr (MaltWorker) worker = data;

  hook_note_interrupt (
      malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, NULL));
  return NULL;
}

static GThread *watcher; /* (owned) (nullable) */
static gint is_over; /* atomic: the scene is */

/* Waits for the hook, and lets it go when the interrupts are on their way. */
static gpointer
watch (gpointer data)
{
  const HookMode *mode = data;
  GThread *threads[MANY_SIGNALS] = { NULL };
  MaltWorker *worker = NULL;

  while (!g_atomic_int_get (&hook_page->is_reached) && !g_atomic_int_get (&is_over))
    g_usleep (200);
  if (!g_atomic_int_get (&is_over))
    worker = g_atomic_pointer_get (&current);
  for (guint i = 0; worker != NULL && i < mode->n_times; i++)
    threads[i] = g_thread_new ("interrupt", interrupt, g_object_ref (worker));
  if (worker != NULL)
    g_usleep (HOLD_US);
  g_atomic_int_set (&hook_page->is_let_go, 1);
  for (guint i = 0; i < MANY_SIGNALS; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
  return NULL;
}

static void
join_interrupters (void)
{
  g_atomic_int_set (&is_over, 1);
  g_clear_pointer (&watcher, g_thread_join);
}

/* Scenes */

static void
expect_results (guint n_words_before)
{
  if (is_program)
    return;
  if ((g_atomic_int_get (&n_delivered) > 0) != (n_interrupted > 0))
    hook_fault ("%d interrupts delivered, %u calls interrupted",
                g_atomic_int_get (&n_delivered), n_interrupted);
  if (g_atomic_int_get (&n_undeliverable) > 0)
    hook_fault ("%d interrupts undeliverable", g_atomic_int_get (&n_undeliverable));
  if (n_words != n_words_before)
    hook_fault ("the runtime spoke of itself");
}

static void
run (const HookScene *scene, MaltWorker *worker)
{
  guint n_words_before = n_words;

  g_atomic_pointer_set (&current, worker);
  scene->run (worker, scene);
  join_interrupters ();
  g_atomic_pointer_set (&current, NULL);
  if ((scene->flags & SCENE_ENDS) == 0)
    expect_alive (worker);
  while (g_main_context_iteration (NULL, FALSE))
    ; /* on_output() */
  expect_results (n_words_before);
}

void
hook_play (const HookScene *scene, const HookMode *mode, MaltWorker **kept)
{
  gboolean is_fresh = (scene->flags & SCENE_IS_FRESH) != 0;
  g_autoptr (MaltWorker) worker = is_fresh ? NULL : g_steal_pointer (kept);
  g_autoptr (GError) error = NULL;
  guint n_faults_before = hook_n_faults;

  is_program = (scene->flags & SCENE_IS_PROGRAM) != 0;
  n_interrupted = 0;
  g_atomic_int_set (&n_delivered, 0);
  g_atomic_int_set (&n_undeliverable, 0);
  g_atomic_int_set (&is_over, 0);
  if (mode->is_interrupt)
    watcher = g_thread_new ("watcher", watch, (gpointer) mode);
  if (is_fresh)
    worker = launch (&error);
  if (worker != NULL)
    run (scene, worker);
  else if (hook_page->is_reached == 0)
    /* Signals of others before the worker has introduced itself may end it. */
    hook_fault ("launch: %s", error->message);
  join_interrupters ();
  if (!is_fresh && (scene->flags & SCENE_ENDS) == 0 && hook_n_faults == n_faults_before)
    *kept = g_steal_pointer (&worker);
}
