/* SPDX-License-Identifier: MIT */
/* Signatures of C functions: the parser, and the description that libffi needs. */
#include "ffi/malt-signature.h"

#include "base/malt-error-private.h"

#include <string.h>

#define MAX_QUOTED_CHARS 40

typedef struct
{
  const char *name;
  MaltCType type;
  ffi_type *ffi;
} TypeName;

#define SCALAR(name, kind, ffi)           \
  {                                       \
    name, { MALT_C_SCALAR, kind }, &(ffi) \
  }

static const TypeName type_names[] = {
  { "void", { MALT_C_VOID, MALT_VALUE_NOTHING }, &ffi_type_void },
  SCALAR ("bool", MALT_VALUE_BOOL, ffi_type_sint),
  SCALAR ("i8", MALT_VALUE_INT8, ffi_type_sint8),
  SCALAR ("u8", MALT_VALUE_UINT8, ffi_type_uint8),
  SCALAR ("i16", MALT_VALUE_INT16, ffi_type_sint16),
  SCALAR ("u16", MALT_VALUE_UINT16, ffi_type_uint16),
  SCALAR ("i32", MALT_VALUE_INT32, ffi_type_sint32),
  SCALAR ("u32", MALT_VALUE_UINT32, ffi_type_uint32),
  SCALAR ("i64", MALT_VALUE_INT64, ffi_type_sint64),
  SCALAR ("u64", MALT_VALUE_UINT64, ffi_type_uint64),
  SCALAR ("f32", MALT_VALUE_FLOAT32, ffi_type_float),
  SCALAR ("f64", MALT_VALUE_FLOAT64, ffi_type_double),
  { "string", { MALT_C_STRING, MALT_VALUE_NOTHING }, &ffi_type_pointer },
  { "value", { MALT_C_VALUE, MALT_VALUE_NOTHING }, &ffi_type_pointer },
};

/* The text, and how far it has been read. */
typedef struct
{
  const char *text;
  const char *at;
} Parser;

static gboolean
fail_at (const Parser *parser, const char *at, const char *expected, GError **error)
{
  g_autofree char *text = malt_text_to_line (parser->text, MAX_QUOTED_CHARS);
  g_autofree char *rest = malt_text_to_line (at, MAX_QUOTED_CHARS);

  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "signature '%s': expected %s at character %d, got %s%s%s", text, expected,
               (int) (at - parser->text) + 1, *rest != '\0' ? "'" : "its end", rest,
               *rest != '\0' ? "'" : "");
  return FALSE;
}

static void
skip_spaces (Parser *parser)
{
  while (g_ascii_isspace (*parser->at))
    parser->at++;
}

static gboolean
accept (Parser *parser, char wanted)
{
  skip_spaces (parser);
  if (*parser->at != wanted)
    return FALSE;
  parser->at++;
  return TRUE;
}

static const TypeName *
find_type (const char *name, gsize n_bytes)
{
  for (gsize i = 0; i < G_N_ELEMENTS (type_names); i++)
    if (strlen (type_names[i].name) == n_bytes &&
        memcmp (type_names[i].name, name, n_bytes) == 0)
      return &type_names[i];
  return NULL;
}

static gboolean
parse_type (Parser *parser, MaltCType *out_type, const char **out_start, GError **error)
{
  const TypeName *found;
  const char *start;

  skip_spaces (parser);
  start = parser->at;
  while (g_ascii_isalnum (*parser->at))
    parser->at++;
  found = find_type (start, (gsize) (parser->at - start));
  if (found == NULL)
    return fail_at (parser, start,
                    "a type (bool, i8 to i64, u8 to u64, f32, f64, string or value)",
                    error);
  *out_type = found->type;
  *out_start = start;
  if (!accept (parser, '*'))
    return TRUE;
  if (found->type.form != MALT_C_SCALAR)
    return fail_at (parser, parser->at - 1, "no '*' behind a type that is not a scalar",
                    error);
  out_type->form = MALT_C_POINTER;
  return TRUE;
}

static gboolean
parse_result (Parser *parser, MaltCType *out_type, GError **error)
{
  const char *start;

  if (!parse_type (parser, out_type, &start, error))
    return FALSE;
  if (out_type->form == MALT_C_POINTER)
    return fail_at (parser, start, "a result that is not a pointer", error);
  return TRUE;
}

