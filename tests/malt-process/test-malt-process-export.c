/* SPDX-License-Identifier: MIT */
/* Host functions of a worker process: types both ways, errors both ways, names, and who lets go of what. */
#include "process-test.h"

#include <string.h>

/* The worker of most tests. */
static MaltWorker *shared; /* (owned) (nullable) */

static MaltWorker *
get_shared (void)
{
  if (shared == NULL)
    shared = process_test_launch (NULL);
  return shared;
}

static gboolean
export_plain (MaltWorker *worker, const char *name, const char *signature,
              GCallback function)
{
  g_autoptr (GError) error = NULL;

  if (malt_worker_export (worker, name, signature, MALT_EXPORT_DEFAULT, function, NULL,
                          NULL, &error))
    return TRUE;
  g_printerr ("\n%s: %s\n", name, error->message);
  return FALSE;
}

/* The value as Julia shows it is @expected. */
static void
check_eval (const char *source, const char *expected)
{
  g_autofree char *text = process_test_eval (get_shared (), source);

  if (g_strcmp0 (text, expected) != 0)
    g_printerr ("\n%s: expected %s, got %s\n", source, expected, text);
  CU_ASSERT (g_strcmp0 (text, expected) == 0);
}

/* The source throws an exception with this whole message. */
static void
check_throws (const char *source, const char *type, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (get_shared (), NULL, source, NULL, &error);
  const char *got = malt_error_get_exception_message (error);

  CU_ASSERT (value == NULL);
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION));
  CU_ASSERT (g_strcmp0 (malt_error_get_exception_type (error), type) == 0);
  if (g_strcmp0 (got, message) != 0)
    g_printerr ("\n%s: expected '%s', got '%s'\n", source, message, got);
  CU_ASSERT (g_strcmp0 (got, message) == 0);
}

/* Types */

#define DEFINE_ECHO(name, type)                                          \
  static type echo_##name (type value, G_GNUC_UNUSED gpointer user_data, \
                           G_GNUC_UNUSED GError **error)                 \
  {                                                                      \
    return value;                                                        \
  }

DEFINE_ECHO (bool, gboolean)
DEFINE_ECHO (i8, gint8)
DEFINE_ECHO (u8, guint8)
DEFINE_ECHO (i16, gint16)
DEFINE_ECHO (u16, guint16)
DEFINE_ECHO (i32, gint32)
DEFINE_ECHO (u32, guint32)
DEFINE_ECHO (i64, gint64)
DEFINE_ECHO (u64, guint64)
DEFINE_ECHO (f32, gfloat)
DEFINE_ECHO (f64, gdouble)

static char *
echo_string (const char *value, G_GNUC_UNUSED gpointer user_data,
             G_GNUC_UNUSED GError **error)
{
  return g_strdup (value);
}

static MaltValue *
echo_value (MaltValue *value, G_GNUC_UNUSED gpointer user_data,
            G_GNUC_UNUSED GError **error)
{
  return malt_value_ref (value);
}

typedef struct
{
  const char *type;
  GCallback function;
  const char *tests; /* true where all is well; f is the function */
} Echo;

#define ECHO(name, tests)                 \
  {                                       \
#name, G_CALLBACK(echo_##name), tests \
  }

