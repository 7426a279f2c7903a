/* SPDX-License-Identifier: MIT */
/* How a MaltValue is laid out, and the constructors that the codec uses. Internal to
 * the library.
 *
 * A value is one allocation with a common head; what follows the head depends on the
 * kind:
 *
 *   MaltScalar      Bool, integers, floats, Char: the bits (MaltWideScalar if 128)
 *   MaltText        String, Symbol: bytes and their number
 *   MaltGroup       everything that is made of other values: their references inline
 *   MaltArray       arrays of bits (a borrowed stretch of a GBytes) and arrays of values
 *   MaltHandle      an object on a worker
 *
 * Values never change once a constructor has returned them, but for the type name,
 * which is made on demand and published with a compare-and-exchange. So any thread may
 * use any value without a lock. */
#pragma once

#include <malt/malt-value.h>

G_BEGIN_DECLS

/* Levels of nesting on the wire (docs/protocol.md, section 5); a scalar is one level. */
#define MALT_VALUE_MAX_WIRE_DEPTH 128
/* Levels that a constructor accepts: more than the wire does, so that a host learns of
 * it by a GError when it sends the value, and few enough for functions that recurse
 * over values. */
#define MALT_VALUE_MAX_DEPTH 250
#define MALT_ARRAY_MAX_DIMS 32

/* Where handles come from and go back to. One for each worker. */
typedef struct _MaltHandleHome MaltHandleHome;

/* Called when the last reference to a handle is gone, in the thread that dropped it,
 * with the home's lock held: it must not block, must not use values and must not close
 * the home. */
typedef void (*MaltHandleReleaseFunc) (guint64 id, gpointer user_data);

MaltHandleHome *malt_handle_home_new (MaltHandleReleaseFunc release, gpointer user_data);
MaltHandleHome *malt_handle_home_ref (MaltHandleHome *home);
void malt_handle_home_unref (MaltHandleHome *home);
/* After this has returned the release function does not run and will not run again. */
/* Nothing changes once it is closed. */
void malt_handle_home_set_user_data (MaltHandleHome *home, gpointer user_data);
void malt_handle_home_close (MaltHandleHome *home);
gboolean malt_handle_home_is_closed (MaltHandleHome *home);
/* For the handle that goes. */
void malt_handle_home_release (MaltHandleHome *home, guint64 id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltHandleHome, malt_handle_home_unref)

typedef struct _MaltDescriptor MaltDescriptor;
typedef struct _MaltElement MaltElement;

/* Bytes that are followed by a NUL, which is not counted. Names may hold any bytes, as
 * Julia's may. */
typedef struct
{
  char *text; /* (owned) */
  gsize n_bytes;
} MaltName;

/* Numbers are those of the wire. */
typedef enum
{
  MALT_DESCRIPTOR_TYPE = 1,
  MALT_DESCRIPTOR_NAMED_TUPLE = 2,
  MALT_DESCRIPTOR_STRUCT = 3,
  MALT_DESCRIPTOR_TUPLE = 4,
  MALT_DESCRIPTOR_PRIMITIVE = 5,
} MaltDescriptorKind;

typedef enum
{
  MALT_DESCRIPTOR_PLAIN = 0,
  MALT_DESCRIPTOR_LAYOUT = 1 << 0,
  MALT_DESCRIPTOR_OWN_SHOW = 1 << 1,
} MaltDescriptorFlags;

/* One place in memory: an element of an array, or a field of such an element. */
typedef struct
{
  guint32 offset;
  MaltElement *element; /* (owned) */
} MaltSlot;

/* What values of one type have in common: its name, the names of its fields, where
 * they lie in memory. */
struct _MaltDescriptor
{
  gatomicrefcount ref_count;
  MaltDescriptorKind kind;
  MaltDescriptorFlags flags;
  /* Empty for tuples and named tuples. */
  MaltName type;
  /* Of kinds 2, 3 and 4. */
  guint32 n_fields;
  /* Of kind 5: the size of an instance. */
  guint32 n_bytes;
  /* With layout: size and alignment of one element, levels of nesting of its value. */
  guint32 size;
  guint32 alignment;
  guint depth;
  /* (owned) (nullable): n_fields names, of kinds 2 and 3. */
  MaltName *names;
  /* (owned) (nullable): n_fields places, with layout. */
  MaltSlot *slots;
};

MaltDescriptor *malt_descriptor_new (MaltDescriptorKind kind, MaltDescriptorFlags flags,
                                     const char *type, gsize n_type_bytes,
                                     guint32 n_fields);
MaltDescriptor *malt_descriptor_new_type (const char *type);
void malt_descriptor_set_name (MaltDescriptor *descriptor, guint32 index,
                               const char *name, gsize n_bytes);
MaltDescriptor *malt_descriptor_ref (MaltDescriptor *descriptor);
void malt_descriptor_unref (MaltDescriptor *descriptor);
gboolean malt_descriptor_equal (const MaltDescriptor *a, const MaltDescriptor *b);
guint malt_descriptor_hash (const MaltDescriptor *descriptor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltDescriptor, malt_descriptor_unref)

