/* SPDX-License-Identifier: MIT */
/* Descriptors and elements: what values of one type have in common, and how an element
 * of an array of bits lies in memory. Both are shared by all values of a message and
 * never change once they are complete. */
#include "value/malt-value-private.h"

#include <string.h>

/* What malloc() gives; elements that want more get no more. */
#define MALT_ALLOCATOR_ALIGNMENT 16

MaltDescriptor *
malt_descriptor_new (MaltDescriptorKind kind, MaltDescriptorFlags flags, const char *type,
                     gsize n_type_bytes, guint32 n_fields)
{
  MaltDescriptor *descriptor = g_new0 (MaltDescriptor, 1);

  g_atomic_ref_count_init (&descriptor->ref_count);
  descriptor->kind = kind;
  descriptor->flags = flags;
  descriptor->type.text = g_malloc0 (n_type_bytes + 1);
  if (n_type_bytes > 0)
    memcpy (descriptor->type.text, type, n_type_bytes);
  descriptor->type.n_bytes = n_type_bytes;
  descriptor->n_fields = n_fields;
  if (kind == MALT_DESCRIPTOR_NAMED_TUPLE || kind == MALT_DESCRIPTOR_STRUCT)
    descriptor->names = g_new0 (MaltName, n_fields);
  if (flags & MALT_DESCRIPTOR_LAYOUT)
    descriptor->slots = g_new0 (MaltSlot, n_fields);
  return descriptor;
}

MaltDescriptor *
malt_descriptor_new_type (const char *type)
{
  return malt_descriptor_new (MALT_DESCRIPTOR_TYPE, MALT_DESCRIPTOR_PLAIN, type,
                              strlen (type), 0);
}

void
malt_descriptor_set_name (MaltDescriptor *descriptor, guint32 index, const char *name,
                          gsize n_bytes)
{
  MaltName *field = &descriptor->names[index];

  field->text = g_malloc (n_bytes + 1);
  if (n_bytes > 0)
    memcpy (field->text, name, n_bytes);
  field->text[n_bytes] = '\0';
  field->n_bytes = n_bytes;
}

MaltDescriptor *
malt_descriptor_ref (MaltDescriptor *descriptor)
{
  g_atomic_ref_count_inc (&descriptor->ref_count);
  return descriptor;
}

void
malt_descriptor_unref (MaltDescriptor *descriptor)
{
  if (!g_atomic_ref_count_dec (&descriptor->ref_count))
    return;
  for (guint32 i = 0; i < descriptor->n_fields; i++)
    {
      if (descriptor->names != NULL)
        g_free (descriptor->names[i].text);
      if (descriptor->slots != NULL && descriptor->slots[i].element != NULL)
        malt_element_unref (descriptor->slots[i].element);
    }
  g_free (descriptor->names);
  g_free (descriptor->slots);
  g_free (descriptor->type.text);
  g_free (descriptor);
}

static gboolean
name_equal (const MaltName *a, const MaltName *b)
{
  return a->n_bytes == b->n_bytes && memcmp (a->text, b->text, a->n_bytes) == 0;
}

gboolean
malt_descriptor_equal (const MaltDescriptor *a, const MaltDescriptor *b)
{
  if (a == b)
    return TRUE;
  if (a->kind != b->kind || a->flags != b->flags || a->n_fields != b->n_fields ||
      a->n_bytes != b->n_bytes || a->size != b->size || a->alignment != b->alignment ||
      !name_equal (&a->type, &b->type))
    return FALSE;
  for (guint32 i = 0; i < a->n_fields; i++)
    {
      if (a->names != NULL && !name_equal (&a->names[i], &b->names[i]))
        return FALSE;
      if (a->slots != NULL &&
          (a->slots[i].offset != b->slots[i].offset ||
           !malt_element_equal (a->slots[i].element, b->slots[i].element)))
        return FALSE;
    }
  return TRUE;
}

guint
malt_descriptor_hash (const MaltDescriptor *descriptor)
{
  guint hash = g_str_hash (descriptor->type.text);

  hash = hash * 31 + (guint) descriptor->kind;
  hash = hash * 31 + descriptor->n_fields;
  for (guint32 i = 0; descriptor->names != NULL && i < descriptor->n_fields; i++)
    hash = hash * 31 + g_str_hash (descriptor->names[i].text);
  return hash;
}

/* Elements */

#define PLAIN_ELEMENT(KIND, n_element_bytes) \
  [KIND] = { .is_static = TRUE,              \
             .kind = (KIND),                 \
             .size = (n_element_bytes),      \
             .alignment = (n_element_bytes), \
             .depth = 1 }