static const Echo echoes[] = {
  ECHO (bool, "f(true) === true && f(false) === false"),
  ECHO (i8, "all(f(x) === Int8(x) for x in (-128, 127, 0x05, Int128(3)))"),
  ECHO (u8, "all(f(x) === UInt8(x) for x in (0, 255, 0xff, Int8(7)))"),
  ECHO (i16, "all(f(x) === Int16(x) for x in (typemin(Int16), typemax(Int16)))"),
  ECHO (u16, "all(f(x) === UInt16(x) for x in (0, 65535))"),
  ECHO (i32, "all(f(x) === Int32(x) for x in (typemin(Int32), typemax(Int32)))"),
  ECHO (u32, "all(f(x) === UInt32(x) for x in (0, typemax(UInt32)))"),
  ECHO (i64,
        "all(f(x) === Int64(x) for x in (typemin(Int64), typemax(Int64), UInt128(1)))"),
  ECHO (u64, "all(f(x) === UInt64(x) for x in (0, typemax(UInt64)))"),
  ECHO (f32, "all(f(x) === Float32(x) for x in (0.5, 1, NaN, -Inf, 0.1f0, Float16(2)))"),
  ECHO (f64, "all(f(x) === Float64(x) for x in (0.1, 1, NaN, -Inf, -0.0, 0.1f0, 2^53))"),
  ECHO (string, "all(f(x) === x for x in (\"\", \"h\u00e9 \u2202\", \"a\"^100000))"),
  ECHO (value, "all(isequal(f(x), x) for x in (nothing, 1, :a, (1, \"b\"), [1.0 2.0], "
               "Any[1, nothing], 1:3, "
               "Dict(:a => 1), sin, Main, 3 + 4im))"),
};

static void
every_scalar_type_goes_both_ways (void)
{
  CHECK (get_shared () != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (echoes); i++)
    {
      g_autofree char *name = g_strdup_printf ("echo_%s", echoes[i].type);
      g_autofree char *signature =
          g_strdup_printf ("%s(%s)", echoes[i].type, echoes[i].type);
      g_autofree char *source =
          g_strdup_printf ("let f = Malt.host.%s; %s; end", name, echoes[i].tests);

      CHECK (export_plain (get_shared (), name, signature, echoes[i].function));
      check_eval (source, "true");
    }
}

static gdouble
sum_f64 (const gdouble *numbers, gint64 n, G_GNUC_UNUSED gpointer user_data,
         G_GNUC_UNUSED GError **error)
{
  gdouble sum = 0;

  for (gint64 i = 0; i < n; i++)
    sum += numbers[i];
  return sum;
}

static gint64
count_true (const guint8 *bools, gint64 n, G_GNUC_UNUSED gpointer user_data,
            G_GNUC_UNUSED GError **error)
{
  gint64 n_true = 0;

  for (gint64 i = 0; i < n; i++)
    n_true += bools[i];
  return n_true;
}

static void
arrays_are_passed_as_memory (void)
{
  CHECK (get_shared () != NULL);
  CHECK (export_plain (get_shared (), "sum_f64", "f64(f64*, i64)", G_CALLBACK (sum_f64)));
  CHECK (export_plain (get_shared (), "count_true", "i64(bool*,i64)",
                       G_CALLBACK (count_true)));
  check_eval ("Malt.host.sum_f64([1.0, 2.5], 2)", "3.5");
  check_eval ("Malt.host.sum_f64([1.0 2.0; 3.0 4.0], 4)", "10.0");
  check_eval ("Malt.host.sum_f64(Float64[], 0)", "0.0");
  check_eval ("let a = collect(1.0:1e6); Malt.host.sum_f64(a, length(a)) == sum(a); end",
              "true");
  check_eval ("Malt.host.sum_f64(view([1.0, 2.0, 3.0], 2:3), 2)", "5.0");
  check_eval ("Malt.host.count_true([true, false, true], 3)", "2");
  check_throws ("Malt.host.sum_f64([1, 2], 2)", "HostError",
                "sum_f64: argument 1: expected f64*, an array of Float64, got the "
                "Vector{Int64} [1, 2]");
  check_throws ("Malt.host.sum_f64(1:2, 2)", "HostError",
                "sum_f64: argument 1: expected f64*, an array of Float64, got the "
                "UnitRange{Int64} 1:2");
}

static void
tick (gpointer user_data, G_GNUC_UNUSED GError **error)
{
  g_atomic_int_inc ((gint *) user_data);
}

