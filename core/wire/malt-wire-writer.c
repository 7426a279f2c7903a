/* SPDX-License-Identifier: MIT */
/* Builds one frame: docs/protocol.md, sections 1, 3 and 4.
 *
 * The frame grows in one buffer that starts with room for the header. An array that is
 * borrowed closes the buffer, which becomes a segment, the array's memory becomes the
 * next one, and a new buffer is begun. */
#include "malt-wire-writer.h"

#include "base/malt-memory.h"
#include "malt-wire-tags.h"

#include <malt/malt-error.h>
#include <string.h>

#define FIRST_BUFFER_BYTES 240
#define MAX_SCANNED_DESCRIPTORS 8

void
malt_wire_writer_init (MaltWireWriter *writer, MaltHandleHome *home)
{
  memset (writer, 0, sizeof *writer);
  writer->home = home;
  writer->n_bytes = MALT_FRAME_HEADER_BYTES;
}

void
malt_wire_writer_set_lends (MaltWireWriter *writer, gboolean lends)
{
  writer->lends = lends;
}

void
malt_wire_writer_clear (MaltWireWriter *writer)
{
  for (gsize i = 0; i < writer->n_descriptors; i++)
    malt_descriptor_unref (writer->descriptors[i]);
  g_clear_pointer (&writer->descriptors, g_free);
  writer->n_descriptors = 0;
  g_clear_pointer (&writer->descriptor_index, g_hash_table_unref);
  g_clear_pointer (&writer->segments, g_ptr_array_unref);
  g_clear_pointer (&writer->loans, g_ptr_array_unref);
  g_clear_pointer (&writer->data, g_free);
}

/* Bytes */

static gboolean
resize (MaltWireWriter *writer, gsize n_allocated)
{
  guint8 *data = malt_memory_renew (writer->data, n_allocated, NULL);

  if (data == NULL)
    return FALSE;
  writer->data = data;
  writer->n_allocated = n_allocated;
  if (writer->segments == NULL)
    writer->header = data;
  return TRUE;
}

static void
grow (MaltWireWriter *writer, gsize n_bytes)
{
  gsize n_needed = MAX (writer->n_bytes + n_bytes, FIRST_BUFFER_BYTES);

  writer->is_short = !resize (writer, MAX (2 * writer->n_allocated, n_needed)) &&
                     !resize (writer, n_needed);
}

/* NULL: there is no memory for it. */
static inline guint8 *
reserve (MaltWireWriter *writer, gsize n_bytes)
{
  guint8 *place;

  if (G_UNLIKELY (writer->n_allocated < writer->n_bytes + n_bytes) && !writer->is_short)
    grow (writer, n_bytes);
  if (G_UNLIKELY (writer->is_short))
    return NULL;
  place = writer->data + writer->n_bytes;
  writer->n_bytes += n_bytes;
  return place;
}

static gsize
body_offset (const MaltWireWriter *writer)
{
  return writer->n_finished_bytes + writer->n_bytes - MALT_FRAME_HEADER_BYTES;
}

static void
close_buffer (MaltWireWriter *writer)
{
  if (writer->header == NULL)
    grow (writer, 0);
  if (writer->segments == NULL)
    writer->segments = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  if (writer->n_bytes > 0)
    g_ptr_array_add (writer->segments,
                     g_bytes_new_take (g_steal_pointer (&writer->data), writer->n_bytes));
  writer->n_finished_bytes += writer->n_bytes;
  g_clear_pointer (&writer->data, g_free);
  writer->n_bytes = 0;
  writer->n_allocated = 0;
}

static void
borrow (MaltWireWriter *writer, GBytes *segment)
{
  close_buffer (writer);
  writer->n_finished_bytes += g_bytes_get_size (segment);
  g_ptr_array_add (writer->segments, segment);
}

