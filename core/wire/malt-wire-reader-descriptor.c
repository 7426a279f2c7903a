/* SPDX-License-Identifier: MIT */
/* Reads descriptors and the elements of arrays: docs/protocol.md, section 4. */
#include "malt-wire-reader-private.h"

#define MAX_ALIGNMENT 4096

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

/* Fields must not overlap: then no more of them can be made of an element than it has
 * bytes. */
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
      slot->element = malt_wire_reader_take_element (reader, error);
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
  if (!malt_wire_reader_enter (reader, error))
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
  if (has_fields && !malt_wire_reader_check_count (reader, n, 5, error))
    return FALSE;
  descriptor = malt_descriptor_new (kind, flags, type, n_type_bytes, has_fields ? n : 0);
  if (kind == MALT_DESCRIPTOR_PRIMITIVE)
    descriptor->n_bytes = n;
  add_descriptor (reader, descriptor);
  if (descriptor->names != NULL && !take_names (reader, descriptor, error))
    return FALSE;
  return !(flags & MALT_DESCRIPTOR_LAYOUT) || take_layout (reader, descriptor, error);
}

MaltDescriptor *
malt_wire_reader_take_descriptor (MaltWireReader *reader, guint kinds, GError **error)
{
  MaltDescriptor *descriptor;
  guint32 index;

  if (!malt_wire_reader_take_u32 (reader, &index, error))
    return NULL;
  if (index > reader->n_descriptors || index == MALT_WIRE_MAX_DESCRIPTORS)
    {
      malt_wire_reader_set_failure (
          reader, error, "expected a descriptor up to %" G_GSIZE_FORMAT ", got %u",
          reader->n_descriptors, index);
      return NULL;
    }
  if (index == reader->n_descriptors && !take_definition (reader, error))
    return NULL;
  descriptor = reader->descriptors[index];
  if (!(kinds & 1u << descriptor->kind))
    {
      malt_wire_reader_set_failure (reader, error,
                                    "expected another descriptor than one of kind %d",
                                    descriptor->kind);
      return NULL;
    }
  return descriptor;
}

static MaltElement *
take_element_of_parts (MaltWireReader *reader, guint8 tag, GError **error)
{
  g_autoptr (MaltElement) part = NULL;
  gboolean is_ok;

  if (!malt_wire_reader_enter (reader, error))
    return NULL;
  part = malt_wire_reader_take_element (reader, error);
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
      malt_wire_reader_set_failure (reader, error, "expected parts that are numbers");
      return NULL;
    }
  return malt_element_new_of_parts (
      tag == MALT_TAG_RATIONAL ? MALT_VALUE_RATIONAL : MALT_VALUE_COMPLEX, part);
}

static MaltElement *
take_element_of_fields (MaltWireReader *reader, GError **error)
{
  MaltDescriptor *descriptor = malt_wire_reader_take_descriptor (
      reader, MALT_WIRE_NAMED_TUPLES | MALT_WIRE_STRUCTS | MALT_WIRE_TUPLES, error);

  if (descriptor == NULL)
    return NULL;
  /* The depth is set when the definition has been read to its end. */
  if (!(descriptor->flags & MALT_DESCRIPTOR_LAYOUT) || descriptor->depth == 0)
    {
      malt_wire_reader_set_failure (reader, error,
                                    "expected a descriptor with a complete layout");
      return NULL;
    }
  return malt_element_new_of_fields (descriptor);
}

MaltElement *
malt_wire_reader_take_element (MaltWireReader *reader, GError **error)
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
  malt_wire_reader_set_failure (reader, error, "unknown element %02x", tag);
  return NULL;
}
