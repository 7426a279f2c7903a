# SPDX-License-Identifier: MIT
"""The command line of malt: help, mistakes, backends. Nothing here needs a worker that works."""
import os
import resource
import subprocess
import unittest

from cli_case import MALT, CliCase, environment, malt

START_SECONDS = 60  # how long a start waits, by default, for a julia that says nothing


class Usage(CliCase):
    def assert_usage_error(self, result, *words):
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_the_version_is_printed(self):
        self.assertRegex(malt("--version").stdout, r"^malt \d+\.\d+\.\d+\n$")

    def test_help_lists_the_subcommands(self):
        for arguments in (["--help"], ["-h"], ["help"], ["help", "--help"]):
            with self.subTest(arguments):
                result = malt(*arguments)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                for name in ("malt eval", "malt run", "malt backends", "malt config", "malt help"):
                    self.assertIn(name, result.stdout)

    def test_help_of_a_subcommand_is_its_own_help(self):
        for name, word in (("eval", "--module"), ("run", "--julia"), ("backends", "--help"), ("help", "SUBCOMMAND")):
            with self.subTest(name):
                result = malt("help", name)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn(word, result.stdout)
                self.assertEqual(result.stdout, malt(name, "--help").stdout)

    def test_a_system_without_descriptors_is_an_error_and_no_crash(self):
        for n in range(4, 20):
            with self.subTest(n):
                result = subprocess.run([MALT, "eval", "--julia=/bin/false", "1"], env=environment(), capture_output=True, text=True,
                                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertRegex(result.stderr, r"^malt: .*\n$")

    def test_mistakes_end_with_2_and_one_line(self):
        self.assert_usage_error(malt(), "subcommand")
        self.assert_usage_error(malt("nosuch"), "nosuch")
        self.assert_usage_error(malt("--nosuch"), "--nosuch")
        self.assert_usage_error(malt("help", "nosuch"), "nosuch")
        self.assert_usage_error(malt("help", "eval", "run"))
        self.assert_usage_error(malt("eval"), "malt eval", "expression")
        self.assert_usage_error(malt("eval", "--nosuch", "1"), "malt eval", "--nosuch")
        self.assert_usage_error(malt("eval", "1", "--backend"), "--backend")
        self.assert_usage_error(malt("eval", "--option", "threads", "1"), "KEY=VALUE", "threads")
        self.assert_usage_error(malt("eval", "--option", "=4", "1"), "KEY=VALUE")
        self.assert_usage_error(malt("run"), "malt run", "file")
        self.assert_usage_error(malt("run", "--module", "Main", "x.jl"), "--module")
        self.assert_usage_error(malt("backends", "all"), "all")

    def test_the_manual_page_renders_without_a_warning(self):
        page = os.path.join(os.environ["MALT_SOURCE_DIR"], "core", "cli", "malt.1")
        try:
            result = subprocess.run(["groff", "-man", "-Tutf8", "-wall", "-z", page], capture_output=True, text=True,
                                    timeout=60)
        except FileNotFoundError:
            self.skipTest("groff is not installed")
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([MALT, "help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left", result.stderr)


class Backends(CliCase):
    def test_the_table_has_a_line_for_each_backend_and_says_what_auto_takes(self):
        result = malt("backends")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        self.assertRegex(lines[0], r"^NAME +AVAILABLE +DESCRIPTION$")
        self.assertTrue(any(line.startswith("malt-process ") and " yes " in line for line in lines), result.stdout)
        self.assertRegex(result.stdout, r"(?m)^auto takes 'malt-process'")

    def test_a_backend_that_cannot_work_here_says_why(self):
        result = malt("backends", env=environment(MALT_JULIA="/nonexistent/julia"))
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"(?m)^malt-process +no ")
        self.assertIn("/nonexistent/julia", result.stdout)
        self.assertIn("auto takes none", result.stdout)

    def test_an_unknown_backend_ends_with_3_and_the_known_names(self):
        for result in (malt("eval", "1", env=environment(MALT_BACKEND="nosuch")),
                       malt("eval", "--backend", "nosuch", "1"),
                       malt("run", "--backend=nosuch", "x.jl")):
            self.assertEqual((result.returncode, result.stdout), (3, ""))
            self.assertIn("nosuch", result.stderr)
            self.assertIn("malt-process", result.stderr)

    def test_the_command_line_wins_over_the_environment(self):
        result = malt("eval", "--backend", "malt-process", "1 + 1", env=environment(MALT_BACKEND="nosuch"))
        self.assert_result(result, 0, "2\n")


class Start(CliCase):
    def assert_cannot_start(self, result, *words):
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        for word in words:
            self.assertIn(word, result.stderr)

    def test_a_julia_that_is_not_there_ends_with_3(self):
        self.assert_cannot_start(malt("eval", "--julia", "/nonexistent/julia", "1"), "/nonexistent/julia")

    def test_a_julia_that_ends_at_once_is_noticed_and_its_words_are_shown(self):
        command = self.write_command("julia", "echo 'no such luck' >&2; exit 5\n")
        self.assert_cannot_start(malt("eval", "--julia", command, "1", timeout=START_SECONDS / 2), "no such luck", "5")

    def test_a_julia_that_dies_of_a_signal_is_named_with_it(self):
        command = self.write_command("julia", "kill -SEGV $$\n")
        self.assert_cannot_start(malt("eval", "--julia", command, "1", timeout=START_SECONDS / 2), "SIGSEGV")

    def test_an_option_that_nobody_knows_is_named(self):
        self.assert_cannot_start(malt("eval", "--option", "nosuch=1", "1"), "nosuch")

    def test_a_value_that_cannot_be_is_named(self):
        self.assert_cannot_start(malt("eval", "--option", "transport=pigeon", "1"), "transport", "pigeon")


if __name__ == "__main__":
    unittest.main()
