# SPDX-License-Identifier: MIT
"""What tests leave behind in Wine: no process, no temporary file; and when Wine has been stopped, nothing of Wine either.

Takes the name of a class: Before, which only takes notes; After, when all tests have run; Stopped."""
import json
import os
import pathlib
import select
import time
import unittest

NOTES = pathlib.Path(os.environ["MALT_BUILD_DIR"]) / "tests" / "windows-temporary.json"
PREFIX = os.environ.get("MALT_WINE_PREFIX") or os.environ["MALT_WINDOWS_SYSROOT"] + "/wine-prefix"
PATIENCE_S = 60
OWN_PROGRAMS = "c:\\windows\\"  # where Wine's are


def temporary_files():
    users = pathlib.Path(PREFIX) / "drive_c" / "users"
    folders = [*users.glob("*/Temp"), *users.glob("*/AppData/Local/Temp"), pathlib.Path(PREFIX) / "drive_c" / "windows" / "temp"]
    return sorted(str(path) for folder in folders if folder.is_dir() for path in folder.iterdir())


def processes():
    """(number, command line) of each process of this prefix."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:  # it has just ended, or is somebody else's
            continue
        if line and f"WINEPREFIX={PREFIX}".encode() in environment:
            found.append((int(entry.name), line))
    return found


def is_of_wine(line):
    return line.lower().startswith(OWN_PROGRAMS) or "wineserver" in line.split(" ", 1)[0]


def remaining(is_ours):
    """Command lines of processes that do not end in time."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        left = [(pid, line) for pid, line in processes() if is_ours(line)]
        if not left or time.monotonic() > deadline:
            return [line for _, line in left]
        try:
            descriptor = os.pidfd_open(left[0][0])
        except ProcessLookupError:
            continue
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(max(0, (deadline - time.monotonic()) * 1000))
        os.close(descriptor)


class Before(unittest.TestCase):
    def test_notes_are_taken(self):
        self.assertTrue(any("wineserver" in line for _, line in processes()), "Wine is not found by its processes")
        NOTES.parent.mkdir(exist_ok=True)
        NOTES.write_text(json.dumps(temporary_files()))


class After(unittest.TestCase):
    def test_no_process_is_left(self):
        self.assertEqual(remaining(lambda line: not is_of_wine(line)), [])

    def test_no_temporary_file_is_left(self):
        self.assertEqual([path for path in temporary_files() if path not in json.loads(NOTES.read_text())], [])


class Stopped(unittest.TestCase):
    def test_nothing_of_wine_is_left(self):
        self.assertEqual(remaining(lambda line: True), [])


if __name__ == "__main__":
    unittest.main()
