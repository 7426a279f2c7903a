/* SPDX-License-Identifier: MIT */
/* Reads values: docs/protocol.md, section 3. */
#include "malt-wire-reader-private.h"

#include <string.h>

static MaltValue *take_value (MaltWireReader *reader, gboolean may_be_undef,
                              GError **error);

/* NULL, as what it is to be. */
static gpointer
fail_for_want (GError **error)
{
  malt_value_set_short_error (error);
  return NULL;
}

static MaltValue *
value_of_array (MaltArray *array, GError **error)
{
  return array != NULL ? &array->base : fail_for_want (error);
}

static gboolean
take_refs (MaltWireReader *reader, MaltValue **refs, gsize n_refs, gboolean may_be_undef,
           GError **error)
{
  reader->n_reserved += n_refs;
  for (gsize i = 0; i < n_refs; i++)
    {
      reader->n_reserved--;
      refs[i] = take_value (reader, may_be_undef, error);
      if (refs[i] == NULL)
        return FALSE;
    }
  return TRUE;
}

/* A group with so many parts, which follow. */
static MaltGroup *
take_group (MaltWireReader *reader, MaltValueKind kind, MaltDescriptor *descriptor,
            MaltValueFlags flags, gsize n_values, GError **error)
{
  MaltGroup *group;

  if (!malt_wire_reader_check_count (reader, n_values, 1, error) ||
      !malt_wire_reader_has_room (n_values, error))
    return NULL;
  group = malt_group_new (kind, descriptor, flags, n_values);
  if (group == NULL)
    return fail_for_want (error);
  if (!take_refs (reader, group->refs, n_values, kind == MALT_VALUE_STRUCT, error))
    {
      malt_value_unref (&group->base);
      return NULL;
    }
  malt_group_finish (group);
  return group;
}

static MaltValue *
take_counted_group (MaltWireReader *reader, MaltValueKind kind, GError **error)
{
  MaltDescriptor *descriptor = NULL;
  guint64 count;

  if (kind != MALT_VALUE_TUPLE)
    {
      descriptor = malt_wire_reader_take_descriptor (reader, MALT_WIRE_TYPES, error);
      if (descriptor == NULL)
        return NULL;
    }
  if (!malt_wire_reader_take_u64 (reader, &count, error) ||
      !malt_wire_reader_check_count (reader, count, kind == MALT_VALUE_DICT ? 2 : 1,
                                     error))
    return NULL;
  return (MaltValue *) take_group (reader, kind, descriptor, 0,
                                   kind == MALT_VALUE_DICT ? 2 * count : count, error);
}

static MaltValue *
take_named_tuple (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor =
      malt_wire_reader_take_descriptor (reader, MALT_WIRE_NAMED_TUPLES, error);

  if (descriptor == NULL)
    return NULL;
  return (MaltValue *) take_group (reader, MALT_VALUE_NAMED_TUPLE, descriptor, 0,
                                   descriptor->n_fields, error);
}

static MaltValue *
take_expr (MaltWireReader *reader, GError **error)
{
  MaltGroup *group;
  g_autoptr (MaltValue) head = take_value (reader, FALSE, error);
  guint64 count;

  if (head == NULL)
    return NULL;
  if (head->kind != MALT_VALUE_SYMBOL)
    {
      malt_wire_reader_set_failure (reader, error,
                                    "expected a Symbol as the head of an Expr");
      return NULL;
    }
  if (!malt_wire_reader_take_u64 (reader, &count, error) ||
      !malt_wire_reader_check_count (reader, count, 1, error) ||
      !malt_wire_reader_has_room (count, error))
    return NULL;
  group = malt_group_new (MALT_VALUE_EXPR, NULL, 0, count + 1);
  if (group == NULL)
    return fail_for_want (error);
  group->refs[0] = g_steal_pointer (&head);
  if (!take_refs (reader, group->refs + 1, count, FALSE, error))
    {
      malt_value_unref (&group->base);
      return NULL;
    }
  malt_group_finish (group);
  return &group->base;
}

