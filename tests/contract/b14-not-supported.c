/* SPDX-License-Identifier: MIT */
/* B14: what a backend cannot do fails with NOT_SUPPORTED, and its capability bit is
 * clear; what its bit promises works. */
#include "malt-contract.h"

static void
b14_kill_works_or_is_not_supported (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  future = contract_start (worker, CONTRACT_NEVER);
  if (contract_can (worker, MALT_CAPABILITY_CAN_KILL))
    {
      malt_assert (malt_worker_kill (worker, SIGKILL, &error));
      malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
      return;
    }
  malt_assert (!malt_worker_kill (worker, SIGKILL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  malt_assert (malt_worker_is_running (worker));
  malt_assert (contract_works (worker));
}

static void
b14_an_interrupt_works_or_is_not_supported (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ContractAwait) await = { 0 };

  malt_assert (worker != NULL);
  future = contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_WAITING)
               ? contract_start (worker, CONTRACT_NEVER)
               : contract_start_int (worker, CONTRACT_SLEEP_MS, 300);
  malt_future_interrupt_async (future, MALT_INTERRUPT_DEFAULT, NULL, contract_on_ready,
                               contract_expect (&await));
  malt_assert (contract_await (&await));
  if (contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_WAITING))
    {
      malt_assert (malt_future_interrupt_finish (future, await.result, &error) ==
                   MALT_INTERRUPT_DELIVERED);
      malt_assert (error == NULL);
      malt_assert (contract_throws (future, "InterruptException"));
      return;
    }
  malt_future_interrupt_finish (future, await.result, &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  malt_assert (contract_gives_int (future, 300));
}

static void
b14_channels_work_or_are_not_supported (void)
{
  MaltWorker *worker = contract_shared ();
  g_autofree char *source = NULL;
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  source = g_strdup_printf (contract_get_dialect ()->source_channel, 1);
  channel = malt_worker_channel (worker, NULL, source, NULL, &error);
  if (contract_can (worker, MALT_CAPABILITY_CHANNELS))
    {
      malt_assert (error == NULL);
      malt_assert (channel != NULL);
      return;
    }
  malt_assert (channel == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  malt_assert (contract_works (worker));
}

static void
b14_channels_in_the_background_work_or_are_not_supported (void)
{
  MaltWorker *worker = contract_shared ();
  g_autofree char *source = NULL;
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ContractAwait) await = { 0 };

  malt_assert (worker != NULL);
  source = g_strdup_printf (contract_get_dialect ()->source_channel, 1);
  malt_worker_channel_async (worker, NULL, source, NULL, contract_on_ready,
                             contract_expect (&await));
  malt_assert (contract_await (&await));
  channel = malt_worker_channel_finish (worker, await.result, &error);
  if (contract_can (worker, MALT_CAPABILITY_CHANNELS))
    malt_assert (channel != NULL);
  else
    malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
}

/* How many marks were made by the worker's calls; -1: not known. */
static gint
count_record (MaltWorker *worker)
{
  g_autoptr (GArray) record = NULL;

  return contract_dup_record (worker, &record) ? (gint) record->len : -1;
}

static void
b14_handles_work_or_are_not_supported (void)
{
  MaltWorker *worker = contract_shared ();
  gint n_before;
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  n_before = count_record (worker);
  call = contract_call_int (CONTRACT_RECORD, 6);
  malt_call_set_result_mode (call, MALT_RESULT_HANDLE);
  future = malt_worker_remote_call (worker, call);
  if (!contract_can (worker, MALT_CAPABILITY_HANDLES))
    {
      malt_assert (contract_fails (future, MALT_ERROR_NOT_SUPPORTED));
      malt_assert (count_record (worker) == n_before);
      return;
    }
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value != NULL);
  malt_assert (malt_value_get_kind (value) == MALT_VALUE_HANDLE);
  {
    g_autoptr (MaltCall) back = contract_call (CONTRACT_ECHO);
    g_autoptr (MaltFuture) six = NULL;

    malt_call_add_argument (back, value);
    six = malt_worker_remote_call (worker, back);
    malt_assert (contract_gives_int (six, 6));
  }
}

static MaltValue *
sum_of_two (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments, gsize n_arguments,
            G_GNUC_UNUSED gpointer user_data, GError **error)
{
  if (n_arguments == 2)
    return malt_value_new_int64 (malt_value_get_int64 (arguments[0]) +
                                 malt_value_get_int64 (arguments[1]));
  g_set_error (error, MALT_ERROR, MALT_ERROR_VALUE, "expected two numbers");
  return NULL;
}

