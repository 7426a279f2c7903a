/* SPDX-License-Identifier: MIT */
/* Reads the body of one frame: docs/protocol.md, sections 3 to 5.
 *
 * What bounds the memory that hostile bytes can make the reader allocate: each value, name and field takes at least
 * one byte of the body, so a count is refused when it is larger than the bytes that are left, less those that the
 * containers around it have already been promised (n_reserved). All references of all containers together are then
 * no more than there are bytes. Nesting is bounded, of values and of the elements of arrays. */
#include "malt-wire-reader.h"

#include "malt-wire-tags.h"

#include <string.h>

#define MAX_ALIGNMENT 4096

void
malt_wire_reader_init (MaltWireReader *reader, GBytes *body, MaltHandleHome *home)
{
  memset (reader, 0, sizeof *reader);
  reader->body = g_bytes_ref (body);
  reader->data = g_bytes_get_data (body, &reader->n_bytes);
  reader->home = home != NULL ? malt_handle_home_ref (home) : NULL;
}

void
malt_wire_reader_clear (MaltWireReader *reader)
{
  for (gsize i = 0; i < reader->n_descriptors; i++)
    malt_descriptor_unref (reader->descriptors[i]);
  reader->n_descriptors = 0;
  g_clear_pointer (&reader->descriptors, g_free);
  g_clear_pointer (&reader->home, malt_handle_home_unref);
  g_clear_pointer (&reader->body, g_bytes_unref);
}

/* A macro, so that the compiler sees that it is FALSE. */
#define fail(...) (set_failure (__VA_ARGS__), FALSE)

static void G_GNUC_PRINTF (3, 4)
    set_failure (const MaltWireReader *reader, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL, "%s at offset %" G_GSIZE_FORMAT,
               message, reader->offset);
}

/* Bytes */

static inline gsize
n_left (const MaltWireReader *reader)
{
  return reader->n_bytes - reader->offset;
}

static inline gboolean
take (MaltWireReader *reader, gsize n_bytes, const guint8 **out_bytes, GError **error)
{
  if (G_UNLIKELY (n_left (reader) < n_bytes))
    return fail (reader, error,
                 "expected %" G_GSIZE_FORMAT " bytes, got the last %" G_GSIZE_FORMAT,
                 n_bytes, n_left (reader));
  *out_bytes = reader->data + reader->offset;
  reader->offset += n_bytes;
  return TRUE;
}

gboolean
malt_wire_reader_take_raw (MaltWireReader *reader, gsize n_bytes,
                           const guint8 **out_bytes, GError **error)
{
  return take (reader, n_bytes, out_bytes, error);
}

gboolean
malt_wire_reader_take_u8 (MaltWireReader *reader, guint8 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  *out_value = bytes[0];
  return TRUE;
}

gboolean
malt_wire_reader_take_u16 (MaltWireReader *reader, guint16 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  memcpy (out_value, bytes, sizeof *out_value);
  return TRUE;
}

gboolean
malt_wire_reader_take_u32 (MaltWireReader *reader, guint32 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  memcpy (out_value, bytes, sizeof *out_value);
  return TRUE;
}

gboolean
malt_wire_reader_take_u64 (MaltWireReader *reader, guint64 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  memcpy (out_value, bytes, sizeof *out_value);
  return TRUE;
}

gboolean
malt_wire_reader_take_text (MaltWireReader *reader, const char **out_text,
                            gsize *out_n_bytes, GError **error)
{
  const guint8 *bytes;
  guint64 n_bytes;

  if (!malt_wire_reader_take_u64 (reader, &n_bytes, error) ||
      !take (reader, n_bytes, &bytes, error))
    return FALSE;
  *out_text = (const char *) bytes;
  *out_n_bytes = n_bytes;
  return TRUE;
}

GBytes *
malt_wire_reader_take_rest (MaltWireReader *reader)
{
  gsize offset = reader->offset;

  reader->offset = reader->n_bytes;
  return g_bytes_new_from_bytes (reader->body, offset, reader->n_bytes - offset);
}

gboolean
malt_wire_reader_finish (MaltWireReader *reader, GError **error)
{
  if (n_left (reader) == 0)
    return TRUE;
  return fail (reader, error,
               "expected the end of the body, got %" G_GSIZE_FORMAT " more bytes",
               n_left (reader));
}