static char *
no_string (G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static void
what_is_not_there_is_nothing (void)
{
  g_autoptr (GError) error = NULL;
  gint n_calls = 0;

  CHECK (get_shared () != NULL);
  CHECK (malt_worker_export (get_shared (), "tick", "void()", MALT_EXPORT_DEFAULT,
                             G_CALLBACK (tick), &n_calls, NULL, &error));
  CHECK (export_plain (get_shared (), "no_string", "string()", G_CALLBACK (no_string)));
  CHECK (export_plain (get_shared (), "no_value", "value()", G_CALLBACK (no_string)));
  check_eval ("Malt.host.tick() === Malt.host.no_string() === Malt.host.no_value() === "
              "nothing",
              "true");
  CU_ASSERT_EQUAL (g_atomic_int_get (&n_calls), 1);
  malt_worker_unexport (get_shared (), "tick");
}

/* Any number of arguments */

static MaltValue *
count_arguments (MaltWorker *worker, MaltValue **arguments, gsize n_arguments,
                 gpointer user_data, GError **error)
{
  g_autoptr (MaltValue) all = malt_value_new_tuple (arguments, n_arguments);
  g_autofree char *text = malt_value_to_string (all);

  g_atomic_int_inc ((gint *) user_data);
  if (worker != shared)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "another worker");
  return malt_value_new_string (text);
}

static void
functions_may_take_any_arguments (void)
{
  g_autoptr (GError) error = NULL;
  gint n_calls = 0;

  CHECK (get_shared () != NULL);
  CHECK (malt_worker_export_func (get_shared (), "all", count_arguments, &n_calls, NULL,
                                  MALT_EXPORT_DEFAULT, &error));
  check_eval ("Malt.host.all()", "\"()\"");
  check_eval ("Malt.host.all(1, :a, [2])", "\"(1, :a, [2])\"");
  check_eval ("Malt.host.all((1:100)...) == repr(Tuple(1:100))", "true");
  CU_ASSERT_EQUAL (n_calls, 3);
  malt_worker_unexport (get_shared (), "all");
}

/* Errors */

static gdouble
add (gdouble a, gdouble b, G_GNUC_UNUSED gpointer user_data, GError **error)
{
  if (a + b < 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "the sum of %g and %g is below 0", a,
                 b);
  return a + b;
}

static void
arguments_that_do_not_fit_are_exceptions (void)
{
  CHECK (get_shared () != NULL);
  CHECK (export_plain (get_shared (), "add", "f64(f64,f64)", G_CALLBACK (add)));
  CHECK (export_plain (get_shared (), "narrow", "i8(i8)", G_CALLBACK (echo_i8)));
  CHECK (
      export_plain (get_shared (), "text", "string(string)", G_CALLBACK (echo_string)));
  check_throws ("Malt.host.add(1)", "HostError", "add: expected 2 arguments, got 1");
  check_throws ("Malt.host.narrow()", "HostError", "narrow: expected 1 argument, got 0");
  check_throws ("Malt.host.add(1, \"x\")", "HostError",
                "add: argument 2: expected f64, got the String \"x\"");
  check_throws ("Malt.host.add(1, 2^53 + 1)", "HostError",
                "add: argument 2: expected f64, which does not hold it exactly, got the "
                "Int64 9007199254740993");
  check_throws ("Malt.host.narrow(300)", "HostError",
                "narrow: argument 1: expected i8, from -128 to 127, got the Int64 300");
  check_throws ("Malt.host.narrow(1.0)", "HostError",
                "narrow: argument 1: expected i8, got the Float64 1.0");
  check_throws ("Malt.host.text(\"a\\0b\")", "HostError",
                "text: argument 1: expected string of UTF-8 without NUL, got the String "
                "\"a\\0b\"");
  check_throws ("Malt.host.add(1, 2; scale = 3)", "HostError",
                "add: expected no keyword arguments, got scale");
  check_eval ("Malt.host.add(1, 2)", "3.0");
}

static MaltValue *
throw_in_julia (MaltWorker *worker, MaltValue **arguments,
                G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  return malt_worker_remote_eval_fetch (
      worker, NULL, malt_value_get_string (arguments[0], NULL), NULL, error);
}

static void
errors_of_the_function_are_exceptions_with_their_message (void)
{
  CHECK (get_shared () != NULL);
  CHECK (export_plain (get_shared (), "add", "f64(f64,f64)", G_CALLBACK (add)));
  check_throws ("Malt.host.add(-1, -2)", "HostError", "the sum of -1 and -2 is below 0");
  check_eval ("try; Malt.host.add(-1, -2); catch e; e isa Malt.HostError && e.type; end",
              "\"g-io-error-quark\"");
}

