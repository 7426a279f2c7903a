/* SPDX-License-Identifier: MIT */
/* B16: what a call wrote comes before its completion; chunks carry their stream; standard
 * input is empty. */
#include "malt-contract.h"

#include <string.h>

/* What the signal brought, and how much of it there was when the call was completed. */
typedef struct
{
  ContractAwait await;
  GString *streams[MALT_STREAM_STDERR + 1]; /* (owned) */
  GThread *thread;
  gsize n_bytes_at_end;
  guint32 call_id; /* the last one that was not 0 */
} Listener;

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream, guint call_id,
           GBytes *bytes, gpointer user_data)
{
  Listener *self = user_data;
  gsize n_bytes;
  const char *text = g_bytes_get_data (bytes, &n_bytes);

  g_string_append_len (self->streams[stream], text, (gssize) n_bytes);
  self->thread = g_thread_self ();
  if (call_id != 0)
    self->call_id = call_id;
}

static void
count (gpointer data)
{
  Listener *self = data;

  self->n_bytes_at_end =
      self->streams[MALT_STREAM_STDOUT]->len + self->streams[MALT_STREAM_STDERR]->len;
}

static void
listener_clear (Listener *self)
{
  g_string_free (self->streams[MALT_STREAM_STDOUT], TRUE);
  g_string_free (self->streams[MALT_STREAM_STDERR], TRUE);
  contract_await_clear (&self->await);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Listener, listener_clear)

static MaltWorker *
launch_with_listener (Listener *self)
{
  MaltWorker *worker = contract_launch_with_output ("signal");

  self->streams[MALT_STREAM_STDOUT] = g_string_new (NULL);
  self->streams[MALT_STREAM_STDERR] = g_string_new (NULL);
  if (worker != NULL)
    g_signal_connect (worker, "output", G_CALLBACK (on_output), self);
  return worker;
}

/* Runs @future to its end in the main context of this thread. */
static gboolean
listen (Listener *self, MaltFuture *future)
{
  contract_await_clear (&self->await);
  self->await.on_ready = count;
  self->await.data = self;
  malt_future_fetch_async (future, NULL, contract_on_ready,
                           contract_expect (&self->await));
  return contract_await (&self->await);
}

/* Ends the test, well or not, where output is not handed to the host: then nothing may come. */
#define malt_assert_listening(worker, self)                       \
  G_STMT_START                                                    \
  {                                                               \
    malt_assert ((worker) != NULL);                               \
    if (!contract_can ((worker), MALT_CAPABILITY_OUTPUT))         \
      {                                                           \
        g_autoptr (MaltFuture) printed =                          \
            contract_start_text ((worker), CONTRACT_PRINT, "\n"); \
                                                                  \
        malt_assert (listen ((self), printed));                   \
        malt_assert ((self)->n_bytes_at_end == 0);                \
        return;                                                   \
      }                                                           \
  }                                                               \
  G_STMT_END

static void
b16_what_a_call_wrote_comes_before_its_completion (void)
{
  g_auto (Listener) self = { 0 };
  g_autoptr (MaltWorker) worker = launch_with_listener (&self);

  malt_assert_listening (worker, &self);
  for (guint i = 1; i <= 50; i++)
    {
      g_autoptr (MaltFuture) future =
          contract_start_text (worker, CONTRACT_PRINT, "0123456789");

      malt_assert (listen (&self, future));
      malt_assert (self.n_bytes_at_end == strlen ("0123456789") * i);
      malt_assert (self.call_id == 0 || self.call_id == malt_future_get_id (future));
      malt_assert (self.thread == g_thread_self ());
    }
}

static void
b16_a_megabyte_comes_whole_and_before_its_completion (void)
{
  g_auto (Listener) self = { 0 };
  g_autoptr (MaltWorker) worker = launch_with_listener (&self);
  g_autoptr (MaltFuture) future = NULL;
  GString *seen;

  malt_assert_listening (worker, &self);
  future = malt_worker_remote_eval (
      worker, NULL, "for i in 1:100_000; print(lpad(i, 9), '\\n'); end; 16");
  malt_assert (listen (&self, future));
  malt_assert (contract_gives_int (future, 16));
  seen = self.streams[MALT_STREAM_STDOUT];
  malt_assert (seen->len == 1000000);
  malt_assert (self.n_bytes_at_end == seen->len);
  malt_assert (g_str_has_prefix (seen->str, "        1\n"));
  malt_assert (g_str_has_suffix (seen->str, "   100000\n"));
}

static void
b16_the_two_streams_are_told_apart (void)
{
  g_auto (Listener) self = { 0 };
  g_autoptr (MaltWorker) worker = launch_with_listener (&self);
  g_autoptr (MaltFuture) future = NULL;

  malt_assert_listening (worker, &self);
  future = malt_worker_remote_eval (
      worker, NULL,
      "print(\"to out\"); print(stderr, \"to err\"); @warn \"careful\"; 16");
  malt_assert (listen (&self, future));
  malt_assert (contract_gives_int (future, 16));
  malt_assert (g_strcmp0 (self.streams[MALT_STREAM_STDOUT]->str, "to out") == 0);
  malt_assert (g_str_has_prefix (self.streams[MALT_STREAM_STDERR]->str, "to err"));
  malt_assert (strstr (self.streams[MALT_STREAM_STDERR]->str, "careful") != NULL);
}

