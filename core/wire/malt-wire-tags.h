/* SPDX-License-Identifier: MIT */
/* The tags of values: docs/protocol.md, section 3. Included by the reader and the
 * writer only. */
#pragma once

#include "value/malt-value-private.h"

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "The payload is the host's memory: only little-endian machines are supported."
#endif

enum
{
  MALT_TAG_NOTHING = 0x01,
  MALT_TAG_MISSING = 0x02,
  MALT_TAG_FALSE = 0x03,
  MALT_TAG_TRUE = 0x04,
  MALT_TAG_UNDEF = 0x05,
  MALT_TAG_INT8 = 0x10, /* to Char and Bool in the order of malt_wire_scalar_kinds */
  MALT_TAG_CHAR = 0x1d,
  MALT_TAG_BOOL = 0x1e, /* as an element only */
  MALT_TAG_STRING = 0x20,
  MALT_TAG_SYMBOL = 0x21,
  MALT_TAG_TUPLE = 0x22,
  MALT_TAG_NAMED_TUPLE = 0x23,
  MALT_TAG_PAIR = 0x24,
  MALT_TAG_BITS_ARRAY = 0x25,
  MALT_TAG_VALUE_ARRAY = 0x26,
  MALT_TAG_DICT = 0x27,
  MALT_TAG_SET = 0x28,
  MALT_TAG_COMPLEX = 0x29,
  MALT_TAG_RATIONAL = 0x2a,
  MALT_TAG_RANGE = 0x2b,
  MALT_TAG_EXPR = 0x2c,
  MALT_TAG_STRUCT = 0x2e,
  MALT_TAG_HANDLE = 0x2f,
  MALT_TAG_LENT_ARRAY = 0x30, /* within one process only */
};

/* The kinds of the scalars stand in the order of their tags, so that one is the other
 * plus a constant. */
#define MALT_TAG_FOR_SCALAR(kind) ((guint8) ((kind) -MALT_VALUE_INT8 + MALT_TAG_INT8))
#define MALT_SCALAR_FOR_TAG(tag) \
  ((MaltValueKind) ((tag) -MALT_TAG_INT8 + MALT_VALUE_INT8))
G_STATIC_ASSERT (MALT_TAG_FOR_SCALAR (MALT_VALUE_CHAR) == MALT_TAG_CHAR);
