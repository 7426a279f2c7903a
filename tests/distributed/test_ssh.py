# SPDX-License-Identifier: MIT
"""Workers behind a real OpenSSH server: everything that a worker can do, every way to lose it, and that nothing stays behind."""
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

from ssh_case import (JULIA, LARGE, LOST, Gio, GLib, Malt, SshCase, parent, wait_until)

ERROR = Malt.Error
TERMINATED = Malt.Error.WORKER_TERMINATED

# A host with an idle and a busy worker: prints their process ids.
HOST = """
import sys, gi
gi.require_version("Malt", "0")
from gi.repository import Malt
config = Malt.Config.new_default()
config.set_backend("distributed")
for option in sys.argv[1:]:
    name, _, value = option.partition("=")
    config.set_for("distributed", name, value)
idle, spins = (Malt.Worker.launch(config) for i in range(2))
future = spins.remote_eval(None, "while true end")
print(idle.get_pid(), spins.get_pid(), flush=True)
sys.stdin.read()
"""

class Works(SshCase):
    def test_calls_output_channels_and_host_functions_work(self):
        worker = self.launch()
        self.assertEqual(self.evaluate(worker, "1 + 1"), "2")
        self.assertEqual(self.evaluate(worker, "getpid()"), str(worker.get_pid()))
        self.assertIn(worker.get_pid(), self.sshd.started())
        self.assertEqual(self.evaluate(worker, "struct P; x; end; P([1, 2])"), "P([1, 2])")
        with self.assertRaises(GLib.Error) as caught:
            self.evaluate(worker, "sqrt(-1)")
        self.assertIn("DomainError", caught.exception.message)

        worker.export_func("twice", lambda _, arguments, *rest: Malt.Value.new_int64(2 * arguments[0].get_int64()), None,
                           Malt.ExportFlags.DEFAULT)
        self.assertEqual(self.evaluate(worker, "Malt.host.twice(21)"), "42")

        channel = worker.channel(None, "Channel(c -> foreach(i -> put!(c, i), 1:100), 8)", None)
        self.assertEqual([channel.take(None).get_int64() for _ in range(100)], list(range(1, 101)))

        written = []
        worker.connect("output", lambda *arguments: written.append(arguments[3].get_data()))
        self.evaluate(worker, 'println("to stdout"); println(stderr, "to stderr")')
        context = GLib.MainContext.default()
        self.assertTrue(wait_until(lambda: (context.iteration(False), len(b"".join(written)) == 20)[1]), written)
        self.assertTrue(worker.stop(None))
        self.assert_nothing_left()

    def test_a_large_array_travels_both_ways(self):
        array = self.large_array()
        for tunnel in ("false", "true"):
            with self.subTest(tunnel=tunnel):
                worker = self.launch(tunnel=tunnel)
                call = Malt.Call.new("x -> (global kept = x; sum(x))")
                call.take_argument(array)
                self.assertEqual(worker.remote_call_fetch(call, None).get_int64(), sum(range(250)) * (LARGE // 250))
                back = worker.remote_eval_fetch(None, "kept", None)
                self.assertTrue(back.equal(array))
                worker.stop(None)

    def test_options_reach_the_other_machine(self):
        name = "a name with 'quotes' and $HOME"
        folder = self.sshd.folder / name
        folder.mkdir()
        wrapper = self.sshd.folder / "my julia"
        wrapper.write_text(f'#!/bin/sh\nWRAPPED=yes exec {JULIA} "$@"\n')
        wrapper.chmod(0o755)
        worker = self.launch(dir=str(folder), exename=str(wrapper), env=f"MALT_A={name};MALT_B=2", exeflags="--check-bounds=yes")
        self.assertEqual(worker.remote_eval_fetch(None, "pwd()", None).get_string(), str(folder))
        self.assertEqual(worker.remote_eval_fetch(None, 'ENV["MALT_A"]', None).get_string(), name)
        self.assertEqual(self.evaluate(worker, 'ENV["MALT_B"], ENV["WRAPPED"]'), '("2", "yes")')
        self.assertEqual(self.evaluate(worker, "Base.JLOptions().check_bounds"), "1")
        self.assertTrue(worker.stop(None))

    def test_several_start_at_once_and_share_the_bridge(self):
        workers = [None] * 3

        def launch(i):
            workers[i] = self.launch(tunnel="true" if i == 2 else "false")
        threads = [threading.Thread(target=launch, args=(i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({worker.get_pid() for worker in workers}), 3)
        self.assertEqual(len({parent(client) for client in self.sshd.clients()}), 1)
        self.assertEqual([self.evaluate(worker, "6 * 7") for worker in workers], ["42"] * 3)
        for worker in workers:
            worker.stop(None)
        self.assert_nothing_left()


class Ends(SshCase):
    def test_an_interrupt_hits_the_call_that_is_meant(self):
        worker = self.launch()
        other = self.begin(worker, "sleep(600)")
        waits = self.begin(worker, "sleep(600)")
        self.assertEqual(waits.interrupt(Malt.InterruptFlags.DEFAULT, None), Malt.InterruptResult.DELIVERED)
        self.assert_fails(waits, ERROR.REMOTE_EXCEPTION)
        self.assertFalse(other.is_done())
        self.assertEqual(other.interrupt(Malt.InterruptFlags.DEFAULT, None), Malt.InterruptResult.DELIVERED)
        # There is no judge there: what has no safepoint is reached by a throw that nobody has judged, which has to be permitted.
        for source, flags, results in (("while true; global x = [1]; end", ("DEFAULT",), ("DELIVERED",)),
                                       ("while true end", ("DEFAULT", "UNJUDGED"), ("UNDELIVERABLE", "DELIVERED"))):
            with self.subTest(source):
                spins = self.begin(worker, source)
                for flag, result in zip(flags, results):
                    self.assertEqual(spins.interrupt(getattr(Malt.InterruptFlags, flag), None), getattr(Malt.InterruptResult, result))
                self.assertIn("InterruptException", self.assert_fails(spins, ERROR.REMOTE_EXCEPTION))
                self.assertEqual(self.evaluate(worker, "1"), "1")
        worker.stop(None)
        self.assert_nothing_left()

    def test_a_signal_ends_the_process_and_all_that_it_started(self):
        for tunnel in ("false", "true"):
            with self.subTest(tunnel=tunnel):
                worker = self.launch(tunnel=tunnel)
                started = int(self.evaluate(worker, "getpid(run(`sleep 600`; wait = false))"))
                future = self.begin(worker, "while true end")
                self.assertTrue(worker.kill(signal.SIGKILL))
                self.assert_fails(future, TERMINATED)
                for pid in (worker.get_pid(), started):
                    self.assert_gone(pid)
                self.assertFalse(worker.is_running())
                self.assert_nothing_left()

    def test_the_end_of_a_worker_is_told(self):
        for source, reason, status, signum in (("exit(3)", "EXITED", 3, 0), ("ccall(:raise, Cint, (Cint,), 9)", "SIGNALLED", -1, 9)):
            with self.subTest(source):
                worker = self.launch()
                self.assert_fails(worker.remote_eval(None, source), TERMINATED)
                self.assertTrue(wait_until(lambda: worker.dup_termination() is not None))
                termination = worker.dup_termination()
                self.assertEqual(termination.get_reason(), getattr(Malt.TerminationReason, reason))
                self.assertEqual((termination.get_exit_status(), termination.get_signal()), (status, signum))
                self.assert_nothing_left()

    def test_a_busy_worker_is_stopped_in_the_given_time(self):
        worker = self.launch()
        future = self.begin(worker, "while true end")
        self.assertTrue(worker.stop_full(100, 100, None))
        self.assert_fails(future, TERMINATED)
        self.assert_gone(worker.get_pid())
        self.assert_nothing_left()

    def test_the_end_of_the_bridge_ends_idle_and_busy_workers(self):
        for tunnel in ("false", "true"):
            with self.subTest(tunnel=tunnel):
                idle, spins = (self.launch(tunnel=tunnel) for _ in range(2))
                future = self.begin(spins, "while true end")
                os.kill(self.sshd.bridge(), signal.SIGKILL)
                for worker in (idle, spins):
                    self.assert_gone(worker.get_pid(), LOST)
                    self.assertTrue(wait_until(lambda: not worker.is_running()))
                self.assert_fails(future, TERMINATED)
                self.assert_nothing_left()

    def test_the_end_of_the_host_ends_idle_and_busy_workers(self):
        options = {"machine": self.sshd.machine, "sshflags": self.sshd.flags(), "exename": JULIA}
        with subprocess.Popen([sys.executable, "-c", HOST, *(f"{name}={value}" for name, value in options.items())],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
            workers = [int(pid) for pid in host.stdout.readline().split()]
            self.assertEqual(len(workers), 2)
            host.kill()
        for pid in workers:
            self.assert_gone(pid, LOST)
        self.assert_nothing_left()

    def test_a_stalled_bridge_loses_its_workers(self):
        worker = self.launch()
        bridge = self.sshd.bridge()
        future = self.begin(worker, "while true end")
        os.kill(bridge, signal.SIGSTOP)
        try:
            self.assert_gone(worker.get_pid(), LOST)
        finally:
            os.kill(bridge, signal.SIGCONT)
        self.assert_fails(future, TERMINATED)
        self.assert_nothing_left()

    def test_a_worker_that_is_busy_for_long_is_left_alone(self):
        for tunnel in ("false", "true"):
            with self.subTest(tunnel=tunnel):
                worker = self.launch(tunnel=tunnel)
                spins = self.begin(worker, "let t = time(); while time() < t + 25 end; 1 end")
                call = Malt.Call.new("length")
                call.take_argument(self.large_array())
                waits = worker.remote_call(call)
                self.assertEqual(spins.fetch(None).get_int64(), 1)
                self.assertEqual(waits.fetch(None).get_int64(), LARGE)
                worker.stop(None)

    def test_the_end_of_the_server_ends_the_worker(self):
        for tunnel in ("false", "true"):
            with self.subTest(tunnel=tunnel):
                worker = self.launch(tunnel=tunnel)
                waits = self.begin(worker, "sleep(600)")
                spins = self.begin(worker, "while true end")
                self.sshd.kill()
                self.assert_fails(waits, TERMINATED)
                self.assert_fails(spins, TERMINATED)
                self.assert_gone(worker.get_pid(), LOST)
                self.assert_nothing_left()
            self.sshd.restart()


class Launches(SshCase):
    """Failures of a launch come long before the start timeout, and say what ssh or the machine says."""

    def assert_fault(self, expected, **options):
        message = self.launch_fault(start_timeout_ms="600000", **options)
        self.assertRegex(message, expected)
        self.assertNotIn("\n\n", message)
        self.assert_nothing_left()

    def test_refused(self):
        self.assert_fault(r"Permission denied \(publickey\)", sshflags=self.sshd.flags("stranger"))

    def test_nobody_there(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            machine = f"nobody@127.0.0.1:{closed.getsockname()[1]}"
            self.assert_fault("Connection refused", machine=machine)

    def test_unknown_machine(self):
        self.assert_fault("Could not resolve hostname", machine="no-such-machine.invalid")

    def test_no_julia_there(self):
        self.assert_fault("/nowhere/julia.*not found", exename="/nowhere/julia")

    def test_no_such_folder_there(self):
        self.assert_fault("can't cd to /nowhere", dir="/nowhere")

    def test_not_a_machine(self):
        for machine in ("-oProxyCommand=false", "a@-b", "host:port", "a b c"):
            with self.subTest(machine):
                self.assert_fault("option 'machine': expected", machine=machine)

    def test_others_start_although_one_fails(self):
        faults = []
        thread = threading.Thread(target=lambda: faults.append(self.launch_fault(exename="/nowhere/julia")))
        thread.start()
        worker = self.launch()
        thread.join()
        self.assertIn("/nowhere/julia", faults[0])
        self.assertEqual(self.evaluate(worker, "1"), "1")
        worker.stop(None)
        self.assert_nothing_left()

    def test_a_launch_that_is_cancelled_leaves_nothing(self):
        cancellable = Gio.Cancellable()
        seen = threading.Thread(target=lambda: (wait_until(self.sshd.started), cancellable.cancel()))
        seen.start()
        with self.assertRaises(GLib.Error):
            Malt.Worker.launch(self.config(), cancellable)
        seen.join()
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main(verbosity=2)
