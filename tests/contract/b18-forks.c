/* SPDX-License-Identifier: MIT */
/* B18: a process that the host forks can do no harm. Where a system has no forks there is
 * nothing to be seen. */
#include "malt-contract.h"

enum
{
  N_CALLERS = 4,
  N_FORKS = 25,
  SLEEP_MS = 300
};

/* What a forked process has of the host. */
typedef struct
{
  MaltWorker *worker; /* (owned) */
  MaltFuture *pending; /* (owned) */
  MaltFuture *done; /* (owned) */
  MaltChannel *channel; /* (owned) (nullable) */
} Copies;

static void
copies_clear (Copies *copies)
{
  g_clear_object (&copies->channel);
  g_clear_object (&copies->done);
  g_clear_object (&copies->pending);
  g_clear_object (&copies->worker);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Copies, copies_clear)

static MaltChannel *
open_channel (MaltWorker *worker)
{
  g_autofree char *source = g_strdup_printf (contract_get_dialect ()->source_channel, 3);

  if (!contract_can (worker, MALT_CAPABILITY_CHANNELS))
    return NULL;
  return malt_worker_channel (worker, NULL, source, NULL, NULL);
}

/* FALSE: something could not be had. Takes the worker over. */
static gboolean
make_copies (Copies *copies, MaltWorker *worker)
{
  copies->worker = worker;
  if (worker == NULL)
    return FALSE;
  copies->done = contract_start_int (worker, CONTRACT_ECHO, 1);
  copies->channel = open_channel (worker);
  if (!contract_gives_int (copies->done, 1))
    return FALSE;
  copies->pending = contract_start_int (worker, CONTRACT_SLEEP_MS, SLEEP_MS);
  return TRUE;
}

static gboolean
are_unharmed (Copies *copies)
{
  if (!contract_gives_int (copies->pending, SLEEP_MS) || !contract_works (copies->worker))
    return FALSE;
  if (copies->channel != NULL)
    {
      g_autoptr (MaltValue) item = malt_channel_take (copies->channel, NULL, NULL);

      return item != NULL && malt_value_get_int64 (item) == 1;
    }
  return TRUE;
}

/* TRUE where there are no forks. */
static gboolean
gives_zero (int (*func) (gpointer data), gpointer data)
{
  for (ContractForkKind kind = CONTRACT_FORK; kind <= CONTRACT_RAW_FORK; kind++)
    {
      int status = contract_host_run_forked (kind, func, data);

      if (status == CONTRACT_HOST_NO_FORKS || status == 0)
        continue;
      contract_note ("expected 0 of the forked process, got %d", status);
      return FALSE;
    }
  return TRUE;
}

static int
do_nothing (G_GNUC_UNUSED gpointer data)
{
  return 0;
}

static int
drop_copies (gpointer data)
{
  copies_clear (data);
  return 0;
}

static void
check_harmless (int (*func) (gpointer data))
{
  g_auto (Copies) copies = { NULL };

  malt_assert (make_copies (&copies, contract_launch ()));
  malt_assert (gives_zero (func, &copies));
  malt_assert (are_unharmed (&copies));
}

static void
b18_a_fork_that_merely_ends_harms_nothing (void)
{
  check_harmless (do_nothing);
}

static void
b18_a_fork_that_drops_its_copies_harms_nothing (void)
{
  check_harmless (drop_copies);
}

/* Every call. Each step is a number, by which the status of the process says what did not
 * fail as it should. */

static gboolean
is_refused (gboolean is_done, GError *error)
{
  gboolean is_right = !is_done && g_error_matches (error, MALT_ERROR, MALT_ERROR_FORKED);

  if (!is_right)
    contract_note ("expected FORKED, got %s",
                   error != NULL ? error->message : "no error");
  g_clear_error (&error);
  return is_right;
}

static MaltValue *
echo (Copies *copies, GError **error)
{
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 2);

  return malt_worker_remote_call_fetch (copies->worker, call, NULL, error);
}