void
malt_wire_writer_put_raw (MaltWireWriter *writer, gconstpointer bytes, gsize n_bytes)
{
  guint8 *place = reserve (writer, n_bytes);

  if (place != NULL && n_bytes > 0)
    memcpy (place, bytes, n_bytes);
}

void
malt_wire_writer_put_u8 (MaltWireWriter *writer, guint8 value)
{
  malt_wire_writer_put_raw (writer, &value, sizeof value);
}

void
malt_wire_writer_put_u16 (MaltWireWriter *writer, guint16 value)
{
  malt_wire_writer_put_raw (writer, &value, sizeof value);
}

void
malt_wire_writer_put_u32 (MaltWireWriter *writer, guint32 value)
{
  malt_wire_writer_put_raw (writer, &value, sizeof value);
}

void
malt_wire_writer_put_u64 (MaltWireWriter *writer, guint64 value)
{
  malt_wire_writer_put_raw (writer, &value, sizeof value);
}

void
malt_wire_writer_put_text (MaltWireWriter *writer, const char *text, gssize n_bytes)
{
  gsize n = n_bytes < 0 ? strlen (text) : (gsize) n_bytes;

  malt_wire_writer_put_u64 (writer, n);
  malt_wire_writer_put_raw (writer, text, n);
}

void
malt_wire_writer_put_bytes (MaltWireWriter *writer, GBytes *bytes)
{
  gsize n_bytes;
  gconstpointer data = g_bytes_get_data (bytes, &n_bytes);

  if (n_bytes >= MALT_WIRE_BORROW_BYTES)
    borrow (writer, g_bytes_ref (bytes));
  else
    malt_wire_writer_put_raw (writer, data, n_bytes);
}

/* Descriptors */

static gboolean put_element (MaltWireWriter *writer, const MaltElement *element,
                             GError **error);

static gboolean
find_descriptor (MaltWireWriter *writer, MaltDescriptor *descriptor, guint32 *out_index)
{
  gpointer found;

  if (writer->descriptor_index != NULL)
    {
      if (!g_hash_table_lookup_extended (writer->descriptor_index, descriptor, NULL,
                                         &found))
        return FALSE;
      *out_index = GPOINTER_TO_UINT (found);
      return TRUE;
    }
  for (gsize i = 0; i < writer->n_descriptors; i++)
    if (writer->descriptors[i] == descriptor ||
        malt_descriptor_equal (writer->descriptors[i], descriptor))
      {
        *out_index = (guint32) i;
        return TRUE;
      }
  return FALSE;
}

static guint
hash_descriptor (gconstpointer descriptor)
{
  return malt_descriptor_hash (descriptor);
}

static gboolean
descriptors_equal (gconstpointer a, gconstpointer b)
{
  return malt_descriptor_equal (a, b);
}

static void
add_descriptor (MaltWireWriter *writer, MaltDescriptor *descriptor)
{
  gsize index = writer->n_descriptors++;

  if ((index & (index - 1)) == 0) /* the table is full at each power of two */
    writer->descriptors =
        g_renew (MaltDescriptor *, writer->descriptors, MAX (2 * index, 1));
  writer->descriptors[index] = malt_descriptor_ref (descriptor);
  if (index == MAX_SCANNED_DESCRIPTORS)
    {
      writer->descriptor_index = g_hash_table_new (hash_descriptor, descriptors_equal);
      for (gsize i = 0; i < index; i++)
        g_hash_table_insert (writer->descriptor_index, writer->descriptors[i],
                             GUINT_TO_POINTER (i));
    }
  if (writer->descriptor_index != NULL)
    g_hash_table_insert (writer->descriptor_index, descriptor, GUINT_TO_POINTER (index));
}