static MaltValue *
take_range (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor =
      malt_wire_reader_take_descriptor (reader, MALT_WIRE_TYPES, error);
  MaltGroup *group;
  MaltValue *length;
  guint8 form;

  if (descriptor == NULL || !malt_wire_reader_take_u8 (reader, &form, error))
    return NULL;
  if (form > MALT_RANGE_ONE_TO)
    {
      malt_wire_reader_set_failure (reader, error, "unknown form %u of a range", form);
      return NULL;
    }
  group = take_group (reader, MALT_VALUE_RANGE, descriptor, 0, 4, error);
  if (group == NULL)
    return NULL;
  group->base.form = form;
  length = group->refs[3];
  if (length->kind != MALT_VALUE_INT64 || (gint64) ((MaltScalar *) length)->low < 0)
    {
      malt_wire_reader_set_failure (reader, error, "expected the length of a range");
      malt_value_unref (&group->base);
      return NULL;
    }
  return &group->base;
}

static MaltValue *
take_struct (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor = malt_wire_reader_take_descriptor (
      reader, MALT_WIRE_STRUCTS | MALT_WIRE_PRIMITIVES, error);
  MaltValueFlags flags = 0;
  MaltGroup *group;
  const guint8 *bits;
  const char *show;
  gsize n_show_bytes;

  if (descriptor == NULL)
    return NULL;
  if (descriptor->kind == MALT_DESCRIPTOR_PRIMITIVE)
    flags |= MALT_VALUE_FLAG_PRIMITIVE;
  if (descriptor->flags & MALT_DESCRIPTOR_OWN_SHOW)
    flags |= MALT_VALUE_FLAG_OWN_SHOW;
  group = take_group (reader, MALT_VALUE_STRUCT, descriptor, flags, descriptor->n_fields,
                      error);
  if (group == NULL)
    return NULL;
  if (flags & MALT_VALUE_FLAG_PRIMITIVE)
    {
      if (!malt_wire_reader_take (reader, descriptor->n_bytes, &bits, error))
        goto out;
      group->refs[0] = (MaltValue *) malt_value_new_text (MALT_VALUE_STRING, bits,
                                                          descriptor->n_bytes);
      if (group->refs[0] == NULL)
        goto want;
    }
  if (flags & MALT_VALUE_FLAG_OWN_SHOW)
    {
      if (!malt_wire_reader_take_text (reader, &show, &n_show_bytes, error))
        goto out;
      group->refs[group->n_refs - 1] =
          (MaltValue *) malt_value_new_text (MALT_VALUE_STRING, show, n_show_bytes);
      if (group->refs[group->n_refs - 1] == NULL)
        goto want;
    }
  return &group->base;

want:
  malt_value_set_short_error (error);
out:
  malt_value_unref (&group->base);
  return NULL;
}

static gboolean
take_dims (MaltWireReader *reader, gsize *dims, gsize *out_n_dims, GError **error)
{
  guint32 n_dims;

  if (!malt_wire_reader_take_u32 (reader, &n_dims, error))
    return FALSE;
  if (n_dims > MALT_ARRAY_MAX_DIMS)
    return fail (reader, error, "expected at most %d dimensions, got %u",
                 MALT_ARRAY_MAX_DIMS, n_dims);
  for (guint32 i = 0; i < n_dims; i++)
    {
      guint64 dim;

      if (!malt_wire_reader_take_u64 (reader, &dim, error))
        return FALSE;
      dims[i] = dim;
    }
  *out_n_dims = n_dims;
  return TRUE;
}

static gboolean
take_padding (MaltWireReader *reader, GError **error)
{
  gsize n_bytes = -reader->offset % MALT_WIRE_ARRAY_ALIGNMENT;
  const guint8 *bytes;

  if (!malt_wire_reader_take (reader, n_bytes, &bytes, error))
    return FALSE;
  for (gsize i = 0; i < n_bytes; i++)
    if (bytes[i] != 0)
      return fail (reader, error, "expected padding of zero bytes");
  return TRUE;
}