static MaltElement plain_elements[] = {
  PLAIN_ELEMENT (MALT_VALUE_BOOL, 1),     PLAIN_ELEMENT (MALT_VALUE_INT8, 1),
  PLAIN_ELEMENT (MALT_VALUE_UINT8, 1),    PLAIN_ELEMENT (MALT_VALUE_INT16, 2),
  PLAIN_ELEMENT (MALT_VALUE_UINT16, 2),   PLAIN_ELEMENT (MALT_VALUE_INT32, 4),
  PLAIN_ELEMENT (MALT_VALUE_UINT32, 4),   PLAIN_ELEMENT (MALT_VALUE_INT64, 8),
  PLAIN_ELEMENT (MALT_VALUE_UINT64, 8),   PLAIN_ELEMENT (MALT_VALUE_INT128, 16),
  PLAIN_ELEMENT (MALT_VALUE_UINT128, 16), PLAIN_ELEMENT (MALT_VALUE_FLOAT16, 2),
  PLAIN_ELEMENT (MALT_VALUE_FLOAT32, 4),  PLAIN_ELEMENT (MALT_VALUE_FLOAT64, 8),
  PLAIN_ELEMENT (MALT_VALUE_CHAR, 4),
};

MaltElement *
malt_element_for_kind (MaltValueKind kind)
{
  return malt_value_kind_is_scalar (kind) ? &plain_elements[kind] : NULL;
}

MaltElement *
malt_element_new_of_parts (MaltValueKind kind, MaltElement *part)
{
  MaltElement *element = g_new0 (MaltElement, 1);

  g_atomic_ref_count_init (&element->ref_count);
  element->kind = kind;
  element->size = 2 * part->size;
  element->alignment = part->alignment;
  element->depth = part->depth + 1;
  element->part = malt_element_ref (part);
  return element;
}

static MaltValueKind
kind_of_fields (const MaltDescriptor *descriptor)
{
  switch (descriptor->kind)
    {
    case MALT_DESCRIPTOR_NAMED_TUPLE:
      return MALT_VALUE_NAMED_TUPLE;
    case MALT_DESCRIPTOR_TUPLE:
      return MALT_VALUE_TUPLE;
    case MALT_DESCRIPTOR_STRUCT:
    case MALT_DESCRIPTOR_TYPE:
    case MALT_DESCRIPTOR_PRIMITIVE:
    default:
      return MALT_VALUE_STRUCT;
    }
}

MaltElement *
malt_element_new_of_fields (MaltDescriptor *descriptor)
{
  MaltElement *element = g_new0 (MaltElement, 1);

  g_atomic_ref_count_init (&element->ref_count);
  element->kind = kind_of_fields (descriptor);
  element->size = descriptor->size;
  element->alignment = MIN (descriptor->alignment, MALT_ALLOCATOR_ALIGNMENT);
  element->depth = descriptor->depth;
  element->descriptor = malt_descriptor_ref (descriptor);
  return element;
}

MaltElement *
malt_element_ref (MaltElement *element)
{
  if (!element->is_static)
    g_atomic_ref_count_inc (&element->ref_count);
  return element;
}

void
malt_element_unref (MaltElement *element)
{
  if (element->is_static || !g_atomic_ref_count_dec (&element->ref_count))
    return;
  g_clear_pointer (&element->part, malt_element_unref);
  g_clear_pointer (&element->descriptor, malt_descriptor_unref);
  g_free (element);
}

/* Inner descriptors are compared by identity: hostile ones can be nested so that
 * looking into them takes for ever, and a definition that is sent twice does no harm. */
gboolean
malt_element_equal (const MaltElement *a, const MaltElement *b)
{
  if (a == b)
    return TRUE;
  if (a->kind != b->kind || a->is_static || b->is_static)
    return FALSE;
  if (a->part != NULL)
    return malt_element_equal (a->part, b->part);
  return a->descriptor == b->descriptor;
}

/* The value of the element at data, which need not be aligned. */
MaltValue *
malt_element_load (MaltElement *element, const guint8 *data)
{
  MaltDescriptor *descriptor = element->descriptor;
  guint64 halves[2] = { 0, 0 };
  MaltGroup *group;

  if (element->is_static)
    {
      memcpy (halves, data, element->size);
      return malt_value_new_scalar (element->kind, halves[0], halves[1]);
    }
  if (element->part != NULL)
    {
      group = malt_group_new (element->kind, NULL, 0, 2);
      group->refs[0] = malt_element_load (element->part, data);
      group->refs[1] = malt_element_load (element->part, data + element->part->size);
    }
  else
    {
      group = malt_group_new (
          element->kind, descriptor->kind == MALT_DESCRIPTOR_TUPLE ? NULL : descriptor, 0,
          descriptor->n_fields);
      if (group == NULL)
        return malt_value_new_short ();
      for (guint32 i = 0; i < descriptor->n_fields; i++)
        group->refs[i] = malt_element_load (descriptor->slots[i].element,
                                            data + descriptor->slots[i].offset);
    }
  malt_group_finish (group);
  return &group->base;
}
