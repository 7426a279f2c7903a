/* SPDX-License-Identifier: MIT */
/* Functions of the host: their names come by EXPORT; words that call them send HOST_CALL,
 * and answer with what HOST_RESULT brings. */
#include "fake-julia.h"

#include <stdlib.h>
#include <string.h>

static GHashTable *names; /* (owned) (nullable): of the functions of the host */
static GHashTable *
    callers; /* (owned) (nullable): id of a host call -> id of the call that waits for it */
static guint32 last_id; /* of a host call */

static GHashTable *
get_names (void)
{
  if (names == NULL)
    names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return names;
}

static GHashTable *
get_callers (void)
{
  if (callers == NULL)
    callers = g_hash_table_new (NULL, NULL);
  return callers;
}

/* Words */

static MaltValue *
value_of_word (const char *word)
{
  char *end;
  gint64 number = g_ascii_strtoll (word, &end, 10);

  return *word != '\0' && *end == '\0' ? malt_value_new_int64 (number)
                                       : malt_value_new_string (word);
}

static void
send_host_call (FakeJulia *julia, guint32 caller, const char *name,
                MaltValue *const *arguments, gsize n_arguments)
{
  g_autoptr (MaltValue) tuple = malt_value_new_tuple (arguments, n_arguments);
  g_auto (MaltWireWriter) writer;

  last_id++;
  g_hash_table_insert (get_callers (), GUINT_TO_POINTER (last_id),
                       GUINT_TO_POINTER (caller));
  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_string_value (&writer, name);
  malt_wire_writer_put_value (&writer, tuple, NULL);
  malt_wire_writer_put_nothing (&writer);
  fake_julia_send (julia, &writer, MALT_FRAME_HOST_CALL, last_id);
}

/* host NAME ARGUMENT...: numbers are numbers, other words texts. What the function gives
 * is the answer. */
static void
run_host (FakeJulia *julia, guint32 id, const char *rest)
{
  g_auto (GStrv) words = fake_script_split (rest, 0);
  g_autoptr (GPtrArray) arguments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref);

  for (char **word = words + 1; *word != NULL; word++)
    g_ptr_array_add (arguments, value_of_word (*word));
  send_host_call (julia, id, words[0], (MaltValue *const *) arguments->pdata,
                  arguments->len);
}

/* exports NAME: is there a function of that name? */
static void
run_exports (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_answer (julia, id,
                     malt_value_new_bool (g_hash_table_contains (get_names (), rest)));
}

/* host-nonsense: a call whose arguments are no tuple. */
static void
run_host_nonsense (FakeJulia *julia, G_GNUC_UNUSED guint32 id, const char *rest)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_string_value (&writer, rest);
  malt_wire_writer_put_nothing (&writer);
  malt_wire_writer_put_nothing (&writer);
  fake_julia_send (julia, &writer, MALT_FRAME_HOST_CALL, 1);
}

const FakeCommand fake_calling_commands[] = {
  { "host", run_host },
  { "exports", run_exports },
  { "host-nonsense", run_host_nonsense },
  { NULL, NULL },
};

/* Frames */

static void
learn_name (FakeJulia *julia, const MaltFrameHeader *header, MaltWireReader *reader)
{
  char *name = malt_wire_reader_take_string_value (reader, NULL);

  if ((header->flags & MALT_FRAME_EXPORT_IS_OVER) != 0)
    {
      g_hash_table_remove (get_names (), name);
      g_free (name);
      return;
    }
  g_hash_table_add (get_names (), name);
  fake_julia_answer (julia, header->id, malt_value_new_nothing ());
}

static void
pass_result_on (FakeJulia *julia, const MaltFrameHeader *header, MaltWireReader *reader)
{
  guint32 caller = GPOINTER_TO_UINT (
      g_hash_table_lookup (get_callers (), GUINT_TO_POINTER (header->id)));
  g_autofree char *type = NULL;
  g_autofree char *message = NULL;
  guint8 class;

  g_hash_table_remove (get_callers (), GUINT_TO_POINTER (header->id));
  if ((header->flags & MALT_FRAME_HOST_RESULT_IS_ERROR) == 0)
    {
      fake_julia_answer (julia, caller, malt_wire_reader_take_value (reader, NULL));
      return;
    }
  malt_wire_reader_take_u8 (reader, &class, NULL);
  type = malt_wire_reader_take_string_value (reader, NULL);
  message = malt_wire_reader_take_string_value (reader, NULL);
  fake_julia_throw (julia, caller, type, message);
}

gboolean
fake_calling_handle (FakeJulia *julia, const MaltFrameHeader *header, GBytes *body)
{
  g_auto (MaltWireReader) reader;

  malt_wire_reader_init (&reader, body, NULL);
  if (header->kind == MALT_FRAME_EXPORT)
    learn_name (julia, header, &reader);
  else if (header->kind == MALT_FRAME_HOST_RESULT)
    pass_result_on (julia, header, &reader);
  else
    return FALSE;
  return TRUE;
}
