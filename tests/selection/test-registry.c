/* SPDX-License-Identifier: MIT */
/* The registry of backends and the choice among them. */
#include "malt-test.h"
#include "selection/malt-backend-private.h"
#include "selection/malt-worker-layer.h"
#include "stub-worker.h"

#include <string.h>

/* Three more backends, made of the stub: one that never works here, one that does not
 * isolate, one that is no backend. */

static gboolean
refuse (G_GNUC_UNUSED MaltConfig *config, GError **error)
{
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_FAILED, "it is not Tuesday");
  return FALSE;
}

typedef struct
{
  const char *name;
  MaltCapabilities capabilities;
  int priority;
  int priority_windows;
  gboolean (*probe) (MaltConfig *config, GError **error);
} Variant;

static const Variant never = { "never", MALT_CAPABILITY_ISOLATED, 900, 0, refuse };
static const Variant shared = { "shared", MALT_CAPABILITY_NONE, 950, 950, NULL };
static const Variant windows = { "best", MALT_CAPABILITY_ISOLATED, 800, 20, NULL };
static const Variant nameless = { NULL, MALT_CAPABILITY_ISOLATED, 0, 0, NULL };
static const Variant impostor = { "stub", MALT_CAPABILITY_ISOLATED, 0, 0, NULL };

static MaltWorkerClass *
stub_class (void)
{
  return g_type_class_ref (STUB_TYPE_WORKER);
}

/* StubWorker is final, so a variant copies its class instead of deriving from it. */
static void
variant_class_init (gpointer klass, gpointer data)
{
  const Variant *variant = data;
  MaltWorkerClass *worker_class = klass;
  MaltWorkerClass *stub = stub_class ();

  memcpy (&worker_class->name, &stub->name,
          sizeof *worker_class - G_STRUCT_OFFSET (MaltWorkerClass, name));
  worker_class->name = variant->name;
  worker_class->capabilities = variant->capabilities;
  worker_class->auto_priority = variant->priority;
  worker_class->auto_priority_windows = variant->priority_windows;
  worker_class->probe = variant->probe;
  g_type_class_unref (stub);
}

