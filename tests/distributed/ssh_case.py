# SPDX-License-Identifier: MIT
"""What the tests with other machines share: an OpenSSH server of their own, workers that run through it, and what is left of them."""
import contextlib
import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import gi

gi.require_version("Malt", "0")
from gi.repository import Gio, GLib, Malt

JULIA = os.environ["MALT_JULIA"]
PATIENCE = 60.0  # seconds: of an event that must come; it only bounds a failure
LOST = 20.0  # seconds: in which a worker ends that has lost its bridge: 15, and what a busy machine needs for it
LARGE = 50_000_000  # bytes
PROGRAMS = ("sshd", "ssh", "ssh-keygen")


def skip(reason):
    """Ends the program: it could not run here, which is an error where everything must run."""
    print(reason, file=sys.stderr)
    sys.exit(1 if os.environ.get("MALT_TEST_REQUIRE_JULIA") == "1" else 77)


def find_program(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    return path or skip(f"there is no {name} here")


def wait_until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def processes(file, text):
    """Those whose `file` (environ, cmdline) holds the text."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and text in (entry / file).read_bytes() and is_alive(int(entry.name)):
                found.append(int(entry.name))
    return found


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def parent(pid):
    with contextlib.suppress(OSError):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])


def children(pid):
    pids = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    return [child for child in pids if parent(child) == pid]


def separation():
    """What an sshd of root runs in: it needs the folder /run/sshd, which is there only while the system's runs."""
    if os.getuid() != 0 or os.path.isdir("/run/sshd"):
        return ()
    private = "unshare", "--mount", "sh", "-c", 'mount -t tmpfs malt /run && mkdir -m 755 /run/sshd && exec "$@"', "sh"
    if subprocess.run([*private, "true"], capture_output=True).returncode == 0:
        return private
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # and stays: others may use it by now
    return ()


class Sshd:
    """A server with keys, port and files of its own; nothing of the user's or the system's is changed."""

    def __init__(self, address="127.0.0.1", prefix=()):
        sshd, _, keygen = (find_program(name) for name in PROGRAMS)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="malt-sshd-"))
        self.address = address
        for name in ("host", "user", "stranger"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        shutil.copy(self.folder / "user.pub", self.folder / "authorized")
        with socket.socket() as free:
            free.bind(("", 0))
            self.port = free.getsockname()[1]
        settings = {"ListenAddress": address, "Port": self.port, "HostKey": self.folder / "host", "PidFile": "none", "StrictModes": "no",
                    "AuthorizedKeysFile": self.folder / "authorized", "UsePAM": "no", "PasswordAuthentication": "no",
                    "KbdInteractiveAuthentication": "no", "PermitRootLogin": "yes", "MaxStartups": "100"}
        (self.folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self.command = [*prefix, *separation(), sshd, "-D", "-e", "-f", self.folder / "config"]
        self.restart()

    def restart(self):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        assert wait_until(lambda: b"Server listening" in (self.folder / "log").read_bytes()), (self.folder / "log").read_text()

    @property
    def machine(self):
        return f"{getpass.getuser()}@{self.address}:{self.port}"

    def flags(self, key="user"):
        """As the option `sshflags` takes them."""
        return ";".join(["-i", str(self.folder / key), "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "StrictHostKeyChecking=accept-new",
                         "-o", "IdentitiesOnly=yes", "-F", "none"])

    def sessions(self):
        return [pid for child in children(self.process.pid) for pid in [child, *children(child)] if name_of(pid).startswith("sshd")]

    def started(self):
        """What runs in its sessions, wherever it has gone since."""
        return [pid for pid in processes("environ", b"SSH_CONNECTION=") if f" {self.port}\0".encode() in self._environ(pid)]

    @staticmethod
    def _environ(pid):
        with contextlib.suppress(OSError):
            variables = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            return b"".join(v + b"\0" for v in variables if v.startswith(b"SSH_CONNECTION="))
        return b""

    def clients(self):
        """The ssh that was started with its keys."""
        return [pid for pid in processes("cmdline", str(self.folder).encode()) if name_of(pid) == "ssh"]

    def bridge(self):
        return parent(self.clients()[0])

    def kill(self):
        """With its sessions: nobody gets a word."""
        for pid in [self.process.pid, *self.sessions()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def close(self):
        self.kill()
        for pid in self.started():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder)


class WorkerCase(unittest.TestCase):
    def usual_options(self):
        return {}

    def config(self, **options):
        config = Malt.Config.new_default()
        config.set_backend("distributed")
        for name, value in {"output": "signal", **self.usual_options(), **options}.items():
            config.set_for("distributed", name.replace("_", "-"), value)
        return config

    def launch(self, **options):
        worker = Malt.Worker.launch(self.config(**options))
        self.addCleanup(worker.stop_full, 0, 0, None)
        return worker

    def launch_fault(self, **options):
        with self.assertRaises(GLib.Error) as caught:
            Malt.Worker.launch(self.config(**options))
        self.assertTrue(caught.exception.matches(Malt.error_quark(), Malt.Error.LAUNCH_FAILED), caught.exception.message)
        return caught.exception.message

    @staticmethod
    def large_array():
        """More than any connection takes in while nobody reads."""
        data = GLib.Bytes.new(bytes(range(250)) * (LARGE // 250))
        return Malt.Value.new_array_from_bytes(Malt.ValueKind.UINT8, [LARGE], data)

    def evaluate(self, worker, source):
        return worker.remote_eval_fetch(None, source, None).to_string()

    def begin(self, worker, source):
        """A call that runs: it says so before `source`."""
        seen = []
        handler = worker.connect("output", lambda *arguments: seen.append(1))
        future = worker.remote_eval(None, f'println(stderr, "begun"); {source}')
        context = GLib.MainContext.default()
        self.assertTrue(wait_until(lambda: context.iteration(False) and seen or seen))
        worker.disconnect(handler)
        return future

    def assert_fails(self, future, code, seconds=PATIENCE):
        self.assertTrue(self.is_done_within(future, seconds), f"still pending after {seconds} s")
        with self.assertRaises(GLib.Error) as caught:
            future.fetch(None)
        self.assertTrue(caught.exception.matches(Malt.error_quark(), code), caught.exception.message)
        return caught.exception.message

    @staticmethod
    def is_done_within(future, seconds):
        return wait_until(future.is_done, seconds)

    def assert_gone(self, pid, seconds=PATIENCE):
        self.assertTrue(wait_until(lambda: not is_alive(pid), seconds), f"process {pid} stays behind after {seconds} s")


class SshCase(WorkerCase):
    """Each test has a server, unless its class makes another one, and must leave nothing behind."""

    def setUp(self):
        self.sshd = self.make_sshd()
        self.addCleanup(self.sshd.close)

    def make_sshd(self):
        return Sshd()

    def usual_options(self):
        return {"machine": self.sshd.machine, "sshflags": self.sshd.flags(), "exename": JULIA}

    def assert_nothing_left(self, seconds=PATIENCE):
        """Of what runs through the server: commands there, clients here."""
        def left():
            return [*self.sshd.started(), *self.sshd.clients()]

        def describe(pid):
            with contextlib.suppress(OSError):
                return pid, pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()[:300]
        self.assertTrue(wait_until(lambda: not left(), seconds), f"left: {[describe(pid) for pid in left()]}")
