/* SPDX-License-Identifier: MIT */
/* Native calls, and functions of the host that Julia calls by their addresses. */
#include "inprocess-test.h"

#include <string.h>

#define N_THREADS 8
#define N_CALLS 2000

static MaltNative *
new_native (MaltWorker *worker, const char *function, const char *signature)
{
  g_autoptr (GError) error = NULL;
  MaltNative *native = malt_native_new (worker, function, signature, NULL, &error);

  if (native == NULL)
    MALT_TEST_FAIL ("%s as %s: %s", function, signature, error->message);
  return native;
}

/* Native calls */

static void
native_function_is_called_from_any_thread (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltNative) product = NULL;
  g_autoptr (GError) error = NULL;
  double x = 6;
  double y = 7;
  double result = 0;
  gpointer arguments[] = { &x, &y };

  malt_assert (worker != NULL);
  malt_assert (malt_worker_get_capabilities (worker) & MALT_CAPABILITY_NATIVE);
  product = new_native (worker, "(x, y) -> x * y", " f64 ( f64 , f64 ) ");
  malt_assert (product != NULL);
  malt_assert_string (malt_native_get_signature (product), "f64(f64,f64)");
  malt_assert (malt_native_call (product, &result, arguments, &error));
  malt_assert (result == 42);
  malt_assert (malt_native_call (product, NULL, arguments, &error));
}

typedef struct
{
  const char *signature;
  guint8 argument[8];
  guint8 expected[8];
  gsize n_bytes;
} TypeCase;

static void
native_types_are_those_of_c (void)
{
  static const TypeCase cases[] = {
    { "i8(i8)", { 0xfe }, { 0xff }, 1 },
    { "u8(u8)", { 0xfe }, { 0xff }, 1 },
    { "i16(i16)", { 0xfe, 0xff }, { 0xff, 0xff }, 2 },
    { "u16(u16)", { 0xff, 0x00 }, { 0x00, 0x01 }, 2 },
    { "i32(i32)", { 0xff, 0xff, 0xff, 0x7e }, { 0, 0, 0, 0x7f }, 4 },
    { "u32(u32)", { 0xfe, 0xff, 0xff, 0xff }, { 0xff, 0xff, 0xff, 0xff }, 4 },
    { "i64(i64)", { 0xff, 0xff, 0xff, 0xff, 0xff }, { 0, 0, 0, 0, 0, 1 }, 8 },
    { "u64(u64)", { 0xff, 0, 0, 0, 0, 0, 0, 0xff }, { 0, 1, 0, 0, 0, 0, 0, 0xff }, 8 },
    { "f32(f32)", { 0, 0, 0x80, 0x3f }, { 0, 0, 0, 0x40 }, 4 },
    { "f64(f64)", { 0, 0, 0, 0, 0, 0, 0xf0, 0x3f }, { 0, 0, 0, 0, 0, 0, 0, 0x40 }, 8 },
  };
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);

  malt_assert (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (MaltNative) next =
          new_native (worker, "x -> x + one(x)", cases[i].signature);
      g_autoptr (GError) error = NULL;
      guint8 argument[8];
      guint8 result[9];
      gpointer arguments[] = { argument };

      malt_assert (next != NULL);
      memcpy (argument, cases[i].argument, sizeof argument);
      memset (result, 0xaa, sizeof result);
      malt_assert (malt_native_call (next, result, arguments, &error));
      if (memcmp (result, cases[i].expected, cases[i].n_bytes) != 0)
        MALT_TEST_FAIL ("%s gave something else", cases[i].signature);
      malt_assert (result[cases[i].n_bytes] == 0xaa); /* not a byte more */
    }
}