static void
exceptions_of_nested_calls_keep_type_and_message (void)
{
  CHECK (get_shared () != NULL);
  CHECK (malt_worker_export_func (get_shared (), "run", throw_in_julia, NULL, NULL,
                                  MALT_EXPORT_DEFAULT, NULL));
  check_throws ("Malt.host.run(\"error(\\\"oh\\\")\")", "HostError",
                "ErrorException: oh");
  check_throws ("Malt.host.run(\"throw(KeyError(:a))\")", "HostError",
                "KeyError: key :a not found");
  check_throws ("Malt.host.run(\"Malt.host.run(\\\"error(:deep)\\\")\")", "HostError",
                "ErrorException: deep");
  check_eval ("try; Malt.host.run(\"error(1)\"); catch e; e.type; end",
              "\"ErrorException\"");
}

/* A handle of another worker cannot be sent. */
static MaltValue *
foreign_value (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltValue **arguments,
               G_GNUC_UNUSED gsize n_arguments, gpointer user_data,
               G_GNUC_UNUSED GError **error)
{
  return malt_value_ref (user_data);
}

static void
a_result_that_cannot_be_sent_is_an_exception (void)
{
  g_autoptr (MaltWorker) other = process_test_launch (NULL);
  g_autoptr (MaltValue) handle = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (get_shared () != NULL && other != NULL);
  handle = malt_worker_remote_eval_fetch (other, NULL, "sin", NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_worker_export_func (get_shared (), "foreign", foreign_value, handle, NULL,
                                  MALT_EXPORT_DEFAULT, &error));
  {
    g_autoptr (MaltValue) value = malt_worker_remote_eval_fetch (
        get_shared (), NULL, "Malt.host.foreign()", NULL, &error);
    CHECK (value == NULL);
    CU_ASSERT_STRING_EQUAL (malt_error_get_exception_type (error), "HostError");
  }
  malt_worker_unexport (get_shared (), "foreign");
  check_eval ("1 + 1", "2");
}

/* Names */

static void
count (gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

static void
check_refused (const char *name, const char *signature, MaltExportFlags flags,
               MaltError code, const char *message)
{
  g_autoptr (GError) error = NULL;
  gint n_destroyed = 0;
  gboolean is_exported =
      malt_worker_export (get_shared (), name, signature, flags, G_CALLBACK (echo_i8),
                          &n_destroyed, count, &error);

  CHECK (!is_exported);
  CU_ASSERT (g_error_matches (error, MALT_ERROR, (gint) code));
  if (strstr (error->message, message) == NULL)
    g_printerr ("\nexpected '%s', got '%s'\n", message, error->message);
  CU_ASSERT (strstr (error->message, message) != NULL);
  CU_ASSERT_EQUAL (n_destroyed, 1);
}

static void
bad_names_and_signatures_are_refused (void)
{
  static const char *const bad_names[] = { "",    "1a", "a b", "a.b", "a-b", "end",
                                           "a\n", "+",  "!a",  "_",   "\xff" };

  CHECK (get_shared () != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_names); i++)
    check_refused (bad_names[i], "i8(i8)", MALT_EXPORT_DEFAULT,
                   MALT_ERROR_INVALID_ARGUMENT, "expected a Julia identifier");
  check_refused ("f", "i8(i9)", MALT_EXPORT_DEFAULT, MALT_ERROR_INVALID_ARGUMENT,
                 "expected a type (bool, i8 to i64");
  check_refused ("f", "i8(i8)", MALT_EXPORT_DIRECT, MALT_ERROR_NOT_SUPPORTED, "directly");
  CHECK (export_plain (get_shared (), "größe_2!", "i8(i8)", G_CALLBACK (echo_i8)));
  check_eval ("Malt.host.größe_2!(4)", "4");
}

