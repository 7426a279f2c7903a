# SPDX-License-Identifier: MIT
"""The library from Python, through its introspection data, as a program in any bound language would use it."""
import unittest

import gi

gi.require_version("Malt", "0")
from gi.repository import GLib, Malt


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


if __name__ == "__main__":
    unittest.main()