/* What lies before the elements of an array of bits. */
static MaltElement *
take_bits_shape (MaltWireReader *reader, gsize *dims, gsize *out_n_dims,
                 gsize *out_n_bytes, GError **error)
{
  g_autoptr (MaltElement) element = malt_wire_reader_take_element (reader, error);
  gsize n_values;

  if (element == NULL || !take_dims (reader, dims, out_n_dims, error))
    return NULL;
  if (!malt_dims_product (dims, *out_n_dims, element->size, &n_values, out_n_bytes))
    {
      malt_wire_reader_set_failure (reader, error,
                                    "expected dimensions that fit into memory");
      return NULL;
    }
  return g_steal_pointer (&element);
}

static MaltValue *
take_bits_array (MaltWireReader *reader, GError **error)
{
  gsize dims[MALT_ARRAY_MAX_DIMS];
  gsize n_dims, n_bytes, offset;
  g_autoptr (MaltElement) element =
      take_bits_shape (reader, dims, &n_dims, &n_bytes, error);
  const guint8 *data;

  if (element == NULL || !take_padding (reader, error))
    return NULL;
  offset = reader->offset;
  if (!malt_wire_reader_take (reader, n_bytes, &data, error))
    return NULL;
  return value_of_array (
      malt_array_new_of_bits (element, dims, n_dims, reader->body, offset, n_bytes),
      error);
}

static MaltValue *
take_lent_array (MaltWireReader *reader, GError **error)
{
  gsize dims[MALT_ARRAY_MAX_DIMS];
  gsize n_dims, n_bytes;
  g_autoptr (MaltElement) element =
      take_bits_shape (reader, dims, &n_dims, &n_bytes, error);
  g_autoptr (GBytes) bytes = NULL;
  guint64 address, loan;

  if (element == NULL || !malt_wire_reader_take_u64 (reader, &address, error) ||
      !malt_wire_reader_take_u64 (reader, &loan, error))
    return NULL;
  bytes = reader->borrow ((gconstpointer) (guintptr) address, n_bytes, loan);
  return value_of_array (
      malt_array_new_of_bits (element, dims, n_dims, bytes, 0, n_bytes), error);
}

static MaltValue *
take_value_array (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor =
      malt_wire_reader_take_descriptor (reader, MALT_WIRE_TYPES, error);
  gsize dims[MALT_ARRAY_MAX_DIMS];
  gsize n_dims, n_values, n_bytes;
  MaltArray *array;

  if (descriptor == NULL || !take_dims (reader, dims, &n_dims, error))
    return NULL;
  if (!malt_dims_product (dims, n_dims, 1, &n_values, &n_bytes))
    {
      malt_wire_reader_set_failure (reader, error,
                                    "expected dimensions that fit into memory");
      return NULL;
    }
  if (!malt_wire_reader_check_count (reader, n_values, 1, error) ||
      !malt_wire_reader_has_room (n_values, error))
    return NULL;
  array = malt_array_new_of_values (descriptor, dims, n_dims, n_values);
  if (array == NULL)
    return fail_for_want (error);
  if (!take_refs (reader, array->values, n_values, TRUE, error))
    {
      malt_value_unref (&array->base);
      return NULL;
    }
  malt_array_finish (array);
  return &array->base;
}

static MaltValue *
take_handle (MaltWireReader *reader, GError **error)
{
  const guint8 all_flags = MALT_HANDLE_CALLABLE | MALT_HANDLE_TYPE | MALT_HANDLE_MODULE;
  MaltDescriptor *type;
  guint64 id;
  guint8 flags;
  const char *text;
  gsize n_text_bytes;

  if (!malt_wire_reader_take_u64 (reader, &id, error))
    return NULL;
  type = malt_wire_reader_take_descriptor (reader, MALT_WIRE_TYPES, error);
  if (type == NULL || !malt_wire_reader_take_u8 (reader, &flags, error) ||
      !malt_wire_reader_take_text (reader, &text, &n_text_bytes, error))
    return NULL;
  if ((flags & ~all_flags) != 0)
    {
      malt_wire_reader_set_failure (reader, error, "unknown flags %02x of a handle",
                                    flags);
      return NULL;
    }
  return malt_value_new_handle (id, reader->home, type, flags, text, n_text_bytes);
}

