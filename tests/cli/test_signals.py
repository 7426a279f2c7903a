# SPDX-License-Identifier: MIT
"""Ctrl-C and the signals that end programs: the evaluation is interrupted or everything ends, and nothing stays behind."""
import os
import signal
import subprocess
import unittest

from cli_case import JULIA, MALT, SECONDS, CliCase, OnTerminal, Started, environment, is_alive, julia, malt, state_of, wait_until

SLEEPS = "println(getpid()); sleep(600)"
SPINS = "println(getpid()); while true end"
ALLOCATES = "println(getpid()); while true; global x = [1]; end"
DEADLOCK = "println(getpid()); lock = zeros(UInt64, 8); for i in 1:2 ccall(:pthread_mutex_lock, Cint, (Ptr{Cvoid},), lock) end"


class Interrupt(CliCase):
    def test_an_interrupt_ends_the_evaluation_with_130(self):
        for source in (SLEEPS, SPINS, ALLOCATES):
            with self.subTest(source), Started("eval", source) as started:
                pid = int(started.read_line())
                started.interrupt()
                status, output, errors = started.finish()
                self.assertEqual((status, output), (130, ""))
                self.assertRegex(errors, r"(?m)^ERROR: InterruptException:$")
                self.assert_gone(pid)

    def test_ctrl_c_on_a_terminal_does_the_same(self):
        for arguments in (["eval", SLEEPS], ["eval", SPINS], ["run", str(self.write("sleeps.jl", SLEEPS))]):
            with self.subTest(arguments), OnTerminal(*arguments) as on:
                on.read_until("\n")
                pid = int(on.text.split()[0])
                on.type("\x03")
                status, text = on.finish()
                self.assertIn(status, (130, -signal.SIGINT), text)
                if arguments[0] == "eval":  # to a program Julia does what it always does
                    self.assertIn("InterruptException:", text)
                self.assert_gone(pid)

    def test_ctrl_c_on_a_terminal_reaches_code_in_the_command(self):
        if "inprocess" not in malt("backends").stdout.split():
            self.skipTest("there is no inprocess")
        source = 'println(0); atexit(() -> println("hook")); sleep(600)'
        for arguments in (("eval", "-b", "inprocess", source), ("run", "-b", "inprocess", str(self.write("sleeps.jl", source)))):
            with self.subTest(arguments), OnTerminal(*arguments) as on:
                on.read_until("0\n")
                on.type("\x03")
                status, text = on.finish()
                self.assertEqual(status, 130)
                self.assertRegex(text, r"(?s)InterruptException:\n.*\nhook\n$")

    def test_ctrl_c_ends_a_busy_program(self):
        with OnTerminal("run", str(self.write("spins.jl", SPINS))) as on:
            on.read_until("\n")
            pid = int(on.text.split()[0])
            on.type("\x03")
            self.assertIn(on.finish()[0], (130, -signal.SIGINT), on.text)
            self.assert_gone(pid)

    def test_code_that_catches_the_interrupt_goes_on(self):
        source = 'println(0); try; sleep(600); catch e; println("caught ", nameof(typeof(e))); end; 5'
        with Started("eval", source) as started:
            started.read_line()
            started.interrupt()
            self.assertEqual(started.finish(), (0, "caught InterruptException\n5\n", ""))

    def test_the_second_interrupt_ends_code_that_catches_the_first(self):
        source = 'println(getpid()); while true; try; sleep(600); catch; println("caught"); end; end'
        with Started("eval", source) as started:
            pid = int(started.read_line())
            started.interrupt()
            self.assertEqual(started.read_line(), "caught\n")
            started.interrupt()
            status, _, errors = started.finish()
            self.assertEqual((status, errors), (130, ""))
            self.assert_gone(pid)

    def test_the_second_interrupt_ends_foreign_code(self):
        with Started("eval", DEADLOCK) as started:
            pid = int(started.read_line())
            started.interrupt()
            self.assertFalse(wait_until(lambda: started.process.poll() is not None, 0.3))
            started.interrupt()
            self.assertEqual(started.finish()[0], 130)
            self.assert_gone(pid)

    def test_an_interrupt_that_need_not_be_judged_ends_foreign_code(self):
        is_old = "true" in str(malt("eval", 'VERSION < v"1.10-"').stdout)
        with Started("eval", "--unjudged", DEADLOCK) as started:
            pid = int(started.read_line())
            started.interrupt()
            if not is_old:
                self.assertFalse(wait_until(lambda: started.process.poll() is not None, 0.3))
                started.interrupt()
            self.assertEqual(started.finish()[0], 130)
            self.assert_gone(pid)

    def test_an_interrupt_gives_up_a_start(self):
        record = self.folder / "pid"
        command = self.write_command("julia", f"echo $$ >{record}.part; mv {record}.part {record}; exec sleep 600\n")
        with Started("eval", "--julia", str(command), "1") as started:
            self.assertTrue(wait_until(record.exists))
            started.interrupt()
            status, output, _ = started.finish()
            self.assertEqual((status, output), (130, ""))
            self.assert_gone(int(record.read_text()))