static void
native_bool_void_and_pointers (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltNative) not_ = new_native (worker, "b -> b === false", "bool(bool)");
  g_autoptr (MaltNative) sum =
      new_native (worker, "(p, n) -> sum(unsafe_wrap(Array, p, n))", "i64(i32*,i64)");
  g_autoptr (MaltNative) fill_it = new_native (
      worker, "(p, n) -> (fill!(unsafe_wrap(Array, p, n), 2.5); 17)", "void(f64*,i64)");
  g_autoptr (MaltNative) nothing = new_native (worker, "() -> 3", "i64()");
  gboolean yes = TRUE;
  gboolean answer = TRUE;
  gint32 numbers[] = { 1, 2, 39 };
  double memory[] = { 0, 0, 0 };
  gpointer numbers_at = numbers;
  gpointer memory_at = memory;
  gint64 n = 3;
  gint64 total = 0;

  malt_assert (not_ != NULL && sum != NULL && fill_it != NULL && nothing != NULL);
  malt_assert (malt_native_call (not_, &answer, (gpointer[]){ &yes }, NULL));
  malt_assert (answer == FALSE);
  malt_assert (malt_native_call (sum, &total, (gpointer[]){ &numbers_at, &n }, NULL));
  malt_assert (total == 42);
  malt_assert (malt_native_call (fill_it, NULL, (gpointer[]){ &memory_at, &n }, NULL));
  malt_assert (memory[0] == 2.5 && memory[2] == 2.5);
  malt_assert (malt_native_call (nothing, &total, NULL, NULL));
  malt_assert (total == 3);
}

static void
native_exception_gives_zero_and_is_fetched (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltNative) native = NULL;
  g_autoptr (GError) error = NULL;
  gint64 argument = 5;
  gint64 result = 77;
  gpointer arguments[] = { &argument };

  malt_assert (worker != NULL);
  native = new_native (worker, "x -> x > 3 ? error(\"too big\") : x", "i64(i64)");
  malt_assert (native != NULL);
  malt_assert (!malt_native_call (native, &result, arguments, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (error), "ErrorException");
  malt_assert_string (malt_error_get_exception_message (error), "too big");
  malt_assert (strstr (malt_error_get_backtrace (error), "malt_") == NULL);
  malt_assert (result == 0);
  malt_assert (!malt_native_take_error (native, NULL));
  argument = 2;
  malt_assert (malt_native_call (native, &result, arguments, NULL));
  malt_assert (result == 2);
}

typedef struct
{
  MaltNative *native;
  gboolean had_error;
  gint64 good;
  gint64 bad;
  GThread *thread;
} Plain;

static void
use_plain_pointer (gpointer data)
{
  Plain *plain = data;
  gint64 (*function) (gint64) =
      (gint64 (*) (gint64)) malt_native_get_pointer (plain->native);

  plain->thread = g_thread_self ();
  plain->good = function (3);
  plain->had_error = malt_native_take_error (plain->native, NULL);
  plain->bad = function (-1);
  plain->had_error = !plain->had_error && malt_native_take_error (plain->native, NULL);
}

static void
plain_pointer_works_in_the_julia_thread (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  Plain plain = { 0 };

  malt_assert (worker != NULL);
  plain.native =
      new_native (worker, "x -> x < 0 ? throw(DomainError(x)) : x * 14", "i64(i64)");
  malt_assert (plain.native != NULL);
  malt_assert (
      malt_worker_invoke_on_julia_thread (worker, use_plain_pointer, &plain, &error));
  malt_assert (plain.good == 42 && plain.bad == 0 && plain.had_error);
  malt_assert (plain.thread != g_thread_self ());
  malt_native_unref (plain.native);
}

static void
wait_for_itself (gpointer data)
{
  MaltWorker *worker = ((gpointer *) data)[0];
  GError **error = ((gpointer *) data)[1];
  G_GNUC_UNUSED g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, "1 + 1", NULL, error);
}

static void
julia_thread_does_not_wait_for_itself (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  gpointer data[] = { worker, &error };

  malt_assert (worker != NULL);
  malt_assert (malt_worker_invoke_on_julia_thread (worker, wait_for_itself, data, NULL));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_FAILED);
  malt_assert_int (inprocess_test_eval_int (worker, "6 * 7"), 42);
}

static void
native_follows_what_it_calls (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch ("module=new", NULL);
  g_autoptr (MaltNative) native = NULL;
  gint64 argument = 1;
  gint64 result = 0;
  gpointer arguments[] = { &argument };

  malt_assert (worker != NULL);
  malt_assert (inprocess_test_is (worker, "(helper(x) = x + 1; nothing)", "nothing"));
  native = new_native (worker, "x -> helper(x)", "i64(i64)");
  malt_assert (native != NULL);
  malt_assert (malt_native_call (native, &result, arguments, NULL));
  malt_assert (result == 2);
  malt_assert (inprocess_test_is (worker, "(helper(x) = x + 100; nothing)", "nothing"));
  malt_assert (malt_native_call (native, &result, arguments, NULL));
  malt_assert (result == 101);
}