/* A count of things that take at least so many bytes each is believed only if they can be there. */
static gboolean
check_count (MaltWireReader *reader, guint64 count, gsize n_bytes_each, GError **error)
{
  gsize n_free =
      n_left (reader) > reader->n_reserved ? n_left (reader) - reader->n_reserved : 0;

  if (count <= n_free / n_bytes_each)
    return TRUE;
  return fail (reader, error,
               "expected %" G_GUINT64_FORMAT " items, got room for %" G_GSIZE_FORMAT,
               count, n_free / n_bytes_each);
}

static gboolean
enter (MaltWireReader *reader, GError **error)
{
  if (reader->depth == MALT_VALUE_MAX_WIRE_DEPTH)
    return fail (reader, error, "expected at most %d levels of nesting",
                 MALT_VALUE_MAX_WIRE_DEPTH);
  reader->depth++;
  return TRUE;
}

/* Descriptors */

static MaltElement *take_element (MaltWireReader *reader, GError **error);

static void
add_descriptor (MaltWireReader *reader, MaltDescriptor *descriptor)
{
  if (reader->n_descriptors == reader->n_allocated_descriptors)
    {
      reader->n_allocated_descriptors = MAX (4, 2 * reader->n_allocated_descriptors);
      reader->descriptors = g_renew (MaltDescriptor *, reader->descriptors,
                                     reader->n_allocated_descriptors);
    }
  reader->descriptors[reader->n_descriptors++] = descriptor;
}

/* Fields must not overlap: then no more of them can be made of an element than it has bytes. */
static gboolean
take_slots (MaltWireReader *reader, MaltDescriptor *descriptor, GError **error)
{
  gsize end = 0;
  guint depth = 0;

  for (guint32 i = 0; i < descriptor->n_fields; i++)
    {
      MaltSlot *slot = &descriptor->slots[i];

      if (!malt_wire_reader_take_u32 (reader, &slot->offset, error))
        return FALSE;
      slot->element = take_element (reader, error);
      if (slot->element == NULL)
        return FALSE;
      if (slot->offset < end || slot->element->size > descriptor->size ||
          slot->offset > descriptor->size - slot->element->size)
        return fail (reader, error,
                     "expected fields one behind the other within %u bytes",
                     descriptor->size);
      end = slot->offset + slot->element->size;
      depth = MAX (depth, slot->element->depth);
    }
  if (depth >= MALT_VALUE_MAX_WIRE_DEPTH)
    return fail (reader, error, "expected at most %d levels of nesting",
                 MALT_VALUE_MAX_WIRE_DEPTH);
  descriptor->depth = depth + 1;
  return TRUE;
}

static gboolean
take_layout (MaltWireReader *reader, MaltDescriptor *descriptor, GError **error)
{
  gboolean is_ok;

  if (!malt_wire_reader_take_u32 (reader, &descriptor->size, error) ||
      !malt_wire_reader_take_u32 (reader, &descriptor->alignment, error))
    return FALSE;
  if (descriptor->size == 0)
    return fail (reader, error, "expected elements of at least one byte");
  if (descriptor->alignment == 0 || descriptor->alignment > MAX_ALIGNMENT ||
      (descriptor->alignment & (descriptor->alignment - 1)) != 0)
    return fail (reader, error, "expected an alignment, got %u", descriptor->alignment);
  if (!enter (reader, error))
    return FALSE;
  is_ok = take_slots (reader, descriptor, error);
  reader->depth--;
  return is_ok;
}

static gboolean
flags_are_known (guint8 kind, guint8 flags)
{
  switch (kind)
    {
    case MALT_DESCRIPTOR_TYPE:
      return flags == 0;
    case MALT_DESCRIPTOR_NAMED_TUPLE:
      return (flags & ~MALT_DESCRIPTOR_LAYOUT) == 0;
    case MALT_DESCRIPTOR_STRUCT:
      return (flags & ~(MALT_DESCRIPTOR_LAYOUT | MALT_DESCRIPTOR_OWN_SHOW)) == 0;
    case MALT_DESCRIPTOR_TUPLE:
      return flags == MALT_DESCRIPTOR_LAYOUT;
    case MALT_DESCRIPTOR_PRIMITIVE:
      return (flags & ~MALT_DESCRIPTOR_OWN_SHOW) == 0;
    default:
      return FALSE;
    }
}

