/* SPDX-License-Identifier: MIT */
/* Output of workers: its order, its stream and its call, whatever writes it. */
#include "distributed-test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEN_MEGABYTES "print(repeat(\"0123456789\", 1_000_000)); 7"

static MaltWorker *keeper;

/* What comes, and of which call it is said to be. */
typedef struct
{
  GString *streams[2]; /* (owned): stdout, stderr */
  guint call_ids[2]; /* of the last piece */
  const char *awaited; /* in stdout */
} Collected;

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream, guint call_id,
           GBytes *bytes, gpointer user_data)
{
  Collected *collected = user_data;
  guint index = stream == MALT_STREAM_STDERR ? 1 : 0;

  collected->call_ids[index] = call_id;
  g_string_append_len (collected->streams[index], g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
}

static void
collect (Collected *collected, MaltWorker *worker)
{
  *collected =
      (Collected){ { g_string_new (NULL), g_string_new (NULL) }, { 0, 0 }, NULL };
  g_signal_connect (worker, "output", G_CALLBACK (on_output), collected);
}

static void
collected_clear (Collected *collected)
{
  g_signal_handlers_disconnect_by_data (keeper, collected);
  g_string_free (collected->streams[0], TRUE);
  g_string_free (collected->streams[1], TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Collected, collected_clear)

static void
on_done (G_GNUC_UNUSED GObject *future, G_GNUC_UNUSED GAsyncResult *result,
         gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static gboolean
is_done (gpointer data)
{
  g_main_context_iteration (NULL, FALSE);
  return *(gboolean *) data;
}

/* Evaluates in the keeper; the id of the call when it has ended well and what it wrote
 * was delivered, 0 if it fails. */
static guint
run (const char *source)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (keeper, NULL, source);
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  /* Its callback may come after this has given up. */
  gboolean *has_ended = g_new0 (gboolean, 1);

  malt_future_fetch_async (future, NULL, on_done, has_ended);
  if (!process_test_wait (is_done, has_ended, PROCESS_TEST_PATIENCE_MS))
    return 0;
  g_free (has_ended);
  value = malt_future_fetch (future, NULL, &error);
  if (value == NULL)
    g_printerr ("\n%s: %s\n", source, error->message);
  return value != NULL ? malt_future_get_id (future) : 0;
}

static gboolean
has_awaited (gpointer data)
{
  Collected *collected = data;

  g_main_context_iteration (NULL, FALSE);
  return strstr (collected->streams[0]->str, collected->awaited) != NULL;
}

static gboolean
comes_on_stdout (Collected *collected, const char *text)
{
  collected->awaited = text;
  return process_test_wait (has_awaited, collected, PROCESS_TEST_PATIENCE_MS);
}

static void
streams_are_told_apart_with_the_call_and_come_before_its_end (void)
{
  g_auto (Collected) collected;
  guint id;

  collect (&collected, keeper);
  id = run (
      "println(\"one\"); println(stderr, \"two\"); print(\"three\"); @info \"four\"");
  CHECK (id != 0);
  CU_ASSERT_STRING_EQUAL (collected.streams[0]->str, "one\nthree");
  CHECK (g_str_has_prefix (collected.streams[1]->str, "two\n"));
  CHECK (strstr (collected.streams[1]->str, "four") != NULL);
  CU_ASSERT (collected.call_ids[0] == id && collected.call_ids[1] == id);
}

static void
output_keeps_its_order (void)
{
  g_auto (Collected) collected;
  const char *text;

  collect (&collected, keeper);
  CHECK (run ("for i in 1:20_000; println(i); i % 1000 == 0 && yield(); end") != 0);
  text = collected.streams[0]->str;
  for (gint64 i = 1; i <= 20000; i++)
    {
      char *end = NULL;

      CHECK (g_ascii_strtoll (text, &end, 10) == i);
      text = end + 1;
    }
  CHECK (*text == '\0');
}

static void
what_is_written_long_before_the_end_comes_long_before_the_end (void)
{
  g_auto (Collected) collected;
  g_autoptr (MaltFuture) future = NULL;

  collect (&collected, keeper);
  future = malt_worker_remote_eval (
      keeper, NULL, "GO = Condition(); println(\"early\"); wait(GO); println(\"late\")");
  CHECK (comes_on_stdout (&collected, "early\n"));
  CHECK (!malt_future_is_done (future));
  CHECK (run ("notify(GO)") != 0);
  CHECK (comes_on_stdout (&collected, "late\n"));
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
}

static void
what_a_waiting_call_goes_on_to_write_comes_without_an_answer (void)
{
  g_auto (Collected) collected;
  g_autoptr (MaltFuture) future = NULL;

  collect (&collected, keeper);
  future = malt_worker_remote_eval (
      keeper, NULL, "for i in 1:200; println(\"a\", i); yield(); end; wait(Condition())");
  CHECK (comes_on_stdout (&collected, "a200\n"));
  CHECK (!malt_future_is_done (future));
  malt_worker_interrupt (keeper, future, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
}

static void
output_of_programs_and_of_c_comes_with_its_call (void)
{
  g_auto (Collected) collected;
  guint32 id;

  collect (&collected, keeper);
  id = run ("run(`echo from a program`); nothing");
  CHECK (id != 0);
  CHECK (comes_on_stdout (&collected, "from a program\n"));
  CU_ASSERT_EQUAL (collected.call_ids[0], id);
  CHECK (run ("ccall(:puts, Cint, (Cstring,), \"from C\"); Libc.flush_cstdio()") != 0);
  CHECK (comes_on_stdout (&collected, "from C\n"));
}

static void
ten_megabytes_come_whole (void)
{
  g_auto (Collected) collected;

  collect (&collected, keeper);
  CHECK (run (TEN_MEGABYTES) != 0);
  CHECK (collected.streams[0]->len == 10000000);
  for (gsize i = 0; i < collected.streams[0]->len; i++)
    if (collected.streams[0]->str[i] != (char) ('0' + i % 10))
      {
        CU_FAIL ("bytes are missing or out of order");
        return;
      }
}

static void
discarded_output_does_not_block_and_last_words_are_kept (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch ("output=discard");
  g_autoptr (MaltTermination) termination = NULL;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, TEN_MEGABYTES) == 7);
  CHECK (process_test_eval_int (worker, "println(stderr, \"last words\"); 1") == 1);
  CHECK (malt_worker_stop (worker, NULL, NULL));
  termination = malt_worker_dup_termination (worker);
  CHECK (distributed_test_has_words (termination, "last words"));
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  for (; (text = strstr (text, part)) != NULL; text += strlen (part))
    n++;
  return n;
}

static void
tasks_and_threads_lose_nothing_of_what_they_write (void)
{
  g_auto (Collected) collected;

  collect (&collected, keeper);
  CHECK (run ("@sync for t in 1:10; @async for i in 1:100; print(\"(task)\"); "
              "i % 10 == 0 && yield(); end; end") != 0);
  CHECK (count (collected.streams[0]->str, "(task)") == 1000);
  CHECK (run ("Threads.@threads for i in 1:1000; print(\"(thread)\"); end") != 0);
  CHECK (count (collected.streams[0]->str, "(thread)") == 1000);
}

/* One end of a socket stands in the place of standard input and output, which cannot be
 * opened once more; the other is returned. */
static int
replace_streams (int saved[2])
{
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return -1;
  for (int i = 0; i < 2; i++)
    {
      saved[i] = fcntl (i, F_DUPFD_CLOEXEC, 3);
      dup2 (fds[1], i);
    }
  close (fds[1]);
  return fds[0];
}

static void
restore_streams (const int saved[2])
{
  for (int i = 0; i < 2; i++)
    {
      dup2 (saved[i], i);
      close (saved[i]);
    }
}

static void
worker_can_have_the_hosts_own_streams_and_open_files (void)
{
  int zero = open ("/dev/zero", O_RDONLY | O_CLOEXEC);
  int shown = fcntl (zero, F_DUPFD, 900);
  g_autofree char *source = g_strdup_printf ("readlink(\"/proc/self/fd/%d\")", shown);
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *input = NULL;
  g_autofree char *name = NULL;
  char text[64] = "";
  int saved[2] = { -1, -1 };
  int fd;

  fflush (stdout);
  fd = replace_streams (saved);
  worker = process_test_launch ("stdin=inherit", "output=inherit", "descriptors=inherit");
  if (worker != NULL && write (fd, "in\n", 3) == 3)
    {
      input = process_test_eval (worker, "run(`echo out`); readline()");
      name = process_test_eval (worker, source);
    }
  restore_streams (saved);
  close (zero);
  close (shown);
  CHECK (worker != NULL && input != NULL && name != NULL);
  CU_ASSERT_STRING_EQUAL (input, "\"in\"");
  CU_ASSERT_STRING_EQUAL (name, "\"/dev/zero\"");
  CHECK (read (fd, text, sizeof text - 1) > 0);
  CU_ASSERT_STRING_EQUAL (text, "out\n");
  close (fd);
}

static void
nothing_of_the_host_can_be_lent_to_another_machine (void)
{
  static const char *const options[] = { "stdin", "output", "descriptors" };

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_autofree char *option = g_strconcat (options[i], "=inherit", NULL);
      g_autoptr (GError) error = distributed_test_fail (option, "machine=nowhere");

      CHECK (distributed_test_is_error (error, MALT_ERROR_CONFIG, options[i],
                                        "[distributed]"));
    }
}