static gboolean
parse_argument (Parser *parser, GArray *arguments, GError **error)
{
  MaltCType type;
  const char *start;

  if (!parse_type (parser, &type, &start, error))
    return FALSE;
  if (type.form == MALT_C_VOID)
    return fail_at (parser, start, "an argument that is not void", error);
  if (arguments->len == MALT_SIGNATURE_MAX_ARGUMENTS)
    return fail_at (
        parser, start,
        "no more than " G_STRINGIFY (MALT_SIGNATURE_MAX_ARGUMENTS) " arguments", error);
  g_array_append_val (arguments, type);
  return TRUE;
}

static gboolean
parse_arguments (Parser *parser, GArray *arguments, GError **error)
{
  if (!accept (parser, '('))
    return fail_at (parser, parser->at, "'('", error);
  if (accept (parser, ')'))
    return TRUE;
  do
    if (!parse_argument (parser, arguments, error))
      return FALSE;
  while (accept (parser, ','));
  if (!accept (parser, ')'))
    return fail_at (parser, parser->at, "',' or ')'", error);
  return TRUE;
}

static const TypeName *
get_type_name (MaltCType type)
{
  MaltCForm form = type.form == MALT_C_POINTER ? MALT_C_SCALAR : type.form;

  for (gsize i = 0; i < G_N_ELEMENTS (type_names); i++)
    if (type_names[i].type.form == form && type_names[i].type.kind == type.kind)
      return &type_names[i];
  g_return_val_if_reached (&type_names[0]);
}

static ffi_type *
get_ffi_type (MaltCType type)
{
  return type.form == MALT_C_POINTER ? &ffi_type_pointer : get_type_name (type)->ffi;
}

static MaltSignature *
signature_new (MaltCType result, const MaltCType *arguments, guint n_arguments,
               guint n_trailing)
{
  MaltSignature *signature =
      g_malloc0 (sizeof (MaltSignature) + n_arguments * sizeof (MaltCType));
  ffi_status status;

  g_atomic_ref_count_init (&signature->ref_count);
  signature->result = result;
  signature->n_arguments = n_arguments;
  signature->n_trailing = n_trailing;
  signature->ffi_types = g_new (ffi_type *, n_arguments + n_trailing + 1);
  for (guint i = 0; i < n_arguments; i++)
    {
      signature->arguments[i] = arguments[i];
      signature->ffi_types[i] = get_ffi_type (arguments[i]);
    }
  for (guint i = 0; i < n_trailing; i++)
    signature->ffi_types[n_arguments + i] = &ffi_type_pointer;
  status = ffi_prep_cif (&signature->cif, FFI_DEFAULT_ABI, n_arguments + n_trailing,
                         get_ffi_type (result), signature->ffi_types);
  g_assert (status == FFI_OK); /* it can refuse structures and other ABIs only */
  return signature;
}

MaltSignature *
malt_signature_parse (const char *text, guint n_trailing_pointers, GError **error)
{
  Parser parser = { text, text };
  g_autoptr (GArray) arguments = g_array_new (FALSE, FALSE, sizeof (MaltCType));
  MaltCType result;

  if (!parse_result (&parser, &result, error) ||
      !parse_arguments (&parser, arguments, error))
    return NULL;
  skip_spaces (&parser);
  if (*parser.at != '\0')
    {
      fail_at (&parser, parser.at, "the end", error);
      return NULL;
    }
  return signature_new (result, (const MaltCType *) (gpointer) arguments->data,
                        arguments->len, n_trailing_pointers);
}

MaltSignature *
malt_signature_ref (MaltSignature *signature)
{
  g_atomic_ref_count_inc (&signature->ref_count);
  return signature;
}

void
malt_signature_unref (MaltSignature *signature)
{
  if (!g_atomic_ref_count_dec (&signature->ref_count))
    return;
  g_free (signature->ffi_types);
  g_free (signature);
}

char *
malt_c_type_to_string (MaltCType type)
{
  return g_strconcat (get_type_name (type)->name,
                      type.form == MALT_C_POINTER ? "*" : NULL, NULL);
}

char *
malt_signature_to_string (const MaltSignature *signature)
{
  g_autofree char *result = malt_c_type_to_string (signature->result);
  GString *text = g_string_new (result);

  g_string_append_c (text, '(');
  for (guint i = 0; i < signature->n_arguments; i++)
    {
      g_autofree char *argument = malt_c_type_to_string (signature->arguments[i]);
      g_string_append_printf (text, "%s%s", i > 0 ? "," : "", argument);
    }
  g_string_append_c (text, ')');
  return g_string_free (text, FALSE);
}