static gboolean
take_names (MaltWireReader *reader, MaltDescriptor *descriptor, GError **error)
{
  for (guint32 i = 0; i < descriptor->n_fields; i++)
    {
      const char *name;
      gsize n_bytes;

      if (!malt_wire_reader_take_text (reader, &name, &n_bytes, error))
        return FALSE;
      malt_descriptor_set_name (descriptor, i, name, n_bytes);
    }
  return TRUE;
}

static gboolean
take_definition (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor;
  guint8 kind, flags;
  const char *type;
  gsize n_type_bytes;
  guint32 n;
  gboolean has_fields;

  if (!malt_wire_reader_take_u8 (reader, &kind, error) ||
      !malt_wire_reader_take_u8 (reader, &flags, error))
    return FALSE;
  if (!flags_are_known (kind, flags))
    return fail (reader, error, "unknown kind %u of descriptor, or flags %u", kind,
                 flags);
  if (!malt_wire_reader_take_text (reader, &type, &n_type_bytes, error) ||
      !malt_wire_reader_take_u32 (reader, &n, error))
    return FALSE;
  has_fields = kind != MALT_DESCRIPTOR_TYPE && kind != MALT_DESCRIPTOR_PRIMITIVE;
  if (kind == MALT_DESCRIPTOR_TYPE && n != 0)
    return fail (reader, error, "expected a type without fields, got %u", n);
  /* A field has a name of 8 bytes at least, or an offset and an element. */
  if (has_fields && !check_count (reader, n, 5, error))
    return FALSE;
  descriptor = malt_descriptor_new (kind, flags, type, n_type_bytes, has_fields ? n : 0);
  if (kind == MALT_DESCRIPTOR_PRIMITIVE)
    descriptor->n_bytes = n;
  add_descriptor (reader, descriptor);
  if (descriptor->names != NULL && !take_names (reader, descriptor, error))
    return FALSE;
  return !(flags & MALT_DESCRIPTOR_LAYOUT) || take_layout (reader, descriptor, error);
}

/* Returns: (transfer none) (nullable) */
static MaltDescriptor *
take_descriptor (MaltWireReader *reader, guint kinds, GError **error)
{
  MaltDescriptor *descriptor;
  guint32 index;

  if (!malt_wire_reader_take_u32 (reader, &index, error))
    return NULL;
  if (index > reader->n_descriptors || index == MALT_WIRE_MAX_DESCRIPTORS)
    {
      set_failure (reader, error,
                   "expected a descriptor up to %" G_GSIZE_FORMAT ", got %u",
                   reader->n_descriptors, index);
      return NULL;
    }
  if (index == reader->n_descriptors && !take_definition (reader, error))
    return NULL;
  descriptor = reader->descriptors[index];
  if (!(kinds & 1u << descriptor->kind))
    {
      set_failure (reader, error, "expected another descriptor than one of kind %d",
                   descriptor->kind);
      return NULL;
    }
  return descriptor;
}

#define TYPES (1u << MALT_DESCRIPTOR_TYPE)
#define NAMED_TUPLES (1u << MALT_DESCRIPTOR_NAMED_TUPLE)
#define STRUCTS (1u << MALT_DESCRIPTOR_STRUCT)
#define TUPLES (1u << MALT_DESCRIPTOR_TUPLE)
#define PRIMITIVES (1u << MALT_DESCRIPTOR_PRIMITIVE)

static MaltElement *
take_element_of_parts (MaltWireReader *reader, guint8 tag, GError **error)
{
  g_autoptr (MaltElement) part = NULL;
  gboolean is_ok;

  if (!enter (reader, error))
    return NULL;
  part = take_element (reader, error);
  reader->depth--;
  if (part == NULL)
    return NULL;
  if (tag == MALT_TAG_RATIONAL)
    is_ok = malt_value_kind_is_integer (part->kind);
  else
    is_ok = malt_value_kind_is_integer (part->kind) ||
            malt_value_kind_is_float (part->kind) || part->kind == MALT_VALUE_RATIONAL;
  if (!is_ok)
    {
      set_failure (reader, error, "expected parts that are numbers");
      return NULL;
    }
  return malt_element_new_of_parts (
      tag == MALT_TAG_RATIONAL ? MALT_VALUE_RATIONAL : MALT_VALUE_COMPLEX, part);
}