class End(CliCase):
    def test_signals_that_end_programs_end_the_worker_too(self):
        for signum in (signal.SIGTERM, signal.SIGHUP):
            for source in (SLEEPS, SPINS):
                with self.subTest(signal=signum, source=source), Started("eval", source) as started:
                    pid = int(started.read_line())
                    started.process.send_signal(signum)
                    status, output, _ = started.finish()  # Julia says on stderr what it thinks of the signal
                    self.assertEqual(output, "")
                    self.assertIn(status, (128 + signum, -signum))
                    self.assert_gone(pid)

    def test_a_terminal_that_is_closed_ends_everything(self):
        with OnTerminal("eval", SPINS) as on:
            on.read_until("\n")
            pid = int(on.text.split()[0])
            os.close(on.terminal)
            on.terminal = os.open("/dev/null", os.O_RDONLY)
            self.assert_gone(pid)
            on.status = os.waitstatus_to_exitcode(os.waitpid(on.pid, 0)[1])
            self.assertIn(on.status, (128 + signal.SIGHUP, -signal.SIGHUP))

    def test_a_command_that_is_killed_leaves_no_worker(self):
        for source in (SLEEPS, SPINS):
            with self.subTest(source), Started("eval", source) as started:
                pid = int(started.read_line())
                started.process.kill()
                self.assert_gone(pid)

    def test_a_signal_to_the_command_is_for_the_worker_to_end_by(self):
        with Started("eval", 'atexit(() -> print("hook")); println(ccall(:getpgrp, Cint, ())); sleep(600)') as started:
            self.assertEqual(int(started.read_line()), os.getpgid(started.process.pid))
            started.process.send_signal(signal.SIGTERM)
            self.assertEqual(started.finish()[:2], (128 + signal.SIGTERM, "hook"))

    def test_a_worker_is_gone_when_the_command_is(self):
        with Started("eval", "println(getpid()); @async while true; sleep(0.01); end; 1") as started:
            pid = int(started.read_line())
            self.assertEqual(started.finish(), (0, "1\n", ""))
            self.assertFalse(is_alive(pid))


class Passed(CliCase):
    """What reaches the command alone reaches the program; what it was started with is the program's."""

    def end(self, text, signum, command=(MALT, "run"), **options):
        with subprocess.Popen([*command, str(self.write("program.jl", "println(0)\n" + text))], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=environment(), text=True, **options) as process:
            try:
                self.assertEqual(process.stdout.readline(), "0\n")
                process.send_signal(signum)
                return process.wait(timeout=SECONDS), process.stdout.read()
            finally:
                process.kill()

    def test_signals_to_the_command_alone_end_the_program(self):
        for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT):
            with self.subTest(signum):
                self.assertEqual(self.end("sleep(600)", signum), self.end("sleep(600)", signum, (JULIA, "--startup-file=no")))

    def test_a_hang_up_that_the_command_ignores_is_ignored_by_the_program(self):
        ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.assertEqual(self.end('sleep(1); println("survived")', signal.SIGHUP, preexec_fn=ignore), (0, "survived\n"))

    def test_an_interrupt_that_the_command_ignores_is_for_julia_to_ignore(self):
        """Which it does not: it waits for the signal by itself."""
        ignore = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
        source = 'sleep(600)'
        self.assertEqual(self.end(source, signal.SIGINT, preexec_fn=ignore),
                         self.end(source, signal.SIGINT, (JULIA, "--startup-file=no"), preexec_fn=ignore))

    def test_a_signal_that_ends_the_program_ends_the_command(self):
        for signum in (signal.SIGKILL, signal.SIGALRM, signal.SIGHUP):
            path = self.write("dies.jl", f"ccall(:kill, Cint, (Cint, Cint), getpid(), {int(signum)}); sleep(60)")
            self.assertEqual(malt("run", str(path)).returncode, julia(str(path)).returncode)

    def test_hooks_run_once_whoever_gets_the_signal(self):
        """The command alone, its process group, or both, as by timeout(1)."""
        path = self.write("hook.jl", 'atexit(() -> (println("saving"); t = time(); while time() < t + 0.5; end; println("saved")))\n'
                                     'let n = 0; while true; (n += 1) == 10 && println("ready"); end; end')
        for signum in (signal.SIGTERM, signal.SIGQUIT):
            for to_group in ((False,), (True,), (False, True)):
                with self.subTest((signum, to_group)), Started("run", str(path)) as started:
                    self.assertEqual(started.read_line(), "ready\n")
                    for is_group in to_group:
                        (os.killpg if is_group else os.kill)(started.process.pid, signum)
                    status, output, errors = started.finish()
                    self.assertEqual((status, output, errors.count("signal (")), (128 + signum, "saving\nsaved\n", 1))

    def test_a_stop_of_the_command_stops_the_program_and_the_other_way_round(self):
        path = self.write("stops.jl", 'println(getpid()); sleep(0.5); ccall(:raise, Cint, (Cint,), 20); println("on"); sleep(600)')
        with subprocess.Popen([MALT, "run", str(path)], stdout=subprocess.PIPE, env=environment(), text=True, process_group=0) as process:
            try:
                pids = [process.pid, int(process.stdout.readline())]
                self.assertTrue(wait_until(lambda: [*map(state_of, pids)] == ["T", "T"]))
                process.send_signal(signal.SIGCONT)
                self.assertEqual(process.stdout.readline(), "on\n")
                process.send_signal(signal.SIGTSTP)
                self.assertTrue(wait_until(lambda: [*map(state_of, pids)] == ["T", "T"]))
            finally:
                process.kill()

    def test_ctrl_c_leaves_nothing_that_the_code_started(self):
        text = "p = open(`sleep 600`); println(getpid(p)); wait(p)"
        for arguments in (("run", str(self.write("starts.jl", text))), ("eval", text)):
            with self.subTest(arguments), OnTerminal(*arguments) as on:
                on.read_until("\n")
                pid = int(on.text.split()[0])
                on.type("\x03")
                on.finish()
                self.assert_gone(pid)


if __name__ == "__main__":
    unittest.main()
