# SPDX-License-Identifier: MIT
"""Programs that run with more rights than their user has believe neither MALT_* variables nor the user's files. Needs root, to make one."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["MALT_BUILD_DIR"]) / "tests" / "print-config"
NOBODY = 65534


def can_run():
    """There is a second user, and a program can have more rights than its user where temporary files are."""
    return os.geteuid() == 0 and not os.statvfs(tempfile.gettempdir()).f_flag & os.ST_NOSUID


class Secure(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name).resolve()
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        (self.home / ".juliaup" / "bin").mkdir(parents=True)
        (self.home / "config" / "malt").mkdir(parents=True)
        (self.home / "config" / "malt" / "malt.conf").write_text("[malt]\nthreads = 3\n[profile p]\nproject = x\n")
        (self.folder / "own.conf").write_text("[malt]\nthreads = 5\n")
        for julia in (self.folder / "julia", self.home / ".juliaup" / "bin" / "julia"):
            julia.write_text("#!/bin/sh\nexit 1\n")
            julia.chmod(0o755)
        self.ordinary = self.install("ordinary", 0o755)
        self.setuid = self.install("setuid", 0o4755)

    def install(self, name, mode):
        path = self.folder / name
        shutil.copyfile(PROGRAM, path)
        path.chmod(mode)
        return path

    def run_as_nobody(self, program, *arguments):
        variables = {"PATH": str(self.folder), "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"),
                     "XDG_CONFIG_DIRS": str(self.home / "config"), "MALT_BACKEND": "inprocess",
                     "MALT_JULIA": "/opt/x/julia", "MALT_PROFILE": "p", "MALT_JULIA_PREFIX": str(self.folder)}
        result = subprocess.run([program, *map(str, arguments)], user=NOBODY, group=NOBODY, extra_groups=[], env=variables,
                                cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.splitlines()

    def test_an_ordinary_program_believes_them(self):
        lines = self.run_as_nobody(self.ordinary)
        self.assertIn("trusts its environment: yes", lines)
        for line in ("threads = 3", "project = x", "backend = inprocess", "julia = /opt/x/julia",
                     f"julia: {self.folder}/julia"):
            self.assertIn(line, lines)

    def test_a_program_with_more_rights_ignores_them(self):
        lines = self.run_as_nobody(self.setuid)
        self.assertEqual(lines[0], "trusts its environment: no")
        self.assertNotIn(str(self.folder), "\n".join(lines))
        self.assertEqual([line for line in lines[2:] if "=" in line], [])

    def test_what_the_program_itself_names_is_read(self):
        self.assertIn("threads = 5", self.run_as_nobody(self.setuid, self.folder / "own.conf"))

    def test_a_file_of_the_ordinary_user_is_refused_there(self):
        own = self.folder / "own.conf"
        os.chown(own, NOBODY, NOBODY)
        self.assertIn("threads = 5", self.run_as_nobody(self.ordinary, own))
        lines = self.run_as_nobody(self.setuid, own)
        self.assertTrue(any(line.startswith("error: ") and "belongs to user 65534, expected root" in line for line in lines),
                        lines)


if __name__ == "__main__":
    if not can_run():
        sys.exit(77)
    unittest.main()
