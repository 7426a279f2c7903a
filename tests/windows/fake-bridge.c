/* SPDX-License-Identifier: MIT */
/* The fake as the bridge to Distributed: its workers are this program, which connect to the host by themselves. */
#include "fake-julia.h"

#include "process/malt-process-launcher.h"

#include <stdlib.h>
#include <string.h>

static GBytes *
bytes_of_hex (const char *hex)
{
  gsize n_bytes = strlen (hex) / 2;
  guint8 *bytes = g_malloc (n_bytes);

  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = (guint8) (g_ascii_xdigit_value (hex[2 * i]) * 16 +
                         g_ascii_xdigit_value (hex[2 * i + 1]));
  return g_bytes_new_take (bytes, n_bytes);
}

static char **
strings_of_tuple (MaltValue *tuple)
{
  gsize n = tuple != NULL ? malt_value_get_n_children (tuple) : 0;
  char **strings = g_new0 (char *, n + 1);

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (MaltValue) child = malt_value_dup_child (tuple, i);
      strings[i] = malt_value_dup_string (child);
    }
  return strings;
}

static MaltChild *
spawn_worker (FakeJulia *julia, MaltValue *options)
{
  g_autoptr (MaltValue) port = malt_value_lookup_string (options, "port");
  g_autoptr (MaltValue) secrets = malt_value_lookup_string (options, "secrets");
  g_autoptr (MaltValue) variables = malt_value_lookup_string (options, "environment");
  g_autoptr (MaltValue) directory = malt_value_lookup_string (options, "dir");
  g_autofree char *port_text = g_strdup_printf ("%d", (int) malt_value_get_int64 (port));
  g_autofree char *hex = malt_value_dup_string (secrets);
  g_autofree char *cwd = malt_value_dup_string (directory);
  g_auto (GStrv) environment = strings_of_tuple (variables);
  g_autoptr (GBytes) bytes = bytes_of_hex (hex);
  const char *argv[] = { julia->argv[0], "--", "connect", port_text, "worker", NULL };
  MaltProcessLauncher launcher = { .argv = argv,
                                   .envp = (const char *const *) environment,
                                   .cwd = cwd,
                                   .inherited_fd = -1,
                                   .stdin_source = MALT_CHILD_STDIN_BYTES,
                                   .stdin_bytes = bytes };

  return malt_process_launcher_spawn (&launcher, NULL);
}

static void
add (FakeJulia *julia, guint32 id, gint64 number, MaltValue *options)
{
  MaltChild *worker = spawn_worker (julia, options);

  if (worker == NULL)
    {
      fake_julia_throw (julia, id, "ErrorException", "no worker");
      return;
    }
  if (julia->workers == NULL)
    julia->workers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                            (GDestroyNotify) malt_child_unref);
  g_hash_table_insert (julia->workers, g_memdup2 (&number, sizeof number), worker);
  fake_julia_answer (julia, id, malt_value_new_nothing ());
}

/* How the worker has ended: (exit code, signal, text); -1: by the other, or not known. What has not ended in that time is killed. */
static void
bury (FakeJulia *julia, guint32 id, gint64 number, double patience_s)
{
  MaltChild *worker = g_hash_table_lookup (julia->workers, &number);
  MaltValue *parts[3];
  int end_number = -1;
  MaltChildEnd end = MALT_CHILD_END_UNKNOWN;
  HANDLE process = worker != NULL ? OpenProcess (SYNCHRONIZE, FALSE,
                                                 (DWORD) malt_child_get_pid (worker))
                                  : MALT_NO_HANDLE;

  if (process != MALT_NO_HANDLE)
    {
      if (WaitForSingleObject (process, (DWORD) (patience_s * 1000)) == WAIT_TIMEOUT)
        malt_child_signal (worker, 9, MALT_CHILD_TARGET_GROUP);
      WaitForSingleObject (process, INFINITE);
      CloseHandle (process);
    }
  if (worker != NULL && malt_child_reap (worker))
    end = malt_child_get_end (worker, &end_number);
  parts[0] = malt_value_new_int64 (end == MALT_CHILD_END_EXITED ? end_number : -1);
  parts[1] = malt_value_new_int64 (end == MALT_CHILD_END_SIGNALLED ? end_number : -1);
  parts[2] = malt_value_new_string ("");
  fake_julia_answer (julia, id, malt_value_new_tuple (parts, 3));
  for (int i = 0; i < 3; i++)
    malt_value_unref (parts[i]);
  if (worker != NULL)
    g_hash_table_remove (julia->workers, &number);
}

gboolean
fake_bridge_call (FakeJulia *julia, guint32 id, const char *function,
                  MaltValue *arguments)
{
  gsize n = malt_value_get_n_children (arguments);
  g_autoptr (MaltValue) first = n > 0 ? malt_value_dup_child (arguments, 0) : NULL;
  g_autoptr (MaltValue) second = n > 1 ? malt_value_dup_child (arguments, 1) : NULL;

  if (strcmp (function, "Distributed.MaltBridge.add") == 0)
    add (julia, id, malt_value_get_int64 (first), second);
  else if (strcmp (function, "Distributed.MaltBridge.bury") == 0)
    bury (julia, id, malt_value_get_int64 (first), malt_value_get_double (second));
  else if (strcmp (function, "Distributed.MaltBridge.send_signal") == 0)
    fake_julia_answer (julia, id, malt_value_new_bool (FALSE));
  /* Its workers print through their connections: there is never anything to be said here. */
  else if (strcmp (function, "Distributed.MaltBridge.next_printed") == 0)
    return TRUE;
  else if (strstr (function, "MaltBridge.begin_bridge") != NULL)
    fake_julia_answer (julia, id, malt_value_new_nothing ());
  else
    return FALSE;
  return TRUE;
}