static MaltElement *
take_element_of_fields (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor =
      take_descriptor (reader, NAMED_TUPLES | STRUCTS | TUPLES, error);

  if (descriptor == NULL)
    return NULL;
  /* The depth is set when the definition has been read to its end. */
  if (!(descriptor->flags & MALT_DESCRIPTOR_LAYOUT) || descriptor->depth == 0)
    {
      set_failure (reader, error, "expected a descriptor with a complete layout");
      return NULL;
    }
  return malt_element_new_of_fields (descriptor);
}

/* Returns: (transfer full) (nullable) */
static MaltElement *
take_element (MaltWireReader *reader, GError **error)
{
  guint8 tag;

  if (!malt_wire_reader_take_u8 (reader, &tag, error))
    return NULL;
  if (tag >= MALT_TAG_INT8 && tag <= MALT_TAG_CHAR)
    return malt_element_for_kind (MALT_SCALAR_FOR_TAG (tag));
  if (tag == MALT_TAG_BOOL)
    return malt_element_for_kind (MALT_VALUE_BOOL);
  if (tag == MALT_TAG_COMPLEX || tag == MALT_TAG_RATIONAL)
    return take_element_of_parts (reader, tag, error);
  if (tag == MALT_TAG_STRUCT)
    return take_element_of_fields (reader, error);
  set_failure (reader, error, "unknown element %02x", tag);
  return NULL;
}

/* Values */

static MaltValue *take_value (MaltWireReader *reader, gboolean may_be_undef,
                              GError **error);

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

  if (!check_count (reader, n_values, 1, error))
    return NULL;
  group = malt_group_new (kind, descriptor, flags, n_values);
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
      descriptor = take_descriptor (reader, TYPES, error);
      if (descriptor == NULL)
        return NULL;
    }
  if (!malt_wire_reader_take_u64 (reader, &count, error) ||
      !check_count (reader, count, kind == MALT_VALUE_DICT ? 2 : 1, error))
    return NULL;
  return (MaltValue *) take_group (reader, kind, descriptor, 0,
                                   kind == MALT_VALUE_DICT ? 2 * count : count, error);
}

static MaltValue *
take_named_tuple (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor = take_descriptor (reader, NAMED_TUPLES, error);

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
      set_failure (reader, error, "expected a Symbol as the head of an Expr");
      return NULL;
    }
  if (!malt_wire_reader_take_u64 (reader, &count, error) ||
      !check_count (reader, count, 1, error))
    return NULL;
  group = malt_group_new (MALT_VALUE_EXPR, NULL, 0, count + 1);
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
  MaltDescriptor *descriptor = take_descriptor (reader, TYPES, error);
  MaltGroup *group;
  MaltValue *length;
  guint8 form;

  if (descriptor == NULL || !malt_wire_reader_take_u8 (reader, &form, error))
    return NULL;
  if (form > MALT_RANGE_ONE_TO)
    {
      set_failure (reader, error, "unknown form %u of a range", form);
      return NULL;
    }
  group = take_group (reader, MALT_VALUE_RANGE, descriptor, 0, 4, error);
  if (group == NULL)
    return NULL;
  group->base.form = form;
  length = group->refs[3];
  if (length->kind != MALT_VALUE_INT64 || (gint64) ((MaltScalar *) length)->low < 0)
    {
      set_failure (reader, error, "expected the length of a range");
      malt_value_unref (&group->base);
      return NULL;
    }
  return &group->base;
}

static MaltValue *
take_struct (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor = take_descriptor (reader, STRUCTS | PRIMITIVES, error);
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
      if (!take (reader, descriptor->n_bytes, &bits, error))
        goto out;
      group->refs[0] = (MaltValue *) malt_value_new_text (MALT_VALUE_STRING, bits,
                                                          descriptor->n_bytes);
    }
  if (flags & MALT_VALUE_FLAG_OWN_SHOW)
    {
      if (!malt_wire_reader_take_text (reader, &show, &n_show_bytes, error))
        goto out;
      group->refs[group->n_refs - 1] =
          (MaltValue *) malt_value_new_text (MALT_VALUE_STRING, show, n_show_bytes);
    }
  return &group->base;

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

  if (!take (reader, n_bytes, &bytes, error))
    return FALSE;
  for (gsize i = 0; i < n_bytes; i++)
    if (bytes[i] != 0)
      return fail (reader, error, "expected padding of zero bytes");
  return TRUE;
}

