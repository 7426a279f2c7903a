/* SPDX-License-Identifier: MIT */
/* What the frames of a runtime mean. Whatever is not in docs/protocol.md is an error, and
 * the connection ends with it. */
#include "link/malt-link-private.h"

#include "base/malt-error-private.h"
#include "base/malt-memory.h"
#include "wire/malt-wire-reader.h"

#include <malt/malt-error-construction.h>
#include <malt/malt-host-call.h>
#include <string.h>

/* Of the texts of an exception, until the caller has it. */
#define N_COPIES 3

G_GNUC_PRINTF (2, 3)
static gboolean
set_protocol_error (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_propagate_error (error,
                     g_error_new_valist (MALT_ERROR, MALT_ERROR_PROTOCOL, format, args));
  va_end (args);
  return FALSE;
}

static gboolean
on_hello (MaltLink *link, MaltWireReader *reader, GError **error)
{
  const guint8 *magic;
  guint16 major;
  guint16 minor;
  guint32 pid;
  const char *version;
  gsize n_version_bytes;
  g_autofree char *version_text = NULL;

  if (link->has_hello)
    return set_protocol_error (error, "the runtime introduced itself twice");
  if (!malt_wire_reader_take_raw (reader, MALT_WIRE_MAGIC_BYTES, &magic, error))
    return FALSE;
  if (memcmp (magic, MALT_WIRE_MAGIC, MALT_WIRE_MAGIC_BYTES) != 0)
    return set_protocol_error (error, "the peer is not a runtime of libmalt");
  if (!malt_wire_reader_take_u16 (reader, &major, error) ||
      !malt_wire_reader_take_u16 (reader, &minor, error))
    return FALSE;
  if (major != MALT_WIRE_MAJOR)
    return set_protocol_error (error, "expected version %d of the protocol, got %u.%u",
                               MALT_WIRE_MAJOR, major, minor);
  if (!malt_wire_reader_take_u32 (reader, &pid, error) ||
      !malt_wire_reader_take_text (reader, &version, &n_version_bytes, error) ||
      !malt_wire_reader_finish (reader, error))
    return FALSE;
  link->has_hello = TRUE;
  version_text = g_utf8_make_valid (version, (gssize) n_version_bytes);
  g_atomic_int_set (&link->is_burst_deadly, malt_link_is_burst_deadly (version_text));
  link->funcs->hello (link->owner, pid, version_text);
  return TRUE;
}

/* What an ERROR says. */
typedef struct
{
  guint8 class;
  char *type; /* (owned) */
  char *message; /* (owned) */
  char *backtrace; /* (owned) */
  guint32 n_bytes_before; /* of the message, where both are printed */
} ErrorBody;

static void
error_body_clear (ErrorBody *body)
{
  g_free (body->type);
  g_free (body->message);
  g_free (body->backtrace);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ErrorBody, error_body_clear)

static gboolean
take_error_body (MaltWireReader *reader, ErrorBody *body, GError **error)
{
  if (!malt_wire_reader_take_u8 (reader, &body->class, error))
    return FALSE;
  if (body->class < MALT_FRAME_ERROR_REMOTE_EXCEPTION ||
      body->class > MALT_FRAME_ERROR_DECODE)
    return set_protocol_error (error, "unknown class of errors %u", body->class);
  return (body->type = malt_wire_reader_take_string_value (reader, error)) != NULL &&
         (body->message = malt_wire_reader_take_string_value (reader, error)) != NULL &&
         (body->backtrace = malt_wire_reader_take_string_value (reader, error)) != NULL &&
         malt_wire_reader_take_u32 (reader, &body->n_bytes_before, error) &&
         malt_wire_reader_finish (reader, error) &&
         malt_memory_check (
             N_COPIES * (strlen (body->message) + strlen (body->backtrace)), error);
}

/* The texts of an error; only the message is of interest. */
static gboolean
on_refused (MaltLink *link, MaltWireReader *reader, GError **error)
{
  g_auto (ErrorBody) body = { 0 };

  if (!take_error_body (reader, &body, error))
    return FALSE;
  link->funcs->refused (link->owner, body.message);
  return TRUE;
}

/* Answers */

