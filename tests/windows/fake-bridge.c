/* SPDX-License-Identifier: MIT */
/* The fake as the bridge to Distributed: its workers are this program, which connect to
 * the host by themselves. */
#include "fake-julia.h"

#include <stdlib.h>
#include <string.h>

static GHashTable *workers; /* (owned) (nullable): the host's number -> FakeBridged */

static void
add_strings (GStrvBuilder *builder, MaltValue *options, const char *name)
{
  g_autoptr (MaltValue) tuple = malt_value_lookup_string (options, name);
  gsize n = tuple != NULL ? malt_value_get_n_children (tuple) : 0;

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (MaltValue) child = malt_value_dup_child (tuple, i);
      g_autofree char *text = malt_value_dup_string (child);

      g_strv_builder_add (builder, text);
    }
}

static char *
dup_text (MaltValue *options, const char *name)
{
  g_autoptr (MaltValue) value = malt_value_lookup_string (options, name);

  return value != NULL ? malt_value_dup_string (value) : NULL;
}

/* The program and the flags that the host asks for. The secrets are not among them. */
static void
add (FakeJulia *julia, guint32 id, gint64 number, MaltValue *options)
{
  g_autoptr (GStrvBuilder) arguments = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) variables = g_strv_builder_new ();
  g_autoptr (MaltValue) port = malt_value_lookup_string (options, "port");
  g_autofree char *port_text = g_strdup_printf ("%d", (int) malt_value_get_int64 (port));
  g_autofree char *hex = dup_text (options, "secrets");
  g_autofree char *program = dup_text (options, "exename");
  g_autofree char *cwd = dup_text (options, "dir");
  g_autoptr (GBytes) secrets = fake_julia_bytes_of_hex (hex);
  g_auto (GStrv) argv = NULL;
  g_auto (GStrv) envp = NULL;
  FakeBridged *worker;

  g_strv_builder_add (arguments, program);
  add_strings (arguments, options, "exeflags");
  g_strv_builder_add_many (arguments, "--", "connect", port_text, "worker", NULL);
  add_strings (variables, options, "environment");
  argv = g_strv_builder_end (arguments);
  envp = g_strv_builder_end (variables);
  worker = fake_bridged_new (julia, id, number, (const char *const *) argv,
                             (const char *const *) envp, cwd, secrets);
  if (worker == NULL)
    return;
  if (workers == NULL)
    workers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_hash_table_insert (workers, g_memdup2 (&number, sizeof number), worker);
}

static void
bury (FakeJulia *julia, guint32 id, gint64 number, double patience_s)
{
  FakeBridged *worker = workers != NULL ? g_hash_table_lookup (workers, &number) : NULL;
  g_autoptr (MaltValue) unknown = malt_value_new_int64 (-1);
  g_autoptr (MaltValue) nothing = malt_value_new_string ("");

  if (worker == NULL)
    {
      fake_julia_answer (
          julia, id,
          malt_value_new_tuple ((MaltValue *[]){ unknown, unknown, nothing }, 3));
      return;
    }
  g_hash_table_remove (workers, &number);
  fake_bridged_bury (worker, id, patience_s);
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
  else if (strcmp (function, "Distributed.MaltBridge.next_printed") == 0)
    fake_bridged_await_output (julia, id);
  else if (strstr (function, "MaltBridge.begin_bridge") != NULL)
    fake_julia_answer (julia, id, malt_value_new_nothing ());
  else
    return FALSE;
  return TRUE;
}