static gboolean
send_silently (Copies *copies, GError **error)
{
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 2);

  return malt_worker_remote_do (copies->worker, call, error);
}

static MaltValue *
no_function (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltValue **arguments,
             G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data,
             G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static gboolean export(Copies *copies, GError **error)
{
  return malt_worker_export_func (copies->worker, "forked", no_function, NULL, NULL,
                                  MALT_EXPORT_DEFAULT, error);
}

static gboolean
launch_async (GError **error)
{
  g_autoptr (ContractContext) context = contract_context_push ();
  g_auto (ContractAwait) await = { 0 };
  g_autoptr (MaltWorker) worker = NULL;

  malt_worker_launch_async (NULL, NULL, contract_on_ready, contract_expect (&await));
  if (contract_await (&await))
    worker = malt_worker_launch_finish (await.result, error);
  return worker != NULL;
}

static gboolean
fetch_async (Copies *copies, GError **error)
{
  g_autoptr (ContractContext) context = contract_context_push ();
  g_auto (ContractAwait) await = { 0 };
  g_autoptr (MaltValue) value = NULL;

  malt_future_fetch_async (copies->pending, NULL, contract_on_ready,
                           contract_expect (&await));
  if (contract_await (&await))
    value = malt_future_fetch_finish (copies->pending, await.result, error);
  return value != NULL;
}

static gboolean
stop_async (Copies *copies, GError **error)
{
  g_autoptr (ContractContext) context = contract_context_push ();
  g_auto (ContractAwait) await = { 0 };

  malt_worker_stop_async (copies->worker, 0, 0, NULL, contract_on_ready,
                          contract_expect (&await));
  return contract_await (&await) &&
         malt_worker_stop_finish (copies->worker, await.result, NULL, error);
}

#define STEP(expression)                              \
  do                                                  \
    {                                                 \
      GError *error = NULL;                           \
      gboolean is_done = (expression) ? TRUE : FALSE; \
                                                      \
      n_steps++;                                      \
      if (!is_refused (is_done, error))               \
        return n_steps;                               \
    }                                                 \
  while (0)

static int
use_worker (Copies *copies)
{
  int n_steps = 0;

  STEP (malt_worker_launch (NULL, NULL, &error));
  STEP (malt_backend_lookup ("malt-process", &error));
  STEP (echo (copies, &error));
  STEP (send_silently (copies, &error));
  STEP (malt_worker_interrupt (copies->worker, NULL, MALT_INTERRUPT_DEFAULT, NULL,
                               &error) == MALT_INTERRUPT_DELIVERED);
  STEP (malt_worker_channel (copies->worker, NULL, "1", NULL, &error));
  STEP (export(copies, &error));
  STEP (malt_worker_kill (copies->worker, SIGKILL, &error));
  STEP (malt_worker_stop (copies->worker, NULL, &error));
  return 0;
}

static int
use_future (MaltFuture *future)
{
  int n_steps = 20;

  STEP (malt_future_fetch (future, NULL, &error));
  STEP (malt_future_wait (future, -1, NULL, &error));
  STEP (malt_future_interrupt (future, MALT_INTERRUPT_FORCE, NULL, &error) ==
        MALT_INTERRUPT_DELIVERED);
  malt_future_cancel (future);
  return malt_future_is_done (future) ? 0 : n_steps + 1;
}

static int
use_channel (MaltChannel *channel)
{
  g_autoptr (MaltValue) item = malt_value_new_int64 (9);
  int n_steps = 40;

  STEP (malt_channel_take (channel, NULL, &error));
  STEP (malt_channel_put (channel, item, NULL, &error));
  STEP (malt_channel_wait (channel, NULL, &error));
  STEP (malt_channel_is_ready (channel, NULL, &error));
  STEP (malt_channel_is_open (channel, NULL, &error));
  STEP (malt_channel_close (channel, NULL, &error));
  return 0;
}

/* Queries have no errors: they say that nothing is known. */
static int
ask_worker (Copies *copies)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (copies->worker);
  g_autofree char *summary = malt_worker_dup_summary (copies->worker);

  return malt_worker_is_running (copies->worker) ||
                 malt_worker_get_pid (copies->worker) != 0 || termination != NULL ||
                 summary == NULL || malt_worker_unexport (copies->worker, "forked")
             ? 60
             : 0;
}

