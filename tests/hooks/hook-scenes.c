/* SPDX-License-Identifier: MIT */
/* Scenes: what workers are made to do, so that they pass the hooks. */
#include "malt-hooks.h"

#include <signal.h>
#include <sys/types.h>

enum
{
  N_ITEMS = 150,
  N_NEIGHBOURS = 5,
  IDLE_US = 300000, /* a fresh worker uses it to load the runtime */
  REST_US = 4000000 /* and this to compile it */
};

/* Answers */

/* Also counts it. */
static gboolean
is_interrupt (const GError *error)
{
  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION) ||
      g_strcmp0 (malt_error_get_exception_type (error), "InterruptException") != 0)
    return FALSE;
  hook_note_interrupted ();
  return TRUE;
}

/* Whether the call ended with that text, or was interrupted by the hook. */
static void
expect (MaltValue *value, const GError *error, const char *expected)
{
  g_autofree char *text = value != NULL ? malt_value_to_string (value) : NULL;

  if (value == NULL && !is_interrupt (error))
    hook_fault ("expected %s, got %s", expected, error->message);
  else if (value != NULL && expected != NULL && g_strcmp0 (text, expected) != 0)
    hook_fault ("expected %s, got %s", expected, text);
}

static void
expect_answer (MaltFuture *future)
{
  if (!malt_future_wait (future, PATIENCE_MS, NULL, NULL))
    hook_fault ("no answer");
}

static void
land (MaltFuture *future, const char *expected)
{
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  expect_answer (future);
  if (!malt_future_is_done (future))
    return;
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

/* Calls */

static void
run_source (MaltWorker *worker, const HookScene *scene)
{
  evaluate (worker, scene->source, scene->expected);
}

/* A text that is not known yet. */
static char *
dup_new_text (const char *before, char **out_expected)
{
  static int n_texts;

  *out_expected = g_strdup_printf ("%d", ++n_texts + 1);
  return g_strdup_printf ("%s%d", before, n_texts);
}

static void
run_new (MaltWorker *worker, const HookScene *scene)
{
  g_autofree char *expected = NULL;
  g_autofree char *source = dup_new_text (scene->source, &expected);

  evaluate (worker, source, expected);
}

static void
run_function (MaltWorker *worker, const HookScene *scene)
{
  g_autofree char *expected = NULL;
  g_autofree char *source = dup_new_text (scene->source, &expected);
  MaltCall *call = malt_call_new (source);

  malt_call_take_argument (call, malt_value_new_int64 (1));
  fly (worker, call, expected);
}

static void
run_call (MaltWorker *worker, const HookScene *scene)
{
  MaltCall *call = malt_call_new (scene->source);

  malt_call_take_argument (call, malt_value_new_int64 (2));
  malt_call_take_argument (call, malt_value_new_int64 (3));
  fly (worker, call, scene->expected);
}

static void
run_code (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) code =
      malt_worker_remote_eval_fetch (worker, NULL, scene->source, NULL, &error);

  if (code == NULL)
    expect (NULL, error, "an expression");
  else
    fly (worker, malt_call_new_eval_value (NULL, code), scene->expected);
}

static void
run_display (MaltWorker *worker, const HookScene *scene)
{
  MaltCall *call = malt_call_new_eval (NULL, scene->source);

  malt_call_set_result_mode (call, MALT_RESULT_DISPLAY);
  fly (worker, call, NULL);
}

static void
run_handle (MaltWorker *worker, const HookScene *scene)
{
  MaltCall *call = malt_call_new_eval (NULL, scene->source);

  malt_call_set_result_mode (call, MALT_RESULT_HANDLE);
  fly (worker, call, NULL);
}

static void
run_script (MaltWorker *worker, const HookScene *scene)
{
  MaltCall *call = malt_call_new_eval (NULL, scene->source);

  malt_call_set_file_name (call, "scene.jl");
  fly (worker, call, scene->expected);
}

static void
run_error (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, scene->source, NULL, &error);

  if (value != NULL ||
      (!is_interrupt (error) &&
       !g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION)))
    hook_fault ("expected an exception, got %s",
                value != NULL ? "a value" : error->message);
}

static void
run_do (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, scene->source);
  g_autoptr (GError) error = NULL;

  if (!malt_worker_remote_do (worker, call, &error))
    hook_fault ("%s", error->message);
  evaluate (worker, "1 + 1", "2");
}