static void
native_function_may_wait (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltNative) native = NULL;
  gint64 result = 0;

  malt_assert (worker != NULL);
  native = new_native (worker, "() -> (sleep(0.1); 5)", "i64()");
  malt_assert (native != NULL);
  malt_assert (malt_native_call (native, &result, NULL, NULL));
  malt_assert (result == 5);
}

static void
what_is_no_native_function_is_an_error (void)
{
  static const struct
  {
    const char *function;
    const char *signature;
    MaltError code;
  } cases[] = {
    { "3", "f64(f64)", MALT_ERROR_REMOTE_EXCEPTION },
    { "error(\"no\")", "f64(f64)", MALT_ERROR_REMOTE_EXCEPTION },
    { "sin", "f64(f64", MALT_ERROR_INVALID_ARGUMENT },
    { "sin", "string(f64)", MALT_ERROR_INVALID_ARGUMENT },
    { "sin", "f64(value)", MALT_ERROR_INVALID_ARGUMENT },
    { "sin", "", MALT_ERROR_INVALID_ARGUMENT },
  };
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);

  malt_assert (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      MaltNative *native =
          malt_native_new (worker, cases[i].function, cases[i].signature, NULL, &error);

      malt_assert (native == NULL);
      malt_assert_error (error, MALT_ERROR, (int) cases[i].code);
    }
}

