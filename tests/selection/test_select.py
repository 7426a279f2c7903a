# SPDX-License-Identifier: MIT
"""One host program, unchanged, that sets cwd, env and threads: it prints the same with every backend, however that is chosen."""
import os
import pathlib
import subprocess
import unittest

from cli_case import CliCase, environment

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
PROGRAM = pathlib.Path(os.environ["MALT_BUILD_DIR"]) / "examples" / "example-select"
EXPECTED = (SOURCE / "docs" / "examples" / "select.expected").read_text()
BACKENDS = ("malt-process", "inprocess", "distributed")


class Select(CliCase):
    def run_host(self, **changes):
        return subprocess.run([PROGRAM], env=environment(**changes), capture_output=True, text=True, timeout=120)

    def assert_same(self, **changes):
        result = self.run_host(**changes)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, EXPECTED, ""))

    def test_a_variable_chooses(self):
        for backend in BACKENDS:
            with self.subTest(backend):
                self.assert_same(MALT_BACKEND=backend)

    def test_a_config_file_chooses(self):
        for backend in BACKENDS:
            with self.subTest(backend):
                path = self.write(f"{backend}.conf", f"[malt]\nbackend = {backend}\n")
                self.assert_same(MALT_CONFIG=str(path))

    def test_a_profile_chooses(self):
        path = self.write("own.conf", "[malt]\nbackend = malt-process\n[malt-process]\ntransport = socketpair\n"
                                      "[profile test]\nbackend = inprocess\n[profile test inprocess]\nmodule = new\n")
        self.assert_same(MALT_CONFIG=str(path), MALT_PROFILE="test")

    def test_it_is_really_the_one_that_was_chosen(self):
        path = self.write("own.conf", "[profile test]\nbackend = inprocess\n")
        result = self.run_host(MALT_CONFIG=str(path), MALT_PROFILE="test", MALT_JULIA="/nonexistent/julia")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("backend 'inprocess' cannot work here", result.stderr)


if __name__ == "__main__":
    unittest.main()