static void
on_let_go (gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
b14_host_functions_work_or_are_not_supported (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GError) error = NULL;
  guint n_let_go = 0;
  gboolean is_exported;

  malt_assert (worker != NULL);
  is_exported = malt_worker_export_func (worker, "contract_sum", sum_of_two, &n_let_go,
                                         on_let_go, MALT_EXPORT_DEFAULT, &error);
  if (contract_can (worker, MALT_CAPABILITY_HOST_FUNCTIONS))
    {
      malt_assert_no_error (error);
      malt_assert (is_exported);
      malt_assert (contract_evals_to (worker, "Malt.host.contract_sum(40, 2)", "42"));
      malt_assert (malt_worker_unexport (worker, "contract_sum"));
    }
  else
    {
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
      malt_assert (!is_exported);
      malt_assert (!malt_worker_unexport (worker, "contract_sum"));
      malt_assert (contract_works (worker));
    }
  malt_assert_int (n_let_go, 1);
}

static void
take_nothing (G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
}

static void
b14_direct_host_functions_need_julia_in_this_process (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GError) error = NULL;
  gboolean is_exported;

  malt_assert (worker != NULL);
  is_exported =
      malt_worker_export (worker, "contract_direct", "void()", MALT_EXPORT_DIRECT,
                          G_CALLBACK (take_nothing), NULL, NULL, &error);
  if (contract_can (worker, MALT_CAPABILITY_HOST_FUNCTIONS) &&
      contract_can (worker, MALT_CAPABILITY_NATIVE))
    {
      malt_assert_no_error (error);
      malt_assert (is_exported && malt_worker_unexport (worker, "contract_direct"));
      return;
    }
  malt_assert (!is_exported);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
}

static void
on_output (gpointer user_data)
{
  (*(guint *) user_data)++;
}

static gboolean
is_output_seen (gpointer data)
{
  return *(guint *) data > 0;
}

static void
b14_output_comes_where_its_bit_promises_it (void)
{
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltFuture) future = NULL;
  guint n_outputs = 0;

  worker = contract_launch_with_output ("signal");
  malt_assert (worker != NULL);
  g_signal_connect_swapped (worker, "output", G_CALLBACK (on_output), &n_outputs);
  future = contract_start_text (worker, CONTRACT_PRINT, "is anybody there?");
  malt_assert (contract_is_done_soon (future));
  if (contract_can (worker, MALT_CAPABILITY_OUTPUT))
    malt_assert (contract_until (is_output_seen, &n_outputs, CONTRACT_DEADLINE_MS));
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_signal_handlers_disconnect_by_data (worker, &n_outputs);
  malt_assert (contract_can (worker, MALT_CAPABILITY_OUTPUT) == (n_outputs > 0));
}

static void
b14_a_worker_promises_no_more_than_its_backend (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltBackend) backend = NULL;

  malt_assert (worker != NULL);
  backend = malt_backend_lookup (malt_worker_get_backend_name (worker), NULL);
  malt_assert (backend != NULL);
  malt_assert ((malt_worker_get_capabilities (worker) &
                ~malt_backend_get_capabilities (backend)) == 0);
}

static void
b14_an_unknown_option_is_refused (void)
{
  g_autoptr (MaltConfig) config = contract_config_new ();
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  malt_config_set_for (config, contract_get_subject ()->backend,
                       "contract-no-such-option", "1");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
}

const ContractTest contract_b14[] = {
  CONTRACT_TEST (b14_kill_works_or_is_not_supported),
  CONTRACT_TEST (b14_an_interrupt_works_or_is_not_supported),
  CONTRACT_TEST (b14_channels_work_or_are_not_supported),
  CONTRACT_TEST (b14_channels_in_the_background_work_or_are_not_supported),
  CONTRACT_TEST (b14_handles_work_or_are_not_supported),
  CONTRACT_TEST (b14_host_functions_work_or_are_not_supported),
  CONTRACT_TEST (b14_direct_host_functions_need_julia_in_this_process),
  CONTRACT_TEST (b14_output_comes_where_its_bit_promises_it),
  CONTRACT_TEST (b14_a_worker_promises_no_more_than_its_backend),
  CONTRACT_TEST (b14_an_unknown_option_is_refused),
  CONTRACT_END,
};