/* 0: there is no such call. */
static MaltLinkCallFlags
take_call (MaltLink *link, guint32 id)
{
  MaltLinkCallFlags flags;

  g_mutex_lock (&link->lock);
  flags = GPOINTER_TO_UINT (g_hash_table_lookup (link->calls, GUINT_TO_POINTER (id)));
  if (flags & MALT_LINK_CALL_HELD)
    flags = 0; /* it cannot have been answered: it has not been sent */
  if (flags != 0)
    g_hash_table_remove (link->calls, GUINT_TO_POINTER (id));
  if (flags & MALT_LINK_CALL_IS_CODE)
    link->n_outstanding--;
  malt_link_unlock (link);
  return flags;
}

static GError *
make_exception (const ErrorBody *body, const char *summary)
{
  GError *error = malt_error_new_remote_exception (body->type, body->message,
                                                   body->backtrace, summary);

  malt_error_set_message_bytes_before_backtrace (error, body->n_bytes_before);
  return error;
}

/* The exception of a call that nobody waits for goes where its output goes. */
static void
report_silent_error (MaltLink *link, const ErrorBody *body)
{
  g_autoptr (GError) error = make_exception (body, NULL);
  g_autofree char *exception = malt_error_dup_exception_text (error);
  g_autofree char *text = g_strconcat ("ERROR: ", exception, "\n", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  link->funcs->output (link->owner, MALT_STREAM_STDERR, 0, bytes);
}

static GError *
make_error (const ErrorBody *body, MaltWorker *worker)
{
  g_autofree char *summary = NULL;

  if (body->class == MALT_FRAME_ERROR_ENCODE)
    return g_error_new (MALT_ERROR, MALT_ERROR_ENCODE, "the value cannot be sent: %s",
                        body->message);
  if (body->class == MALT_FRAME_ERROR_DECODE)
    return g_error_new (MALT_ERROR, MALT_ERROR_DECODE, "the request cannot be read: %s",
                        body->message);
  summary = malt_worker_dup_summary (worker);
  return make_exception (body, summary);
}

static gboolean
was_interrupted (const MaltFrameHeader *header)
{
  return (header->flags & MALT_FRAME_WAS_INTERRUPTED) != 0;
}

static gboolean
on_error (MaltLink *link, const MaltFrameHeader *header, MaltWireReader *reader,
          GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  g_auto (ErrorBody) body = { 0 };
  MaltLinkCallFlags flags;
  guint32 id = header->id;

  if (!take_error_body (reader, &body, error))
    return FALSE;
  flags = take_call (link, id);
  if (flags == 0)
    return set_protocol_error (error, "answer to call %u, which is not outstanding", id);
  malt_link_interrupts_call_answered (link, id, was_interrupted (header));
  if (flags & MALT_LINK_CALL_SILENT)
    report_silent_error (link, &body);
  else if (worker != NULL)
    malt_worker_complete_call (worker, id, NULL, make_error (&body, worker));
  return TRUE;
}

static gboolean
on_ok (MaltLink *link, const MaltFrameHeader *header, MaltWireReader *reader,
       GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  g_autoptr (MaltValue) value = malt_wire_reader_take_value (reader, error);
  MaltLinkCallFlags flags;
  guint32 id = header->id;

  if (value == NULL || !malt_wire_reader_finish (reader, error))
    return FALSE;
  flags = take_call (link, id);
  if (flags == 0)
    return set_protocol_error (error, "answer to call %u, which is not outstanding", id);
  malt_link_interrupts_call_answered (link, id, was_interrupted (header));
  if (!(flags & MALT_LINK_CALL_SILENT) && worker != NULL)
    malt_worker_complete_call (worker, id, g_steal_pointer (&value), NULL);
  return TRUE;
}

static gboolean
on_ack (MaltLink *link, guint32 id, MaltWireReader *reader, GError **error)
{
  guint8 ack;

  if (!malt_wire_reader_take_u8 (reader, &ack, error) ||
      !malt_wire_reader_finish (reader, error))
    return FALSE;
  return malt_link_interrupts_acknowledged (link, id, ack, error);
}

/* Channels: items of one that the host has forgotten are dropped. */

static gboolean
on_channel_item (MaltLink *link, guint32 id, MaltWireReader *reader, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltValue) value = malt_wire_reader_take_value (reader, error);

  if (value == NULL || !malt_wire_reader_finish (reader, error))
    return FALSE;
  if (worker != NULL)
    channel = malt_worker_dup_channel (worker, id);
  if (channel != NULL && !malt_channel_push (channel, g_steal_pointer (&value)))
    return set_protocol_error (error, "item of channel %u without credit", id);
  return TRUE;
}