static void
b16_what_was_written_before_an_exception_comes_too (void)
{
  g_auto (Listener) self = { 0 };
  g_autoptr (MaltWorker) worker = launch_with_listener (&self);
  g_autoptr (MaltFuture) future = NULL;

  malt_assert_listening (worker, &self);
  future = malt_worker_remote_eval (worker, NULL, "print(\"before\"); error(\"after\")");
  malt_assert (listen (&self, future));
  malt_assert (contract_throws (future, "ErrorException"));
  malt_assert (self.n_bytes_at_end == strlen ("before"));
}

static void
b16_output_of_programs_and_of_c_comes_too (void)
{
  g_auto (Listener) self = { 0 };
  g_autoptr (MaltWorker) worker = launch_with_listener (&self);
  g_autoptr (MaltFuture) future = NULL;

  malt_assert_listening (worker, &self);
  future =
      malt_worker_remote_eval (worker, NULL,
                               "run(contract_program(\"println(:from_a_program)\")); "
                               "ccall(:puts, Cint, (Cstring,), \"from C\"); "
                               "Libc.flush_cstdio(); 16");
  malt_assert (listen (&self, future));
  malt_assert (contract_gives_int (future, 16));
  /* What has a process to itself is all that its descriptors can be taken from. */
  if (!contract_can (worker, MALT_CAPABILITY_ISOLATED))
    {
      malt_assert (self.n_bytes_at_end == 0);
      return;
    }
  malt_assert (strstr (self.streams[MALT_STREAM_STDOUT]->str, "from_a_program\n") !=
               NULL);
  /* C ends lines as the system does. */
  malt_assert (strstr (self.streams[MALT_STREAM_STDOUT]->str, "from C") != NULL);
  malt_assert (self.n_bytes_at_end == self.streams[MALT_STREAM_STDOUT]->len);
}

static void
b16_last_words_come_before_exited (void)
{
  g_auto (Listener) self = { 0 };
  g_autoptr (MaltWorker) worker = launch_with_listener (&self);
  g_autoptr (MaltFuture) future = NULL;

  malt_assert_listening (worker, &self);
  if (!contract_can (worker, MALT_CAPABILITY_ISOLATED))
    return;
  future = malt_worker_remote_eval (worker, NULL, "print(\"last words\"); exit(0)");
  malt_assert (listen (&self, future));
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
  malt_assert (g_strcmp0 (self.streams[MALT_STREAM_STDOUT]->str, "last words") == 0);
  malt_assert (self.n_bytes_at_end == strlen ("last words"));
}

static void
b16_standard_input_is_empty (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_ISOLATED))
    return;
  malt_assert (contract_evals_to (worker, "readline()", "\"\""));
  malt_assert (contract_evals_to (worker, "read(stdin, String)", "\"\""));
  malt_assert (contract_evals_to (worker, "eof(stdin)", "true"));
  malt_assert (contract_evals_to (
      worker, "read(contract_program(\"write(stdout, read(stdin))\"), String)", "\"\""));
}

/* The waiver: such a worker's output is not the library's to hand on, and it says so. */
static void
b16_a_worker_that_has_the_hosts_output_hands_on_none (void)
{
  const char *backend = contract_get_subject ()->backend;
  g_auto (Listener) self = { 0 };
  g_autoptr (MaltConfig) config = contract_config_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltBackend) described = malt_backend_lookup (backend, NULL);
  g_autoptr (MaltWorker) worker = NULL;
  /* Then it is the other backend that can or cannot. */
  gboolean is_around_another = malt_config_get_for (config, backend, "inner") != NULL;

  self.streams[MALT_STREAM_STDOUT] = g_string_new (NULL);
  self.streams[MALT_STREAM_STDERR] = g_string_new (NULL);
  malt_config_set_for (config, backend, "output", "inherit");
  worker = malt_worker_launch (config, NULL, &error);
  if (described == NULL || !malt_backend_check_config (described, config, NULL) ||
      (worker == NULL && is_around_another))
    {
      malt_assert (worker == NULL &&
                   g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG));
      return;
    }
  malt_assert (worker != NULL);
  malt_assert (!contract_can (worker, MALT_CAPABILITY_OUTPUT));
  g_signal_connect (worker, "output", G_CALLBACK (on_output), &self);
  malt_assert_listening (worker, &self);
}

const ContractTest contract_b16[] = {
  CONTRACT_TEST (b16_what_a_call_wrote_comes_before_its_completion),
  CONTRACT_JULIA_TEST (b16_a_megabyte_comes_whole_and_before_its_completion),
  CONTRACT_JULIA_TEST (b16_the_two_streams_are_told_apart),
  CONTRACT_JULIA_TEST (b16_what_was_written_before_an_exception_comes_too),
  CONTRACT_JULIA_TEST (b16_output_of_programs_and_of_c_comes_too),
  CONTRACT_JULIA_TEST (b16_last_words_come_before_exited),
  CONTRACT_JULIA_TEST (b16_standard_input_is_empty),
  CONTRACT_TEST (b16_a_worker_that_has_the_hosts_output_hands_on_none),
  CONTRACT_END,
};
