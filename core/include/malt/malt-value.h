/* SPDX-License-Identifier: MIT */
/* MaltValue: a Julia value on the host's side. Documentation comments stand beside the
 * code, in malt-value*.c. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <gio/gio.h>
#include <malt/malt-version.h>

G_BEGIN_DECLS

/**
 * MaltValueKind:
 * @MALT_VALUE_NOTHING: `nothing`
 * @MALT_VALUE_MISSING: `missing`
 * @MALT_VALUE_UNDEF: `#undef`, an unset element or field; only inside arrays and structs
 * @MALT_VALUE_BOOL: Bool
 * @MALT_VALUE_INT8: Int8
 * @MALT_VALUE_UINT8: UInt8
 * @MALT_VALUE_INT16: Int16
 * @MALT_VALUE_UINT16: UInt16
 * @MALT_VALUE_INT32: Int32
 * @MALT_VALUE_UINT32: UInt32
 * @MALT_VALUE_INT64: Int64
 * @MALT_VALUE_UINT64: UInt64
 * @MALT_VALUE_INT128: Int128
 * @MALT_VALUE_UINT128: UInt128
 * @MALT_VALUE_FLOAT16: Float16
 * @MALT_VALUE_FLOAT32: Float32
 * @MALT_VALUE_FLOAT64: Float64
 * @MALT_VALUE_CHAR: Char
 * @MALT_VALUE_STRING: String
 * @MALT_VALUE_SYMBOL: Symbol
 * @MALT_VALUE_TUPLE: Tuple
 * @MALT_VALUE_NAMED_TUPLE: NamedTuple
 * @MALT_VALUE_PAIR: Pair
 * @MALT_VALUE_ARRAY: Array of bits types (contiguous bytes) or of any values
 * @MALT_VALUE_DICT: Dict or another dictionary
 * @MALT_VALUE_SET: Set
 * @MALT_VALUE_COMPLEX: Complex
 * @MALT_VALUE_RATIONAL: Rational
 * @MALT_VALUE_RANGE: a range
 * @MALT_VALUE_EXPR: Expr
 * @MALT_VALUE_STRUCT: an instance of an immutable type: its type's name and its fields
 * @MALT_VALUE_HANDLE: an object that stays on the worker
 *
 * What a value is.
 */
typedef enum
{
  MALT_VALUE_NOTHING,
  MALT_VALUE_MISSING,
  MALT_VALUE_UNDEF,
  MALT_VALUE_BOOL,
  MALT_VALUE_INT8,
  MALT_VALUE_UINT8,
  MALT_VALUE_INT16,
  MALT_VALUE_UINT16,
  MALT_VALUE_INT32,
  MALT_VALUE_UINT32,
  MALT_VALUE_INT64,
  MALT_VALUE_UINT64,
  MALT_VALUE_INT128,
  MALT_VALUE_UINT128,
  MALT_VALUE_FLOAT16,
  MALT_VALUE_FLOAT32,
  MALT_VALUE_FLOAT64,
  MALT_VALUE_CHAR,
  MALT_VALUE_STRING,
  MALT_VALUE_SYMBOL,
  MALT_VALUE_TUPLE,
  MALT_VALUE_NAMED_TUPLE,
  MALT_VALUE_PAIR,
  MALT_VALUE_ARRAY,
  MALT_VALUE_DICT,
  MALT_VALUE_SET,
  MALT_VALUE_COMPLEX,
  MALT_VALUE_RATIONAL,
  MALT_VALUE_RANGE,
  MALT_VALUE_EXPR,
  MALT_VALUE_STRUCT,
  MALT_VALUE_HANDLE,
} MaltValueKind;

/**
 * MaltRangeForm:
 * @MALT_RANGE_UNIT: `first:last`
 * @MALT_RANGE_STEP: `first:step:last`
 * @MALT_RANGE_LIN: `LinRange(first, last, length)`
 * @MALT_RANGE_ONE_TO: `Base.OneTo(last)`
 *
 * Which of Julia's range types a range is.
 */
typedef enum
{
  MALT_RANGE_UNIT,
  MALT_RANGE_STEP,
  MALT_RANGE_LIN,
  MALT_RANGE_ONE_TO,
} MaltRangeForm;

/**
 * MaltHandleFlags:
 * @MALT_HANDLE_PLAIN: none of the others
 * @MALT_HANDLE_CALLABLE: can be called, so it may be the function of a call
 * @MALT_HANDLE_TYPE: a Julia type
 * @MALT_HANDLE_MODULE: a Julia module
 *
 * What is known of the object behind a handle.
 */
