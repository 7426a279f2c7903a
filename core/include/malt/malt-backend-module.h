/* SPDX-License-Identifier: MIT */
/* How backends become known: the program registers them, or they come in modules. For
 * their authors. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt-abstract-worker.h> can be included directly."
#endif

#include <malt/malt-version.h>

G_BEGIN_DECLS

MALT_EXPORT
gboolean malt_backend_register (GType worker_type, GError **error);

/* The version of malt-abstract-worker.h as a whole, the vtable first; a module that was built
 * for another one is refused. */
#define MALT_BACKEND_ABI 1u

/* A function such as my_worker_get_type(). */
typedef GType (*MaltBackendTypeFunc) (void);

/**
 * MaltBackendModule:
 * @magic: tells the entry from other things
 * @abi: %MALT_BACKEND_ABI of the headers that the module was built with
 * @n_worker_bytes: size of #MaltWorker there
 * @n_class_bytes: size of #MaltWorkerClass there
 * @types: the types of the module's backends, ended by %NULL
 *
 * The entry of a module, which is looked at before any function of the module is called.
 * Made by MALT_DEFINE_BACKEND_MODULE(). The first two members are the same in every version.
 */
typedef struct
{
  guint32 magic;
  guint32 abi;
  guint32 n_worker_bytes;
  guint32 n_class_bytes;
  const MaltBackendTypeFunc *types;
} MaltBackendModule;

#define MALT_BACKEND_MODULE_MAGIC 0x544c414du /* "MALT" */

/* Modules define it. */
extern MALT_MODULE_EXPORT const MaltBackendModule malt_backend_module;

/**
 * MALT_DEFINE_BACKEND_MODULE:
 * @...: the functions that give the types of its backends, such as my_worker_get_type
 *
 * Makes a shared object a module that the library finds its backends in. Once in each
 * module, at file scope. The module stays loaded, so its types are static ones.
 */
#define MALT_DEFINE_BACKEND_MODULE(...)                                              \
  static const MaltBackendTypeFunc malt_backend_module_types[] = { __VA_ARGS__, 0 }; \
  const MaltBackendModule malt_backend_module = {                                    \
    MALT_BACKEND_MODULE_MAGIC, MALT_BACKEND_ABI, (guint32) sizeof (MaltWorker),      \
    (guint32) sizeof (MaltWorkerClass), malt_backend_module_types                    \
  };

G_END_DECLS