static gboolean
on_channel_closed (MaltLink *link, guint32 id, MaltWireReader *reader, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltValue) reason = malt_wire_reader_take_value (reader, error);
  MaltValueKind kind;

  if (reason == NULL || !malt_wire_reader_finish (reader, error))
    return FALSE;
  kind = malt_value_get_kind (reason);
  if (kind != MALT_VALUE_NOTHING && kind != MALT_VALUE_STRING)
    return set_protocol_error (error, "the reason of a closed channel is of kind %s",
                               malt_value_kind_to_string (kind));
  if (worker != NULL)
    channel = malt_worker_dup_channel (worker, id);
  if (channel != NULL)
    malt_channel_push_closed (
        channel, kind == MALT_VALUE_STRING ? malt_value_get_string (reason, NULL) : NULL);
  return TRUE;
}

/* Calls of host functions: core runs them, in threads of its own, and answers through the link. */

static void
release_link (gpointer link)
{
  malt_link_unref (link);
}

static gboolean
on_host_call (MaltLink *link, guint32 id, MaltWireReader *reader, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  g_autofree char *name = malt_wire_reader_take_string_value (reader, error);
  g_autoptr (MaltValue) arguments = NULL;
  g_autoptr (MaltValue) keywords = NULL;

  if (name == NULL || (arguments = malt_wire_reader_take_value (reader, error)) == NULL ||
      (keywords = malt_wire_reader_take_value (reader, error)) == NULL ||
      !malt_wire_reader_finish (reader, error))
    return FALSE;
  if (malt_value_get_kind (arguments) != MALT_VALUE_TUPLE)
    return set_protocol_error (
        error, "the arguments of a host call are of kind %s",
        malt_value_kind_to_string (malt_value_get_kind (arguments)));
  if (worker != NULL)
    malt_worker_host_call (worker, id, name, arguments, keywords,
                           malt_link_send_host_result, malt_link_ref (link),
                           release_link);
  return TRUE;
}

static gboolean
on_output (MaltLink *link, guint32 id, MaltWireReader *reader, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  guint8 stream;

  if (!malt_wire_reader_take_u8 (reader, &stream, error))
    return FALSE;
  if (stream != MALT_FRAME_STREAM_STDOUT && stream != MALT_FRAME_STREAM_STDERR)
    return set_protocol_error (error, "unknown stream %u", stream);
  bytes = malt_wire_reader_take_rest (reader);
  link->funcs->output (link->owner, (MaltStream) stream, id, bytes);
  return TRUE;
}

/* Frames that could not be held, or read for want of memory. What they are about fails
 * with RESOURCES; the rest goes on. */

static gboolean
fail_call (MaltLink *link, const MaltFrameHeader *header, GError *want, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  MaltLinkCallFlags flags = take_call (link, header->id);

  if (flags == 0)
    return set_protocol_error (error, "answer to call %u, which is not outstanding",
                               header->id);
  malt_link_interrupts_call_answered (link, header->id, was_interrupted (header));
  if (!(flags & MALT_LINK_CALL_SILENT) && worker != NULL)
    malt_worker_complete_call (worker, header->id, NULL, g_error_copy (want));
  return TRUE;
}

/* The item is lost, and the take that would have got it is told so. */
static gboolean
fail_item (MaltLink *link, guint32 id, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  g_autoptr (MaltChannel) channel = NULL;

  if (worker != NULL)
    channel = malt_worker_dup_channel (worker, id);
  if (channel != NULL && !malt_channel_push (channel, malt_value_new_short ()))
    return set_protocol_error (error, "item of channel %u without credit", id);
  return TRUE;
}

