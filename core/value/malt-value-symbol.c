/* SPDX-License-Identifier: MIT */
/* Which names Julia takes for identifiers and operators, and how it writes symbols.
 * From Julia 1.5's parser. */
#include "value/malt-value-private.h"

#include <string.h>

typedef struct
{
  const char *text;
  int precedence;
} AsciiOperator;

/* Those that may have a dot before them and, if they are arithmetic, `=` behind them. */
static const AsciiOperator ascii_operators[] = {
  { "!", 0 },    { "%", 12 },   { "&", 12 },  { "*", 12 },  { "+", 11 },  { "-", 11 },
  { "/", 12 },   { "<", 7 },    { "=", 1 },   { ">", 7 },   { "?", 3 },   { ":", 10 },
  { "\\", 12 },  { "^", 15 },   { "|", 11 },  { "~", 1 },   { "$", 11 },  { "'", 0 },
  { ".", 17 },   { "&&", 6 },   { "++", 11 }, { "--", 4 },  { "//", 13 }, { "<<", 14 },
  { "!=", 7 },   { "<=", 7 },   { "==", 7 },  { ">=", 7 },  { ":=", 1 },  { "->", 0 },
  { "=>", 2 },   { ">>", 14 },  { "|>", 9 },  { "<:", 7 },  { ">:", 7 },  { "::", 16 },
  { "<|", 8 },   { "||", 5 },   { "..", 10 }, { "!==", 7 }, { "===", 7 }, { "-->", 4 },
  { ">>>", 14 }, { "...", 0 },  { "÷=", 1 },  { "⊻=", 1 },  { "//=", 1 }, { "<<=", 1 },
  { ">>=", 1 },  { ">>>=", 1 }, { "%=", 1 },  { "&=", 1 },  { "*=", 1 },  { "+=", 1 },
  { "-=", 1 },   { "/=", 1 },   { "\\=", 1 }, { "^=", 1 },  { "|=", 1 },  { "$=", 1 },
};

/* These have a precedence without being operators: they are identifiers too. */
static const AsciiOperator word_operators[] = { { "in", 7 }, { "isa", 7 } };

typedef struct
{
  gunichar first;
  gunichar last;
  int precedence;
} UnicodeOperators;

/* Made by a loop over all characters with jl_is_operator() and
 * jl_operator_precedence(). */