/* What one element of an array of bits is. Those of plain numbers are static. */
struct _MaltElement
{
  gatomicrefcount ref_count;
  gboolean is_static;
  MaltValueKind kind; /* a scalar, COMPLEX, RATIONAL, STRUCT, TUPLE or NAMED_TUPLE */
  gsize size;
  gsize alignment;
  guint depth;
  MaltElement *part; /* (owned) (nullable): COMPLEX and RATIONAL */
  MaltDescriptor *descriptor; /* (owned) (nullable): STRUCT, TUPLE and NAMED_TUPLE */
};

/* NULL if elements of arrays cannot be of this kind by itself. */
MaltElement *malt_element_for_kind (MaltValueKind kind);
MaltElement *malt_element_new_of_parts (MaltValueKind kind, MaltElement *part);
MaltElement *malt_element_new_of_fields (MaltDescriptor *descriptor);
MaltElement *malt_element_ref (MaltElement *element);
void malt_element_unref (MaltElement *element);
gboolean malt_element_equal (const MaltElement *a, const MaltElement *b);
MaltValue *malt_element_load (MaltElement *element, const guint8 *data);
char *malt_element_dup_type_name (MaltElement *element);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltElement, malt_element_unref)

typedef enum
{
  /* Never freed, not counted. */
  MALT_VALUE_FLAG_STATIC = 1 << 0,
  /* A group whose last reference is its text, a String. */
  MALT_VALUE_FLAG_OWN_SHOW = 1 << 1,
  /* A struct without fields whose first reference is its bytes, a String. */
  MALT_VALUE_FLAG_PRIMITIVE = 1 << 2,
} MaltValueFlags;

struct _MaltValue
{
  gint ref_count; /* atomic */
  guint8 kind; /* MaltValueKind */
  guint8 flags; /* MaltValueFlags */
  guint8 depth; /* 1 + that of the deepest part */
  guint8 form; /* of a range: MaltRangeForm */
};

/* Integers are sign or zero extended; floats and Char are their bits. */
typedef struct
{
  MaltValue base;
  guint64 low;
} MaltScalar;

/* Int128 and UInt128. */
typedef struct
{
  MaltScalar narrow;
  guint64 high;
} MaltWideScalar;

typedef struct
{
  MaltValue base;
  gsize n_bytes;
  char text[]; /* n_bytes and a NUL */
} MaltText;

/* Tuple, NamedTuple, Pair, Dict (key and value alternate), Set, Complex (re, im),
 * Rational (num, den), range (first, step, last, length), Expr (head, then arguments),
 * struct (fields). */
typedef struct
{
  MaltValue base;
  /* (owned) (nullable), atomic: made on demand. */
  char *type_name;
  /* (owned) (nullable). */
  MaltDescriptor *descriptor;
  /* The parts; then, in n_refs, what the flags say. */
  gsize n_values;
  gsize n_refs;
  /* (owned); NULL only while the group is being built. */
  MaltValue *refs[];
} MaltGroup;

typedef struct
{
  MaltValue base;
  /* (owned) (nullable), atomic: made on demand. */
  char *type_name;
  char *element_type_name;
  /* (owned) (nullable): of an array of bits, its elements and the memory they lie in,
   * which may be larger. */
  MaltElement *element;
  GBytes *bytes;
  /* (unowned): into that memory, aligned for the element. */
  const guint8 *data;
  gsize n_bytes;
  /* (owned) (nullable): of an array of values; entries are NULL only while it is being
   * built. */
  MaltDescriptor *element_type;
  MaltValue **values;
  /* Number of elements, in both cases. */
  gsize n_values;
  gsize n_dims;
  gsize dims[];
} MaltArray;

typedef struct
{
  MaltValue base;
  /* (owned) (nullable), atomic: made on demand. */
  char *type_name;
  guint64 id;
  MaltHandleFlags handle_flags;
  /* (owned) (nullable). */
  MaltHandleHome *home;
  /* (owned). */
  MaltDescriptor *type;
  /* (owned) (nullable): a String. */
  MaltValue *text;
} MaltHandle;

static inline gboolean
malt_value_kind_is_scalar (MaltValueKind kind)
{
  return kind >= MALT_VALUE_BOOL && kind <= MALT_VALUE_CHAR;
}

static inline gboolean
malt_value_kind_is_text (MaltValueKind kind)
{
  return kind == MALT_VALUE_STRING || kind == MALT_VALUE_SYMBOL;
}

static inline gboolean
malt_value_kind_is_group (MaltValueKind kind)
{
  return kind >= MALT_VALUE_TUPLE && kind <= MALT_VALUE_STRUCT &&
         kind != MALT_VALUE_ARRAY;
}

