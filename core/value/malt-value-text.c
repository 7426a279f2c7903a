/* SPDX-License-Identifier: MIT */
/* How Julia writes characters, strings and floats. */
#include "platform/malt-platform.h"
#include "value/malt-float.h"
#include "value/malt-value-private.h"

#include <math.h>
#include <string.h>

/* As utf8proc has it: letters, marks, numbers, punctuation, symbols and the blanks
 * that have a width. */
static gboolean
is_printable (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return FALSE;
    default:
      return TRUE;
    }
}

/* The letter behind the backslash, or 0. */
static char
escape_letter (gunichar c)
{
  if (c >= '\a' && c <= '\r')
    return "abtnvfr"[c - '\a'];
  if (c == '\033')
    return 'e';
  return 0;
}

/* All bytes of a malformed or overlong character. */
static void
append_char_bytes (GString *out, guint32 bits)
{
  do
    {
      g_string_append_printf (out, "\\x%02x", bits >> 24);
      bits <<= 8;
    }
  while (bits != 0);
}

/* Behind one character in a string; is_hex_next: what follows would be taken for one
 * more digit. */
static void
append_escaped (GString *out, gunichar c, gboolean is_octal_next, gboolean is_hex_next)
{
  if (c == 0)
    g_string_append (out, is_octal_next ? "\\x00" : "\\0");
  else if (c == '"' || c == '$' || c == '\\')
    g_string_append_printf (out, "\\%c", (int) c);
  else if (escape_letter (c) != 0)
    g_string_append_printf (out, "\\%c", escape_letter (c));
  else if (is_printable (c))
    g_string_append_unichar (out, c);
  else if (c < 0x80)
    g_string_append_printf (out, "\\x%02x", c);
  else if (c <= 0xffff)
    g_string_append_printf (out, "\\u%0*x", is_hex_next ? 4 : 2, c);
  else
    g_string_append_printf (out, "\\U%0*x", is_hex_next ? 8 : 4, c);
}

void
malt_append_quoted (GString *out, const char *text, gsize n_bytes)
{
  gsize pos = 0;

  g_string_append_c (out, '"');
  while (pos < n_bytes)
    {
      guint32 bits = malt_char_bits_next (text, n_bytes, &pos);
      char next = pos < n_bytes ? text[pos] : ' ';
      gunichar c;

      if (malt_char_bits_to_unichar (bits, &c))
        append_escaped (out, c, next >= '0' && next <= '7', g_ascii_isxdigit (next));
      else
        append_char_bytes (out, bits);
    }
  g_string_append_c (out, '"');
}

void
malt_append_char (GString *out, guint32 bits)
{
  gunichar c;

  g_string_append_c (out, '\'');
  if (!malt_char_bits_to_unichar (bits, &c))
    append_char_bytes (out, bits);
  else if (c == 0)
    g_string_append (out, "\\0");
  else if (c == '\'' || c == '\\')
    g_string_append_printf (out, "\\%c", (int) c);
  else if (escape_letter (c) != 0)
    g_string_append_printf (out, "\\%c", escape_letter (c));
  else if (is_printable (c))
    g_string_append_unichar (out, c);
  else
    g_string_append_printf (out, "\\%c%02x",
                            c <= 0x7f     ? 'x'
                            : c <= 0xffff ? 'u'
                                          : 'U',
                            c);
  g_string_append_c (out, '\'');
}

/* Floats */

#define MAX_DIGITS 17

static gdouble
round_to_kind (gdouble number, MaltValueKind kind)
{
  if (kind == MALT_VALUE_FLOAT16)
    return malt_float16_to_double (malt_float16_from_double (number));
  return kind == MALT_VALUE_FLOAT32 ? (gdouble) (gfloat) number : number;
}

/* The number 0.DIGITS times a power of ten. */
typedef struct
{
  char digits[MAX_DIGITS + 1];
  int n_digits;
  int point; /* that power */
} Decimal;

static void
set_decimal (Decimal *decimal, gdouble number, int n_digits)
{
  char format[8];
  char text[48];

  g_snprintf (format, sizeof format, "%%.%de", n_digits - 1);
  g_ascii_formatd (text, sizeof text, format, number);
  decimal->digits[0] = text[0];
  /* text is "d.ddde-xx", or "de-xx" */
  if (n_digits > 1)
    memcpy (decimal->digits + 1, text + 2, (gsize) n_digits - 1);
  decimal->digits[n_digits] = '\0';
  decimal->n_digits = n_digits;
  decimal->point = (int) g_ascii_strtoll (strchr (text, 'e') + 1, NULL, 10) + 1;
}

