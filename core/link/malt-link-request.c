/* SPDX-License-Identifier: MIT */
/* The frames that carry what core asks of a worker: calls, channel operations, releases.
 * The bodies are those of docs/protocol.md, section 1. */
#include "link/malt-link-private.h"

#include "platform/malt-io-thread.h"

/* For values: to a runtime in this process their arrays are lent. */
static void
malt_link_writer_init (MaltLink *link, MaltWireWriter *writer)
{
  malt_wire_writer_init (writer, link->home);
  malt_wire_writer_set_lends (writer, link->funcs->send_frame != NULL);
}

/* What somebody else has chosen the size of. A runtime in this process takes it in one
 * piece. NULL, and RESOURCES: there is no memory for it. */
static MaltWireFrame *
finish (MaltLink *link, MaltWireWriter *writer, MaltFrameKind kind, guint8 flags,
        guint32 id, GError **error)
{
  g_autoptr (MaltWireFrame) frame = NULL;

  if (!malt_wire_writer_check (writer, error))
    return NULL;
  frame = malt_wire_writer_finish (writer, kind, flags, id);
  if (link->funcs->send_frame != NULL && !malt_wire_frame_join (frame, error))
    return NULL;
  return g_steal_pointer (&frame);
}

/* A request of core's own that is made of what a caller has chosen. Takes the writer's bytes. */
static void
send_request (MaltLink *link, MaltWireWriter *writer, MaltFrameKind kind, guint8 flags,
              guint32 call_id, MaltLinkCallFlags call_flags)
{
  g_autoptr (MaltWorker) worker = NULL;
  GError *error = NULL;
  MaltWireFrame *frame = finish (link, writer, kind, flags, call_id, &error);

  if (frame != NULL)
    {
      g_mutex_lock (&link->lock);
      malt_link_send_call (link, frame, call_id, call_flags);
      malt_link_unlock (link);
      return;
    }
  worker = malt_weak_worker_dup (link->worker);
  if (worker != NULL)
    malt_worker_complete_call (worker, call_id, NULL, error);
  else
    g_error_free (error);
}

static guint8
get_mode_flag (MaltResultMode mode)
{
  switch (mode)
    {
    case MALT_RESULT_DISCARD:
      return MALT_FRAME_MODE_NOTHING;
    case MALT_RESULT_DISPLAY:
      return MALT_FRAME_MODE_DISPLAY;
    case MALT_RESULT_HANDLE:
      return MALT_FRAME_MODE_HANDLE;
    case MALT_RESULT_VALUE:
    default:
      return MALT_FRAME_MODE_VALUE;
    }
}

static guint8
get_flags (MaltCall *call)
{
  guint8 flags = get_mode_flag (malt_call_get_result_mode (call));

  return malt_call_get_kind (call) == MALT_CALL_PROGRAM ? flags | MALT_FRAME_PROGRAM
                                                        : flags;
}

static gboolean
put_display_options (MaltWireWriter *writer, MaltCall *call, GError **error)
{
  g_autoptr (MaltValue) rows = NULL;
  g_autoptr (MaltValue) columns = NULL;
  g_autoptr (MaltValue) color = NULL;
  g_autoptr (MaltValue) options = NULL;
  guint n_rows;
  guint n_columns;

  if (malt_call_get_result_mode (call) != MALT_RESULT_DISPLAY)
    {
      malt_wire_writer_put_nothing (writer);
      return TRUE;
    }
  malt_call_get_display_size (call, &n_rows, &n_columns);
  rows = malt_value_new_int64 (n_rows);
  columns = malt_value_new_int64 (n_columns);
  color = malt_value_new_bool (malt_call_get_display_color (call));
  options = malt_value_new_tuple ((MaltValue *[]){ rows, columns, color }, 3);
  return malt_wire_writer_put_value (writer, options, error);
}