static void
run_host (MaltWorker *worker, const HookScene *scene)
{
  evaluate (worker, scene->source, scene->expected);
  evaluate (worker, "fetch(@async Malt.host.add(1, 4))", "5");
}

static void
run_neighbours (MaltWorker *worker, const HookScene *scene)
{
  MaltFuture *futures[N_NEIGHBOURS];

  evaluate (worker, scene->source, scene->expected);
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
run_large (MaltWorker *worker, const HookScene *scene)
{
  MaltFuture *futures[N_NEIGHBOURS];

  hook_stop_reading ();
  for (int i = 0; i < N_NEIGHBOURS; i++)
    futures[i] = malt_worker_remote_eval (worker, NULL, scene->source);
  hook_read_again (worker);
  for (int i = 0; i < N_NEIGHBOURS; i++)
    {
      land (futures[i], scene->expected);
      g_object_unref (futures[i]);
    }
}

static void
run_interrupt (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, scene->source);
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result;

  g_usleep (HOLD_US);
  result = malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  if (error != NULL ||
      (result != MALT_INTERRUPT_DELIVERED && result != MALT_INTERRUPT_GONE))
    hook_fault ("interrupt: %d, %s", (int) result, error != NULL ? error->message : "");
  hook_note_interrupt (result);
  land (future, "no value at all");
}

/* Channels */

/* More items than the worker may send at once. */
static void
run_take (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel (worker, NULL, scene->source, NULL, &error);

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
        hook_fault ("item %d is %d", i, (int) malt_value_get_int64 (value));
    }
}