static void
names_are_listed_and_unknown_ones_are_exceptions (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autofree char *names = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "Int(isdefined(Main, :Malt))") == 0);
  CHECK (export_plain (worker, "b", "i8(i8)", G_CALLBACK (echo_i8)));
  CHECK (export_plain (worker, "a", "i8(i8)", G_CALLBACK (echo_i8)));
  names = process_test_eval (worker, "propertynames(Malt.host)");
  CU_ASSERT_STRING_EQUAL (names, "(:a, :b)");
  CU_ASSERT (malt_worker_unexport (worker, "a"));
  CU_ASSERT (!malt_worker_unexport (worker, "a"));
  CU_ASSERT (!malt_worker_unexport (worker, "c"));
  value = malt_worker_remote_eval_fetch (worker, NULL, "Malt.host.a(1)", NULL, &error);
  CHECK (value == NULL);
  CU_ASSERT_STRING_EQUAL (error->message,
                          "ArgumentError: the host exports no function a; it exports b");
}

static void
a_malt_of_the_users_is_left_alone (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  gint n_destroyed = 0;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "Malt = 3") == 3);
  CHECK (!malt_worker_export (worker, "f", "i8(i8)", MALT_EXPORT_DEFAULT,
                              G_CALLBACK (echo_i8), &n_destroyed, count, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION));
  CU_ASSERT (strstr (error->message, "Main has a Malt of its own") != NULL);
  CU_ASSERT_EQUAL (n_destroyed, 1);
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Malt"), 3);
}

/* Lifetimes. A worker may outlive the test's last reference for a moment, so counters are static. */

static gboolean
is_one (gpointer counter)
{
  return g_atomic_int_get ((gint *) counter) == 1;
}

static gboolean
export_counted (MaltWorker *worker, const char *name, gint *counter, GError **error)
{
  return malt_worker_export (worker, name, "i8(i8)", MALT_EXPORT_DEFAULT,
                             G_CALLBACK (echo_i8), counter, count, error);
}

static void
functions_are_let_go_when_replaced_removed_or_the_worker_goes (void)
{
  MaltWorker *worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  static gint counts[4];

  CHECK (worker != NULL);
  for (guint i = 0; i < 4; i++)
    CHECK (export_counted (worker, i < 2 ? "f" : i == 2 ? "g" : "h", &counts[i], &error));
  CU_ASSERT (counts[0] == 1 && counts[1] == 0);
  CU_ASSERT (malt_worker_unexport (worker, "g"));
  CU_ASSERT (counts[2] == 1 && counts[3] == 0);
  g_object_unref (worker);
  for (guint i = 0; i < 4; i++)
    CU_ASSERT (process_test_wait (is_one, &counts[i], PROCESS_TEST_PATIENCE_MS));
}

