# SPDX-License-Identifier: MIT
"""Runs one program in one mode, and says all that can be seen of it from outside."""
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time

import cli_case

MODES = ("pipe", "joined", "file", "terminal", "closed")
SECONDS_AFTER_THE_END = 20  # for background children
SHELL = {  # how each mode's streams come about: said to the shell before the program
    "pipe": "", "joined": "exec 2>&1;", "file": "exec >../both 2>&1 <../input;", "closed": "exec <&- >&- 2>&-;",
    "terminal": ": <{terminal};",  # makes it the controlling terminal
}


@dataclasses.dataclass
class Outcome:
    """What is compared."""
    status: object = None
    stdout: bytes = b""
    stderr: bytes = b""
    files: dict = dataclasses.field(default_factory=dict)
    left: list = dataclasses.field(default_factory=list)  # names of the processes that are still there
    terminal: object = None  # its attributes at the end
    fault: str = ""  # a step that did not come in time


def pids_with(mark):
    """Processes that were started in this run, however far from it they are."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes() and cli_case.is_alive(int(entry.name)):
                found.append(int(entry.name))
    return found


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return "gone"


def list_files(folder):
    """Name to kind, permissions and a digest of what is in it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        text = path.read_bytes() if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK) else b""
        found[str(path.relative_to(folder))] = (oct(status.st_mode), hashlib.sha256(text).hexdigest()[:12])
    return found


class Scene:
    def __init__(self, program, mode, command, folder, env):
        self.program, self.mode, self.command = program, mode, command
        self.folder, self.env = folder, env  # folder: of this program alone, the same for all commands
        self.heard = threading.Condition()  # guards what follows
        self.all, self.position, self.open = bytearray(), 0, 0
        self.streams, self.threads = {}, []
        self.terminal, self.hangs_up = None, os.pipe()
        self.outcome = Outcome()

    def prepare(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        work = self.folder / "work"
        for name, text in self.program.files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in self.command)
        prog = self.folder / "bin" / "prog"
        prog.parent.mkdir()
        prog.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        prog.chmod(0o755)
        (self.folder / "home").mkdir()
        (self.folder / "input").write_bytes(self.program.stdin)
        return work

    def start(self):
        work = self.prepare()
        mark = f"{os.getpid()}/{self.program.name}:{self.mode}"
        self.mark = f"CORPUS_MARK={mark}\0".encode()
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        settings = {"HOME": str(self.folder / "home"), "PATH": path, "TERM": "xterm", "LANG": "C.UTF-8", "CORPUS_MARK": mark,
                    "LC_ALL": None, "COLUMNS": None, "LINES": None, **self.env, **self.program.env}
        if self.mode == "terminal":
            self.terminal, inner = pty.openpty()
            self.resize("24 80")
            ends, setup = (inner, inner, inner), SHELL["terminal"].format(terminal=os.ttyname(inner))
        else:
            ends, setup = (subprocess.PIPE,) * 3, SHELL[self.mode]
        text = self.program.run or 'exec "$@"'
        argv = ["sh", "-c", f"ulimit -c 0; umask 022; {setup} {text}", "sh", *self.command, "main.jl", *self.program.args]
        self.process = subprocess.Popen(argv, stdin=ends[0], stdout=ends[1], stderr=ends[2], cwd=work,
                                        env=cli_case.environment(**settings), start_new_session=True)
        if self.terminal is not None:
            os.close(inner)
            self.listen("stdout", self.terminal)
        else:
            self.listen("stdout", self.process.stdout.fileno())
            self.listen("stderr", self.process.stderr.fileno())
            if not self.program.steps:
                self.begin(self.feed)

    def begin(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def feed(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(self.program.stdin)
            self.process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def listen(self, name, descriptor):
        self.streams[name] = bytearray()
        self.open += 1
        self.begin(self.read, name, descriptor)

    def read(self, name, descriptor):
        while True:
            ready, _, _ = select.select([descriptor, self.hangs_up[0]], [], [])
            try:
                chunk = os.read(descriptor, 1 << 16) if descriptor in ready else b""
            except OSError:  # a terminal that nobody has open any more
                chunk = b""
            with self.heard:
                self.streams[name] += chunk
                self.all += chunk
                self.open -= not chunk
                self.heard.notify_all()
            if not chunk:
                return

    def is_idle(self):
        """Whether each thread of this run waits for something, and has for a while."""
        for _ in range(5):
            tasks = [task for pid in pids_with(self.mark) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
            for task in tasks:
                with contextlib.suppress(OSError):
                    if task.read_text().rpartition(")")[2].split()[0] in "RD":
                        return False
            time.sleep(0.02)
        return True

    # The steps.
    def idle(self, _):
        if not cli_case.wait_until(self.is_idle):
            self.outcome.fault = "not idle in time"

    def expect(self, text):
        with self.heard:
            if not self.heard.wait_for(lambda: self.all.find(text, self.position) >= 0 or not self.open, cli_case.SECONDS):
                self.outcome.fault = f"expected {text!r} in time"
            at = self.all.find(text, self.position)
            if at < 0:
                self.outcome.fault = self.outcome.fault or f"expected {text!r} before the end"
            else:
                self.position = at + len(text)

    def type(self, text):
        with contextlib.suppress(OSError):
            if self.terminal is not None:
                os.write(self.terminal, text)
            else:
                self.process.stdin.write(text)
                self.process.stdin.flush()

    def signal(self, name):
        if self.process.poll() is None:
            self.process.send_signal(getattr(signal, f"SIG{name}"))

    def group(self, name):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, getattr(signal, f"SIG{name}"))

    def resize(self, size):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *map(int, size.split()), 0, 0))

    size = resize

    def hangup(self, _):
        if self.terminal is None:
            self.feed()
            return
        os.write(self.hangs_up[1], b"x")
        for thread in self.threads:  # only then does closing the terminal hang it up
            thread.join()
        os.close(self.terminal)
        self.terminal = os.open("/dev/null", os.O_RDONLY)

    def finish(self):
        outcome = self.outcome
        try:
            outcome.status = self.process.wait(cli_case.SECONDS)
        except subprocess.TimeoutExpired:
            lines = [line for pid in pids_with(self.mark) for line in (f"process {pid}:", *cli_case.threads_of(pid))]
            outcome.fault = "\n".join([outcome.fault, f"not over after {cli_case.SECONDS} s", *lines])
        if outcome.status is None or outcome.fault:
            seconds = 0
        else:
            seconds = SECONDS_AFTER_THE_END
        cli_case.wait_until(lambda: not (self.open or pids_with(self.mark)), seconds)
        left = pids_with(self.mark)
        outcome.left = sorted(map(name_of, left))
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for thread in self.threads:
            thread.join(10)
        if self.terminal is not None:
            with contextlib.suppress(termios.error):
                outcome.terminal = termios.tcgetattr(self.terminal)[:4]
            os.close(self.terminal)
        else:
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        for end in self.hangs_up:
            os.close(end)
        outcome.stdout, outcome.stderr = (bytes(self.streams.get(name, b"")) for name in ("stdout", "stderr"))
        if (self.folder / "both").exists():
            outcome.stdout += (self.folder / "both").read_bytes()
        outcome.files = list_files(self.folder / "work")
        return outcome

    def play(self):
        self.start()
        for step, value in self.program.steps:
            if not self.outcome.fault:
                getattr(self, step)(value)
        return self.finish()
