/* SPDX-License-Identifier: MIT */
/* Signatures of C functions, such as "f64(f64*,i64)", and how values go in and out of
 * such functions. Knows nothing of what the functions are for. Internal to the library. */
#pragma once

#include <ffi.h>
#include <malt/malt-value.h>

G_BEGIN_DECLS

#define MALT_SIGNATURE_MAX_ARGUMENTS 64

typedef enum
{
  MALT_C_VOID, /* a result only */
  MALT_C_SCALAR,
  MALT_C_STRING, /* const char * as an argument, char * as a result */
  MALT_C_VALUE, /* MaltValue *: borrowed as an argument, owned as a result */
  MALT_C_POINTER, /* to the scalars that an array is made of; an argument only */
} MaltCForm;

typedef struct
{
  MaltCForm form;
  MaltValueKind kind; /* of a SCALAR, of what a POINTER points to; else NOTHING */
} MaltCType;

/* Immutable. */
typedef struct
{
  gatomicrefcount ref_count;
  ffi_cif cif; /* ready for ffi_call() */
  ffi_type **ffi_types; /* (owned): of the arguments and what trails them */
  guint n_trailing;
  MaltCType result;
  guint n_arguments;
  MaltCType arguments[];
} MaltSignature;

/* Parses RESULT(ARGUMENT,...). The cif has n_trailing_pointers more arguments than the
 * text, all of them pointers. Fails with MALT_ERROR_INVALID_ARGUMENT, which says what
 * was expected at which character, counted from 1. (transfer full) */
MaltSignature *malt_signature_parse (const char *text, guint n_trailing_pointers,
                                     GError **error);
MaltSignature *malt_signature_ref (MaltSignature *signature);
void malt_signature_unref (MaltSignature *signature);
/* Without spaces; parses to an equal signature. (transfer full) */
char *malt_signature_to_string (const MaltSignature *signature);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltSignature, malt_signature_unref)

/* "i64", "f64*", "string": the type as signatures name it. (transfer full) */
char *malt_c_type_to_string (MaltCType type);

/* Values: malt-signature-value.c */

/* Room for one argument or one result. Results that are narrower than ffi_arg come
 * widened to it, as libffi returns them; arguments do not. */
typedef union
{
  gboolean boolean;
  gint8 i8;
  guint8 u8;
  gint16 i16;
  guint16 u16;
  gint32 i32;
  guint32 u32;
  gint64 i64;
  guint64 u64;
  gfloat f32;
  gdouble f64;
  gpointer pointer;
  ffi_arg widened;
} MaltCSlot;

/* Fills a slot for an argument; it borrows from the value. Fails with MALT_ERROR_VALUE:
 * the value is of another kind, or does not fit. */
gboolean malt_c_slot_set_argument (MaltCSlot *slot, MaltCType type, MaltValue *value,
                                   GError **error);
/* The result that ffi_call() left in a slot, which owns it no longer. What is NULL, and
 * `void`, is `nothing`. (transfer full) */
MaltValue *malt_c_slot_take_result (MaltCSlot *slot, MaltCType type);
/* Frees a result that nobody wants. */
void malt_c_slot_clear_result (MaltCSlot *slot, MaltCType type);

G_END_DECLS
