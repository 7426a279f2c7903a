# SPDX-License-Identifier: MIT
"""The library from Python, through its introspection data, as a program in any bound language would use it."""
import gc
import multiprocessing
import pathlib
import tempfile
import threading
import unittest
import weakref

import gi

gi.require_version("Malt", "0")
from gi.repository import Gio, GLib, Malt


class Introspection(unittest.TestCase):
    def test_the_shortest_program_works(self):
        two = Malt.Worker.launch(Malt.Config.new_default()).remote_eval_fetch(None, "1 + 1", None).get_int64()
        self.assertEqual(two, 2)

    def test_a_remote_exception_is_caught_and_the_worker_goes_on(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())
        with self.assertRaises(GLib.Error) as caught:
            worker.remote_eval_fetch(None, "sqrt(-1)", None)
        self.assertTrue(caught.exception.matches(Malt.error_quark(), Malt.Error.REMOTE_EXCEPTION))
        self.assertIn("DomainError", caught.exception.message)
        self.assertEqual(worker.remote_eval_fetch(None, "6 * 7", None).get_int64(), 42)
        self.assertTrue(worker.stop(None))

    def test_a_future_is_awaited_in_a_main_loop(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())
        future = worker.remote_eval(None, "sleep(0.1); [1.5, 2.5]")
        answers = []
        loop = GLib.MainLoop()

        def on_answer(source, result):
            answers.append(source.fetch_finish(result))
            loop.quit()

        self.assertFalse(future.is_done())
        future.fetch_async(None, on_answer)
        loop.run()
        self.assertTrue(future.is_done())
        self.assertEqual(answers[0].to_string(), "[1.5, 2.5]")
        self.assertTrue(worker.stop(None))

    def test_a_function_of_python_is_called_from_julia(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())
        seen = []

        def join(its_worker, arguments, *_):
            seen.append((its_worker, [argument.to_string() for argument in arguments]))
            return Malt.Value.new_string("+".join(seen[-1][1]))

        self.assertTrue(worker.export_func("join", join, None, Malt.ExportFlags.DEFAULT))
        answer = worker.remote_eval_fetch(None, 'Malt.host.join(1, "two", [3.0])', None)
        self.assertEqual(answer.get_string(), '1+"two"+[3.0]')
        self.assertEqual(seen, [(worker, ["1", '"two"', "[3.0]"])])
        self.assertEqual(worker.remote_eval_fetch(None, "Malt.host.join()", None).get_string(), "")
        self.assertTrue(worker.unexport("join"))
        with self.assertRaises(GLib.Error):
            worker.remote_eval_fetch(None, "Malt.host.join()", None)
        self.assertTrue(worker.stop(None))

    def test_a_function_of_python_throws_and_calls_back(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())

        def run(its_worker, arguments, *_):
            if not arguments:
                raise GLib.Error.new_literal(Malt.error_quark(), "nothing to run", Malt.Error.VALUE)
            return its_worker.remote_eval_fetch(None, arguments[0].get_string(), None)

        worker.export_func("run", run, None, Malt.ExportFlags.DEFAULT)
        with self.assertRaises(GLib.Error) as caught:
            worker.remote_eval_fetch(None, "Malt.host.run()", None)
        self.assertEqual(caught.exception.message, "HostError: nothing to run")
        self.assertEqual(worker.remote_eval_fetch(None, 'Malt.host.run("6 * 7")', None).get_int64(), 42)
        with self.assertRaises(GLib.Error) as caught:
            worker.remote_eval_fetch(None, 'Malt.host.run("sqrt(-1)")', None)
        self.assertIn("DomainError", caught.exception.message)
        self.assertTrue(worker.stop(None))

    def test_a_function_of_python_runs_in_the_main_loop(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())
        threads = []
        loop = GLib.MainLoop()
        answers = []

        def here(its_worker, arguments, *_):
            threads.append(threading.current_thread())
            return None

        def on_answer(source, result):
            answers.append(source.remote_eval_finish(result).to_string())
            loop.quit()

        worker.export_func("here", here, None, Malt.ExportFlags.IN_CONTEXT)
        worker.remote_eval_async(None, "Malt.host.here()", None, on_answer)
        loop.run()
        self.assertEqual((threads, answers), ([threading.main_thread()], ["nothing"]))
        self.assertTrue(worker.stop(None))

    def test_what_a_function_of_python_holds_is_let_go(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())

        class Held:
            def __call__(self, its_worker, arguments, *_):
                return arguments[0]

        held = Held()
        gone = weakref.ref(held)
        worker.export_func("echo", held, None, Malt.ExportFlags.DEFAULT)
        del held
        gc.collect()
        self.assertEqual(worker.remote_eval_fetch(None, "Malt.host.echo(5)", None).get_int64(), 5)
        self.assertIsNotNone(gone())
        worker.unexport("echo")
        gc.collect()
        self.assertIsNone(gone())
        self.assertTrue(worker.stop(None))

    def test_what_the_last_worker_holds_is_let_go_in_the_main_loop(self):
        threads = []

        class Held:
            def __call__(self, its_worker, arguments, *_):
                return None

            def __del__(self):
                threads.append(threading.current_thread())

        for flags in (Malt.ExportFlags.DEFAULT, Malt.ExportFlags.IN_CONTEXT):
            worker = Malt.Worker.launch(Malt.Config.new_default())
            worker.export_func("held", Held(), None, flags)
            self.assertTrue(worker.stop(None))
            while len(threads) == 0:
                GLib.MainContext.default().iteration(True)
            self.assertEqual(threads, [threading.main_thread()])
            threads.clear()

    def test_a_function_is_exported_without_blocking_and_given_up(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())
        loop = GLib.MainLoop()
        answers = []

        def on_exported(source, result, *_):
            answers.append(source.export_func_finish(result))
            loop.quit()

        # Where there are two functions PyGObject wants the user data of the first as a tuple.
        worker.export_func_async("seven", lambda *_: Malt.Value.new_int64(7), (), Malt.ExportFlags.DEFAULT, -1, None, on_exported, None)
        loop.run()
        self.assertEqual(answers, [True])
        self.assertEqual(worker.remote_eval_fetch(None, "Malt.host.seven()", None).get_int64(), 7)
        given_up = Gio.Cancellable()
        given_up.cancel()
        with self.assertRaises(GLib.Error) as caught:
            worker.export_func_full("late", lambda *_: None, None, Malt.ExportFlags.DEFAULT, 1000, given_up)
        self.assertTrue(caught.exception.matches(Malt.error_quark(), Malt.Error.CANCELLED))
        self.assertTrue(worker.stop(None))

    def test_processes_of_multiprocessing_leave_the_worker_alone(self):
        worker = Malt.Worker.launch(Malt.Config.new_default())
        pending = worker.remote_eval(None, "sleep(1); 8")
        forking = multiprocessing.get_context("fork")

        def try_it(codes, worker, pending):
            for attempt in (lambda: worker.remote_eval_fetch(None, "1", None), lambda: pending.fetch(None), lambda: worker.stop(None),
                            lambda: Malt.Worker.launch(Malt.Config.new_default(), None)):
                try:
                    attempt()
                    codes.put(None)
                except GLib.Error as error:
                    codes.put(error.code if error.matches(Malt.error_quark(), Malt.Error.FORKED) else error.message)

        def drop_it(holder):
            holder.clear()
            gc.collect()

        codes = forking.SimpleQueue()
        holder = [worker, pending]
        processes = [forking.Process(target=try_it, args=(codes, worker, pending)), forking.Process(target=drop_it, args=(holder,))]
        for process in processes:
            process.start()
        for process in processes:
            process.join(30)
            self.assertEqual(process.exitcode, 0)
        self.assertEqual([codes.get() for _ in range(4)], [int(Malt.Error.FORKED)] * 4)
        with forking.Pool(2) as pool:
            self.assertEqual(pool.map(abs, range(-20, 0)), list(range(20, 0, -1)))
        self.assertEqual(pending.fetch(None).get_int64(), 8)
        self.assertEqual(worker.remote_eval_fetch(None, "6 * 7", None).get_int64(), 42)
        self.assertTrue(worker.stop(None))