static gboolean
put_definition (MaltWireWriter *writer, MaltDescriptor *descriptor, GError **error)
{
  malt_wire_writer_put_u8 (writer, (guint8) descriptor->kind);
  malt_wire_writer_put_u8 (writer, (guint8) descriptor->flags);
  malt_wire_writer_put_text (writer, descriptor->type.text,
                             (gssize) descriptor->type.n_bytes);
  malt_wire_writer_put_u32 (writer, descriptor->kind == MALT_DESCRIPTOR_PRIMITIVE
                                        ? descriptor->n_bytes
                                        : descriptor->n_fields);
  for (guint32 i = 0; descriptor->names != NULL && i < descriptor->n_fields; i++)
    malt_wire_writer_put_text (writer, descriptor->names[i].text,
                               (gssize) descriptor->names[i].n_bytes);
  if (!(descriptor->flags & MALT_DESCRIPTOR_LAYOUT))
    return TRUE;
  malt_wire_writer_put_u32 (writer, descriptor->size);
  malt_wire_writer_put_u32 (writer, descriptor->alignment);
  for (guint32 i = 0; i < descriptor->n_fields; i++)
    {
      malt_wire_writer_put_u32 (writer, descriptor->slots[i].offset);
      if (!put_element (writer, descriptor->slots[i].element, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
put_descriptor (MaltWireWriter *writer, MaltDescriptor *descriptor, GError **error)
{
  guint32 index;

  if (find_descriptor (writer, descriptor, &index))
    {
      malt_wire_writer_put_u32 (writer, index);
      return TRUE;
    }
  if (writer->n_descriptors == MALT_WIRE_MAX_DESCRIPTORS)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_ENCODE,
                   "more than %d different types in one message",
                   MALT_WIRE_MAX_DESCRIPTORS);
      return FALSE;
    }
  malt_wire_writer_put_u32 (writer, (guint32) writer->n_descriptors);
  add_descriptor (writer, descriptor);
  return put_definition (writer, descriptor, error);
}

static gboolean
put_element (MaltWireWriter *writer, const MaltElement *element, GError **error)
{
  if (element->kind == MALT_VALUE_BOOL)
    malt_wire_writer_put_u8 (writer, MALT_TAG_BOOL);
  else if (element->is_static)
    malt_wire_writer_put_u8 (writer, MALT_TAG_FOR_SCALAR (element->kind));
  else if (element->part != NULL)
    {
      malt_wire_writer_put_u8 (writer, element->kind == MALT_VALUE_COMPLEX
                                           ? MALT_TAG_COMPLEX
                                           : MALT_TAG_RATIONAL);
      return put_element (writer, element->part, error);
    }
  else
    {
      malt_wire_writer_put_u8 (writer, MALT_TAG_STRUCT);
      return put_descriptor (writer, element->descriptor, error);
    }
  return TRUE;
}

/* Values */

static gboolean put_value (MaltWireWriter *writer, MaltValue *value, GError **error);

static void
put_scalar (MaltWireWriter *writer, const MaltScalar *scalar)
{
  static const guint8 n_scalar_bytes[] = { 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 2, 4, 8, 4 };
  gsize index = (gsize) (scalar->base.kind - MALT_VALUE_INT8);
  gsize n_bytes = n_scalar_bytes[index];
  guint8 *place = reserve (writer, 1 + n_bytes);

  if (place == NULL)
    return;
  place[0] = (guint8) (MALT_TAG_INT8 + index);
  memcpy (place + 1, &scalar->low, MIN (n_bytes, sizeof scalar->low));
  if (n_bytes > sizeof scalar->low)
    memcpy (place + 1 + sizeof scalar->low, &((const MaltWideScalar *) scalar)->high,
            sizeof scalar->low);
}

static gboolean
put_all (MaltWireWriter *writer, MaltValue *const *values, gsize n_values, GError **error)
{
  for (gsize i = 0; i < n_values; i++)
    if (!put_value (writer, values[i], error))
      return FALSE;
  return TRUE;
}

static void
put_dims (MaltWireWriter *writer, const MaltArray *array)
{
  malt_wire_writer_put_u32 (writer, (guint32) array->n_dims);
  for (gsize i = 0; i < array->n_dims; i++)
    malt_wire_writer_put_u64 (writer, array->dims[i]);
}

static void
put_elements (MaltWireWriter *writer, MaltArray *array)
{
  static const guint8 padding[MALT_WIRE_ARRAY_ALIGNMENT];
  gsize n_padding = -body_offset (writer) % MALT_WIRE_ARRAY_ALIGNMENT;

  malt_wire_writer_put_raw (writer, padding, n_padding);
  if (array->n_bytes >= MALT_WIRE_BORROW_BYTES)
    borrow (writer, malt_value_dup_bytes (&array->base));
  else
    malt_wire_writer_put_raw (writer, array->data, array->n_bytes);
}

/* Julia takes no memory that is not aligned for its elements. */
static gboolean
is_lent (const MaltWireWriter *writer, const MaltArray *array)
{
  return writer->lends && array->n_bytes >= MALT_WIRE_LEND_BYTES &&
         (guintptr) array->data % MALT_WIRE_ARRAY_ALIGNMENT == 0;
}

void
malt_wire_writer_put_loan (MaltWireWriter *writer, gconstpointer address, GBytes *owner)
{
  if (writer->loans == NULL)
    writer->loans = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (writer->loans, g_bytes_ref (owner));
  malt_wire_writer_put_u64 (writer, (guintptr) address);
  malt_wire_writer_put_u64 (writer, (guintptr) owner);
}

static void
put_loan (MaltWireWriter *writer, MaltArray *array)
{
  g_autoptr (GBytes) bytes = malt_value_dup_bytes (&array->base);

  malt_wire_writer_put_loan (writer, array->data, bytes);
}

static gboolean
put_array (MaltWireWriter *writer, MaltArray *array, GError **error)
{
  if (array->element != NULL)
    {
      gboolean lent = is_lent (writer, array);

      malt_wire_writer_put_u8 (writer, lent ? MALT_TAG_LENT_ARRAY : MALT_TAG_BITS_ARRAY);
      if (!put_element (writer, array->element, error))
        return FALSE;
      put_dims (writer, array);
      if (lent)
        put_loan (writer, array);
      else
        put_elements (writer, array);
      return TRUE;
    }
  malt_wire_writer_put_u8 (writer, MALT_TAG_VALUE_ARRAY);
  if (!put_descriptor (writer, array->element_type, error))
    return FALSE;
  put_dims (writer, array);
  return put_all (writer, array->values, array->n_values, error);
}

static gboolean
put_struct (MaltWireWriter *writer, MaltGroup *group, GError **error)
{
  const MaltText *bits = malt_group_get_bits (group);
  const MaltText *show = malt_group_get_show (group);

  malt_wire_writer_put_u8 (writer, MALT_TAG_STRUCT);
  if (!put_descriptor (writer, group->descriptor, error))
    return FALSE;
  if (bits != NULL)
    malt_wire_writer_put_raw (writer, bits->text, bits->n_bytes);
  else if (!put_all (writer, group->refs, group->n_values, error))
    return FALSE;
  /* An instance that came out of an array has no text although its type shows itself. */
  if (group->descriptor->flags & MALT_DESCRIPTOR_OWN_SHOW)
    malt_wire_writer_put_text (writer, show != NULL ? show->text : "",
                               show != NULL ? (gssize) show->n_bytes : 0);
  return TRUE;
}

static gboolean
put_group (MaltWireWriter *writer, MaltGroup *group, GError **error)
{
  static const guint8 tags[] = {
    [MALT_VALUE_TUPLE] = MALT_TAG_TUPLE,
    [MALT_VALUE_NAMED_TUPLE] = MALT_TAG_NAMED_TUPLE,
    [MALT_VALUE_PAIR] = MALT_TAG_PAIR,
    [MALT_VALUE_DICT] = MALT_TAG_DICT,
    [MALT_VALUE_SET] = MALT_TAG_SET,
    [MALT_VALUE_COMPLEX] = MALT_TAG_COMPLEX,
    [MALT_VALUE_RATIONAL] = MALT_TAG_RATIONAL,
    [MALT_VALUE_RANGE] = MALT_TAG_RANGE,
    [MALT_VALUE_EXPR] = MALT_TAG_EXPR,
  };
  MaltValueKind kind = group->base.kind;

  if (kind == MALT_VALUE_STRUCT)
    return put_struct (writer, group, error);
  malt_wire_writer_put_u8 (writer, tags[kind]);
  if (group->descriptor != NULL && !put_descriptor (writer, group->descriptor, error))
    return FALSE;
  if (kind == MALT_VALUE_TUPLE || kind == MALT_VALUE_SET)
    malt_wire_writer_put_u64 (writer, group->n_values);
  else if (kind == MALT_VALUE_DICT)
    malt_wire_writer_put_u64 (writer, group->n_values / 2);
  else if (kind == MALT_VALUE_RANGE)
    malt_wire_writer_put_u8 (writer, group->base.form);
  else if (kind == MALT_VALUE_EXPR)
    {
      if (!put_value (writer, group->refs[0], error))
        return FALSE;
      malt_wire_writer_put_u64 (writer, group->n_values - 1);
      return put_all (writer, group->refs + 1, group->n_values - 1, error);
    }
  return put_all (writer, group->refs, group->n_values, error);
}

static gboolean
put_handle (MaltWireWriter *writer, MaltHandle *handle, GError **error)
{
  const MaltText *text = (const MaltText *) handle->text;

  if (handle->home != writer->home)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "a handle (of %s) belongs to another worker",
                   malt_value_get_type_name (&handle->base));
      return FALSE;
    }
  malt_wire_writer_put_u8 (writer, MALT_TAG_HANDLE);
  malt_wire_writer_put_u64 (writer, handle->id);
  if (!put_descriptor (writer, handle->type, error))
    return FALSE;
  malt_wire_writer_put_u8 (writer, (guint8) handle->handle_flags);
  malt_wire_writer_put_text (writer, text != NULL ? text->text : "",
                             text != NULL ? (gssize) text->n_bytes : 0);
  return TRUE;
}

