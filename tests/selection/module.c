/* SPDX-License-Identifier: MIT */
/* Modules for test_modules.py: one for each macro MODULE_..., which says what is wrong with it. */
#include <malt/malt-abstract-worker.h>
#include <stdio.h>
#include <stdlib.h>

/* A file that is named by the environment gets a line for each module whose code runs. */
__attribute__ ((constructor)) static void
leave_mark (void)
{
  const char *path = getenv ("MODULE_MARKS");
  FILE *marks = path != NULL ? fopen (path, "a") : NULL;

  if (marks == NULL)
    return;
  fputs (MODULE_KIND "\n", marks);
#ifdef MODULE_KEEPS_OPEN
  fflush (marks);
#else
  fclose (marks);
#endif
}

/* The smallest backend: every call gives 42. */

typedef struct
{
  MaltWorker parent_instance;
  gint has_ended; /* (atomic) */
} Word;

typedef MaltWorkerClass WordClass;

static gboolean
word_initable_init (G_GNUC_UNUSED GInitable *initable,
                    G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
initable_init (gpointer data, G_GNUC_UNUSED gpointer iface_data)
{
  GInitableIface *iface = data;

  iface->init = word_initable_init;
}

static void
word_remote_call (MaltWorker *worker, MaltFuture *future)
{
  malt_worker_complete_call (worker, malt_future_get_id (future),
                             malt_value_new_int64 (42), NULL);
}

static gboolean
word_remote_do (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltCall *call,
                G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
word_interrupt_async (MaltWorker *worker, G_GNUC_UNUSED MaltFuture *future,
                      G_GNUC_UNUSED MaltInterruptFlags flags, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (worker, cancellable, callback, user_data);

  g_task_return_int (task, MALT_INTERRUPT_GONE);
}

static MaltInterruptResult
word_interrupt_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                       GError **error)
{
  return (MaltInterruptResult) g_task_propagate_int (G_TASK (result), error);
}

static gboolean
word_is_running (MaltWorker *worker)
{
  return !g_atomic_int_get (&((Word *) worker)->has_ended);
}

static void
word_stop_async (MaltWorker *worker, G_GNUC_UNUSED gint64 exit_timeout_ms,
                 G_GNUC_UNUSED gint64 term_timeout_ms, GCancellable *cancellable,
                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (worker, cancellable, callback, user_data);
  g_autoptr (MaltTermination) termination =
      malt_termination_new (MALT_TERMINATION_STOPPED, 0, NULL, NULL);

  g_atomic_int_set (&((Word *) worker)->has_ended, TRUE);
  malt_worker_exited (worker, termination);
  g_task_return_boolean (task, TRUE);
}

static gboolean
word_stop_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
word_kill (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED int signum,
           G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
word_class_init (gpointer data, G_GNUC_UNUSED gpointer class_data)
{
  WordClass *klass = data;
  static const MaltOption no_options[] = { { .name = NULL } };

  klass->name = MODULE_NAME;
  klass->description = "gives 42";
  klass->options = no_options;
  klass->remote_call = word_remote_call;
#ifndef MODULE_LACKS_A_SLOT
  klass->remote_do = word_remote_do;
#endif
  klass->interrupt_async = word_interrupt_async;
  klass->interrupt_finish = word_interrupt_finish;
  klass->is_running = word_is_running;
  klass->stop_async = word_stop_async;
  klass->stop_finish = word_stop_finish;
  klass->kill = word_kill;
}

/* Each module has a type name of its own. */
static GType
word_get_type (void)
{
  static const GInterfaceInfo initable = { .interface_init = initable_init };
  static const GInterfaceInfo async_initable = { .interface_init = NULL };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    {
      GType made = g_type_register_static_simple (MALT_TYPE_WORKER, MODULE_TYPE,
                                                  sizeof (WordClass), word_class_init,
                                                  sizeof (Word), NULL, 0);

      g_type_add_interface_static (made, G_TYPE_INITABLE, &initable);
      g_type_add_interface_static (made, G_TYPE_ASYNC_INITABLE, &async_initable);
      g_once_init_leave (&type, made);
    }
  return type;
}

#if defined(MODULE_HAS_NO_ENTRY)

/* The name stands in the file, but nobody can find it. */
extern const char *module_text;
const char *module_text = "malt_backend_module";
GType module_unused (void);
GType
module_unused (void)
{
  (void) word_remote_do;
  return word_get_type ();
}

#elif defined(MODULE_HAS_ANOTHER_ENTRY)

static const MaltBackendTypeFunc types[] = { word_get_type, NULL };
const MaltBackendModule malt_backend_module = { MODULE_MAGIC, MODULE_ABI, MODULE_WORKER,
                                                MODULE_CLASS, types + MODULE_SKIP };

#elif defined(MODULE_IS_UNRESOLVED)

GType malt_there_is_no_such_function (void);
MALT_DEFINE_BACKEND_MODULE (word_get_type, malt_there_is_no_such_function)

#elif defined(MODULE_IS_NO_WORKER)

static GType
nothing_get_type (void)
{
  return 0;
}

MALT_DEFINE_BACKEND_MODULE (g_object_get_type, nothing_get_type, word_get_type)

#elif defined(MODULE_COMES_BACK)

/* Uses the registry while it is being filled. */
static GType
impatient_get_type (void)
{
  g_autoptr (GPtrArray) backends = malt_backend_list ();
  g_autoptr (MaltBackend) itself = malt_backend_lookup (MODULE_NAME, NULL);
  gboolean is_early = backends->len > 0 && itself == NULL;

  if (is_early && malt_backend_register (word_get_type (), NULL))
    return word_get_type ();
  return 0;
}

MALT_DEFINE_BACKEND_MODULE (impatient_get_type)

#elif defined(MODULE_LACKS_A_SLOT)

static gboolean (*const unused) (MaltWorker *, MaltCall *, GError **) = word_remote_do;
static GType
incomplete_get_type (void)
{
  return unused != NULL ? word_get_type () : 0;
}

MALT_DEFINE_BACKEND_MODULE (incomplete_get_type)

#else

MALT_DEFINE_BACKEND_MODULE (word_get_type)

#endif