static MaltValue *
take_bits_array (MaltWireReader *reader, GError **error)
{
  g_autoptr (MaltElement) element = take_element (reader, error);
  gsize dims[MALT_ARRAY_MAX_DIMS];
  gsize n_dims, n_values, n_bytes, offset;
  const guint8 *data;

  if (element == NULL || !take_dims (reader, dims, &n_dims, error) ||
      !take_padding (reader, error))
    return NULL;
  if (!malt_dims_product (dims, n_dims, element->size, &n_values, &n_bytes))
    {
      set_failure (reader, error, "expected dimensions that fit into memory");
      return NULL;
    }
  offset = reader->offset;
  if (!take (reader, n_bytes, &data, error))
    return NULL;
  return &malt_array_new_of_bits (element, dims, n_dims, reader->body, offset, n_bytes)
              ->base;
}

static MaltValue *
take_value_array (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor = take_descriptor (reader, TYPES, error);
  gsize dims[MALT_ARRAY_MAX_DIMS];
  gsize n_dims, n_values, n_bytes;
  MaltArray *array;

  if (descriptor == NULL || !take_dims (reader, dims, &n_dims, error))
    return NULL;
  if (!malt_dims_product (dims, n_dims, 1, &n_values, &n_bytes))
    {
      set_failure (reader, error, "expected dimensions that fit into memory");
      return NULL;
    }
  if (!check_count (reader, n_values, 1, error))
    return NULL;
  array = malt_array_new_of_values (descriptor, dims, n_dims, n_values);
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
  type = take_descriptor (reader, TYPES, error);
  if (type == NULL || !malt_wire_reader_take_u8 (reader, &flags, error) ||
      !malt_wire_reader_take_text (reader, &text, &n_text_bytes, error))
    return NULL;
  if ((flags & ~all_flags) != 0)
    {
      set_failure (reader, error, "unknown flags %02x of a handle", flags);
      return NULL;
    }
  return malt_value_new_handle (id, reader->home, type, flags, text, n_text_bytes);
}

static MaltValue *
take_text_value (MaltWireReader *reader, MaltValueKind kind, GError **error)
{
  const char *text;
  gsize n_bytes;

  if (!malt_wire_reader_take_text (reader, &text, &n_bytes, error))
    return NULL;
  return &malt_value_new_text (kind, text, n_bytes)->base;
}

static MaltValue *
take_scalar (MaltWireReader *reader, MaltValueKind kind, GError **error)
{
  const guint8 *bytes;
  gsize n_bytes = malt_element_for_kind (kind)->size;
  guint64 halves[2] = { 0, 0 };

  if (!take (reader, n_bytes, &bytes, error))
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
    default:
      reader->offset--;
      set_failure (reader, error, "unknown tag %02x", tag);
      return NULL;
    }
}

static MaltValue *
take_value (MaltWireReader *reader, gboolean may_be_undef, GError **error)
{
  MaltValue *value;
  guint8 tag;

  if (!enter (reader, error) || !malt_wire_reader_take_u8 (reader, &tag, error))
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

char *
malt_wire_reader_take_string_value (MaltWireReader *reader, GError **error)
{
  guint8 tag;
  const char *text;
  gsize n_bytes;
  char *copy;

  if (!malt_wire_reader_take_u8 (reader, &tag, error))
    return NULL;
  if (tag != MALT_TAG_STRING)
    {
      reader->offset--;
      set_failure (reader, error, "expected a String, got tag %02x", tag);
      return NULL;
    }
  if (!malt_wire_reader_take_text (reader, &text, &n_bytes, error))
    return NULL;
  copy = g_malloc (n_bytes + 1);
  if (n_bytes > 0)
    memcpy (copy, text, n_bytes);
  copy[n_bytes] = '\0';
  return copy;
}