static void
functions_are_let_go_when_the_worker_ends (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  static gint n_destroyed;
  gint n_refused = 0;

  CHECK (worker != NULL);
  CHECK (export_counted (worker, "f", &n_destroyed, &error));
  malt_worker_kill (worker, 9, NULL);
  CU_ASSERT (process_test_wait (is_one, &n_destroyed, PROCESS_TEST_PATIENCE_MS));
  CHECK (!export_counted (worker, "f", &n_refused, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  CU_ASSERT_EQUAL (n_refused, 1);
  CU_ASSERT (!malt_worker_unexport (worker, "f"));
  g_clear_object (&worker);
  CU_ASSERT_EQUAL (n_destroyed, 1);
}

/* Giving up */

#define LATE_TIMEOUT_MS 100

static void
hand_over (GObject *source, GAsyncResult *result, gpointer user_data)
{
  (void) source;
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/* A worker whose Julia reads nothing for longer than the tests wait for it, and after that. */
static MaltWorker *
launch_busy (MaltFuture **out_busy)
{
  MaltWorker *worker = process_test_launch (NULL);

  if (worker != NULL && export_plain (worker, "other", "i8(i8)", G_CALLBACK (echo_i8)))
    *out_busy = process_test_start_running (
        worker, "begun(); t = time(); while time() - t < 2; end; 5");
  return worker;
}

/* What was given up is not found when the worker has heard of it after all. */
static void
check_given_up (MaltWorker *worker, MaltFuture *busy, gint *n_destroyed)
{
  g_autoptr (MaltValue) value = NULL;
  g_autofree char *names = NULL;

  CU_ASSERT (process_test_wait (is_one, n_destroyed, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT (!malt_worker_unexport (worker, "late"));
  value = malt_future_fetch (busy, NULL, NULL);
  CHECK (value != NULL);
  names = process_test_eval (worker, "propertynames(Malt.host)");
  CU_ASSERT_STRING_EQUAL (names, "(:other,)");
}

static void
an_export_that_is_not_answered_in_time_is_taken_back (void)
{
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltWorker) worker = launch_busy (&busy);
  g_autoptr (GError) error = NULL;
  static gint n_destroyed;

  CHECK (busy != NULL);
  CHECK (!malt_worker_export_full (worker, "late", "i8(i8)", MALT_EXPORT_DEFAULT,
                                   G_CALLBACK (echo_i8), &n_destroyed, count,
                                   LATE_TIMEOUT_MS, NULL, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT));
  CU_ASSERT_STRING_EQUAL (error->message, "no answer within 100 ms");
  check_given_up (worker, busy, &n_destroyed);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep ((gulong) LATE_TIMEOUT_MS * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
an_export_that_is_cancelled_is_taken_back (void)
{
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltWorker) worker = launch_busy (&busy);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) early_error = NULL;
  static gint n_destroyed;
  gint n_early = 0;
  GThread *thread;

  CHECK (busy != NULL);
  thread = g_thread_new ("canceller", cancel_soon, cancellable);
  CU_ASSERT (!malt_worker_export_full (worker, "late", "i8(i8)", MALT_EXPORT_DEFAULT,
                                       G_CALLBACK (echo_i8), &n_destroyed, count, -1,
                                       cancellable, &error));
  g_thread_join (thread);
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED));
  CU_ASSERT (!malt_worker_export_full (worker, "late", "i8(i8)", MALT_EXPORT_DEFAULT,
                                       G_CALLBACK (echo_i8), &n_early, count, -1,
                                       cancellable, &early_error));
  CU_ASSERT (g_error_matches (early_error, MALT_ERROR, MALT_ERROR_CANCELLED));
  CU_ASSERT_EQUAL (n_early, 1);
  check_given_up (worker, busy, &n_destroyed);
}

static gboolean
export_in_loop (MaltWorker *worker, const char *name, gint *counter, gint64 timeout_ms,
                GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  malt_worker_export_async (worker, name, "i8(i8)", MALT_EXPORT_DEFAULT,
                            G_CALLBACK (echo_i8), counter, count, timeout_ms, NULL,
                            hand_over, &result);
  CU_ASSERT (result == NULL);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return malt_worker_export_finish (worker, result, error);
}

static void
exports_need_not_block (void)
{
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltWorker) worker = launch_busy (&busy);
  g_autoptr (GError) error = NULL;
  static gint n_late;
  static gint n_good;

  CHECK (busy != NULL);
  CU_ASSERT (!export_in_loop (worker, "late", &n_late, LATE_TIMEOUT_MS, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT));
  check_given_up (worker, busy, &n_late);
  CU_ASSERT (export_in_loop (worker, "good", &n_good, -1, NULL));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Int(Malt.host.good(4))"), 4);
  CU_ASSERT_EQUAL (n_good, 0);
}

/* The thread of the last call of note_thread(). */
static GThread *destroyer; /* (unowned) (nullable) (atomic) */

static void
note_thread (G_GNUC_UNUSED gpointer user_data)
{
  g_atomic_pointer_set (&destroyer, g_thread_self ());
}

static const MaltExportFlags ways_to_end[] = { MALT_EXPORT_IN_CONTEXT,
                                               MALT_EXPORT_DESTROY_IN_CONTEXT };

static gboolean
export_here (MaltWorker *worker, MaltExportFlags flags)
{
  destroyer = NULL;
  return worker != NULL &&
         malt_worker_export (worker, "here", "i8(i8)", flags, G_CALLBACK (echo_i8),
                             &destroyer, note_thread, NULL);
}

/* A function of a context of its own, whose worker has ended. */
static GMainContext *
make_orphan (MaltExportFlags flags)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  g_main_context_push_thread_default (context);
  CU_ASSERT (export_here (worker, flags));
  g_main_context_pop_thread_default (context);
  if (worker != NULL)
    CU_ASSERT (malt_worker_stop (worker, NULL, NULL));
  return context;
}