static gboolean
put_eval (MaltWireWriter *writer, MaltCall *call, GError **error)
{
  malt_wire_writer_put_string_value (writer, malt_call_get_module (call));
  if (malt_call_get_kind (call) == MALT_CALL_EVAL)
    malt_wire_writer_put_string_value (writer, malt_call_get_source (call));
  else if (!malt_wire_writer_put_value (writer, malt_call_get_code (call), error))
    return FALSE;
  malt_wire_writer_put_string_value (writer, malt_call_get_file_name (call));
  return put_display_options (writer, call, error);
}

static gboolean
put_arguments (MaltWireWriter *writer, MaltCall *call, GError **error)
{
  gsize n = malt_call_get_n_arguments (call);
  g_autofree MaltValue **values = g_new (MaltValue *, n + 1);
  g_autoptr (MaltValue) arguments = NULL;

  for (gsize i = 0; i < n; i++)
    values[i] = malt_call_get_argument (call, i);
  arguments = malt_value_new_tuple (values, n);
  return malt_wire_writer_put_value (writer, arguments, error);
}

static gboolean
put_keywords (MaltWireWriter *writer, MaltCall *call, GError **error)
{
  gsize n = malt_call_get_n_keywords (call);
  g_autofree MaltValue **values = NULL;
  g_autofree const char **names = NULL;
  g_autoptr (MaltValue) keywords = NULL;

  if (n == 0)
    {
      malt_wire_writer_put_nothing (writer);
      return TRUE;
    }
  values = g_new (MaltValue *, n);
  names = g_new (const char *, n);
  for (gsize i = 0; i < n; i++)
    {
      names[i] = malt_call_get_keyword_name (call, i);
      values[i] = malt_call_get_keyword_value (call, i);
    }
  keywords = malt_value_new_named_tuple (names, values, n);
  return malt_wire_writer_put_value (writer, keywords, error);
}

static gboolean
put_call (MaltWireWriter *writer, MaltCall *call, GError **error)
{
  MaltValue *handle = malt_call_get_function_handle (call);

  if (handle == NULL)
    malt_wire_writer_put_string_value (writer, malt_call_get_function (call));
  else if (!malt_wire_writer_put_value (writer, handle, error))
    return FALSE;
  if (!put_arguments (writer, call, error) || !put_keywords (writer, call, error))
    return FALSE;
  malt_wire_writer_put_string_value (writer, malt_call_get_module (call));
  return put_display_options (writer, call, error);
}

static MaltWireFrame *
encode_call (MaltLink *link, MaltCall *call, guint8 flags, guint32 id, GError **error)
{
  g_auto (MaltWireWriter) writer;
  gboolean is_function = malt_call_get_kind (call) == MALT_CALL_FUNCTION;
  gboolean is_ok;

  malt_link_writer_init (link, &writer);
  is_ok = is_function ? put_call (&writer, call, error) : put_eval (&writer, call, error);
  if (!is_ok)
    return NULL;
  return finish (link, &writer, is_function ? MALT_FRAME_CALL : MALT_FRAME_EVAL, flags,
                 id, error);
}

/* Announced first: encoding may take long, and core knows the call already. */
void
malt_link_remote_call (MaltLink *link, MaltWorker *worker, MaltFuture *future)
{
  MaltCall *call = malt_future_get_call (future);
  guint32 id = malt_future_get_id (future);
  GError *error = NULL;
  MaltWireFrame *frame;

  g_mutex_lock (&link->lock);
  malt_link_announce_call (link, id);
  malt_link_unlock (link);

  frame = encode_call (link, call, get_flags (call), id, &error);
  if (frame == NULL)
    {
      malt_link_interrupts_call_dropped (link, id);
      malt_worker_complete_call (worker, id, NULL, error);
      return;
    }
  g_mutex_lock (&link->lock);
  malt_link_send_call (link, frame, id, MALT_LINK_CALL_IS_CODE);
  malt_link_unlock (link);
}

/* With lock held. */
static guint32
take_silent_id (MaltLink *link)
{
  do
    link->last_silent_id = (link->last_silent_id + 1) | MALT_LINK_SILENT_ID_BIT;
  while (g_hash_table_contains (link->calls, GUINT_TO_POINTER (link->last_silent_id)));
  return link->last_silent_id;
}

