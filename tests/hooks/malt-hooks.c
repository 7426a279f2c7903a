/* SPDX-License-Identifier: MIT */
/* malt-hooks BACKEND DIRECTORY [NUMBER...]: interrupts at each place of the Julia text where
 * signals are held back or let through, and where our own code waits.
 *
 * DIRECTORY has the text with numbered hooks (number_hooks.py). The library takes it from there:
 * this program's g_resource_lookup_data() stands before GLib's. Each scene is run to see which
 * hooks it reaches, and then with one hook armed. When that is reached, the worker sends itself
 * one SIGINT, or eight; or it waits there while this program interrupts the newest call once, or
 * eight times. Whatever happens then, each call is answered once, the worker lives, says nothing
 * of its own and answers the next call. A call ends with its value, unless this program
 * has interrupted one, and then the interrupt was DELIVERED; signals of others do nothing. A hook that no scene
 * reaches is a fault of this test, unless it is known why. */
#include <dlfcn.h>
#include <fcntl.h>
#include <malt/malt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum
{
  MAX_HOOKS = 1000,
  MANY_SIGNALS = 8,
  MAX_ATTEMPTS = 5, /* to reach again what depends on moments */
  N_LOOKS = 2, /* what only a new worker passes is not expected again */
  PATIENCE_MS = 60000,
  HOLD_US = 30000, /* an interrupt's way to a hook that waits */
  N_ITEMS = 150,
  N_NEIGHBOURS = 5,
  IDLE_US = 300000, /* a fresh worker uses it to load the runtime */
  REST_US = 4000000 /* and this to compile it */
};

/* What the text shares with this program; number_hooks.py has the offsets. */
typedef struct
{
  guint32 armed; /* number of the hook; 0: none */
  guint32 n_skipped; /* times that it is passed before */
  guint32 n_signals;
  guint32 is_reached; /* 1: what is to happen happens, 2: it has */
  guint32 is_held; /* whether the hook waits for this program */
  guint32 is_let_go;
  guint32 unused[10];
  guint32 counts[MAX_HOOKS]; /* how often each was passed */
} Page;

typedef struct
{
  const char *name;
  guint n_times;
  gboolean is_interrupt; /* by this program; else SIGINT, by the worker */
} Mode;

static const Mode modes[] = {
  { "signal", 1, FALSE },
  { "signals", MANY_SIGNALS, FALSE },
  { "interrupt", 1, TRUE },
  { "interrupts", MANY_SIGNALS, TRUE },
};

/* What no scene reaches for certain: parts of the lines that describe hooks. */
static const char *const unsure[] = {
  "behind runtime.jl, handle_frame: ENTER[1](0)", /* does not return */
  "behind runtime.jl, rest_forever:", /* nobody ends that wait */
  "boot.jl, was_hit:", /* the judge's next look comes first */
  "runtime.jl, let_signals_arrive:", /* a host without a judge asks for it */
  "runtime.jl, pause_while_busy:", /* how long compiling takes decides */
  "runtime.jl, rehearse:",
  "boot.jl, warm_when_idle: yield()", /* a host that is quick to ask again */
  "frames.jl, transmit:", /* a host that is slow to read */
  "stream.jl, serve:",
  "start.jl, request: yield()", /* a program */
  "boot.jl, answer_request: yield()",
  "worker.jl, read_frames: release()",
  "worker.jl, read_frames: hold()",
};

typedef struct
{
  const char *name;
  gboolean is_fresh; /* begins with the launch of a worker */
  gboolean is_last; /* the worker has ended behind it */
  void (*run) (MaltWorker *worker);
} Scene;

static Page *page;
static char *page_path; /* (owned) */
static const char *backend;
static const char *directory;
static GPtrArray *hooks; /* (owned): the lines that describe them */
static char *context; /* (owned): what is being done, for messages */
static guint n_faults;
static gint n_words; /* atomic: how often the runtime spoke of itself */
static guint n_interrupted; /* calls, in this scene */
static gint n_delivered; /* atomic: interrupts, in this scene */
static gint n_undeliverable; /* atomic */
static MaltWorker *current; /* (nullable) atomic: of this scene, once it has begun */