static void
native_of_a_worker_that_has_ended (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltNative) native = NULL;
  g_autoptr (GError) error = NULL;
  gint64 result = 0;

  malt_assert (worker != NULL);
  native = new_native (worker, "() -> 1", "i64()");
  malt_assert (native != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  malt_assert (!malt_native_call (native, &result, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  g_clear_error (&error);
  malt_assert (
      !malt_worker_invoke_on_julia_thread (worker, use_plain_pointer, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
}

static gpointer
call_many (gpointer data)
{
  MaltNative *native = data;
  gsize n_wrong = 0;

  for (gint64 i = 0; i < N_CALLS; i++)
    {
      gint64 argument = i % 10 == 0 ? -i - 1 : i;
      gint64 result = -1;
      gboolean is_ok =
          malt_native_call (native, &result, (gpointer[]){ &argument }, NULL);

      n_wrong += argument < 0 ? is_ok || result != 0 : !is_ok || result != 2 * i;
    }
  return GSIZE_TO_POINTER (n_wrong);
}

static void
native_calls_of_eight_threads_keep_their_results_and_exceptions (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltNative) native = NULL;
  GThread *threads[N_THREADS];
  gsize n_wrong = 0;

  malt_assert (worker != NULL);
  native = new_native (worker, "x -> x < 0 ? error(\"negative\") : 2x", "i64(i64)");
  malt_assert (native != NULL);
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("native", call_many, native);
  for (int i = 0; i < N_THREADS; i++)
    n_wrong += GPOINTER_TO_SIZE (g_thread_join (threads[i]));
  malt_assert (n_wrong == 0);
}

/* Direct functions */

static double
add (double x, gint64 y, gpointer user_data, GError **error)
{
  if (y < 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%d is negative", (int) y);
  return x + (double) y + GPOINTER_TO_INT (user_data);
}

static char *
greet (const char *name, G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return *name != '\0' ? g_strconcat ("hello ", name, NULL) : NULL;
}

static gboolean
negate (gboolean value, G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return !value;
}

static double
sum_up (const double *numbers, gint64 n, G_GNUC_UNUSED gpointer user_data,
        G_GNUC_UNUSED GError **error)
{
  double sum = 0;

  for (gint64 i = 0; i < n; i++)
    sum += numbers[i];
  return sum;
}

static gboolean
export_direct (MaltWorker *worker, const char *name, const char *signature,
               GCallback function, gpointer user_data, GDestroyNotify destroy)
{
  g_autoptr (GError) error = NULL;

  if (!malt_worker_export (worker, name, signature, MALT_EXPORT_DIRECT, function,
                           user_data, destroy, &error))
    MALT_TEST_FAIL ("%s: %s", name, error->message);
  return error == NULL;
}

static void
direct_functions_are_called_with_what_fits (void)
{
  static const struct
  {
    const char *source;
    const char *expected;
  } cases[] = {
    { "Malt.host.add(1.5, 2)", "103.5" },
    { "Malt.host.add(1, 2)", "103.0" },
    { "Malt.host.greet(\"Julia\")", "\"hello Julia\"" },
    { "Malt.host.greet(\"\")", "nothing" },
    { "Malt.host.negate(true)", "false" },
    { "Malt.host.sum_up([1.0, 2.0], 2)", "3.0" },
    { "sum(i -> Malt.host.add(0.0, i), 1:10)", "1055.0" },
    { "try Malt.host.add(1.0, -3) catch e; sprint(showerror, e) end",
      "\"-3 is negative\"" },
    { "try Malt.host.add(1.0, 2.5) catch e; nameof(typeof(e)) end", ":InexactError" },
    { "try Malt.host.add(1.0) catch e; nameof(typeof(e)) end", ":MethodError" },
    { "try Malt.host.negate(1) catch e; nameof(typeof(e)) end", ":TypeError" },
    { "try Malt.host.sum_up([1, 2], 2) catch e; nameof(typeof(e)) end", ":TypeError" },
    { "try Malt.host.greet(\"a\\0b\") catch e; nameof(typeof(e)) end", ":ArgumentError" },
  };
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);

  malt_assert (worker != NULL);
  malt_assert (export_direct (worker, "add", "f64(f64,i64)", G_CALLBACK (add),
                              GINT_TO_POINTER (100), NULL));
  malt_assert (
      export_direct (worker, "greet", "string(string)", G_CALLBACK (greet), NULL, NULL));
  malt_assert (
      export_direct (worker, "negate", "bool(bool)", G_CALLBACK (negate), NULL, NULL));
  malt_assert (
      export_direct (worker, "sum_up", "f64(f64*,i64)", G_CALLBACK (sum_up), NULL, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    malt_assert (inprocess_test_is (worker, cases[i].source, cases[i].expected));
}

static void
count_destroyed (gpointer counter)
{
  g_atomic_int_inc ((gint *) counter);
}

static gboolean
is_two (gpointer counter)
{
  return g_atomic_int_get ((gint *) counter) == 2;
}

static double
get_counter (G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return g_atomic_int_get ((gint *) user_data);
}

static void
direct_functions_are_let_go (void)
{
  static gint n_destroyed;
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltWorker) other = inprocess_test_launch (NULL);

  malt_assert (worker != NULL && other != NULL);
  malt_assert (export_direct (worker, "counter", "f64()", G_CALLBACK (get_counter),
                              &n_destroyed, count_destroyed));
  malt_assert (inprocess_test_is (worker, "Malt.host.counter()", "0.0"));
  malt_assert (export_direct (worker, "counter", "f64()", G_CALLBACK (get_counter),
                              &n_destroyed, count_destroyed));
  malt_assert (inprocess_test_is (worker, "Malt.host.counter()", "0.0"));
  malt_assert (malt_worker_unexport (worker, "counter"));
  for (int i = 0; i < 4; i++)
    malt_assert (inprocess_test_is (other, "GC.gc()", "nothing"));
  malt_assert (inprocess_test_until (is_two, &n_destroyed, INPROCESS_DEADLINE_MS));
}

static void
direct_function_with_a_value_is_refused (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (!malt_worker_export (worker, "f", "value(i64)", MALT_EXPORT_DIRECT,
                                    G_CALLBACK (negate), NULL, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
}

static const CU_TestInfo tests[] = {
  MALT_TEST (native_function_is_called_from_any_thread),
  MALT_TEST (native_types_are_those_of_c),
  MALT_TEST (native_bool_void_and_pointers),
  MALT_TEST (native_exception_gives_zero_and_is_fetched),
  MALT_TEST (plain_pointer_works_in_the_julia_thread),
  MALT_TEST (julia_thread_does_not_wait_for_itself),
  MALT_TEST (native_follows_what_it_calls),
  MALT_TEST (native_function_may_wait),
  MALT_TEST (what_is_no_native_function_is_an_error),
  MALT_TEST (native_of_a_worker_that_has_ended),
  MALT_TEST (native_calls_of_eight_threads_keep_their_results_and_exceptions),
  MALT_TEST (direct_functions_are_called_with_what_fits),
  MALT_TEST (direct_functions_are_let_go),
  MALT_TEST (direct_function_with_a_value_is_refused),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "inprocess native", tests, NULL);
}