static const UnicodeOperators unicode_operators[] = {
  { 0xac, 0xac, 0 },      { 0xb1, 0xb1, 11 },     { 0xd7, 0xd7, 12 },
  { 0xf7, 0xf7, 12 },     { 0x2026, 0x2026, 10 }, { 0x205d, 0x205d, 10 },
  { 0x214b, 0x214b, 12 }, { 0x2190, 0x2190, 4 },  { 0x2191, 0x2191, 15 },
  { 0x2192, 0x2192, 4 },  { 0x2193, 0x2193, 15 }, { 0x2194, 0x2194, 4 },
  { 0x219a, 0x219e, 4 },  { 0x21a0, 0x21a0, 4 },  { 0x21a2, 0x21a4, 4 },
  { 0x21a6, 0x21a6, 4 },  { 0x21a9, 0x21ac, 4 },  { 0x21ae, 0x21ae, 4 },
  { 0x21b6, 0x21b7, 4 },  { 0x21ba, 0x21bd, 4 },  { 0x21c0, 0x21c1, 4 },
  { 0x21c4, 0x21c4, 4 },  { 0x21c6, 0x21c7, 4 },  { 0x21c9, 0x21c9, 4 },
  { 0x21cb, 0x21d0, 4 },  { 0x21d2, 0x21d2, 4 },  { 0x21d4, 0x21d4, 4 },
  { 0x21da, 0x21dd, 4 },  { 0x21e0, 0x21e0, 4 },  { 0x21e2, 0x21e2, 4 },
  { 0x21f4, 0x21f4, 4 },  { 0x21f5, 0x21f5, 15 }, { 0x21f6, 0x21ff, 4 },
  { 0x2208, 0x220d, 7 },  { 0x2213, 0x2214, 11 }, { 0x2217, 0x2219, 12 },
  { 0x221a, 0x221c, 0 },  { 0x221d, 0x221d, 7 },  { 0x2224, 0x2224, 12 },
  { 0x2225, 0x2226, 7 },  { 0x2227, 0x2227, 12 }, { 0x2228, 0x2228, 11 },
  { 0x2229, 0x2229, 12 }, { 0x222a, 0x222a, 11 }, { 0x2237, 0x2237, 7 },
  { 0x2238, 0x2238, 11 }, { 0x223a, 0x223b, 7 },  { 0x223d, 0x223e, 7 },
  { 0x2240, 0x2240, 12 }, { 0x2241, 0x224e, 7 },  { 0x224f, 0x224f, 11 },
  { 0x2250, 0x2253, 7 },  { 0x2254, 0x2255, 1 },  { 0x2256, 0x228b, 7 },
  { 0x228d, 0x228d, 12 }, { 0x228e, 0x228e, 11 }, { 0x228f, 0x2292, 7 },
  { 0x2293, 0x2293, 12 }, { 0x2294, 0x2296, 11 }, { 0x2297, 0x229b, 12 },
  { 0x229c, 0x229c, 7 },  { 0x229e, 0x229f, 11 }, { 0x22a0, 0x22a1, 12 },
  { 0x22a2, 0x22a3, 7 },  { 0x22a9, 0x22a9, 7 },  { 0x22ac, 0x22ac, 7 },
  { 0x22ae, 0x22ae, 7 },  { 0x22b0, 0x22b7, 7 },  { 0x22bb, 0x22bb, 11 },
  { 0x22bc, 0x22bc, 12 }, { 0x22bd, 0x22bd, 11 }, { 0x22c4, 0x22c7, 12 },
  { 0x22c9, 0x22cc, 12 }, { 0x22cd, 0x22cd, 7 },  { 0x22ce, 0x22ce, 11 },
  { 0x22cf, 0x22cf, 12 }, { 0x22d0, 0x22d1, 7 },  { 0x22d2, 0x22d2, 12 },
  { 0x22d3, 0x22d3, 11 }, { 0x22d5, 0x22ed, 7 },  { 0x22ee, 0x22f1, 10 },
  { 0x22f2, 0x22ff, 7 },  { 0x25b7, 0x25b7, 12 }, { 0x27c2, 0x27c2, 7 },
  { 0x27c8, 0x27c9, 7 },  { 0x27d1, 0x27d1, 12 }, { 0x27d2, 0x27d2, 7 },
  { 0x27d5, 0x27d7, 12 }, { 0x27f0, 0x27f1, 15 }, { 0x27f5, 0x27f7, 4 },
  { 0x27f9, 0x27ff, 4 },  { 0x2900, 0x2907, 4 },  { 0x2908, 0x290b, 15 },
  { 0x290c, 0x2911, 4 },  { 0x2912, 0x2913, 15 }, { 0x2914, 0x2918, 4 },
  { 0x291d, 0x2920, 4 },  { 0x2944, 0x2948, 4 },  { 0x2949, 0x2949, 15 },
  { 0x294a, 0x294b, 4 },  { 0x294c, 0x294d, 15 }, { 0x294e, 0x294e, 4 },
  { 0x294f, 0x294f, 15 }, { 0x2950, 0x2950, 4 },  { 0x2951, 0x2951, 15 },
  { 0x2952, 0x2953, 4 },  { 0x2954, 0x2955, 15 }, { 0x2956, 0x2957, 4 },
  { 0x2958, 0x2959, 15 }, { 0x295a, 0x295b, 4 },  { 0x295c, 0x295d, 15 },
  { 0x295e, 0x295f, 4 },  { 0x2960, 0x2961, 15 }, { 0x2962, 0x2962, 4 },
  { 0x2963, 0x2963, 15 }, { 0x2964, 0x2964, 4 },  { 0x2965, 0x2965, 15 },
  { 0x2966, 0x296d, 4 },  { 0x296e, 0x296f, 15 }, { 0x2970, 0x2970, 4 },
  { 0x29b7, 0x29b7, 7 },  { 0x29b8, 0x29b8, 12 }, { 0x29bc, 0x29bc, 12 },
  { 0x29be, 0x29bf, 12 }, { 0x29c0, 0x29c1, 7 },  { 0x29e1, 0x29e1, 7 },
  { 0x29e3, 0x29e5, 7 },  { 0x29f4, 0x29f4, 4 },  { 0x29f6, 0x29f7, 12 },
  { 0x29fa, 0x29fb, 11 }, { 0x2a07, 0x2a07, 12 }, { 0x2a08, 0x2a08, 11 },
  { 0x2a1d, 0x2a1d, 12 }, { 0x2a1f, 0x2a1f, 12 }, { 0x2a22, 0x2a2e, 11 },
  { 0x2a30, 0x2a38, 12 }, { 0x2a39, 0x2a3a, 11 }, { 0x2a3b, 0x2a3d, 12 },
  { 0x2a40, 0x2a40, 12 }, { 0x2a41, 0x2a42, 11 }, { 0x2a43, 0x2a44, 12 },
  { 0x2a45, 0x2a45, 11 }, { 0x2a4a, 0x2a4a, 11 }, { 0x2a4b, 0x2a4b, 12 },
  { 0x2a4c, 0x2a4c, 11 }, { 0x2a4d, 0x2a4e, 12 }, { 0x2a4f, 0x2a50, 11 },
  { 0x2a51, 0x2a51, 12 }, { 0x2a52, 0x2a52, 11 }, { 0x2a53, 0x2a53, 12 },
  { 0x2a54, 0x2a54, 11 }, { 0x2a55, 0x2a55, 12 }, { 0x2a56, 0x2a57, 11 },
  { 0x2a58, 0x2a58, 12 }, { 0x2a5a, 0x2a5a, 12 }, { 0x2a5b, 0x2a5b, 11 },
  { 0x2a5c, 0x2a5c, 12 }, { 0x2a5d, 0x2a5d, 11 }, { 0x2a5e, 0x2a60, 12 },
  { 0x2a61, 0x2a63, 11 }, { 0x2a66, 0x2a67, 7 },  { 0x2a6a, 0x2a73, 7 },
  { 0x2a74, 0x2a74, 1 },  { 0x2a75, 0x2ad9, 7 },  { 0x2adb, 0x2adb, 12 },
  { 0x2af7, 0x2afa, 7 },  { 0x2b30, 0x2b44, 4 },  { 0x2b47, 0x2b4c, 4 },
  { 0xffe9, 0xffe9, 4 },  { 0xffea, 0xffea, 15 }, { 0xffeb, 0xffeb, 4 },
  { 0xffec, 0xffec, 15 },
};