/* The text */

__attribute__ ((visibility ("default"))) GBytes *
g_resource_lookup_data (GResource *resource, const char *path, GResourceLookupFlags flags,
                        GError **error)
{
  static GBytes *(*real) (GResource *, const char *, GResourceLookupFlags, GError **);
  g_autofree char *file =
      g_build_filename (directory, path + strlen ("/org/libmalt/"), NULL);
  gsize n_bytes;
  char *text;

  if (g_file_get_contents (file, &text, &n_bytes, NULL))
    return g_bytes_new_take (text, n_bytes);
  if (real == NULL)
    *(void **) &real = dlsym (RTLD_NEXT, "g_resource_lookup_data");
  return real (resource, path, flags, error);
}

static void G_GNUC_PRINTF (1, 2) fault (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_print ("%s: %s\n", context, message);
  n_faults++;
}

/* Scenes */

/* Also counts it. */
static gboolean
is_interrupt (const GError *error)
{
  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION) ||
      g_strcmp0 (malt_error_get_exception_type (error), "InterruptException") != 0)
    return FALSE;
  n_interrupted++;
  return TRUE;
}

/* Whether the call ended with that text, or was interrupted by the hook. */
static void
expect (MaltValue *value, const GError *error, const char *expected)
{
  g_autofree char *text = value != NULL ? malt_value_to_string (value) : NULL;

  if (value == NULL && !is_interrupt (error))
    fault ("expected %s, got %s", expected, error->message);
  else if (value != NULL && expected != NULL && g_strcmp0 (text, expected) != 0)
    fault ("expected %s, got %s", expected, text);
}

static void
land (MaltFuture *future, const char *expected)
{
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  if (!malt_future_wait (future, PATIENCE_MS, NULL, NULL))
    {
      fault ("no answer");
      return;
    }
  value = malt_future_fetch (future, NULL, &error);
  expect (value, error, expected);
}

static void
evaluate (MaltWorker *worker, const char *source, const char *expected)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);

  land (future, expected);
}

static void
fly (MaltWorker *worker, MaltCall *call, const char *expected)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_call (worker, call);

  land (future, expected);
  malt_call_unref (call);
}

static void
run_value (MaltWorker *worker)
{
  evaluate (worker, "1 + 1", "2");
}

static void
run_array (MaltWorker *worker)
{
  evaluate (worker, "[1, 2]", "[1, 2]");
}

static void
run_statements (MaltWorker *worker)
{
  evaluate (worker, "x = 1\nfunction f(x); x + 1; end\nf(x)", "2");
}

static void
run_wait (MaltWorker *worker)
{
  evaluate (worker, "sleep(0.01); 5", "5");
}

static void
run_call (MaltWorker *worker)
{
  MaltCall *call = malt_call_new ("+");

  malt_call_take_argument (call, malt_value_new_int64 (2));
  malt_call_take_argument (call, malt_value_new_int64 (3));
  fly (worker, call, "5");
}

static void
run_code (MaltWorker *worker)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) code =
      malt_worker_remote_eval_fetch (worker, NULL, ":(4 + 5)", NULL, &error);

  if (code == NULL)
    expect (NULL, error, "an expression");
  else
    fly (worker, malt_call_new_eval_value (NULL, code), "9");
}

static void
run_display (MaltWorker *worker)
{
  MaltCall *call = malt_call_new_eval (NULL, "[1 2]");

  malt_call_set_result_mode (call, MALT_RESULT_DISPLAY);
  fly (worker, call, NULL);
}

static void
run_script (MaltWorker *worker)
{
  MaltCall *call = malt_call_new_eval (NULL, "y = 3\ny + 4");

  malt_call_set_file_name (call, "scene.jl");
  fly (worker, call, "7");
}

static void
run_handle (MaltWorker *worker)
{
  MaltCall *call = malt_call_new_eval (NULL, "Ref(3)");

  malt_call_set_result_mode (call, MALT_RESULT_HANDLE);
  fly (worker, call, NULL);
}