static gboolean
is_pending (gpointer context)
{
  return g_main_context_pending (context);
}

static void
a_function_of_a_context_is_let_go_there (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways_to_end); i++)
    {
      g_autoptr (GMainContext) context = make_orphan (ways_to_end[i]);

      CHECK (process_test_wait (is_pending, context, PROCESS_TEST_PATIENCE_MS));
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == NULL);
      while (g_main_context_iteration (context, FALSE))
        continue;
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == g_thread_self ());
    }
}

static void
a_function_of_a_context_that_is_freed_is_let_go (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways_to_end); i++)
    {
      GMainContext *context = make_orphan (ways_to_end[i]);

      CHECK (process_test_wait (is_pending, context, PROCESS_TEST_PATIENCE_MS));
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == NULL);
      g_main_context_unref (context);
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == g_thread_self ());
    }
}

static void
a_function_that_ends_in_its_context_runs_elsewhere (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  CHECK (export_here (worker, MALT_EXPORT_DESTROY_IN_CONTEXT));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Int(Malt.host.here(4))"), 4);
  CU_ASSERT (g_atomic_pointer_get (&destroyer) == NULL);
  CU_ASSERT (malt_worker_unexport (worker, "here"));
  CU_ASSERT (g_atomic_pointer_get (&destroyer) == g_thread_self ());
}

static const ProcessTest tests[] = {
  { "every_scalar_type_goes_both_ways", every_scalar_type_goes_both_ways },
  { "arrays_are_passed_as_memory", arrays_are_passed_as_memory },
  { "what_is_not_there_is_nothing", what_is_not_there_is_nothing },
  { "functions_may_take_any_arguments", functions_may_take_any_arguments },
  { "arguments_that_do_not_fit_are_exceptions",
    arguments_that_do_not_fit_are_exceptions },
  { "errors_of_the_function_are_exceptions_with_their_message",
    errors_of_the_function_are_exceptions_with_their_message },
  { "exceptions_of_nested_calls_keep_type_and_message",
    exceptions_of_nested_calls_keep_type_and_message },
  { "a_result_that_cannot_be_sent_is_an_exception",
    a_result_that_cannot_be_sent_is_an_exception },
  { "bad_names_and_signatures_are_refused", bad_names_and_signatures_are_refused },
  { "names_are_listed_and_unknown_ones_are_exceptions",
    names_are_listed_and_unknown_ones_are_exceptions },
  { "a_malt_of_the_users_is_left_alone", a_malt_of_the_users_is_left_alone },
  { "functions_are_let_go_when_replaced_removed_or_the_worker_goes",
    functions_are_let_go_when_replaced_removed_or_the_worker_goes },
  { "functions_are_let_go_when_the_worker_ends",
    functions_are_let_go_when_the_worker_ends },
  { "an_export_that_is_not_answered_in_time_is_taken_back",
    an_export_that_is_not_answered_in_time_is_taken_back },
  { "an_export_that_is_cancelled_is_taken_back",
    an_export_that_is_cancelled_is_taken_back },
  { "exports_need_not_block", exports_need_not_block },
  { "a_function_of_a_context_is_let_go_there", a_function_of_a_context_is_let_go_there },
  { "a_function_of_a_context_that_is_freed_is_let_go",
    a_function_of_a_context_that_is_freed_is_let_go },
  { "a_function_that_ends_in_its_context_runs_elsewhere",
    a_function_that_ends_in_its_context_runs_elsewhere },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  int status = process_test_main_with_julia (argc, argv, "exported functions", tests);

  g_clear_object (&shared);
  return status;
}
