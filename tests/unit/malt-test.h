/* SPDX-License-Identifier: MIT */
/* What all CUnit programs share: assertions that return, and the main function.
 *
 * CU_ASSERT_FATAL leaves a test by longjmp, past the clean-up of g_auto locals; these
 * return. A failure names both values. */
#pragma once

#include <CUnit/Basic.h>
#include <malt/malt.h>

/* Records a failure at this line; the message is copied. */
#define MALT_TEST_FAIL(...)                                                         \
  do                                                                                \
    {                                                                               \
      g_autofree char *malt_test_message = g_strdup_printf (__VA_ARGS__);           \
      CU_assertImplementation (CU_FALSE, __LINE__, malt_test_message, __FILE__, "", \
                               CU_FALSE);                                           \
    }                                                                               \
  while (0)

#define malt_assert(condition)                                                   \
  do                                                                             \
    {                                                                            \
      gboolean malt_test_ok = (condition) ? TRUE : FALSE;                        \
      CU_assertImplementation (malt_test_ok, __LINE__, #condition, __FILE__, "", \
                               CU_FALSE);                                        \
      if (!malt_test_ok)                                                         \
        return;                                                                  \
    }                                                                            \
  while (0)

#define malt_assert_int(actual, expected)                                             \
  do                                                                                  \
    {                                                                                 \
      gint64 malt_test_actual = (gint64) (actual);                                    \
      gint64 malt_test_expected = (gint64) (expected);                                \
      if (malt_test_actual == malt_test_expected)                                     \
        CU_assertImplementation (CU_TRUE, __LINE__, #actual, __FILE__, "", CU_FALSE); \
      else                                                                            \
        {                                                                             \
          MALT_TEST_FAIL ("%s: expected %" G_GINT64_FORMAT ", got %" G_GINT64_FORMAT, \
                          #actual, malt_test_expected, malt_test_actual);             \
          return;                                                                     \
        }                                                                             \
    }                                                                                 \
  while (0)

#define malt_assert_string(actual, expected)                                          \
  do                                                                                  \
    {                                                                                 \
      const char *malt_test_actual = (actual);                                        \
      const char *malt_test_expected = (expected);                                    \
      if (g_strcmp0 (malt_test_actual, malt_test_expected) == 0)                      \
        CU_assertImplementation (CU_TRUE, __LINE__, #actual, __FILE__, "", CU_FALSE); \
      else                                                                            \
        {                                                                             \
          MALT_TEST_FAIL ("%s: expected '%s', got '%s'", #actual, malt_test_expected, \
                          malt_test_actual);                                          \
          return;                                                                     \
        }                                                                             \
    }                                                                                 \
  while (0)

#define malt_assert_no_error(error)                                                  \
  do                                                                                 \
    {                                                                                \
      const GError *malt_test_error = (error);                                       \
      if (malt_test_error == NULL)                                                   \
        CU_assertImplementation (CU_TRUE, __LINE__, #error, __FILE__, "", CU_FALSE); \
      else                                                                           \
        {                                                                            \
          MALT_TEST_FAIL ("%s: expected none, got '%s'", #error,                     \
                          malt_test_error->message);                                 \
          return;                                                                    \
        }                                                                            \
    }                                                                                \
  while (0)

#define malt_assert_error(error, malt_domain, malt_code)                             \
  do                                                                                 \
    {                                                                                \
      const GError *malt_test_error = (error);                                       \
      if (g_error_matches (malt_test_error, malt_domain, malt_code))                 \
        CU_assertImplementation (CU_TRUE, __LINE__, #error, __FILE__, "", CU_FALSE); \
      else                                                                           \
        {                                                                            \
          MALT_TEST_FAIL ("%s: expected %s, got '%s'", #error, #malt_code,           \
                          malt_test_error != NULL ? malt_test_error->message         \
                                                  : "no error");                     \
          return;                                                                    \
        }                                                                            \
    }                                                                                \
  while (0)

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
