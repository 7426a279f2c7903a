# SPDX-License-Identifier: MIT
"""Runs the example programs of docs/examples and compares what they print; the README shows one of them word for word."""
import os
import pathlib
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
PROGRAMS = pathlib.Path(sys.argv.pop(1))
EXAMPLES = SOURCE / "docs" / "examples"


class Examples(unittest.TestCase):
    def test_every_example_prints_what_is_expected(self):
        sources = sorted(EXAMPLES.glob("*.c"))
        self.assertTrue(sources)
        for source in sources:
            with self.subTest(source.stem):
                result = subprocess.run([PROGRAMS / f"example-{source.stem}"], capture_output=True,
                                        text=True, timeout=60)
                self.assertEqual(result.stderr, "")
                self.assertEqual(result.stdout, source.with_suffix(".expected").read_text())
                self.assertEqual(result.returncode, 0)

    def test_the_readme_shows_hello_word_for_word(self):
        readme = (SOURCE / "README.md").read_text()
        shown = readme.split("```c\n", 1)[1].split("```", 1)[0]
        self.assertTrue((EXAMPLES / "hello.c").read_text().endswith(shown))


if __name__ == "__main__":
    unittest.main()