/* The text of a struct that shows itself, or NULL. */
static inline MaltText *
malt_group_get_show (const MaltGroup *group)
{
  if (!(group->base.flags & MALT_VALUE_FLAG_OWN_SHOW))
    return NULL;
  return (MaltText *) group->refs[group->n_refs - 1];
}

/* The bytes of an instance of a primitive type, or NULL. */
static inline MaltText *
malt_group_get_bits (const MaltGroup *group)
{
  if (!(group->base.flags & MALT_VALUE_FLAG_PRIMITIVE))
    return NULL;
  return (MaltText *) group->refs[group->n_values];
}

/* Constructors for the codec. A group or an array of values is made empty, filled by
 * stores into its references, and finished by a call that computes its depth; until
 * then only malt_value_unref() may be used on it. */

MaltValue *malt_value_new_scalar (MaltValueKind kind, guint64 low, guint64 high);
/* These three are NULL where there is no memory for them. */
MaltText *malt_value_new_text (MaltValueKind kind, const void *text, gsize n_bytes);
MaltGroup *malt_group_new (MaltValueKind kind, MaltDescriptor *descriptor,
                           MaltValueFlags flags, gsize n_values);
void malt_group_finish (MaltGroup *group);
MaltArray *malt_array_new_of_bits (MaltElement *element, const gsize *dims, gsize n_dims,
                                   GBytes *bytes, gsize offset, gsize n_bytes);
MaltArray *malt_array_new_of_values (MaltDescriptor *element_type, const gsize *dims,
                                     gsize n_dims, gsize n_values);
void malt_array_finish (MaltArray *array);
MaltValue *malt_value_new_handle (guint64 id, MaltHandleHome *home, MaltDescriptor *type,
                                  MaltHandleFlags flags, const char *text,
                                  gsize n_text_bytes);
MaltHandleHome *malt_value_get_handle_home (MaltValue *value);

/* What stands for a value for which there was no memory: of kind UNDEF, and no call takes
 * it. */
MaltValue *malt_value_new_short (void);
gboolean malt_value_is_short (const MaltValue *value);
void malt_value_set_short_error (GError **error);

/* False if the product of the dimensions, or of them and the size, does not fit. */
gboolean malt_dims_product (const gsize *dims, gsize n_dims, gsize element_size,
                            gsize *out_n, gsize *out_n_bytes);

/* Numbers */

typedef __int128 MaltInt128;
typedef unsigned __int128 MaltUInt128;

/* An integer of any kind as sign and size. */
typedef struct
{
  gboolean is_negative;
  MaltUInt128 magnitude;
} MaltWideInt;

MaltWideInt malt_value_get_wide_int (MaltValue *value);
gboolean malt_value_kind_is_integer (MaltValueKind kind);
gboolean malt_value_kind_is_signed (MaltValueKind kind);
gboolean malt_value_kind_is_float (MaltValueKind kind);
gdouble malt_float16_to_double (guint16 bits);
guint16 malt_float16_from_double (gdouble value);
gdouble malt_value_get_float (MaltValue *value);
MaltValue *malt_range_dup_element (MaltValue *range, gsize index);

/* Text. The append functions write what Julia's show() does. */

void malt_append_symbol (GString *out, const char *name, gsize n_bytes);
void malt_append_quoted (GString *out, const char *text, gsize n_bytes);
void malt_append_char (GString *out, guint32 bits);
/* "1.0e-5"; the letter of the exponent of Float32 is f, and without an exponent "f0"
 * follows where it says so. */
void malt_append_float (GString *out, MaltValue *value, gboolean shows_type);
gboolean malt_text_is_identifier (const char *text, gsize n_bytes);
/* As in Base.operator_precedence: 0 for what is no operator. Leading dots are allowed. */
int malt_operator_precedence (const char *text, gsize n_bytes);
gboolean malt_text_is_operator (const char *text, gsize n_bytes);
void malt_append_value (GString *out, MaltValue *value, const char *known_type);
void malt_append_expr (GString *out, MaltValue *expr);

/* Text of types: what Julia 1.6 and later would print (", " between parameters, Vector
 * and Matrix for Array). */

char *malt_type_text_canonical (const char *text);
/* The parameter of that number of a canonical type, e.g. "Int64" of "Dict{Int64,
 * Char}" and 0; NULL if none. */
char *malt_type_text_dup_parameter (const char *text, guint index);
char *malt_value_dup_type_name (MaltValue *value);

/* Characters as Julia holds them */

guint32 malt_char_bits_from_unichar (gunichar c);
/* FALSE if the bits are not those of a well-formed character. */
gboolean malt_char_bits_to_unichar (guint32 bits, gunichar *out_c);
/* The character at *pos, which moves on, as Julia's iterate() finds it in a String. */
guint32 malt_char_bits_next (const char *text, gsize n_bytes, gsize *pos);

/* The hash that goes with malt_value_equal(). */
guint malt_value_hash (MaltValue *value);

G_END_DECLS
