/* SPDX-License-Identifier: MIT */
/*
 * A worker of the bridge: launched by the library's own launcher, which is tested
 * besides. A thread reads what it prints. The first line of standard output that looks
 * like that of a worker of Distributed says that it is connected; the rest is kept for
 * its end, and handed to the host when that asks.
 */
#include "fake-julia.h"

#include "platform/malt-process-launcher.h"

#include <string.h>

#define READY_PREFIX "julia_worker:"

enum
{
  READ_BYTES = 65536,
  TAIL_BYTES = 4096,
  EXIT_KILLED = 1 /* as libuv does it */
};

struct _FakeBridged
{
  FakeJulia *julia; /* (unowned) */
  gint64 number;
  MaltChild *child; /* (owned) */
  GThread *reader; /* (owned) */
  guint32
      add_id; /* of the call that waits for the worker; 0: answered. Of the reader only */
  /* (owned) (nullable): of standard output, until it has said that it is connected. The
   * same */
  GString *line;
  GString *tail; /* (owned): the same, until the thread has ended */
};

static GMutex output_lock; /* guards the rest */
static GPtrArray
    *pieces; /* (owned) (nullable): of MaltValue (owned): (number, stream, bytes) */
static guint32 asking_id; /* of the call that waits for output; 0: none */

/* The answer to a call about an end, which waits until there is no output. */
typedef struct
{
  guint32 id;
  MaltValue *answer; /* (owned) */
} Burial;

static GQueue burials = G_QUEUE_INIT; /* of Burial (owned) */

/* Output */

/* With output_lock held. */
static void
answer_with_output (FakeJulia *julia)
{
  gboolean is_any = pieces != NULL && pieces->len > 0;

  if (is_any && asking_id != 0)
    {
      fake_julia_answer (
          julia, asking_id,
          malt_value_new_tuple ((MaltValue *const *) pieces->pdata, pieces->len));
      asking_id = 0;
      g_ptr_array_set_size (pieces, 0);
      is_any = FALSE;
    }
  while (!is_any && !g_queue_is_empty (&burials))
    {
      g_autofree Burial *burial = g_queue_pop_head (&burials);

      fake_julia_answer (julia, burial->id, burial->answer);
    }
}

void
fake_bridged_await_output (FakeJulia *julia, guint32 id)
{
  g_mutex_lock (&output_lock);
  asking_id = id;
  answer_with_output (julia);
  g_mutex_unlock (&output_lock);
}

static void
hand_on (FakeBridged *bridged, int stream, const char *bytes, gsize n_bytes)
{
  g_autoptr (MaltValue) number = malt_value_new_int64 (bridged->number);
  g_autoptr (MaltValue) stream_value = malt_value_new_int64 (stream);
  g_autoptr (MaltValue) array =
      malt_value_new_array (MALT_VALUE_UINT8, &n_bytes, 1, bytes, n_bytes);

  if (n_bytes == 0)
    return;
  g_string_append_len (bridged->tail, bytes, (gssize) n_bytes);
  if (bridged->tail->len > TAIL_BYTES)
    g_string_erase (bridged->tail, 0, (gssize) (bridged->tail->len - TAIL_BYTES));
  g_mutex_lock (&output_lock);
  if (pieces == NULL)
    pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref);
  g_ptr_array_add (
      pieces, malt_value_new_tuple ((MaltValue *[]){ number, stream_value, array }, 3));
  answer_with_output (bridged->julia);
  g_mutex_unlock (&output_lock);
}

/* Takes the line out that says that the worker is connected. */
static void
look_for_line (FakeBridged *bridged, const char *bytes, gsize n_bytes)
{
  g_autoptr (GString) seen = g_steal_pointer (&bridged->line);
  const char *end;

  g_string_append_len (seen, bytes, (gssize) n_bytes);
  end = memchr (seen->str, '\n', seen->len);
  if (end == NULL)
    bridged->line = g_steal_pointer (&seen);
  else if (!g_str_has_prefix (seen->str, READY_PREFIX))
    hand_on (bridged, MALT_STREAM_STDOUT, seen->str, seen->len);
  else
    {
      fake_julia_answer (bridged->julia, bridged->add_id, malt_value_new_nothing ());
      bridged->add_id = 0;
      hand_on (bridged, MALT_STREAM_STDOUT, end + 1,
               seen->len - (gsize) (end + 1 - seen->str));
    }
}

/* Reading */

typedef struct
{
  FakeBridged *bridged; /* (unowned) */
  int stream;
  MaltPipe *pipe; /* (unowned) */
  guint *n_open; /* (unowned) */
} Stream;