static gdouble
decimal_to_double (const Decimal *decimal)
{
  return malt_platform_parse_decimal (decimal->digits,
                                      decimal->point - decimal->n_digits);
}

/* The next larger number with as many digits. */
static void
increment (Decimal *decimal)
{
  int i = decimal->n_digits - 1;

  while (i >= 0 && decimal->digits[i] == '9')
    decimal->digits[i--] = '0';
  if (i >= 0)
    {
      decimal->digits[i]++;
      return;
    }
  decimal->digits[0] = '1';
  decimal->point++;
}

/* The shortest decimal number that is rounded to the given one, and the nearest of
 * those. At a power of two the gap above is twice the one below, so that the nearest
 * with so many digits may fail where the next succeeds. */
static void
find_shortest (Decimal *decimal, gdouble number, MaltValueKind kind)
{
  /* What has up to 15 digits comes back from 15 digits, unless it is subnormal. */
  int n_digits = kind == MALT_VALUE_FLOAT64 && number >= 0x1p-1000 ? 15 : 1;

  for (; n_digits < MAX_DIGITS; n_digits++)
    {
      set_decimal (decimal, number, n_digits);
      if (round_to_kind (decimal_to_double (decimal), kind) == number)
        break;
      increment (decimal);
      if (round_to_kind (decimal_to_double (decimal), kind) == number)
        break;
    }
  if (n_digits == MAX_DIGITS)
    set_decimal (decimal, number, MAX_DIGITS);
  while (decimal->n_digits > 1 && decimal->digits[decimal->n_digits - 1] == '0')
    decimal->digits[--decimal->n_digits] = '\0';
}

static void
append_zeros (GString *out, int n)
{
  for (int i = 0; i < n; i++)
    g_string_append_c (out, '0');
}

static void
append_fixed (GString *out, const Decimal *decimal)
{
  if (decimal->point <= 0)
    {
      g_string_append (out, "0.");
      append_zeros (out, -decimal->point);
      g_string_append (out, decimal->digits);
    }
  else if (decimal->point >= decimal->n_digits)
    {
      g_string_append (out, decimal->digits);
      append_zeros (out, decimal->point - decimal->n_digits);
      g_string_append (out, ".0");
    }
  else
    {
      g_string_append_len (out, decimal->digits, decimal->point);
      g_string_append_c (out, '.');
      g_string_append (out, decimal->digits + decimal->point);
    }
}

static void
append_finite (GString *out, gdouble number, MaltValueKind kind, gboolean shows_type)
{
  int max_point = kind == MALT_VALUE_FLOAT16 ? 3 : 6;
  Decimal decimal = { "0", 1, 1 };

  if (malt_has_minus (number))
    g_string_append_c (out, '-');
  if (number != 0)
    find_shortest (&decimal, fabs (number), kind);
  if (decimal.point > -4 && decimal.point <= max_point)
    {
      append_fixed (out, &decimal);
      if (shows_type && kind == MALT_VALUE_FLOAT32)
        g_string_append (out, "f0");
      return;
    }
  g_string_append_printf (out, "%c.%s%c%d", decimal.digits[0],
                          decimal.n_digits > 1 ? decimal.digits + 1 : "0",
                          kind == MALT_VALUE_FLOAT32 ? 'f' : 'e', decimal.point - 1);
}

void
malt_append_float (GString *out, MaltValue *value, gboolean shows_type)
{
  MaltValueKind kind = value->kind;
  gdouble number = malt_value_get_float (value);
  gboolean is_wrapped =
      shows_type && kind == MALT_VALUE_FLOAT16 && malt_is_finite (number);

  if (is_wrapped)
    g_string_append (out, "Float16(");
  if (malt_is_finite (number))
    append_finite (out, number, kind, shows_type);
  else
    g_string_append_printf (out, "%s%s",
                            malt_is_nan (number) ? "NaN"
                            : number < 0         ? "-Inf"
                                                 : "Inf",
                            !shows_type || kind == MALT_VALUE_FLOAT64 ? ""
                            : kind == MALT_VALUE_FLOAT32              ? "32"
                                                                      : "16");
  if (is_wrapped)
    g_string_append_c (out, ')');
}
