#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The julia that MALT_JULIA names is the one that all tests run, however they look for one."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
JULIA = os.environ["MALT_JULIA"]
WITH_JULIA = ["sh", str(SOURCE / "tests/support/with-julia.sh")]
SECONDS = 120
EVAL = [BUILD / "malt", "eval", "--backend", "malt-process", "1"]
CONTRACT = [BUILD / "tests/test-contract-malt-process", "--rule", "B7"]
PYTHON = [sys.executable, "-c", "import malt_protocol, os; os.execv(malt_protocol.julia(), ['julia', '-e', '1'])"]
PATH = ["julia", "-e", "1"]     # as the library does for a config that says nothing


class AnyJulia(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="malt-julia-")
        self.addCleanup(folder.cleanup)
        self.record = pathlib.Path(folder.name, "record")
        self.julia = pathlib.Path(folder.name, "julia")
        self.julia.write_text(f"#!/bin/sh\necho >>'{self.record}'\nexec '{JULIA}' \"$@\"\n")
        self.julia.chmod(0o755)
        self.environment = {name: value for name, value in os.environ.items() if name not in ("MALT_TEST_JULIA", "MALT_CONFIG")}
        self.environment.update(MALT_CONFIG="", MALT_JULIA=str(self.julia), PYTHONPATH=str(SOURCE / "tests/julia"))

    def run_words(self, *words, **environment):
        return subprocess.run([*map(str, words)], env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS)

    def assert_is_run(self, *words):
        result = self.run_words("sh", "-c", 'rm -f "$0"; exec "$@"', self.record, *words)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertTrue(self.record.exists(), "another julia was run")

    def test_programs_run_the_julia_that_was_named(self):
        for words in (EVAL, CONTRACT, PYTHON):
            with self.subTest(words=words):
                self.assert_is_run(*words)

    def test_the_script_makes_it_the_first_of_path(self):
        self.assert_is_run(*WITH_JULIA, "sh", "-c", 'rm "$0"; exec "$@"', self.record, *PATH)

    def test_it_is_looked_at_once(self):
        result = self.run_words(*WITH_JULIA, *WITH_JULIA, *WITH_JULIA, "true")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(self.record.read_text()), 1)

    def test_what_path_cannot_find_is_refused(self):
        other = self.julia.rename(self.julia.with_name("julia-1.x"))
        result = self.run_words(*WITH_JULIA, "true", MALT_JULIA=str(other))
        self.assertEqual(result.returncode, 1)
        self.assertIn("is not called julia", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