class Configuration(unittest.TestCase):
    def test_a_key_file_is_read_and_its_origin_is_known(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder).resolve() / "own.conf"
            path.write_text("[malt]\nthreads = 2\n[profile test]\nthreads = 1\n")
            path.chmod(0o644)
            config = Malt.Config.new_for_profile("")
            self.assertTrue(config.load_file(str(path), "test"))
            self.assertEqual(config.get_for("malt-process", "threads"), "1")
            self.assertEqual(config.get_origin_for("malt-process", "threads"), f"{path}:4 [profile test]")
            with self.assertRaises(GLib.Error) as caught:
                config.load_file(str(path), "nosuch")
            self.assertTrue(caught.exception.matches(Malt.error_quark(), Malt.Error.CONFIG))

    def test_a_backend_says_which_options_it_has(self):
        backend = Malt.Backend.lookup("malt-process")
        self.assertIn("transport", backend.dup_option_names())
        self.assertEqual(backend.get_option_default("transport"), "tcp")
        self.assertEqual(backend.get_option_type("exeflags"), Malt.OptionType.STRINGS)
        self.assertTrue(backend.get_option_summary("cwd"))
        config = Malt.Config.new()
        self.assertTrue(backend.check_config(config))
        config.set("module", "new")
        with self.assertRaises(GLib.Error):
            backend.check_config(config)


if __name__ == "__main__":
    unittest.main()