static void
run_error (MaltWorker *worker)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, "error(\"x\")", NULL, &error);

  if (value != NULL ||
      (!is_interrupt (error) &&
       !g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION)))
    fault ("expected an exception, got %s", value != NULL ? "a value" : error->message);
}

static void
run_neighbours (MaltWorker *worker)
{
  MaltFuture *futures[N_NEIGHBOURS];

  for (int i = 0; i < N_NEIGHBOURS; i++)
    {
      g_autofree char *source = g_strdup_printf ("sleep(0.00%d); %d", i, i);

      futures[i] = malt_worker_remote_eval (worker, NULL, source);
    }
  for (int i = 0; i < N_NEIGHBOURS; i++)
    {
      g_autofree char *expected = g_strdup_printf ("%d", i);

      land (futures[i], expected);
      g_object_unref (futures[i]);
    }
}

/* One is sent while others wait for that. */
static void
run_large (MaltWorker *worker)
{
  MaltFuture *futures[N_NEIGHBOURS];

  for (int i = 0; i < N_NEIGHBOURS; i++)
    futures[i] = malt_worker_remote_eval (
        worker, NULL, "print(\"hold\"); flush(stdout); zeros(UInt8, 3_000_000)");
  for (int i = 0; i < N_NEIGHBOURS; i++)
    {
      land (futures[i], NULL);
      g_object_unref (futures[i]);
    }
}

static void
run_function (MaltWorker *worker)
{
  static int n_calls; /* a text that is not known yet */
  g_autofree char *source = g_strdup_printf ("x -> x + %d", ++n_calls);
  g_autofree char *expected = g_strdup_printf ("%d", n_calls + 2);
  MaltCall *call = malt_call_new (source);

  malt_call_take_argument (call, malt_value_new_int64 (2));
  fly (worker, call, expected);
}

/* A text that is not known yet. */
static void
run_new (MaltWorker *worker)
{
  static int n_calls;
  g_autofree char *source = g_strdup_printf ("1 + %d", ++n_calls);
  g_autofree char *expected = g_strdup_printf ("%d", n_calls + 1);

  evaluate (worker, source, expected);
}

static void
interrupt_source (MaltWorker *worker, const char *source)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result;

  g_usleep (HOLD_US);
  result = malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  if (error != NULL ||
      (result != MALT_INTERRUPT_DELIVERED && result != MALT_INTERRUPT_GONE))
    fault ("interrupt: %d, %s", (int) result, error != NULL ? error->message : "");
  g_atomic_int_add (&n_delivered, result == MALT_INTERRUPT_DELIVERED);
  land (future, "no value at all");
}

static void
run_interrupt (MaltWorker *worker)
{
  interrupt_source (worker, "sleep(60); 1");
}

static void
run_busy (MaltWorker *worker)
{
  interrupt_source (worker, "while true; sum(rand(10)); end");
}

/* More items than the worker may send at once. */
static void
take_items (MaltWorker *worker, const char *source)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel (worker, NULL, source, NULL, &error);

  if (channel == NULL)
    {
      expect (NULL, error, "a channel");
      return;
    }
  g_usleep (HOLD_US);
  for (int i = 1; i <= N_ITEMS; i++)
    {
      g_autoptr (MaltValue) value = malt_channel_take (channel, NULL, &error);

      if (value == NULL)
        break; /* The user's task may have been hit. */
      if (malt_value_get_int64 (value) != i)
        fault ("item %d is %d", i, (int) malt_value_get_int64 (value));
    }
}

static void
run_channel (MaltWorker *worker)
{
  take_items (worker, "Channel(c -> foreach(i -> put!(c, i), 1:200))");
}

static void
run_other_channel (MaltWorker *worker)
{
  take_items (worker,
              "begin; mutable struct Counter; n::Int; end; Base.take!(c::Counter) = c.n "
              "+= 1; Base.isopen(::Counter) = true; Base.isready(::Counter) = true; "
              "Counter(0); end");
}

