# SPDX-License-Identifier: MIT
"""The command line of malt: help, mistakes, backends. Nothing here needs a worker that works."""
import os
import re
import resource
import subprocess
import unittest

from cli_case import JULIA, MALT, CliCase, environment, malt

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
                for name in ("malt eval", "malt run", "malt backends", "malt config", "malt doctor", "malt completion", "FILE.jl", "malt help"):
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
        self.assert_usage_error(malt("run", "--module", "Main", "x.jl"), "--module")
        self.assert_usage_error(malt("backends", "all"), "all")

    def test_a_mistyped_word_brings_the_one_that_is_near(self):
        for arguments, kind, meant in ((["docter"], "subcommand", "doctor"), (["help", "bakcends"], "subcommand", "backends"),
                                       (["--versoin"], "option", "--version"), (["eval", "--bakend", "x", "1"], "option", "--backend")):
            with self.subTest(arguments):
                typed = next(word for word in arguments if word not in ("help", "eval"))
                self.assert_usage_error(malt(*arguments), "unknown %s '%s', did you mean '%s'?" % (kind, typed, meant))
        for arguments in (["xyzzy"], ["eval", "--zzz"], ["x" * 5000]):
            result = malt(*arguments)
            self.assert_usage_error(result, arguments[-1])
            self.assertNotIn("mean", result.stderr)

    def test_bash_completes_subcommands_options_and_backends(self):
        script = malt("completion").stdout
        for words, expected in ((["malt", "do"], "doctor"), (["malt", "--v"], "--version"), (["malt", "eval", "--mod"], "--module"),
                                (["malt", "help", "conf"], "config"), (["malt", "--thr"], "--threads"), (["malt", "-t", "2", "--proj"], "--project"),
                                (["malt", "run", "--inter"], "--interactive"), (["malt", "eval", "--inter"], ""), (["malt", "eval", "--lo"], "--load"), (["malt", "run", "--backend", "malt"], "malt-process"),
                                (["malt", "run", "--backend", "=", "inp"], "inprocess"), (["malt", "run", "--module"], ""), (["malt", "run", "d"], "")):
            with self.subTest(words):
                end = '\nCOMP_WORDS=(%s); COMP_CWORD=%d; _malt; echo "${COMPREPLY[*]}"\n' % (" ".join(words), len(words) - 1)
                result = subprocess.run(["bash", "-c", script + end], capture_output=True, text=True, timeout=60)
                self.assertEqual((result.stdout, result.stderr), (expected + "\n", ""))

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
        version = subprocess.run([JULIA, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        following = lines[[line.split()[0] for line in lines if line].index("malt-process") + 1].strip()
        self.assertEqual(following, f"{version}, {JULIA}")

    def test_a_julia_that_does_not_run_is_named_all_the_same(self):
        broken = self.write_command("julia", f"[ $# = 1 ] && echo $* >>{self.folder}/asked\nexit 1\n")
        self.assertRegex(malt("backends", env=environment(MALT_JULIA=str(broken))).stdout,
                         rf"(?m)^ +{re.escape(str(broken))}, which does not say its version$")
        self.assertEqual((self.folder / "asked").read_text(), "--version\n", "once, whoever would run it")

    def test_a_backend_that_cannot_work_here_says_why(self):
        result = malt("backends", env=environment(MALT_JULIA="/nonexistent/julia"))
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"(?m)^malt-process +no ")
        self.assertIn("/nonexistent/julia", result.stdout)
        self.assertIn("auto takes none", result.stdout)

    def test_an_unknown_backend_ends_with_the_known_names(self):
        for status, result in ((3, malt("eval", "1", env=environment(MALT_BACKEND="nosuch"))),
                               (2, malt("eval", "--backend", "nosuch", "1")),
                               (2, malt("run", "--backend=nosuch", "x.jl"))):
            self.assertEqual((result.returncode, result.stdout), (status, ""))
            self.assertIn("nosuch", result.stderr)
            self.assertIn("malt-process", result.stderr)

    def test_the_command_line_wins_over_the_environment(self):
        result = malt("eval", "--backend", "malt-process", "1 + 1", env=environment(MALT_BACKEND="nosuch"))
        self.assert_result(result, 0, "2\n")


class Doctor(CliCase):
    def test_each_backend_is_started_and_the_julia_named(self):
        result = malt("doctor", timeout=300)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertIn("eval and run take 'malt-process'", result.stdout)
        version = re.escape(malt("eval", "println(VERSION)").stdout.strip())
        for name in ("malt-process", "distributed", "inprocess"):
            self.assertRegex(result.stdout, r"(?m)^%s: works: julia %s, /.*, answered in [0-9.]+ s$" % (name, version))

    def test_what_does_not_work_comes_with_a_remedy(self):
        broken = self.write_command("julia", "echo 'no such luck' >&2; exit 5\n")
        for julia, reason, remedy in (("/nonexistent/julia", "/nonexistent/julia", "install Julia"), (broken, "no such luck", "runs by itself")):
            with self.subTest(julia):
                result = malt("doctor", "--backend", "malt-process", "--julia", julia)
                self.assertEqual((result.returncode, result.stderr), (3, ""), result.stdout)
                self.assertRegex(result.stdout, r"(?m)^malt-process: does not work: .*%s" % re.escape(reason))
                self.assertRegex(result.stdout, r"(?m)^  remedy: .*%s" % remedy)
                self.assertNotIn("inprocess:", result.stdout)


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


if __name__ == "__main__":
    unittest.main()