/* Blocking calls, which neither make nor drop an object: GLib would take locks of its own
 * for that, in the middle of which another thread may have been. */
static int
call_blocking (gpointer data)
{
  Copies *copies = data;
  int status = use_worker (copies);

  if (status == 0)
    status = use_future (copies->pending);
  if (status == 0)
    status = use_future (copies->done);
  if (status == 0 && copies->channel != NULL)
    status = use_channel (copies->channel);
  if (status == 0)
    status = ask_worker (copies);
  return status;
}

static int
call_everything (gpointer data)
{
  Copies *copies = data;
  int n_steps = 70;
  int status = call_blocking (data);

  if (status != 0)
    return status;
  STEP (launch_async (&error));
  STEP (stop_async (copies, &error));
  STEP (fetch_async (copies, &error));
  return 0;
}

static void
b18_every_call_fails_in_a_fork (void)
{
  check_harmless (call_everything);
}

static int
call_everything_and_drop (gpointer data)
{
  int status = call_everything (data);

  copies_clear (data);
  return status;
}

static int
fork_again (gpointer data)
{
  return gives_zero (call_everything_and_drop, data) ? 0 : 1;
}

static void
b18_a_fork_of_a_fork_is_one (void)
{
  check_harmless (fork_again);
}

/* Some thread is always in the middle of something. */

typedef struct
{
  Copies *copies; /* (unowned) */
  gint is_over; /* atomic */
  gint n_wrong; /* atomic */
} Storm;

static gpointer
call_on_and_on (gpointer data)
{
  Storm *storm = data;

  while (!g_atomic_int_get (&storm->is_over))
    {
      g_autoptr (MaltFuture) future =
          contract_start_int (storm->copies->worker, CONTRACT_ECHO, 5);

      if (!contract_gives_int (future, 5))
        g_atomic_int_inc (&storm->n_wrong);
    }
  return NULL;
}

static void
b18_forks_may_happen_while_threads_call (void)
{
  g_auto (Copies) copies = { NULL };
  Storm storm = { .copies = &copies };
  GThread *threads[N_CALLERS];
  guint n_right = 0;

  malt_assert (make_copies (&copies, contract_launch ()));
  for (guint i = 0; i < N_CALLERS; i++)
    threads[i] = g_thread_new ("caller", call_on_and_on, &storm);
  for (guint i = 0; i < N_FORKS; i++)
    {
      int status =
          contract_host_run_forked (CONTRACT_FORK_AT_ONCE, call_blocking, &copies);

      n_right += status == 0 || status == CONTRACT_HOST_NO_FORKS;
    }
  g_atomic_int_set (&storm.is_over, TRUE);
  for (guint i = 0; i < N_CALLERS; i++)
    g_thread_join (threads[i]);
  malt_assert_int (n_right, N_FORKS);
  malt_assert_int (storm.n_wrong, 0);
  malt_assert (are_unharmed (&copies));
}

const ContractTest contract_b18[] = {
  CONTRACT_TEST (b18_a_fork_that_merely_ends_harms_nothing),
  CONTRACT_TEST (b18_a_fork_that_drops_its_copies_harms_nothing),
  CONTRACT_TEST (b18_every_call_fails_in_a_fork),
  CONTRACT_TEST (b18_a_fork_of_a_fork_is_one),
  CONTRACT_TEST (b18_forks_may_happen_while_threads_call),
  CONTRACT_END,
};