typedef enum
{
  MALT_HANDLE_PLAIN = 0,
  MALT_HANDLE_CALLABLE = 1 << 0,
  MALT_HANDLE_TYPE = 1 << 1,
  MALT_HANDLE_MODULE = 1 << 2,
} MaltHandleFlags;

#define MALT_TYPE_VALUE (malt_value_get_type ())

typedef struct _MaltValue MaltValue;

MALT_EXPORT
GType malt_value_get_type (void) G_GNUC_CONST;

MALT_EXPORT
MaltValue *malt_value_ref (MaltValue *value);

MALT_EXPORT
void malt_value_unref (MaltValue *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltValue, malt_value_unref)

/* Scalars */

MALT_EXPORT
MaltValue *malt_value_new_nothing (void);
MALT_EXPORT
MaltValue *malt_value_new_missing (void);
MALT_EXPORT
MaltValue *malt_value_new_undef (void);
MALT_EXPORT
MaltValue *malt_value_new_bool (gboolean value);
MALT_EXPORT
MaltValue *malt_value_new_int8 (gint8 value);
MALT_EXPORT
MaltValue *malt_value_new_uint8 (guint8 value);
MALT_EXPORT
MaltValue *malt_value_new_int16 (gint16 value);
MALT_EXPORT
MaltValue *malt_value_new_uint16 (guint16 value);
MALT_EXPORT
MaltValue *malt_value_new_int32 (gint32 value);
MALT_EXPORT
MaltValue *malt_value_new_uint32 (guint32 value);
MALT_EXPORT
MaltValue *malt_value_new_int64 (gint64 value);
MALT_EXPORT
MaltValue *malt_value_new_uint64 (guint64 value);
MALT_EXPORT
MaltValue *malt_value_new_int128 (gint64 high, guint64 low);
MALT_EXPORT
MaltValue *malt_value_new_uint128 (guint64 high, guint64 low);
MALT_EXPORT
MaltValue *malt_value_new_float16 (gfloat value);
MALT_EXPORT
MaltValue *malt_value_new_float32 (gfloat value);
MALT_EXPORT
MaltValue *malt_value_new_double (gdouble value);
MALT_EXPORT
MaltValue *malt_value_new_char (gunichar value);
MALT_EXPORT
MaltValue *malt_value_new_char_bits (guint32 bits);
MALT_EXPORT
MaltValue *malt_value_new_string (const char *value);
MALT_EXPORT
MaltValue *malt_value_new_string_len (const char *value, gsize n_bytes);
MALT_EXPORT
MaltValue *malt_value_new_symbol (const char *name);

/* Containers. Each takes its own reference to the values in it. */

MALT_EXPORT
MaltValue *malt_value_new_tuple (MaltValue *const *values, gsize n_values);
MALT_EXPORT
MaltValue *malt_value_new_named_tuple (const char *const *names, MaltValue *const *values,
                                       gsize n_values);
MALT_EXPORT
MaltValue *malt_value_new_pair (MaltValue *first, MaltValue *second);
MALT_EXPORT
MaltValue *malt_value_new_dict (const char *type_name, MaltValue *const *keys,
                                MaltValue *const *values, gsize n_entries);
MALT_EXPORT
MaltValue *malt_value_new_set (const char *type_name, MaltValue *const *values,
                               gsize n_values);
MALT_EXPORT
MaltValue *malt_value_new_complex (MaltValue *real, MaltValue *imaginary);
MALT_EXPORT
MaltValue *malt_value_new_rational (MaltValue *numerator, MaltValue *denominator);
MALT_EXPORT
MaltValue *malt_value_new_range (MaltValue *first, MaltValue *step, MaltValue *last);
MALT_EXPORT
MaltValue *malt_value_new_expr (const char *head, MaltValue *const *args, gsize n_args);
MALT_EXPORT
MaltValue *malt_value_new_struct (const char *type_name, const char *const *names,
                                  MaltValue *const *values, gsize n_fields);

/* Arrays */

MALT_EXPORT
MaltValue *malt_value_new_array (MaltValueKind element, const gsize *dims, gsize n_dims,
                                 gconstpointer data, gsize n_bytes);
MALT_EXPORT
MaltValue *malt_value_new_array_from_bytes (MaltValueKind element, const gsize *dims,
                                            gsize n_dims, GBytes *bytes, GError **error);