static gboolean
on_output (gpointer data)
{
  Stream *self = data;
  g_autofree char *bytes = g_malloc (READ_BYTES);
  gssize n = malt_pipe_read (self->pipe, bytes, READ_BYTES);

  if (n == MALT_PIPE_EMPTY)
    return G_SOURCE_CONTINUE;
  if (n == 0)
    {
      --*self->n_open;
      return G_SOURCE_REMOVE;
    }
  if (self->stream == MALT_STREAM_STDOUT && self->bridged->line != NULL)
    look_for_line (self->bridged, bytes, (gsize) n);
  else
    hand_on (self->bridged, self->stream, bytes, (gsize) n);
  return G_SOURCE_CONTINUE;
}

static void
watch_stream (GMainContext *context, Stream *stream)
{
  g_autoptr (GSource) source = malt_pipe_source_new (stream->pipe);

  g_source_set_callback (source, on_output, stream, NULL);
  g_source_attach (source, context);
}

/* Until both streams have ended. */
static gpointer
read_output (gpointer data)
{
  FakeBridged *bridged = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint n_open = 2;
  Stream streams[2] = {
    { bridged, MALT_STREAM_STDOUT, malt_child_get_stdout (bridged->child), &n_open },
    { bridged, MALT_STREAM_STDERR, malt_child_get_stderr (bridged->child), &n_open },
  };

  for (int i = 0; i < 2; i++)
    watch_stream (context, &streams[i]);
  while (n_open > 0)
    g_main_context_iteration (context, TRUE);
  if (bridged->line != NULL)
    hand_on (bridged, MALT_STREAM_STDOUT, bridged->line->str, bridged->line->len);
  if (bridged->add_id != 0)
    {
      g_autofree char *message = g_strdup_printf (
          "the worker ended before it was ready: %s", g_strchomp (bridged->tail->str));

      fake_julia_throw (bridged->julia, bridged->add_id, "ErrorException", message);
    }
  return NULL;
}

/* Life and death */

FakeBridged *
fake_bridged_new (FakeJulia *julia, guint32 id, gint64 number, const char *const *argv,
                  const char *const *envp, const char *cwd, GBytes *input)
{
  MaltProcessLauncher launcher = { .argv = argv,
                                   .envp = envp,
                                   .cwd = cwd,
                                   .stdin_source = MALT_CHILD_STDIN_BYTES,
                                   .stdin_bytes = input };
  g_autoptr (GError) error = NULL;
  MaltChild *child = malt_process_launcher_spawn (&launcher, &error);
  FakeBridged *bridged;

  if (child == NULL)
    {
      fake_julia_throw (julia, id, "IOError", error->message);
      return NULL;
    }
  bridged = g_new0 (FakeBridged, 1);
  bridged->julia = julia;
  bridged->number = number;
  bridged->child = child;
  bridged->add_id = id;
  bridged->line = g_string_new (NULL);
  bridged->tail = g_string_new (NULL);
  bridged->reader = g_thread_new ("reader", read_output, bridged);
  return bridged;
}

static gint64
wait_for_end (HANDLE process, double patience_s)
{
  DWORD code = 0;

  if (WaitForSingleObject (process, (DWORD) (patience_s * 1000)) == WAIT_OBJECT_0 &&
      GetExitCodeProcess (process, &code))
    return code;
  TerminateProcess (process, EXIT_KILLED);
  WaitForSingleObject (process, INFINITE);
  return -1;
}

/* Takes the answer over. */
static void
answer_burial (FakeJulia *julia, guint32 id, MaltValue *answer)
{
  const Burial burial = { id, answer };

  g_mutex_lock (&output_lock);
  g_queue_push_tail (&burials, g_memdup2 (&burial, sizeof burial));
  answer_with_output (julia);
  g_mutex_unlock (&output_lock);
}

void
fake_bridged_bury (FakeBridged *bridged, guint32 id, double patience_s)
{
  HANDLE process =
      OpenProcess (SYNCHRONIZE | PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION,
                   FALSE, (DWORD) malt_child_get_pid (bridged->child));
  gint64 status = wait_for_end (process, patience_s);
  g_autoptr (MaltValue) code = malt_value_new_int64 (status);
  g_autoptr (MaltValue) signum = malt_value_new_int64 (status < 0 ? -1 : 0);
  g_autoptr (MaltValue) tail = NULL;

  CloseHandle (process);
  g_thread_join (bridged->reader);
  tail = malt_value_new_string (bridged->tail->str);
  /* As Julia does, which has put it into no job: what it has started lives on. */
  malt_child_reap (bridged->child);
  malt_child_unref (bridged->child);
  g_string_free (bridged->tail, TRUE);
  if (bridged->line != NULL)
    g_string_free (bridged->line, TRUE);
  answer_burial (bridged->julia, id,
                 malt_value_new_tuple ((MaltValue *[]){ code, signum, tail }, 3));
  g_free (bridged);
}
