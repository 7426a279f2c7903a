# SPDX-License-Identifier: MIT
"""Output as frames: hostio.jl and the output.jl of inprocess behind a transport that is no shared memory, for one host."""

import subprocess
import unittest

from malt_protocol import *

OUTPUT = 0x89

# What a transport defines for output.jl: the host that is served is the one that the boot has found.
HOSTS = """
struct SoleHost end
Base.values(::SoleHost) = BOOT[1] === nothing ? Any[] : Any[BOOT[1]]
Base.length(::SoleHost) = length(values(SoleHost()))
const HOSTS = SoleHost()
"""


class Output(unittest.TestCase):
    def worker(self, way):
        w = Worker(runtime=runtime_text(("frames.jl", "stream.jl", HOSTS, "hostio.jl", "../../../backends/inprocess/julia/output.jl")), settings="output=" + way,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(w.stop)
        self.assertEqual(w.call("+", 1, 1), 2)      # Now the runtime serves, not the boot.
        return w

    def taken(self, w):
        """(stream, call, text) of each frame of output so far, pieces of one call joined."""
        pieces = []
        for kind, number, body in w.frames:
            if kind != OUTPUT:
                continue
            if pieces and pieces[-1][:2] == (body[0], number):
                pieces[-1] = (body[0], number, pieces[-1][2] + body[1:].decode())
            else:
                pieces.append((body[0], number, body[1:].decode()))
        w.frames = [frame for frame in w.frames if frame[0] != OUTPUT]
        return pieces

    def test_output_comes_before_the_answer_with_stream_and_call(self):
        w = self.worker("signal")
        n = w.start_eval("println(\"one\"); print(stderr, \"two\"); 3")
        self.assertEqual(w.answer(n), 3)
        self.assertEqual(self.taken(w), [(1, n, "one\n"), (2, n, "two")])

    def test_logger_and_display_go_the_same_way(self):
        w = self.worker("signal")
        n = w.start_eval("display(7); @info \"told\"; nothing")
        w.answer(n)
        streams = {stream: text for stream, _, text in self.taken(w)}
        self.assertIn("7", streams[1])
        self.assertIn("told", streams[2])

    def test_output_of_a_task_is_of_no_call(self):
        w = self.worker("signal")
        w.answer(w.start_eval("go = Condition(); task = @async (wait(go); print(\"late\")); yield(); nothing"))
        n = w.start_eval("notify(go); wait(task); nothing")
        w.answer(n)
        self.assertEqual(self.taken(w), [(1, 0, "late")])

    def test_much_output_and_large_arrays_do_not_mix(self):
        w = self.worker("signal")
        n = w.start_eval("foreach(_ -> print(repeat(\"x\", 100_000)), 1:20)")
        m = w.start_eval("zeros(UInt8, 5_000_000)")
        w.answer(n)
        self.assertEqual(len(w.answer(m).items), 5_000_000)
        self.assertEqual(self.taken(w), [(1, n, "x" * 2_000_000)])

    def test_discarded_output_goes_nowhere(self):
        w = self.worker("discard")
        self.assertEqual(w.eval("print(\"one\"); print(stderr, \"two\"); 3"), 3)
        self.assertEqual(self.taken(w), [])
        w.socket.close()
        self.assertEqual(w.process.stdout.read(), b"")


if __name__ == "__main__":
    unittest.main()