static MaltValue *
take_text_value (MaltWireReader *reader, MaltValueKind kind, GError **error)
{
  const char *text;
  gsize n_bytes;
  MaltText *value;

  if (!malt_wire_reader_take_text (reader, &text, &n_bytes, error))
    return NULL;
  value = malt_value_new_text (kind, text, n_bytes);
  return value != NULL ? &value->base : fail_for_want (error);
}

static MaltValue *
take_scalar (MaltWireReader *reader, MaltValueKind kind, GError **error)
{
  const guint8 *bytes;
  gsize n_bytes = malt_element_for_kind (kind)->size;
  guint64 halves[2] = { 0, 0 };

  if (!malt_wire_reader_take (reader, n_bytes, &bytes, error))
    return NULL;
  memcpy (halves, bytes, n_bytes);
  return malt_value_new_scalar (kind, halves[0], halves[1]);
}

/* What contains other values, one level deeper. */
static MaltValue *
take_container (MaltWireReader *reader, guint8 tag, GError **error)
{
  switch (tag)
    {
    case MALT_TAG_TUPLE:
      return take_counted_group (reader, MALT_VALUE_TUPLE, error);
    case MALT_TAG_NAMED_TUPLE:
      return take_named_tuple (reader, error);
    case MALT_TAG_PAIR:
      return (MaltValue *) take_group (reader, MALT_VALUE_PAIR, NULL, 0, 2, error);
    case MALT_TAG_BITS_ARRAY:
      return take_bits_array (reader, error);
    case MALT_TAG_VALUE_ARRAY:
      return take_value_array (reader, error);
    case MALT_TAG_DICT:
      return take_counted_group (reader, MALT_VALUE_DICT, error);
    case MALT_TAG_SET:
      return take_counted_group (reader, MALT_VALUE_SET, error);
    case MALT_TAG_COMPLEX:
      return (MaltValue *) take_group (reader, MALT_VALUE_COMPLEX, NULL, 0, 2, error);
    case MALT_TAG_RATIONAL:
      return (MaltValue *) take_group (reader, MALT_VALUE_RATIONAL, NULL, 0, 2, error);
    case MALT_TAG_RANGE:
      return take_range (reader, error);
    case MALT_TAG_EXPR:
      return take_expr (reader, error);
    case MALT_TAG_STRUCT:
      return take_struct (reader, error);
    case MALT_TAG_HANDLE:
      return take_handle (reader, error);
    case MALT_TAG_LENT_ARRAY:
      if (reader->borrow != NULL)
        return take_lent_array (reader, error);
      break;
    default:
      break;
    }
  reader->offset--;
  malt_wire_reader_set_failure (reader, error, "unknown tag %02x", tag);
  return NULL;
}

static MaltValue *
take_value (MaltWireReader *reader, gboolean may_be_undef, GError **error)
{
  MaltValue *value;
  guint8 tag;

  if (!malt_wire_reader_enter (reader, error) ||
      !malt_wire_reader_take_u8 (reader, &tag, error))
    return NULL;
  if (tag >= MALT_TAG_INT8 && tag <= MALT_TAG_CHAR)
    value = take_scalar (reader, MALT_SCALAR_FOR_TAG (tag), error);
  else if (tag == MALT_TAG_NOTHING)
    value = malt_value_new_nothing ();
  else if (tag == MALT_TAG_MISSING)
    value = malt_value_new_missing ();
  else if (tag == MALT_TAG_FALSE || tag == MALT_TAG_TRUE)
    value = malt_value_new_bool (tag == MALT_TAG_TRUE);
  else if (tag == MALT_TAG_UNDEF && may_be_undef)
    value = malt_value_new_undef ();
  else if (tag == MALT_TAG_STRING)
    value = take_text_value (reader, MALT_VALUE_STRING, error);
  else if (tag == MALT_TAG_SYMBOL)
    value = take_text_value (reader, MALT_VALUE_SYMBOL, error);
  else
    value = take_container (reader, tag, error);
  reader->depth--;
  return value;
}

MaltValue *
malt_wire_reader_take_value (MaltWireReader *reader, GError **error)
{
  return take_value (reader, FALSE, error);
}