MALT_EXPORT
MaltValue *malt_value_new_complex_array_from_bytes (MaltValueKind part, const gsize *dims,
                                                    gsize n_dims, GBytes *bytes,
                                                    GError **error);
MALT_EXPORT
MaltValue *malt_value_new_value_array (const char *element_type, const gsize *dims,
                                       gsize n_dims, MaltValue *const *values,
                                       gsize n_values);

/* What it is */

MALT_EXPORT
MaltValueKind malt_value_get_kind (MaltValue *value);
MALT_EXPORT
const char *malt_value_kind_to_string (MaltValueKind kind);
MALT_EXPORT
const char *malt_value_get_type_name (MaltValue *value);
MALT_EXPORT
gboolean malt_value_is_integer (MaltValue *value);
MALT_EXPORT
gboolean malt_value_is_real (MaltValue *value);
MALT_EXPORT
gboolean malt_value_equal (MaltValue *a, MaltValue *b);

/* Scalars out. The get forms want a value of the right kind, the as forms report what
 * does not fit. */

MALT_EXPORT
gboolean malt_value_get_bool (MaltValue *value);
MALT_EXPORT
gint64 malt_value_get_int64 (MaltValue *value);
MALT_EXPORT
guint64 malt_value_get_uint64 (MaltValue *value);
MALT_EXPORT
gdouble malt_value_get_double (MaltValue *value);
MALT_EXPORT
void malt_value_get_int128 (MaltValue *value, gint64 *out_high, guint64 *out_low);
MALT_EXPORT
gunichar malt_value_get_char (MaltValue *value);
MALT_EXPORT
guint32 malt_value_get_char_bits (MaltValue *value);
MALT_EXPORT
const char *malt_value_get_string (MaltValue *value, gsize *out_n_bytes);
MALT_EXPORT
char *malt_value_dup_string (MaltValue *value);
MALT_EXPORT
gboolean malt_value_as_bool (MaltValue *value, gboolean *out_value, GError **error);
MALT_EXPORT
gboolean malt_value_as_int64 (MaltValue *value, gint64 *out_value, GError **error);
MALT_EXPORT
gboolean malt_value_as_uint64 (MaltValue *value, guint64 *out_value, GError **error);
MALT_EXPORT
gboolean malt_value_as_double (MaltValue *value, gdouble *out_value, GError **error);
MALT_EXPORT
const char *malt_value_as_string (MaltValue *value, GError **error);

/* Parts of containers, arrays, structs and expressions */

MALT_EXPORT
gsize malt_value_get_n_children (MaltValue *value);
MALT_EXPORT
MaltValue *malt_value_dup_child (MaltValue *value, gsize index);
MALT_EXPORT
const char *malt_value_get_name (MaltValue *value, gsize index);
MALT_EXPORT
MaltValue *malt_value_dup_field (MaltValue *value, const char *name);
MALT_EXPORT
MaltValue *malt_value_dup_key (MaltValue *value, gsize index);
MALT_EXPORT
MaltValue *malt_value_lookup (MaltValue *value, MaltValue *key);
MALT_EXPORT
MaltValue *malt_value_lookup_string (MaltValue *value, const char *key);
MALT_EXPORT
const char *malt_value_get_head (MaltValue *value);
MALT_EXPORT
MaltRangeForm malt_value_get_range_form (MaltValue *value);
MALT_EXPORT
gsize malt_value_get_range_length (MaltValue *value);

/* Arrays out */

MALT_EXPORT
gsize malt_value_get_n_dims (MaltValue *value);
MALT_EXPORT
const gsize *malt_value_get_dims (MaltValue *value, gsize *out_n_dims);
MALT_EXPORT
gboolean malt_value_is_bits_array (MaltValue *value);
MALT_EXPORT
MaltValueKind malt_value_get_element_kind (MaltValue *value);
MALT_EXPORT
const char *malt_value_get_element_type_name (MaltValue *value);
MALT_EXPORT
gsize malt_value_get_element_size (MaltValue *value);
MALT_EXPORT
gconstpointer malt_value_get_array_data (MaltValue *value, gsize *out_n_bytes);
MALT_EXPORT
GBytes *malt_value_dup_bytes (MaltValue *value);

/* Handles */

MALT_EXPORT
guint64 malt_value_get_handle_id (MaltValue *value);
MALT_EXPORT
MaltHandleFlags malt_value_get_handle_flags (MaltValue *value);

/* Text */

MALT_EXPORT
char *malt_value_to_string (MaltValue *value);

G_END_DECLS