static void
put_text_value (MaltWireWriter *writer, const MaltText *text)
{
  malt_wire_writer_put_u8 (
      writer, text->base.kind == MALT_VALUE_STRING ? MALT_TAG_STRING : MALT_TAG_SYMBOL);
  if (text->n_bytes < MALT_WIRE_BORROW_BYTES)
    {
      malt_wire_writer_put_text (writer, text->text, (gssize) text->n_bytes);
      return;
    }
  malt_wire_writer_put_u64 (writer, text->n_bytes);
  borrow (writer, malt_value_dup_bytes ((MaltValue *) text));
}

static gboolean
put_value (MaltWireWriter *writer, MaltValue *value, GError **error)
{
  if (++writer->n_values > MALT_WIRE_MAX_VALUES)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_ENCODE,
                   "more than %" G_GUINT64_FORMAT " values in one message",
                   MALT_WIRE_MAX_VALUES);
      return FALSE;
    }
  switch ((MaltValueKind) value->kind)
    {
    case MALT_VALUE_NOTHING:
      malt_wire_writer_put_u8 (writer, MALT_TAG_NOTHING);
      return TRUE;
    case MALT_VALUE_MISSING:
      malt_wire_writer_put_u8 (writer, MALT_TAG_MISSING);
      return TRUE;
    case MALT_VALUE_UNDEF:
      if (malt_value_is_short (value))
        {
          malt_value_set_short_error (error);
          return FALSE;
        }
      malt_wire_writer_put_u8 (writer, MALT_TAG_UNDEF);
      return TRUE;
    case MALT_VALUE_BOOL:
      malt_wire_writer_put_u8 (writer, ((MaltScalar *) value)->low ? MALT_TAG_TRUE
                                                                   : MALT_TAG_FALSE);
      return TRUE;
    case MALT_VALUE_STRING:
    case MALT_VALUE_SYMBOL:
      put_text_value (writer, (MaltText *) value);
      return TRUE;
    case MALT_VALUE_ARRAY:
      return put_array (writer, (MaltArray *) value, error);
    case MALT_VALUE_HANDLE:
      return put_handle (writer, (MaltHandle *) value, error);
    default:
      break;
    }
  if (malt_value_kind_is_group (value->kind))
    return put_group (writer, (MaltGroup *) value, error);
  put_scalar (writer, (MaltScalar *) value);
  return TRUE;
}