/*
 * A call nobody waits for is a call whose answer the link keeps to itself. The runtime's
 * own silent calls have no answer at all: then the host could not tell whether one still
 * runs, hence not whether a signal would hit it.
 */
gboolean
malt_link_remote_do (MaltLink *link, MaltCall *call, GError **error)
{
  guint32 id;
  MaltWireFrame *frame;

  g_mutex_lock (&link->lock);
  id = take_silent_id (link);
  malt_link_announce_call (link, id);
  malt_link_unlock (link);

  frame = encode_call (link, call, MALT_FRAME_MODE_NOTHING, id, error);
  g_mutex_lock (&link->lock);
  if (frame != NULL)
    malt_link_send_call (link, frame, id, MALT_LINK_CALL_IS_CODE | MALT_LINK_CALL_SILENT);
  else
    g_hash_table_remove (link->calls, GUINT_TO_POINTER (id));
  malt_link_unlock (link);
  return frame != NULL;
}

/* Channels */

void
malt_link_channel_open (MaltLink *link, guint32 channel_id, const char *module,
                        const char *source, guint n_credit, guint32 call_id)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, link->home);
  malt_wire_writer_put_u32 (&writer, channel_id);
  malt_wire_writer_put_u32 (&writer, n_credit);
  malt_wire_writer_put_string_value (&writer, module);
  malt_wire_writer_put_string_value (&writer, source);
  send_request (link, &writer, MALT_FRAME_CHANNEL_OPEN, 0, call_id,
                MALT_LINK_CALL_IS_CODE);
}

/* A frame whose body is one u32. */
static MaltWireFrame *
frame_new_u32 (MaltFrameKind kind, guint32 id, guint32 number)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u32 (&writer, number);
  return malt_wire_writer_finish (&writer, kind, 0, id);
}

void
malt_link_channel_credit (MaltLink *link, guint32 channel_id, guint n_credit)
{
  g_mutex_lock (&link->lock);
  malt_link_send (link, frame_new_u32 (MALT_FRAME_CHANNEL_CREDIT, channel_id, n_credit));
  malt_link_unlock (link);
}

gboolean
malt_link_channel_put (MaltLink *link, guint32 channel_id, MaltValue *value,
                       guint32 call_id, GError **error)
{
  g_auto (MaltWireWriter) writer;
  MaltWireFrame *frame;

  malt_link_writer_init (link, &writer);
  malt_wire_writer_put_u32 (&writer, channel_id);
  if (!malt_wire_writer_put_value (&writer, value, error))
    return FALSE;
  frame = finish (link, &writer, MALT_FRAME_CHANNEL_PUT, 0, call_id, error);
  if (frame == NULL)
    return FALSE;
  g_mutex_lock (&link->lock);
  malt_link_send_call (link, frame, call_id, MALT_LINK_CALL_KNOWN);
  malt_link_unlock (link);
  return TRUE;
}

static void
send_channel_request (MaltLink *link, MaltFrameKind kind, guint32 channel_id,
                      guint32 call_id)
{
  g_mutex_lock (&link->lock);
  malt_link_send_call (link, frame_new_u32 (kind, call_id, channel_id), call_id,
                       MALT_LINK_CALL_KNOWN);
  malt_link_unlock (link);
}

void
malt_link_channel_close (MaltLink *link, guint32 channel_id, guint32 call_id)
{
  send_channel_request (link, MALT_FRAME_CHANNEL_CLOSE, channel_id, call_id);
}

void
malt_link_channel_state (MaltLink *link, guint32 channel_id, guint32 call_id)
{
  send_channel_request (link, MALT_FRAME_CHANNEL_STATE, channel_id, call_id);
}

void
malt_link_channel_forget (MaltLink *link, guint32 channel_id)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  g_mutex_lock (&link->lock);
  malt_link_send_behind_calls (
      link, malt_wire_writer_finish (&writer, MALT_FRAME_CHANNEL_FORGET, 0, channel_id));
  malt_link_unlock (link);
}

