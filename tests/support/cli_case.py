# SPDX-License-Identifier: MIT
"""What the tests of the malt command share: running it, with pipes or on a terminal."""
import contextlib
import fcntl
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

MALT = os.path.join(os.environ["MALT_BUILD_DIR"], "malt")
JULIA = os.environ["MALT_JULIA"]
SECONDS = 120  # for what must come


def environment(**changes):
    """The environment of a test: nothing of the user's settings, key files included, but the julia."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALT_", "NO_COLOR", "JULIA_"))}
    kept["MALT_JULIA"] = JULIA
    kept["MALT_CONFIG"] = ""
    kept.update(changes)
    return {name: value for name, value in kept.items() if value is not None}


def threads_of(pid):
    """What each thread of a process is doing: for the report of one that does not end."""
    lines = []
    for thread in sorted(pathlib.Path(f"/proc/{pid}/task").glob("*")):
        with contextlib.suppress(OSError):
            state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
            lines.append(" ".join([thread.name, (thread / "comm").read_text().strip(), state, (thread / "wchan").read_text(),
                                   "syscall", (thread / "syscall").read_text().strip()]))
    return lines


def run(command, stdin, seconds, **options):
    """As subprocess.run, but what is not over in time is described before it is ended."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
        try:
            written = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            lines = [f"{command} is not over after {seconds} s, status {process.poll()}", *threads_of(process.pid)]
            process.kill()
            try:
                written = process.communicate(timeout=5)
            except subprocess.TimeoutExpired as still:
                written = [still.stdout, still.stderr, "and another process has its pipes"]
            raise AssertionError("\n".join([*lines, *map(repr, written)])) from None
    texts = [text.decode(errors="surrogateescape") for text in written]
    return subprocess.CompletedProcess(command, process.returncode, *texts)


def malt(*arguments, env=None, cwd=None, stdin=b"", timeout=SECONDS):
    """Runs the command to its end; texts come as str, bytes that are no UTF-8 as surrogates."""
    return run([MALT, *arguments], stdin, timeout, cwd=cwd, env=env or environment())


def julia(*arguments, cwd=None, stdin=b""):
    return run([JULIA, "--startup-file=no", "--color=no", *arguments], stdin, SECONDS, cwd=cwd, env=environment())


def state_of(pid):
    """The letter that proc(5) has for it; X: there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def is_alive(pid):
    return state_of(pid) not in ("Z", "X")


def wait_until(condition, seconds=SECONDS):
    """The one place that polls: for things of other processes that nothing tells of."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class Started:
    """The command while it runs, in a process group of its own, with pipes."""

    def __init__(self, *arguments, env=None, stdin=subprocess.DEVNULL):
        self.process = subprocess.Popen([MALT, *arguments], stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=env or environment(), start_new_session=True)

    def read_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        assert ready, "nothing was printed in time"
        return self.process.stdout.readline().decode()

    def interrupt(self, signum=signal.SIGINT):
        os.killpg(self.process.pid, signum)

    def finish(self):
        """(status, rest of the output, errors)"""
        output, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, output.decode(), errors.decode()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        if self.process.stdin:
            self.process.stdin.close()


class OnTerminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments, rows=24, columns=80, env=None):
        self.text = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(MALT, [MALT, *arguments], env or environment())
        self.status = None

    def type(self, text):
        os.write(self.terminal, text.encode())

    def _read(self, deadline):
        ready, _, _ = select.select([self.terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"expected more than {self.text!r} in time"
        try:
            chunk = os.read(self.terminal, 65536)
        except OSError:  # what Linux says when nobody has the other side open any more
            return False
        self.text += chunk.decode(errors="surrogateescape").replace("\r\n", "\n")
        return bool(chunk)

    def read_until(self, text):
        deadline = time.monotonic() + SECONDS
        while text not in self.text:
            assert self._read(deadline), f"expected {text!r}, got {self.text!r}"

    def finish(self):
        """(status, all that was on the terminal)"""
        deadline = time.monotonic() + SECONDS
        while self._read(deadline):
            pass
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status, self.text

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)


class CliCase(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def write_command(self, name, text):
        path = self.write(name, "#!/bin/sh\n" + text)
        path.chmod(0o755)
        return path

    def assert_result(self, result, status, stdout="", stderr=""):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (status, stdout, stderr))

    def assert_gone(self, pid):
        self.assertTrue(wait_until(lambda: not is_alive(pid)), f"process {pid} stays behind")