gboolean
malt_wire_writer_put_value (MaltWireWriter *writer, MaltValue *value, GError **error)
{
  if (value == NULL)
    {
      malt_wire_writer_put_nothing (writer);
      return TRUE;
    }
  if (value->kind == MALT_VALUE_UNDEF && !malt_value_is_short (value))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                           "#undef is not a value by itself");
      return FALSE;
    }
  if (value->depth > MALT_VALUE_MAX_WIRE_DEPTH)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_ENCODE,
                   "a value is nested deeper than %d levels", MALT_VALUE_MAX_WIRE_DEPTH);
      return FALSE;
    }
  return put_value (writer, value, error) && malt_wire_writer_check (writer, error);
}

gboolean
malt_wire_writer_check (MaltWireWriter *writer, GError **error)
{
  if (writer->is_short)
    g_set_error_literal (error, MALT_ERROR, MALT_ERROR_RESOURCES,
                         "no memory for what is to be sent");
  return !writer->is_short;
}

void
malt_wire_writer_put_nothing (MaltWireWriter *writer)
{
  malt_wire_writer_put_u8 (writer, MALT_TAG_NOTHING);
}

void
malt_wire_writer_put_string_value (MaltWireWriter *writer, const char *text)
{
  if (text == NULL)
    {
      malt_wire_writer_put_nothing (writer);
      return;
    }
  malt_wire_writer_put_u8 (writer, MALT_TAG_STRING);
  malt_wire_writer_put_text (writer, text, -1);
}

