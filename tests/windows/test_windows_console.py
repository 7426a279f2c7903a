# SPDX-License-Identifier: MIT
"""Forwarding to a console of Windows, which Wine has where there is a terminal."""
import os
import pathlib
import pty
import subprocess
import threading
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])


class Console(unittest.TestCase):
    def test_a_console_shows_characters(self):
        ours, theirs = pty.openpty()
        command = ["sh", SOURCE / "core" / "setup" / "windows" / "wine.sh", "--terminal",
                   BUILD / "tests" / "test-windows-console.exe", "characters"]
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(theirs)
        reader = threading.Thread(target=drain, args=(ours,), daemon=True)
        reader.start()
        try:
            self.assertEqual(process.wait(100), 0)
        finally:
            process.kill()
            process.wait()
        reader.join(100)
        os.close(ours)


def drain(descriptor):
    """Until nobody has the terminal any more."""
    try:
        while os.read(descriptor, 4096):
            pass
    except OSError:
        pass


if __name__ == "__main__":
    unittest.main()