static gboolean
always (G_GNUC_UNUSED GInitable *initable, G_GNUC_UNUSED GCancellable *cancellable,
        G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
initable_init (gpointer iface, G_GNUC_UNUSED gpointer data)
{
  ((GInitableIface *) iface)->init = always;
}

static GType
variant_type (const Variant *variant, const char *type_name)
{
  const GTypeInfo info = {
    .class_size = sizeof (MaltWorkerClass),
    .class_init = variant_class_init,
    .class_data = variant,
    .instance_size = sizeof (MaltWorker),
  };
  const GInterfaceInfo initable = { .interface_init = initable_init };
  const GInterfaceInfo async_initable = { .interface_init = NULL };
  GType type = g_type_register_static (MALT_TYPE_WORKER, type_name, &info, 0);

  g_type_add_interface_static (type, G_TYPE_INITABLE, &initable);
  g_type_add_interface_static (type, G_TYPE_ASYNC_INITABLE, &async_initable);
  return type;
}

static void
backends_that_are_built_in_register (void)
{
  guint n_builtin = 0;
  g_autoptr (GPtrArray) backends = malt_backend_list ();

  while (malt_worker_layer.builtin_types[n_builtin] != NULL)
    n_builtin++;
  malt_assert (backends->len >= n_builtin);
}

static void
unknown_names_are_refused_with_the_known_ones (void)
{
  g_autoptr (GError) error = NULL;

  stub_worker_register ();
  malt_assert (malt_backend_lookup ("nosuch", &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_UNKNOWN_BACKEND);
  malt_assert (strstr (error->message, "'nosuch'") != NULL);
  malt_assert (strstr (error->message, "'stub'") != NULL);
}

static void
registering_again_does_nothing (void)
{
  g_autoptr (GError) error = NULL;

  stub_worker_register ();
  malt_assert (malt_backend_register (STUB_TYPE_WORKER, &error));
  malt_assert (error == NULL);
}

static void
types_that_are_no_backends_are_refused (void)
{
  g_autoptr (GError) foreign = NULL;
  g_autoptr (GError) abstract = NULL;

  malt_assert (!malt_backend_register (G_TYPE_OBJECT, &foreign));
  malt_assert_error (foreign, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  malt_assert (!malt_backend_register (MALT_TYPE_WORKER, &abstract));
  malt_assert_error (abstract, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
}

static void
missing_parts_and_taken_names_are_refused (void)
{
  g_autoptr (GError) no_name = NULL;
  g_autoptr (GError) taken = NULL;

  stub_worker_register ();
  malt_assert (!malt_backend_register (variant_type (&nameless, "Nameless"), &no_name));
  malt_assert_error (no_name, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  malt_assert (strstr (no_name->message, "'name'") != NULL);
  malt_assert (!malt_backend_register (variant_type (&impostor, "Impostor"), &taken));
  malt_assert_error (taken, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
}

static void
registered_backends_are_extensions (void)
{
  GIOExtensionPoint *point;

  stub_worker_register ();
  point = g_io_extension_point_lookup (MALT_WORKER_EXTENSION_POINT);
  malt_assert (point != NULL);
  malt_assert (g_io_extension_point_get_required_type (point) == MALT_TYPE_WORKER);
  malt_assert (g_io_extension_point_get_extension_by_name (point, "stub") != NULL);
}

static void
auto_takes_the_first_that_works_and_says_why (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltBackend) backend = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *reason = NULL;

  malt_assert (malt_backend_register (variant_type (&never, "Never"), &error));
  malt_assert (malt_backend_register (variant_type (&shared, "Shared"), &error));
  malt_assert (malt_backend_register (variant_type (&windows, "Best"), &error));
  malt_config_set_backend (config, "auto");
  backend = malt_backend_choose (config, &reason, &error);
  malt_assert (backend != NULL);
  malt_assert_string (malt_backend_get_name (backend), "best");
  /* There it is no candidate. */
  if (malt_platform_get () != MALT_PLATFORM_WINDOWS)
    malt_assert (strstr (reason, "'never' cannot work here: it is not Tuesday") != NULL);
}

static void
named_backends_never_fall_back (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) unknown = NULL;

  malt_config_set_backend (config, "never");
  malt_assert (malt_backend_choose (config, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
  malt_assert (strstr (error->message, "it is not Tuesday") != NULL);
  malt_config_set_backend (config, "nosuch");
  malt_assert (malt_worker_launch (config, NULL, &unknown) == NULL);
  malt_assert_error (unknown, MALT_ERROR, MALT_ERROR_UNKNOWN_BACKEND);
}

static void
backends_without_isolation_are_taken_when_named (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltBackend) backend = NULL;
  g_autofree char *reason = NULL;

  malt_config_set_backend (config, "shared");
  backend = malt_backend_choose (config, &reason, NULL);
  malt_assert (backend != NULL);
  malt_assert_string (malt_backend_get_name (backend), "shared");
  malt_assert_string (reason, "'shared': set by the program");
  malt_assert (malt_backend_get_auto_priority (backend) == 0);
}

/* The names of the built-in backends that auto tries on a platform, in its order. */
static char *
dup_builtin_order (MaltPlatform platform)
{
  g_autoptr (GPtrArray) backends = malt_backend_list_auto (platform);
  g_autoptr (GString) order = g_string_new (NULL);

  for (guint i = 0; i < backends->len; i++)
    for (const MaltBackendTypeFunc *get_type = malt_worker_layer.builtin_types;
         *get_type != NULL; get_type++)
      if (malt_backend_get_worker_type (backends->pdata[i]) == (*get_type) ())
        g_string_append_printf (order, "%s%s", order->len > 0 ? " " : "",
                                malt_backend_get_name (backends->pdata[i]));
  return g_string_free (g_steal_pointer (&order), FALSE);
}

static void
order_of_auto_is_known_for_each_platform (void)
{
  static const char *const orders[MALT_N_PLATFORMS] = {
    [MALT_PLATFORM_LINUX] = "malt-process distributed",
    [MALT_PLATFORM_MACOS] = "malt-process distributed",
    [MALT_PLATFORM_WINDOWS] = "distributed malt-process",
  };
  guint n_builtin = 0;

  while (malt_worker_layer.builtin_types[n_builtin] != NULL)
    n_builtin++;
  for (int platform = 0; platform < MALT_N_PLATFORMS; platform++)
    {
      g_autofree char *order = dup_builtin_order ((MaltPlatform) platform);

      /* A build may leave backends out. */
      if (n_builtin == 3)
        malt_assert_string (order, orders[platform]);
      malt_assert (strstr (order, "inprocess") == NULL);
    }
}

static void
priorities_differ_by_platform_and_need_isolation (void)
{
  g_autoptr (MaltBackend) best = malt_backend_lookup ("best", NULL);
  g_autoptr (MaltBackend) not_isolated = malt_backend_lookup ("shared", NULL);
  static const int priorities[MALT_N_PLATFORMS] = {
    [MALT_PLATFORM_LINUX] = 800,
    [MALT_PLATFORM_MACOS] = 800,
    [MALT_PLATFORM_WINDOWS] = 20,
  };

  malt_assert (best != NULL && not_isolated != NULL);
  for (int platform = 0; platform < MALT_N_PLATFORMS; platform++)
    {
      malt_assert_int (malt_backend_get_auto_priority_on (best, (MaltPlatform) platform),
                       priorities[platform]);
      malt_assert_int (
          malt_backend_get_auto_priority_on (not_isolated, (MaltPlatform) platform), 0);
    }
}

static void
options_can_be_listed_and_configs_checked (void)
{
  g_autoptr (MaltBackend) backend = NULL;
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;

  stub_worker_register ();
  backend = malt_backend_lookup ("stub", NULL);
  malt_assert (backend != NULL);
  names = malt_backend_dup_option_names (backend);
  malt_assert (g_strv_contains ((const char *const *) names, "colour"));
  malt_assert_string (malt_backend_get_option_default (backend, "colour"), "red");
  malt_assert_string (malt_backend_get_option_summary (backend, "colour"), "the colour");
  malt_assert (malt_backend_get_option_default (backend, "julia") == NULL);
  malt_assert (malt_backend_get_option_summary (backend, "nosuch") == NULL);
  malt_assert (malt_backend_check_config (backend, config, &error));
  malt_config_set (config, "threads", "many");
  malt_assert (!malt_backend_check_config (backend, config, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "backends_that_are_built_in_register", backends_that_are_built_in_register },
    { "unknown_names_are_refused_with_the_known_ones",
      unknown_names_are_refused_with_the_known_ones },
    { "registering_again_does_nothing", registering_again_does_nothing },
    { "types_that_are_no_backends_are_refused", types_that_are_no_backends_are_refused },
    { "missing_parts_and_taken_names_are_refused",
      missing_parts_and_taken_names_are_refused },
    { "registered_backends_are_extensions", registered_backends_are_extensions },
    { "auto_takes_the_first_that_works_and_says_why",
      auto_takes_the_first_that_works_and_says_why },
    { "named_backends_never_fall_back", named_backends_never_fall_back },
    { "backends_without_isolation_are_taken_when_named",
      backends_without_isolation_are_taken_when_named },
    MALT_TEST (priorities_differ_by_platform_and_need_isolation),
    MALT_TEST (order_of_auto_is_known_for_each_platform),
    MALT_TEST (options_can_be_listed_and_configs_checked),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "registry", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