static gboolean
find_unicode_operator (gunichar c, int *out_precedence)
{
  gsize low = 0;
  gsize high = G_N_ELEMENTS (unicode_operators);

  while (low < high)
    {
      gsize middle = (low + high) / 2;
      const UnicodeOperators *entry = &unicode_operators[middle];

      if (c < entry->first)
        high = middle;
      else if (c > entry->last)
        low = middle + 1;
      else
        {
          *out_precedence = entry->precedence;
          return TRUE;
        }
    }
  return FALSE;
}

static gboolean
find_ascii_operator (const char *text, gsize n_bytes, int *out_precedence)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ascii_operators); i++)
    if (strlen (ascii_operators[i].text) == n_bytes &&
        memcmp (ascii_operators[i].text, text, n_bytes) == 0)
      {
        *out_precedence = ascii_operators[i].precedence;
        return TRUE;
      }
  return FALSE;
}

static gboolean
find_plain_operator (const char *text, gsize n_bytes, int *out_precedence)
{
  gsize pos = 0;
  gunichar c;

  if (n_bytes == 0)
    return FALSE;
  if (find_ascii_operator (text, n_bytes, out_precedence))
    return TRUE;
  return malt_char_bits_to_unichar (malt_char_bits_next (text, n_bytes, &pos), &c) &&
         pos == n_bytes && find_unicode_operator (c, out_precedence);
}

static gboolean
find_operator (const char *text, gsize n_bytes, int *out_precedence)
{
  static const char *const undotted[] = { "?",  ":",  "$",   "::", "--", ":=",  "&&",
                                          "||", "->", "-->", ".",  "..", "...", "$=" };

  if (find_plain_operator (text, n_bytes, out_precedence))
    return TRUE;
  if (n_bytes < 2 || text[0] != '.')
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (undotted); i++)
    if (strlen (undotted[i]) == n_bytes - 1 &&
        memcmp (undotted[i], text + 1, n_bytes - 1) == 0)
      return FALSE;
  return find_plain_operator (text + 1, n_bytes - 1, out_precedence);
}

gboolean
malt_text_is_operator (const char *text, gsize n_bytes)
{
  int precedence;

  return find_operator (text, n_bytes, &precedence);
}

int
malt_operator_precedence (const char *text, gsize n_bytes)
{
  int precedence;

  if (find_operator (text, n_bytes, &precedence))
    return precedence;
  for (gsize i = 0; i < G_N_ELEMENTS (word_operators); i++)
    if (strlen (word_operators[i].text) == n_bytes &&
        memcmp (word_operators[i].text, text, n_bytes) == 0)
      return word_operators[i].precedence;
  return 0;
}

/* Identifiers */

static gboolean
is_among (gunichar c, const gunichar (*ranges)[2], gsize n_ranges)
{
  for (gsize i = 0; i < n_ranges; i++)
    if (c >= ranges[i][0] && c <= ranges[i][1])
      return TRUE;
  return FALSE;
}