void
malt_link_release_handles (MaltLink *link, const guint64 *ids, gsize n_ids)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  for (gsize i = 0; i < n_ids; i++)
    malt_wire_writer_put_u64 (&writer, ids[i]);
  g_mutex_lock (&link->lock);
  malt_link_send_behind_calls (
      link, malt_wire_writer_finish (&writer, MALT_FRAME_RELEASE, 0, 0));
  malt_link_unlock (link);
}

/* Host functions: their names. Binding one runs no code of the user's. */

static MaltWireFrame *
frame_new_export (const char *name, guint8 flags, guint32 id)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_string_value (&writer, name);
  return malt_wire_writer_finish (&writer, MALT_FRAME_EXPORT, flags, id);
}

void
malt_link_export (MaltLink *link, const char *name, guint32 call_id)
{
  g_mutex_lock (&link->lock);
  malt_link_send_call (link, frame_new_export (name, 0, call_id), call_id,
                       MALT_LINK_CALL_KNOWN);
  malt_link_unlock (link);
}

void
malt_link_export_direct (MaltLink *link, const char *name,
                         const MaltDirectFunction *function, guint32 call_id)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_string_value (&writer, name);
  malt_wire_writer_put_loan (&writer, function->code, function->owner);
  malt_wire_writer_put_string_value (&writer, function->signature);
  g_mutex_lock (&link->lock);
  malt_link_send_call (link,
                       malt_wire_writer_finish (&writer, MALT_FRAME_EXPORT,
                                                MALT_FRAME_EXPORT_DIRECT, call_id),
                       call_id, MALT_LINK_CALL_KNOWN);
  malt_link_unlock (link);
}

void
malt_link_unexport (MaltLink *link, const char *name)
{
  g_mutex_lock (&link->lock);
  malt_link_send (link, frame_new_export (name, MALT_FRAME_EXPORT_IS_OVER, 0));
  malt_link_unlock (link);
}

void
malt_link_send_host_result (guint32 id, MaltValue *value, const GError *error,
                            gpointer data)
{
  MaltLink *link = data;
  g_auto (MaltWireWriter) writer;
  g_autoptr (GError) failure = NULL;
  MaltWireFrame *frame;

  malt_link_writer_init (link, &writer);
  frame = malt_wire_frame_new_host_result (&writer, id, value, error);
  if (link->funcs->send_frame != NULL && !malt_wire_frame_join (frame, &failure))
    {
      malt_wire_frame_free (frame);
      frame = malt_wire_frame_new_host_result (&writer, id, NULL, failure);
    }
  g_mutex_lock (&link->lock);
  malt_link_send (link, frame);
  malt_link_unlock (link);
}

/* Native functions: to a runtime in this process only, since the address means nothing
 * elsewhere. */
void
malt_link_native (MaltLink *link, MaltNativeCell *cell, const char *source,
                  const char *signature, guint32 call_id)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u64 (&writer, (guintptr) cell);
  malt_wire_writer_put_string_value (&writer, source);
  malt_wire_writer_put_string_value (&writer, signature);
  send_request (link, &writer, MALT_FRAME_NATIVE, 0, call_id, MALT_LINK_CALL_IS_CODE);
}

void
malt_link_shutdown (MaltLink *link)
{
  g_mutex_lock (&link->lock);
  malt_link_send_empty (link, MALT_FRAME_SHUTDOWN, 0);
  malt_link_unlock (link);
}

/* Start */

void
malt_link_start (MaltLink *link, const char *settings, GBytes *runtime_source)
{
  g_auto (MaltWireWriter) writer;
  MaltWireFrame *hello;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_raw (&writer, MALT_WIRE_MAGIC, MALT_WIRE_MAGIC_BYTES);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MAJOR);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MINOR);
  malt_wire_writer_put_text (&writer, settings != NULL ? settings : "", -1);
  hello = malt_wire_writer_finish (&writer, MALT_FRAME_HELLO, 0, 0);
  g_mutex_lock (&link->lock);
  malt_link_send (link, hello);
  if (runtime_source != NULL)
    {
      malt_wire_writer_put_bytes (&writer, runtime_source);
      malt_link_send (link, malt_wire_writer_finish (&writer, MALT_FRAME_LOAD, 0, 0));
    }
  malt_link_unlock (link);
}