static void
run_put (MaltWorker *worker)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel (worker, NULL, "Channel{Int}(100)", NULL, &error);
  g_autoptr (MaltValue) item = malt_value_new_int64 (8);

  if (channel == NULL || !malt_channel_put (channel, item, NULL, &error))
    {
      expect (NULL, error, "a channel");
      return;
    }
  malt_channel_is_open (channel, NULL, &error);
  if (error == NULL)
    malt_channel_close (channel, NULL, &error);
  if (error != NULL)
    expect (NULL, error, "a state");
}

static void
run_host (MaltWorker *worker)
{
  evaluate (worker, "Malt.host.add(3, 4)", "7");
  evaluate (worker, "fetch(@async Malt.host.add(1, 4))", "5");
}

static void
run_do (MaltWorker *worker)
{
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "1 + 1; nothing");
  g_autoptr (GError) error = NULL;

  if (!malt_worker_remote_do (worker, call, &error))
    fault ("%s", error->message);
  run_value (worker);
}

static void
run_print (MaltWorker *worker)
{
  evaluate (worker, "println(\"x\"^100000); flush(stdout); 6", "6");
}

static void
run_idle (MaltWorker *worker)
{
  run_value (worker);
  g_usleep (IDLE_US);
  run_array (worker);
}

static void
run_rest (MaltWorker *worker)
{
  run_value (worker);
  g_usleep (REST_US);
  run_array (worker);
}

static void
run_array_and_neighbours (MaltWorker *worker)
{
  run_array (worker);
  run_neighbours (worker);
}

static gpointer
let_go_on (gpointer data)
{
  g_usleep (HOLD_US);
  kill ((pid_t) malt_worker_get_pid (data), SIGCONT);
  return NULL;
}

/* Two frames come at once: the code of the first has not begun when the second is read. */
static void
run_pair (MaltWorker *worker)
{
  g_autoptr (MaltFuture) first = NULL;
  g_autoptr (MaltFuture) second = NULL;

  kill ((pid_t) malt_worker_get_pid (worker), SIGSTOP);
  first = malt_worker_remote_eval (worker, NULL, "1 + 1");
  second = malt_worker_remote_eval (worker, NULL, "[1, 2]");
  let_go_on (worker);
  land (first, "2");
  land (second, "[1, 2]");
}

static void
run_stop (MaltWorker *worker)
{
  g_autoptr (GError) error = NULL;

  if (!malt_worker_stop (worker, NULL, &error))
    fault ("stop: %s", error->message);
}

/* As above, and the call may be lost with the worker. */
static void
run_pair_and_stop (MaltWorker *worker)
{
  g_autoptr (MaltFuture) future = NULL;
  GThread *thread;

  kill ((pid_t) malt_worker_get_pid (worker), SIGSTOP);
  future = malt_worker_remote_eval (worker, NULL, "1 + 1");
  thread = g_thread_new ("go on", let_go_on, worker);
  run_stop (worker);
  g_thread_join (thread);
  if (!malt_future_wait (future, PATIENCE_MS, NULL, NULL))
    fault ("no answer");
}

static void
run_wait_and_stop (MaltWorker *worker)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, "sleep(60); 1");

  g_usleep (HOLD_US);
  run_stop (worker);
  if (!malt_future_wait (future, PATIENCE_MS, NULL, NULL))
    fault ("no answer");
}