/* Symbols that may begin an identifier although their category may not. */
static gboolean
is_symbol_that_starts (gunichar c)
{
  static const gunichar ranges[][2] = {
    { 0x207a, 0x207e },   { 0x208a, 0x208e },   { 0x2118, 0x2118 },
    { 0x212e, 0x212e },   { 0x2140, 0x2144 },   { 0x2200, 0x2200 },
    { 0x2202, 0x2207 },   { 0x220e, 0x2211 },   { 0x221e, 0x2222 },
    { 0x222b, 0x2233 },   { 0x223f, 0x223f },   { 0x22a4, 0x22a5 },
    { 0x22be, 0x22bf },   { 0x22c0, 0x22c3 },   { 0x25f8, 0x25ff },
    { 0x266f, 0x266f },   { 0x27c0, 0x27c1 },   { 0x27d8, 0x27d9 },
    { 0x299b, 0x29b4 },   { 0x2a00, 0x2a06 },   { 0x2a09, 0x2a16 },
    { 0x2a1b, 0x2a1c },   { 0x309b, 0x309c },   { 0x1d6c1, 0x1d6c1 },
    { 0x1d6db, 0x1d6db }, { 0x1d6fb, 0x1d6fb }, { 0x1d715, 0x1d715 },
    { 0x1d735, 0x1d735 }, { 0x1d74f, 0x1d74f }, { 0x1d76f, 0x1d76f },
    { 0x1d789, 0x1d789 }, { 0x1d7a9, 0x1d7a9 }, { 0x1d7c3, 0x1d7c3 },
    { 0x1d7ce, 0x1d7e1 },
  };

  return is_among (c, ranges, G_N_ELEMENTS (ranges));
}

static gboolean
is_identifier_start (gunichar c)
{
  if (c < 0xa1)
    return g_ascii_isalpha (c) || c == '_';
  switch (g_unichar_type (c))
    {
    case G_UNICODE_UPPERCASE_LETTER:
    case G_UNICODE_LOWERCASE_LETTER:
    case G_UNICODE_TITLECASE_LETTER:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_OTHER_LETTER:
    case G_UNICODE_LETTER_NUMBER:
    case G_UNICODE_CURRENCY_SYMBOL:
      return TRUE;
    case G_UNICODE_OTHER_SYMBOL:
      return !(c >= 0x2190 && c <= 0x21ff) && c != 0xfffc && c != 0xfffd && c != 0x233f &&
             c != 0xa6;
    default:
      return is_symbol_that_starts (c);
    }
}

static gboolean
is_identifier_part (gunichar c)
{
  if (is_identifier_start (c))
    return TRUE;
  if (c < 0xa1)
    return g_ascii_isdigit (c) || c == '!';
  switch (g_unichar_type (c))
    {
    case G_UNICODE_NON_SPACING_MARK:
    case G_UNICODE_SPACING_MARK:
    case G_UNICODE_DECIMAL_NUMBER:
    case G_UNICODE_CONNECT_PUNCTUATION:
    case G_UNICODE_MODIFIER_SYMBOL:
    case G_UNICODE_ENCLOSING_MARK:
    case G_UNICODE_OTHER_NUMBER:
      return TRUE;
    default:
      return (c >= 0x2032 && c <= 0x2037) || c == 0x2057;
    }
}

static gboolean
text_is (const char *text, gsize n_bytes, const char *wanted)
{
  return strlen (wanted) == n_bytes && memcmp (text, wanted, n_bytes) == 0;
}

gboolean
malt_text_is_identifier (const char *text, gsize n_bytes)
{
  gsize pos = 0;

  if (n_bytes == 0 || text_is (text, n_bytes, "true") || text_is (text, n_bytes, "false"))
    return FALSE;
  while (pos < n_bytes)
    {
      gboolean is_first = pos == 0;
      gunichar c;

      if (!malt_char_bits_to_unichar (malt_char_bits_next (text, n_bytes, &pos), &c) ||
          !(is_first ? is_identifier_start (c) : is_identifier_part (c)))
        return FALSE;
    }
  return TRUE;
}

/* `:a`, `:+`, `:(=)`, `Symbol("a b")` */
void
malt_append_symbol (GString *out, const char *name, gsize n_bytes)
{
  static const char *const parenthesised[] = { ":", "::", ":=", "=", "==", "===", "=>" };

  for (gsize i = 0; i < G_N_ELEMENTS (parenthesised); i++)
    if (text_is (name, n_bytes, parenthesised[i]))
      {
        g_string_append_printf (out, ":(%s)", parenthesised[i]);
        return;
      }
  if (malt_text_is_identifier (name, n_bytes) ||
      (malt_text_is_operator (name, n_bytes) && !text_is (name, n_bytes, "'")))
    {
      g_string_append_c (out, ':');
      g_string_append_len (out, name, (gssize) n_bytes);
      return;
    }
  g_string_append (out, "Symbol(");
  malt_append_quoted (out, name, n_bytes);
  g_string_append_c (out, ')');
}
