/* SPDX-License-Identifier: MIT */
/* Host functions that Julia calls in its own thread: closures of libffi.
 *
 * A closure is a C function made at run time. It takes the arguments of the signature and a
 * GError **, adds the user_data between the two, and calls the function of the host. Julia
 * sees a plain function pointer, checks the arguments itself, and throws what it finds in the
 * GError. The memory of the closure belongs to a GBytes, which the Julia side holds as long as
 * it may call. */
#include "ffi/malt-export-native.h"
#include "ffi/malt-export-private.h"

#define N_CLOSURE_TRAILING 1 /* GError ** */

typedef struct
{
  MaltExport *function; /* (owned) */
  MaltExportNative *native; /* (unowned): of function */
  MaltSignature *signature; /* (owned): of the closure */
  char *text; /* (owned) */
  ffi_closure *closure; /* (owned) */
} Direct;

static void
direct_free (gpointer data)
{
  Direct *direct = data;

  g_clear_pointer (&direct->closure, ffi_closure_free);
  g_clear_pointer (&direct->signature, malt_signature_unref);
  g_clear_pointer (&direct->function, malt_export_unref);
  g_free (direct->text);
  g_free (direct);
}

/* In the thread of Julia. Nothing of Julia's may be called here. */
static void
on_call (G_GNUC_UNUSED ffi_cif *cif, void *result, void **arguments, void *data)
{
  Direct *direct = data;
  MaltExportNative *native = direct->native;
  guint n_arguments = native->signature->n_arguments;
  void *pointers[MALT_SIGNATURE_MAX_ARGUMENTS + 2];

  for (guint i = 0; i < n_arguments; i++)
    pointers[i] = arguments[i];
  pointers[n_arguments] = &native->user_data;
  pointers[n_arguments + 1] = arguments[n_arguments];
  ffi_call (&native->signature->cif, FFI_FN (native->function), result, pointers);
}

static gboolean
is_plain (const MaltSignature *signature)
{
  gboolean is_right = signature->result.form != MALT_C_VALUE;

  for (guint i = 0; i < signature->n_arguments && is_right; i++)
    is_right = signature->arguments[i].form != MALT_C_VALUE;
  return is_right;
}

GBytes *
malt_export_native_new_direct (MaltExport *function, gpointer data,
                               MaltDirectFunction *out_direct, GError **error)
{
  MaltExportNative *native = data;
  Direct *direct;
  gpointer code = NULL;

  if (!is_plain (native->signature))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                           "expected no value in the signature of a function that is "
                           "called directly");
      return NULL;
    }
  direct = g_new0 (Direct, 1);
  direct->function = malt_export_ref (function);
  direct->native = native;
  direct->text = malt_signature_to_string (native->signature);
  direct->signature = malt_signature_parse (direct->text, N_CLOSURE_TRAILING, error);
  direct->closure = ffi_closure_alloc (sizeof (ffi_closure), &code);
  if (direct->signature == NULL || direct->closure == NULL ||
      ffi_prep_closure_loc (direct->closure, &direct->signature->cif, on_call, direct,
                            code) != FFI_OK)
    {
      g_clear_error (error);
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_FAILED,
                           "libffi can make no closure here");
      direct_free (direct);
      return NULL;
    }
  out_direct->code = code;
  out_direct->signature = direct->text;
  out_direct->owner =
      g_bytes_new_with_free_func (direct, sizeof *direct, direct_free, direct);
  return out_direct->owner;
}
