/* SPDX-License-Identifier: MIT */
/* What all CUnit programs share: assertions that return, and the main function.
 *
 * CU_ASSERT_FATAL leaves a test by longjmp, past the clean-up of g_auto locals; these
 * return. A failure names both values. */
#pragma once

#include <CUnit/Basic.h>
#include <malt/malt.h>

/* Records what one assertion found; message: (nullable) (transfer full), of a failure. */
static inline gboolean
malt_test_record (const char *file, unsigned int line, const char *what, char *message)
{
  gboolean is_ok = message == NULL;

  CU_assertImplementation (is_ok, line, is_ok ? what : message, file, "", CU_FALSE);
  g_free (message);
  return is_ok;
}

static inline char *
malt_test_compare_int (const char *what, gint64 actual, gint64 expected)
{
  if (actual == expected)
    return NULL;
  return g_strdup_printf ("%s: expected %" G_GINT64_FORMAT ", got %" G_GINT64_FORMAT,
                          what, expected, actual);
}

static inline char *
malt_test_compare_string (const char *what, const char *actual, const char *expected)
{
  if (g_strcmp0 (actual, expected) == 0)
    return NULL;
  return g_strdup_printf ("%s: expected '%s', got '%s'", what, expected, actual);
}

static inline char *
malt_test_compare_error (const char *what, const GError *error, GQuark domain, int code,
                         const char *expected)
{
  if (g_error_matches (error, domain, code))
    return NULL;
  return g_strdup_printf ("%s: expected %s, got '%s'", what, expected,
                          error != NULL ? error->message : "no error");
}

/* Records a failure at this line and goes on. */
#define MALT_TEST_FAIL(...) \
  malt_test_record (__FILE__, __LINE__, "", g_strdup_printf (__VA_ARGS__))

#define MALT_TEST_RECORD(what, message)                          \
  do                                                             \
    {                                                            \
      if (!malt_test_record (__FILE__, __LINE__, what, message)) \
        return;                                                  \
    }                                                            \
  while (0)

#define malt_assert(condition) \
  MALT_TEST_RECORD (#condition, (condition) ? NULL : g_strdup (#condition))

#define malt_assert_int(actual, expected) \
  MALT_TEST_RECORD (                      \
      #actual, malt_test_compare_int (#actual, (gint64) (actual), (gint64) (expected)))

#define malt_assert_string(actual, expected) \
  MALT_TEST_RECORD (#actual, malt_test_compare_string (#actual, actual, expected))

#define malt_assert_no_error(error)                                               \
  MALT_TEST_RECORD (#error, (error) == NULL                                       \
                                ? NULL                                            \
                                : g_strdup_printf ("%s: expected none, got '%s'", \
                                                   #error, (error)->message))

#define malt_assert_error(error, domain, code) \
  MALT_TEST_RECORD (#error, malt_test_compare_error (#error, error, domain, code, #code))

/* A line of a table of tests: a function, by its own name. */
#define MALT_TEST(function) \
  {                         \
#function, function     \
  }

/* The statement is a caller's mistake: it logs one critical warning. */
#define malt_assert_critical(statement)                                                \
  do                                                                                   \
    {                                                                                  \
      g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*");                 \
      statement;                                                                       \
      g_test_assert_expected_messages ();                                              \
      CU_assertImplementation (CU_TRUE, __LINE__, #statement, __FILE__, "", CU_FALSE); \
    }                                                                                  \
  while (0)

/* Where an asynchronous call ends. What its callback is given outlives it, so that a
 * callback that comes after a failed assertion has left the test finds nothing. */
typedef struct
{
  GAsyncResult *result; /* (owned) (nullable) */
  GThread *thread; /* (unowned): that the callback ran in */
  gpointer ticket; /* (unowned) (nullable): the callback's, until it comes */
} MaltTestAwait;

/* The user data of malt_test_on_ready(), for one call. */
static inline gpointer
malt_test_expect (MaltTestAwait *await)
{
  MaltTestAwait **ticket = g_new (MaltTestAwait *, 1);

  *ticket = await;
  await->ticket = ticket;
  return ticket;
}

static inline void
malt_test_on_ready (G_GNUC_UNUSED GObject *object, GAsyncResult *result,
                    gpointer user_data)
{
  g_autofree MaltTestAwait **ticket = user_data;

  if (*ticket == NULL)
    return;
  (*ticket)->ticket = NULL;
  (*ticket)->result = g_object_ref (result);
  (*ticket)->thread = g_thread_self ();
}

static inline void
malt_test_await (MaltTestAwait *await)
{
  while (await->result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static inline void
malt_test_await_clear (MaltTestAwait *await)
{
  if (await->ticket != NULL)
    *(MaltTestAwait **) await->ticket = NULL;
  g_clear_object (&await->result);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MaltTestAwait, malt_test_await_clear)

/* Runs the suites (closed by CU_SUITE_INFO_NULL), prints CUnit's summary, and says
 * what main() is to return. */
static inline int
malt_test_run (CU_SuiteInfo *suites)
{
  unsigned int n_failures = 1;
  unsigned int n_run = 0;

  if (CU_initialize_registry () == CUE_SUCCESS &&
      CU_register_suites (suites) == CUE_SUCCESS)
    {
      CU_basic_set_mode (CU_BRM_VERBOSE);
      CU_basic_run_tests ();
      n_failures = CU_get_number_of_failures ();
      n_run = CU_get_number_of_tests_run ();
    }
  CU_cleanup_registry ();
  return n_failures == 0 && n_run > 0 ? 0 : 1;
}