static void
run_put (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel (worker, NULL, scene->source, NULL, &error);
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

/* Rests and ends */

static void
rest (MaltWorker *worker, gulong for_us)
{
  evaluate (worker, "1 + 1", "2");
  g_usleep (for_us);
  evaluate (worker, "[1, 2]", "[1, 2]");
}

static void
run_idle (MaltWorker *worker, const HookScene *scene)
{
  (void) scene;
  rest (worker, IDLE_US);
}

static void
run_rest (MaltWorker *worker, const HookScene *scene)
{
  (void) scene;
  rest (worker, REST_US);
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
run_pair (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (MaltFuture) first = NULL;
  g_autoptr (MaltFuture) second = NULL;

  kill ((pid_t) malt_worker_get_pid (worker), SIGSTOP);
  first = malt_worker_remote_eval (worker, NULL, scene->source);
  second = malt_worker_remote_eval (worker, NULL, "[1, 2]");
  let_go_on (worker);
  land (first, scene->expected);
  land (second, "[1, 2]");
}

static void
run_stop (MaltWorker *worker, const HookScene *scene)
{
  g_autoptr (GError) error = NULL;

  (void) scene;
  if (!malt_worker_stop (worker, NULL, &error))
    hook_fault ("stop: %s", error->message);
}

/* While it runs, or before it does; the call may be lost with the worker. */
static void
run_call_and_stop (MaltWorker *worker, const HookScene *scene)
{
  gboolean is_paused = (scene->flags & SCENE_IS_PAUSED) != 0;
  g_autoptr (MaltFuture) future = NULL;
  GThread *thread;

  if (is_paused)
    kill ((pid_t) malt_worker_get_pid (worker), SIGSTOP);
  future = malt_worker_remote_eval (worker, NULL, scene->source);
  thread = g_thread_new ("go on", let_go_on, worker);
  if (!is_paused)
    g_usleep (HOLD_US);
  run_stop (worker, scene);
  g_thread_join (thread);
  expect_answer (future);
}

/* Ends with the worker. */
static void
run_program (MaltWorker *worker, const HookScene *scene)
{
  g_autofree char *path = g_build_filename (hook_directory, scene->source, NULL);
  MaltCall *call = malt_call_new_program (path, NULL);
  g_autoptr (MaltFuture) future = malt_worker_remote_call (worker, call);
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_call_unref (call);
  expect_answer (future);
  if (!malt_future_is_done (future))
    return;
  value = malt_future_fetch (future, NULL, &error);
  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    hook_fault ("a program did not end the worker: %s", error ? error->message : "");
}

#define COUNTER                                                                     \
  "begin; mutable struct Counter; n::Int; end; Base.take!(c::Counter) = c.n += 1; " \
  "Base.isopen(::Counter) = true; Base.isready(::Counter) = true; Counter(0); end"
#define LARGE "zeros(UInt8, 3_000_000)"
#define PRINT "println(\"x\"^100000); println(stderr, \"y\"); flush(stdout); 6"
#define STATEMENTS "x = 1\nfunction f(x); x + 1; end\nf(x)"
#define BUSY "while true; sum(rand(10)); end"

/* What a worker does only once is passed in those that are fresh. They take long, so they are only
 * asked for what others have not passed. */
const HookScene hook_scenes[] = {
  { "value", SCENE_IS_WARM, run_source, "1 + 1", "2" },
  { "new", SCENE_IS_WARM, run_new, "1 + ", NULL },
  { "function", SCENE_IS_WARM, run_function, "x -> x + ", NULL },
  { "statements", SCENE_IS_WARM, run_source, STATEMENTS, "2" },
  { "wait", SCENE_IS_WARM, run_source, "sleep(0.01); 5", "5" },
  { "call", SCENE_IS_WARM, run_call, "+", "5" },
  { "code", SCENE_IS_WARM, run_code, ":(4 + 5)", "9" },
  { "display", SCENE_IS_WARM, run_display, "[1 2]", NULL },
  { "script", SCENE_IS_WARM, run_script, "y = 3\ny + 4", "7" },
  { "handle", SCENE_IS_WARM, run_handle, "Ref(3)", NULL },
  { "error", SCENE_IS_WARM, run_error, "error(\"x\")", NULL },
  { "interrupt", SCENE_IS_WARM, run_interrupt, "sleep(60); 1", NULL },
  { "busy", SCENE_IS_WARM, run_interrupt, BUSY, NULL },
  { "neighbours", SCENE_IS_WARM, run_neighbours, "[1, 2]", "[1, 2]" },
  { "channel", SCENE_IS_WARM, run_take, "Channel(c -> foreach(i -> put!(c, i), 1:200))",
    NULL },
  { "other channel", SCENE_IS_WARM, run_take, COUNTER, NULL },
  { "put", SCENE_IS_WARM, run_put, "Channel{Int}(100)", NULL },
  { "host", SCENE_IS_WARM, run_host, "Malt.host.add(3, 4)", "7" },
  { "do", SCENE_IS_WARM, run_do, "1 + 1; nothing", NULL },
  { "print", SCENE_IS_WARM, run_source, PRINT, "6" },
  { "large", SCENE_IS_WARM, run_large, LARGE, NULL },
  { "stop", SCENE_ENDS, run_stop, NULL, NULL },
  { "program", SCENE_ENDS | SCENE_IS_PROGRAM | SCENE_IS_LONG, run_program, "program.jl",
    NULL },
  { "fresh value", SCENE_IS_FRESH, run_source, "1 + 1", "2" },
  { "fresh wait", SCENE_IS_FRESH | SCENE_IS_SPARE, run_source, "sleep(0.01); 5", "5" },
  { "fresh array", SCENE_IS_FRESH | SCENE_IS_SPARE, run_source, "[1, 2]", "[1, 2]" },
  { "fresh error", SCENE_IS_FRESH | SCENE_IS_SPARE, run_error, "error(\"x\")", NULL },
  { "fresh display", SCENE_IS_FRESH | SCENE_IS_SPARE, run_display, "[1 2]", NULL },
  { "fresh interrupt", SCENE_IS_FRESH, run_interrupt, "sleep(60); 1", NULL },
  { "fresh busy", SCENE_IS_FRESH, run_interrupt, BUSY, NULL },
  { "fresh idle", SCENE_IS_FRESH, run_idle, NULL, NULL },
  { "fresh neighbours", SCENE_IS_FRESH | SCENE_IS_SPARE, run_neighbours, "[1, 2]",
    "[1, 2]" },
  { "fresh rest", SCENE_IS_FRESH | SCENE_IS_LONG, run_rest, NULL, NULL },
  { "fresh pair", SCENE_IS_FRESH, run_pair, "1 + 1", "2" },
  { "fresh wait and stop", SCENE_IS_FRESH | SCENE_ENDS, run_call_and_stop, "sleep(60); 1",
    NULL },
  { "fresh pair and stop", SCENE_IS_FRESH | SCENE_ENDS | SCENE_IS_PAUSED,
    run_call_and_stop, "1 + 1", NULL },
  { "fresh stop", SCENE_IS_FRESH | SCENE_ENDS | SCENE_IS_SPARE, run_stop, NULL, NULL },
  { "fresh program", SCENE_IS_FRESH | SCENE_ENDS | SCENE_IS_PROGRAM, run_program,
    "program.jl", NULL },
};
const guint n_hook_scenes = G_N_ELEMENTS (hook_scenes);
