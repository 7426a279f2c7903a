# SPDX-License-Identifier: MIT
"""malt-soak counts the faults that are planted, each as what it is, ends in any case, and does what its seed says."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

PROGRAM = None

# What is counted for each fault that is planted: the part of the line, and the key.
PLANTED = {
    "twice": ("faults", "twice"),
    "lost": ("faults", "lost"),
    "value": ("faults", "wrong"),
    "descriptor": ("left", "descriptors"),
    "child": ("left", "processes"),
}

# Small soaks, which run side by side.
RUNS = {name: ["--break", name, "--patience", "15"] for name in PLANTED}
RUNS["hang"] = ["--break", "hang", "--patience", "5"]
RUNS["none"] = ["--trace"]
RUNS["none again"] = ["--trace"]
RUNS["other seed"] = ["--trace", "--seed", "2"]


def start(arguments):
    command = [PROGRAM, "--seconds", "3", "--threads", "2", "--only", "drop,stop", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counts(line):
    """What is not zero of what must be zero."""
    found = {("faults", key): n for key, n in line["faults"].items() if n}
    found.update({("left", key): n for key, n in line["left"].items() if n and key != "memory_kib"})
    return found


def operations(told):
    """The operations that were begun, by thread, in order."""
    threads = {}
    for thread, what in re.findall(r"thread (\d+) operation \d+: (.*)", told):
        threads.setdefault(thread, []).append(what)
    return threads


class Soak(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Their exit status, what their line says, what they told."""
        processes = {name: start(arguments) for name, arguments in RUNS.items()}
        cls.runs = {}
        for name, process in processes.items():
            output, told = process.communicate()
            cls.runs[name] = process.returncode, json.loads(output), told

    def test_without_a_fault_all_is_well(self):
        status, line, told = self.runs["none"]
        self.assertEqual((status, line["ok"], counts(line)), (0, True, {}), told)
        self.assertGreaterEqual(min(line["operations"].values()), line["required"])

    def test_the_seed_decides_on_the_operations(self):
        mine, same, other = (operations(self.runs[name][2]) for name in ("none", "none again", "other seed"))
        self.assertEqual({"0", "1", "2", "3"}, set(mine))
        for thread, done in mine.items():
            n = min(len(done), len(same[thread]))
            self.assertEqual(done[:n], same[thread][:n])
            self.assertNotEqual(done[0], other[thread][0])

    def test_each_planted_fault_is_counted_and_nothing_else(self):
        for name, where in PLANTED.items():
            with self.subTest(name):
                status, line, told = self.runs[name]
                self.assertEqual((status, line["ok"], counts(line)), (1, False, {where: 1}), told)
                self.assertEqual(line["planted"], name)

    def test_a_child_that_is_left_is_told_and_ended(self):
        pid = re.search(r"left: process (\d+)", self.runs["child"][2]).group(1)
        state = pathlib.Path(f"/proc/{pid}/stat")
        self.assertTrue(not state.exists() or ") Z" in state.read_text())

    def test_what_hangs_is_told_and_ended(self):
        status, line, told = self.runs["hang"]
        self.assertEqual((status, line["faults"]["hung"]), (1, 1), told)
        self.assertRegex(told, r"thread \d+: operation \d+, (drop|stop), for \d+ ms")

    def test_wrong_arguments_are_refused(self):
        for arguments in (["--break", "none"], ["--only", "none"], ["--seconds", "0"], ["--backend", "none"], ["word"]):
            result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=20)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertTrue(result.stderr.startswith("malt-soak: "), arguments)


if __name__ == "__main__":
    os.environ.pop("MALT_BACKEND", None)
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