static void
close_channel (MaltLink *link, guint32 id, const GError *want)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (link->worker);
  g_autoptr (MaltChannel) channel =
      worker != NULL ? malt_worker_dup_channel (worker, id) : NULL;

  if (channel != NULL)
    malt_channel_push_closed (channel, want->message);
}

static gboolean
fail_frame (MaltLink *link, const MaltFrameHeader *header, GError *want, GError **error)
{
  switch (header->kind)
    {
    case MALT_FRAME_OK:
    case MALT_FRAME_ERROR:
      link->funcs->before_answer (link->owner);
      return fail_call (link, header, want, error);
    case MALT_FRAME_CHANNEL_ITEM:
      return fail_item (link, header->id, error);
    case MALT_FRAME_CHANNEL_CLOSED:
      close_channel (link, header->id, want);
      return TRUE;
    case MALT_FRAME_HOST_CALL:
      malt_link_send_host_result (header->id, NULL, want, link);
      return TRUE;
    case MALT_FRAME_OUTPUT:
      return TRUE;
    default:
      return set_protocol_error (
          error, "a frame of kind %s of %" G_GUINT64_FORMAT " bytes",
          malt_frame_kind_to_string ((guint8) header->kind), header->n_body_bytes);
    }
}

gboolean
malt_link_dispatch_short (MaltLink *link, const MaltFrameHeader *header, GError **error)
{
  g_autoptr (GError) want = NULL;

  if (!link->has_hello)
    return set_protocol_error (error, "the first frame is of kind %s, not HELLO",
                               malt_frame_kind_to_string ((guint8) header->kind));
  want = g_error_new (MALT_ERROR, MALT_ERROR_RESOURCES,
                      "no memory for a frame of %" G_GUINT64_FORMAT " bytes",
                      header->n_body_bytes);
  return fail_frame (link, header, want, error);
}

static gboolean
dispatch (MaltLink *link, const MaltFrameHeader *header, GBytes *body, GError **error)
{
  g_auto (MaltWireReader) reader;

  malt_wire_reader_init (&reader, body, link->home);
  malt_wire_reader_set_borrow (&reader, link->funcs->borrow);
  if (!link->has_hello && header->kind == MALT_FRAME_ERROR &&
      link->funcs->refused != NULL)
    return on_refused (link, &reader, error);
  if (!link->has_hello && header->kind != MALT_FRAME_RUNTIME_HELLO)
    return set_protocol_error (error, "the first frame is of kind %s, not HELLO",
                               malt_frame_kind_to_string ((guint8) header->kind));
  g_atomic_int_set (&link->is_loading, header->kind == MALT_FRAME_LOADING);
  switch (header->kind)
    {
    case MALT_FRAME_RUNTIME_HELLO:
      return on_hello (link, &reader, error);
    case MALT_FRAME_OK:
      link->funcs->before_answer (link->owner);
      return on_ok (link, header, &reader, error);
    case MALT_FRAME_ERROR:
      link->funcs->before_answer (link->owner);
      return on_error (link, header, &reader, error);
    case MALT_FRAME_ACK:
      return on_ack (link, header->id, &reader, error);
    case MALT_FRAME_PONG:
    case MALT_FRAME_LOADING:
      return malt_wire_reader_finish (&reader, error);
    case MALT_FRAME_CHANNEL_ITEM:
      return on_channel_item (link, header->id, &reader, error);
    case MALT_FRAME_CHANNEL_CLOSED:
      return on_channel_closed (link, header->id, &reader, error);
    case MALT_FRAME_HOST_CALL:
      return on_host_call (link, header->id, &reader, error);
    case MALT_FRAME_OUTPUT:
      return on_output (link, header->id, &reader, error);
    default:
      return set_protocol_error (error, "frame of kind %s from the runtime",
                                 malt_frame_kind_to_string ((guint8) header->kind));
    }
}

/* Nothing has been done yet where a frame could not be read. */
gboolean
malt_link_dispatch (MaltLink *link, const MaltFrameHeader *header, GBytes *body,
                    GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (dispatch (link, header, body, &failure))
    return TRUE;
  if (g_error_matches (failure, MALT_ERROR, MALT_ERROR_RESOURCES))
    return fail_frame (link, header, failure, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