static const Scene scenes[] = {
  { "value", FALSE, FALSE, run_value },
  { "new", FALSE, FALSE, run_new },
  { "function", FALSE, FALSE, run_function },
  { "statements", FALSE, FALSE, run_statements },
  { "wait", FALSE, FALSE, run_wait },
  { "call", FALSE, FALSE, run_call },
  { "code", FALSE, FALSE, run_code },
  { "display", FALSE, FALSE, run_display },
  { "script", FALSE, FALSE, run_script },
  { "handle", FALSE, FALSE, run_handle },
  { "error", FALSE, FALSE, run_error },
  { "interrupt", FALSE, FALSE, run_interrupt },
  { "busy", FALSE, FALSE, run_busy },
  { "neighbours", FALSE, FALSE, run_neighbours },
  { "channel", FALSE, FALSE, run_channel },
  { "other channel", FALSE, FALSE, run_other_channel },
  { "put", FALSE, FALSE, run_put },
  { "host", FALSE, FALSE, run_host },
  { "do", FALSE, FALSE, run_do },
  { "print", FALSE, FALSE, run_print },
  { "large", FALSE, FALSE, run_large },
  { "stop", FALSE, TRUE, run_stop },
  { "fresh value", TRUE, FALSE, run_value },
  { "fresh wait", TRUE, FALSE, run_wait },
  { "fresh array", TRUE, FALSE, run_array },
  { "fresh error", TRUE, FALSE, run_error },
  { "fresh display", TRUE, FALSE, run_display },
  { "fresh interrupt", TRUE, FALSE, run_interrupt },
  { "fresh busy", TRUE, FALSE, run_busy },
  { "fresh idle", TRUE, FALSE, run_idle },
  { "fresh neighbours", TRUE, FALSE, run_array_and_neighbours },
  { "fresh rest", TRUE, FALSE, run_rest },
  { "fresh pair", TRUE, FALSE, run_pair },
  { "fresh wait and stop", TRUE, TRUE, run_wait_and_stop },
  { "fresh pair and stop", TRUE, TRUE, run_pair_and_stop },
  { "fresh stop", TRUE, TRUE, run_stop },
};

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

/* Runs in the I/O thread. */
static void
on_output (MaltWorker *worker, guint stream, GBytes *bytes, gpointer user_data)
{
  gsize n_bytes;
  const char *text = g_bytes_get_data (bytes, &n_bytes);

  (void) worker;
  (void) stream;
  (void) user_data;
  if (g_strstr_len (text, (gssize) n_bytes, "hold") != NULL)
    g_usleep (HOLD_US);
  if (g_strstr_len (text, (gssize) n_bytes, "Malt") == NULL &&
      g_strstr_len (text, (gssize) n_bytes, "ERROR") == NULL)
    return;
  g_atomic_int_inc (&n_words);
  fwrite (text, 1, n_bytes, stdout);
}

static MaltWorker *
launch (GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autofree char *variable = g_strconcat ("MALT_TEST_HOOKS=", page_path, NULL);
  MaltWorker *worker;

  malt_config_set_backend (config, backend);
  malt_config_set (config, "julia", g_getenv ("MALT_JULIA"));
  malt_config_set (config, "env", variable);
  malt_config_set (config, "output", "signal");
  worker = malt_worker_launch (config, NULL, error);
  if (worker != NULL)
    g_signal_connect (worker, "output", G_CALLBACK (on_output), NULL);
  return worker;
}

/* One that has loaded its runtime and is used by several scenes. */
static MaltWorker *
launch_warm (void)
{
  g_autoptr (GError) error = NULL;
  MaltWorker *worker = launch (&error);

  if (worker == NULL ||
      !malt_worker_export_func (worker, "add", add, NULL, NULL, 0, &error))
    g_error ("%s", error->message);
  run_array (worker);
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
  fault ("the worker does not answer: %s", error != NULL ? error->message : "");
  malt_worker_kill (worker, 9, NULL);
}

/* Interrupts by this program */

static gpointer
interrupt (gpointer data)
{
  g_autoptr (MaltWorker) worker = data;
  MaltInterruptResult result =
      malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, NULL);

  g_atomic_int_add (&n_delivered, result == MALT_INTERRUPT_DELIVERED);
  g_atomic_int_add (&n_undeliverable, result == MALT_INTERRUPT_UNDELIVERABLE);
  return NULL;
}

static GThread *watcher; /* (owned) (nullable) */
static gint is_over; /* atomic: the scene is */

