# SPDX-License-Identifier: MIT
"""docs/architecture.md and docs/errors.md name tests, files and codes: all of them exist, and none is missing."""
import os
import pathlib
import re
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
ARCHITECTURE = (SOURCE / "docs/architecture.md").read_text()
ERRORS = (SOURCE / "docs/errors.md").read_text()
ERROR_HEADER = (SOURCE / "core/include/malt/malt-error.h").read_text()


def listed_tests():
    output = subprocess.run([BUILD / "malt-contract", "--list"], capture_output=True, check=True, text=True).stdout
    return set(output.split())


class ContractDocs(unittest.TestCase):
    def test_every_rule_has_its_tests(self):
        for number in range(1, 19):
            with self.subTest(f"B{number}"):
                self.assertTrue(any(name.startswith(f"b{number:02}_") for name in listed_tests()))

    def test_every_test_is_named_after_the_rule_of_its_file(self):
        for path in sorted((SOURCE / "tests/contract").glob("b[0-9][0-9]-*.c")):
            for name in re.findall(r"CONTRACT_(?:JULIA_)?TEST \((\w+)\)", path.read_text()):
                self.assertTrue(name.startswith(path.name[:3] + "_"), f"{name} in {path.name}")

    def test_tests_that_the_table_names_exist(self):
        named = set(re.findall(r"`(b\d\d_\w+)`", ARCHITECTURE))
        self.assertTrue(named)
        self.assertEqual(named - listed_tests(), set())

    def test_the_table_names_every_file_of_a_rule(self):
        files = {path.name for path in (SOURCE / "tests/contract").glob("b[0-9][0-9]-*.c")}
        self.assertEqual(files, set(re.findall(r"`(b\d\d-[\w-]+\.c)`", ARCHITECTURE)))

    def test_every_error_code_and_reason_has_its_row(self):
        for kind in ("ERROR", "TERMINATION"):
            declared = set(re.findall(rf"@(MALT_{kind}_\w+):", ERROR_HEADER))
            self.assertEqual(declared, set(re.findall(rf"^\| `(MALT_{kind}_\w+)` \|", ERRORS, flags=re.MULTILINE)))


unittest.main()
