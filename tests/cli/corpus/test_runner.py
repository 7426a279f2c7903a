# SPDX-License-Identifier: MIT
"""The runner of the corpus sees each kind of difference: its programs here are the shell's, and what runs them lies."""
import pathlib
import tempfile
import unittest
from unittest import mock

import corpus
import programs
import scene

SAME = 'sh "$@"'
# How a program is run, which mode shows it, what the runner must then name.
LIES = [
    ("sh \"$@\"; s=$?; echo more; exit $s", "pipe", "stdout"),
    ("sh \"$@\" 2>&1", "pipe", "stderr"),
    ("sh \"$@\" >out; s=$?; cat out; rm out; exit $s", "joined", "stdout"),
    ("sh \"$@\" | cat; exit 3", "terminal", "stdout"),
    ("sh \"$@\"; exit 4", "pipe", "status"),
    ("sh \"$@\"; kill -9 $$", "pipe", "status"),
    ("sh \"$@\"; s=$?; touch made; exit $s", "pipe", "files"),
    ("umask 077; sh \"$@\"", "pipe", "files"),
    ("sh \"$@\"; s=$?; sleep 60 >/dev/null 2>&1 & exit 3", "pipe", "left"),
    ("sh \"$@\"; s=$?; stty -echo; exit $s", "terminal", "terminal"),
    ("sh \"$@\" 3>&-; sleep 60", "pipe", "fault"),
    ("sh \"$@\" 0</dev/null", "terminal", "stdout"),
    ("exec >/dev/null 2>&1; sh \"$@\"", "closed", "files"),
]
PROGRAM = """echo out; echo err >&2; echo out again
test -t 0 && test -t 1 && echo terminal; : 3>&1 && : >open; exit 3
"""


class Runner(unittest.TestCase):
    def judge(self, way, mode="pipe", exceptions=(), **fields):
        program = programs.Program("shell/one", files={"main.jl": PROGRAM.encode()}, **fields)
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(scene, "SECONDS_AFTER_THE_END", 1), \
                mock.patch.object(corpus.cli_case, "SECONDS", 5):
            said = []
            one = corpus.Corpus(pathlib.Path(folder), exceptions, corpus.Column(["sh"]), said.append)
            is_good = one.run_all([(program, mode)], lambda *_: {"other": corpus.Column(["sh", "-c", way, "sh"])})
        return is_good, "\n".join(said)

    def test_what_is_the_same_passes_in_each_mode(self):
        for mode in scene.MODES:
            with self.subTest(mode):
                is_good, said = self.judge(SAME, mode)
                self.assertTrue(is_good, said)

    def test_each_lie_is_seen(self):
        for way, mode, field in LIES:
            with self.subTest(way):
                is_good, said = self.judge(way, mode)
                self.assertFalse(is_good)
                self.assertRegex(said, f"(?m)^     {field}:")

    def test_a_step_that_does_not_come_is_a_fault(self):
        is_good, said = self.judge(SAME, steps=[("expect", b"never")])
        self.assertFalse(is_good)
        self.assertIn("the reference: expected b'never'", said)

    def test_what_is_open_and_passes_fails(self):
        def line(kind):
            return [programs.Exception_("other", "shell/*", kind, "a reason")]
        self.assertFalse(self.judge(SAME, exceptions=line("open"))[0])
        self.assertTrue(self.judge(SAME, exceptions=line("differs"))[0])
        is_good, said = self.judge(LIES[0][0], exceptions=line("open"))
        self.assertTrue(is_good)
        self.assertIn("OPEN other shell/one:pipe: a reason", said)


class Programs(unittest.TestCase):
    def test_there_are_enough_in_each_area(self):
        names = [program.name for program in programs.read_all()]
        self.assertGreaterEqual(len(names), 150)
        self.assertEqual(len(names), len(set(names)))
        for area in {name.partition("/")[0] for name in names}:
            self.assertGreaterEqual(sum(name.startswith(f"{area}/") for name in names), 5, area)

    def test_their_modes_and_exceptions_are_known(self):
        everything = programs.read_all()
        for program in everything:
            self.assertLessEqual(set(program.modes), set(scene.MODES), program.name)
        for one in programs.read_exceptions():
            self.assertIn(one.column, corpus.COLUMNS)
            self.assertTrue(any(one.covers(one.column, program, mode) for program in everything for mode in program.modes), one)


if __name__ == "__main__":
    unittest.main()