/* Waits for the hook, and lets it go when the interrupts are on their way. */
static gpointer
watch (gpointer data)
{
  const Mode *mode = data;
  GThread *threads[MANY_SIGNALS] = { NULL };
  MaltWorker *worker;

  while (!g_atomic_int_get (&page->is_reached) && !g_atomic_int_get (&is_over))
    g_usleep (200);
  if (g_atomic_int_get (&is_over))
    {
      g_atomic_int_set (&page->is_let_go, 1);
      return NULL;
    }
  worker = g_atomic_pointer_get (&current);
  for (guint i = 0; worker != NULL && i < mode->n_times; i++)
    threads[i] = g_thread_new ("interrupt", interrupt, g_object_ref (worker));
  if (worker != NULL)
    g_usleep (HOLD_US);
  g_atomic_int_set (&page->is_let_go, 1);
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

/* Runs it, in a worker that is kept for the next if that can be. */
static void
play (const Scene *scene, const Mode *mode, MaltWorker **kept)
{
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;
  gint n_words_before = g_atomic_int_get (&n_words);
  guint n_faults_before = n_faults;

  n_interrupted = 0;
  g_atomic_int_set (&n_delivered, 0);
  g_atomic_int_set (&n_undeliverable, 0);
  g_atomic_int_set (&is_over, 0);
  if (mode != NULL && mode->is_interrupt)
    watcher = g_thread_new ("watcher", watch, (gpointer) mode);
  if (scene->is_fresh)
    worker = launch (&error);
  else
    worker = g_steal_pointer (kept);
  if (worker == NULL)
    {
      /* Signals of others before the worker has introduced itself may end it. */
      if (page->is_reached == 0)
        fault ("launch: %s", error->message);
      join_interrupters ();
      return;
    }
  g_atomic_pointer_set (&current, worker);
  scene->run (worker);
  join_interrupters ();
  g_atomic_pointer_set (&current, NULL);
  if ((g_atomic_int_get (&n_delivered) > 0) != (n_interrupted > 0))
    fault ("%d interrupts delivered, %u calls interrupted",
           g_atomic_int_get (&n_delivered), n_interrupted);
  if (g_atomic_int_get (&n_undeliverable) > 0)
    fault ("%d interrupts undeliverable", g_atomic_int_get (&n_undeliverable));
  if (!scene->is_last)
    expect_alive (worker);
  if (g_atomic_int_get (&n_words) != n_words_before)
    fault ("the runtime spoke of itself");
  if (!scene->is_fresh && !scene->is_last && n_faults == n_faults_before)
    *kept = g_steal_pointer (&worker);
}

/* Hooks */

/* Which scene passes which hook how often: the first that always does, those with a worker of
 * their own last, else one that has; and which others do. */
static guint scene_of[MAX_HOOKS + 1];
static guint count_of[MAX_HOOKS + 1];
static gboolean is_always_passed[MAX_HOOKS + 1];
static gboolean is_passed_in[G_N_ELEMENTS (scenes)][MAX_HOOKS + 1];

static void
look (guint i, MaltWorker **kept)
{
  guint n_looks[MAX_HOOKS] = { 0 };

  g_free (context);
  context = g_strdup (scenes[i].name);
  for (guint k = 0; k < N_LOOKS; k++)
    {
      if (!scenes[i].is_fresh && *kept == NULL)
        *kept = launch_warm ();
      memset (page->counts, 0, sizeof page->counts);
      play (&scenes[i], NULL, kept);
      for (guint n = 1; n <= hooks->len; n++)
        n_looks[n] += page->counts[n] > 0;
    }
  for (guint n = 1; n <= hooks->len; n++)
    {
      is_passed_in[i][n] = n_looks[n] > 0;
      if (n_looks[n] == 0 || is_always_passed[n])
        continue;
      is_always_passed[n] = n_looks[n] == N_LOOKS;
      if (!is_always_passed[n] && count_of[n] > 0)
        continue;
      scene_of[n] = i;
      count_of[n] = MAX (1, page->counts[n]);
    }
}

static guint
get_next_scene (guint i, guint n)
{
  do
    i = (i + 1) % G_N_ELEMENTS (scenes);
  while (!is_passed_in[i][n]);
  return i;
}

static gboolean
is_sure (guint n)
{
  for (guint i = 0; i < G_N_ELEMENTS (unsure); i++)
    if (strstr (g_ptr_array_index (hooks, n - 1), unsure[i]) != NULL)
      return FALSE;
  return TRUE;
}

static void
hit (guint n, const Mode *mode, GRand *random, MaltWorker **kept)
{
  guint i_scene = scene_of[n];

  for (guint i = 0; i < MAX_ATTEMPTS; i++, i_scene = get_next_scene (i_scene, n))
    {
      const Scene *scene = &scenes[i_scene];
      guint n_skipped =
          i == 0 ? (guint) g_rand_int_range (random, 0, (gint32) count_of[n]) : 0;

      if (!scene->is_fresh && *kept == NULL)
        *kept = launch_warm ();
      g_free (context);
      context = g_strdup_printf (
          "%s, %u %s at hook %u %s (time %u)", scene->name, mode->n_times, mode->name, n,
          (char *) g_ptr_array_index (hooks, n - 1), n_skipped + 1);
      page->n_skipped = n_skipped;
      page->n_signals = mode->is_interrupt ? 0 : mode->n_times;
      page->is_held = mode->is_interrupt ? 1 : 0;
      page->is_let_go = 0;
      page->is_reached = 0;
      page->armed = n;
      play (scene, mode, kept);
      page->armed = 0;
      if (page->is_reached)
        return;
    }
  if (is_sure (n))
    fault ("not reached again");
}

static void
try_hook (guint n, GRand *random, MaltWorker **kept)
{
  const Scene *scene = &scenes[scene_of[n]];

  /* All interrupts for fresh workers would take too long: of each kind a fourth. */
  if (count_of[n] > 0)
    for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
      {
        if (!modes[i].is_interrupt || !scene->is_fresh ||
            ((n + i) % 4 == 0 && scene->run != run_rest))
          hit (n, &modes[i], random, kept);
      }
  else if (is_sure (n))
    {
      g_free (context);
      context =
          g_strdup_printf ("hook %u %s", n, (char *) g_ptr_array_index (hooks, n - 1));
      fault ("no scene reaches it");
    }
}

/* Main */

static void
read_hooks (void)
{
  g_autofree char *path = g_build_filename (directory, "hooks", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    g_error ("there are no hooks in %s", directory);
  lines = g_strsplit (text, "\n", -1);
  hooks = g_ptr_array_new_with_free_func (g_free);
  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    g_ptr_array_add (hooks, g_strdup (strchr (*line, '\t') + 1));
  g_assert_cmpuint (hooks->len, <, MAX_HOOKS);
}

static void
open_page (void)
{
  int fd = g_file_open_tmp ("malt-hooks-XXXXXX", &page_path, NULL);

  g_assert_cmpint (ftruncate (fd, 1 << 16), ==, 0);
  page = mmap (NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (page != MAP_FAILED);
  close (fd);
}

static gboolean
is_wanted (guint n, char **numbers)
{
  g_autofree char *number = g_strdup_printf ("%u", n);

  return *numbers == NULL || g_strv_contains ((const char *const *) numbers, number);
}

int
main (int argc, char **argv)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (12);
  MaltWorker *kept = NULL;
  guint n_tried = 0;

  if (argc < 3)
    return 2;
  backend = argv[1];
  directory = argv[2];
  setlinebuf (stdout);
  read_hooks ();
  open_page ();
  kept = launch_warm ();
  g_usleep (REST_US); /* What is only done once is not expected of the next. */
  for (guint i = 0; i < G_N_ELEMENTS (scenes); i++)
    look (i, &kept);
  for (guint n = 1; n <= hooks->len; n++)
    if (is_wanted (n, argv + 3))
      {
        try_hook (n, random, &kept);
        n_tried++;
      }
  g_clear_object (&kept);
  unlink (page_path);
  g_print ("%s: %u of %u hooks, %u faults\n", backend, n_tried, hooks->len, n_faults);
  return n_faults > 0;
}