static const ProcessTest tests[] = {
  { "streams_are_told_apart_with_the_call_and_come_before_its_end",
    streams_are_told_apart_with_the_call_and_come_before_its_end },
  { "output_keeps_its_order", output_keeps_its_order },
  { "what_is_written_long_before_the_end_comes_long_before_the_end",
    what_is_written_long_before_the_end_comes_long_before_the_end },
  { "what_a_waiting_call_goes_on_to_write_comes_without_an_answer",
    what_a_waiting_call_goes_on_to_write_comes_without_an_answer },
  { "output_of_programs_and_of_c_comes_with_its_call",
    output_of_programs_and_of_c_comes_with_its_call },
  { "ten_megabytes_come_whole", ten_megabytes_come_whole },
  { "discarded_output_does_not_block_and_last_words_are_kept",
    discarded_output_does_not_block_and_last_words_are_kept },
  { "tasks_and_threads_lose_nothing_of_what_they_write",
    tasks_and_threads_lose_nothing_of_what_they_write },
  { "worker_can_have_the_hosts_own_streams_and_open_files",
    worker_can_have_the_hosts_own_streams_and_open_files },
  { "nothing_of_the_host_can_be_lent_to_another_machine",
    nothing_of_the_host_can_be_lent_to_another_machine },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  static const char *const options[] = { "output=signal", "threads=2", NULL };

  return distributed_test_main (argc, argv, "output", tests, options, &keeper);
}