MaltWireFrame *
malt_wire_writer_finish (MaltWireWriter *writer, MaltFrameKind kind, guint8 flags,
                         guint32 id)
{
  MaltFrameHeader header = {
    .n_body_bytes = body_offset (writer), .id = id, .kind = kind, .flags = flags
  };
  MaltHandleHome *home = writer->home;
  gboolean lends = writer->lends;
  MaltWireFrame *frame;
  gsize n_closed = writer->segments != NULL ? writer->segments->len : 0;
  gsize n_segments = n_closed + (writer->n_bytes > 0 ? 1 : 0);

  g_return_val_if_fail (!writer->is_short, NULL);
  if (writer->header == NULL)
    grow (writer, 0);
  malt_frame_header_write (&header, writer->header);
  frame = g_malloc (sizeof (MaltWireFrame) + n_segments * sizeof (GBytes *));
  frame->n_bytes = header.n_body_bytes + MALT_FRAME_HEADER_BYTES;
  frame->loans = g_steal_pointer (&writer->loans);
  frame->n_segments = n_segments;
  for (gsize i = 0; i < n_closed; i++)
    frame->segments[i] = g_bytes_ref (g_ptr_array_index (writer->segments, i));
  if (writer->n_bytes > 0)
    frame->segments[n_closed] =
        g_bytes_new_take (g_steal_pointer (&writer->data), writer->n_bytes);
  malt_wire_writer_clear (writer);
  malt_wire_writer_init (writer, home);
  malt_wire_writer_set_lends (writer, lends);
  return frame;
}
