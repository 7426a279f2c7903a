/* SPDX-License-Identifier: MIT */
/* Host functions of a worker process: types both ways, errors both ways, names, and who
 * lets go of what. */
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

static const ProcessTest tests[] = {
  PROCESS_TEST (every_scalar_type_goes_both_ways),
  PROCESS_TEST (arrays_are_passed_as_memory),
  PROCESS_TEST (what_is_not_there_is_nothing),
  PROCESS_TEST (functions_may_take_any_arguments),
  PROCESS_TEST (arguments_that_do_not_fit_are_exceptions),
  PROCESS_TEST (errors_of_the_function_are_exceptions_with_their_message),
  PROCESS_TEST (exceptions_of_nested_calls_keep_type_and_message),
  PROCESS_TEST (a_result_that_cannot_be_sent_is_an_exception),
  PROCESS_TEST (bad_names_and_signatures_are_refused),
  PROCESS_TEST (names_are_listed_and_unknown_ones_are_exceptions),
  PROCESS_TEST (a_malt_of_the_users_is_left_alone),
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  int status = process_test_main_with_julia (argc, argv, "exported functions", tests);

  g_clear_object (&shared);
  return status;
}
