/* SPDX-License-Identifier: MIT */
/* What Julia is told of a host function that has ended. */
#include "malt-wire-writer.h"

#include <malt/malt-error.h>
#include <string.h>

/* The name of the runtime's own exception for these errors; it says nothing new. */
#define HOST_ERROR "HostError"

/* An exception that came from a nested call keeps its type and its whole message. */
static char *
dup_message (const GError *error)
{
  const char *type = malt_error_get_exception_type (error);
  const char *message = malt_error_get_exception_message (error);

  if (type == NULL || message == NULL)
    return g_strdup (error->message);
  if (strcmp (type, HOST_ERROR) == 0 || g_str_has_prefix (message, type))
    return g_strdup (message);
  return g_strconcat (type, ": ", message, NULL);
}

static MaltWireFrame *
frame_new_error (guint32 id, const GError *error)
{
  g_auto (MaltWireWriter) writer;
  g_autofree char *message = dup_message (error);
  const char *type = malt_error_get_exception_type (error);
  const char *backtrace = malt_error_get_backtrace (error);
  g_autoptr (GError) want = NULL;
  gboolean is_encode = g_error_matches (error, MALT_ERROR, MALT_ERROR_ENCODE);

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, is_encode ? MALT_FRAME_ERROR_ENCODE
                                              : MALT_FRAME_ERROR_REMOTE_EXCEPTION);
  malt_wire_writer_put_string_value (&writer,
                                     type ? type : g_quark_to_string (error->domain));
  malt_wire_writer_put_string_value (&writer, message);
  malt_wire_writer_put_string_value (&writer, backtrace ? backtrace : "");
  if (!malt_wire_writer_check (&writer, &want))
    return frame_new_error (id, want);
  return malt_wire_writer_finish (&writer, MALT_FRAME_HOST_RESULT,
                                  MALT_FRAME_HOST_RESULT_IS_ERROR, id);
}

MaltWireFrame *
malt_wire_frame_new_host_result (MaltWireWriter *writer, guint32 id, MaltValue *value,
                                 const GError *error)
{
  g_autoptr (GError) encode_error = NULL;

  if (error != NULL)
    return frame_new_error (id, error);
  if (!malt_wire_writer_put_value (writer, value, &encode_error))
    return frame_new_error (id, encode_error);
  return malt_wire_writer_finish (writer, MALT_FRAME_HOST_RESULT, 0, id);
}
