# SPDX-License-Identifier: MIT
"""malt eval prints and ends over all backends alike. What the code says is compared by test-same; this is about the command."""
import re
import unittest

from cli_case import CliCase, malt

COMMANDS = [
    ["sum(1:10)"],
    ['struct P; a; b; end; P(1, "x")'],
    ["x = 1", "x += 41;", "x"],
    ['println("out"); println(stderr, "err"); "ä∀🎉"'],
    ['run(`echo child`); ccall(:puts, Cint, (Cstring,), "from C"); 1'],
    ['@warn "careful"; @show 1 + 1'],
    ["sqrt(-1)"],
    ["1 +"],
    ['f(n) = n == 0 ? error("deep") : f(n - 1)', "f(3)", 'println("not reached")'],
    ['struct Bad end; Base.show(io::IO, ::Bad) = error("no show"); Bad()'],
    ["--module", "Nosuch", "1"],
    ["exit(7)"],
    ["@async exit(6); sleep(600)"],
    ["read(stdin, String)"],
]


def others():
    """The backends that are built in, but for malt-process, which says what is expected."""
    listed = malt("backends").stdout
    return [name for name in ("inprocess", "distributed") if re.search(rf"^{name}\b", listed, flags=re.MULTILINE)]


class Same(CliCase):
    def test_the_command_prints_and_ends_over_all_backends_alike(self):
        for arguments in COMMANDS:
            expected = malt("eval", "--backend", "malt-process", *arguments)
            for backend in others():
                with self.subTest(arguments, backend=backend):
                    seen = malt("eval", "--backend", backend, *arguments)
                    self.assert_result(seen, expected.returncode, expected.stdout, expected.stderr)

    def test_standard_input_is_the_commands(self):
        for backend in ["malt-process", *others()]:
            with self.subTest(backend):
                self.assert_result(malt("eval", "--backend", backend, "read(stdin, String)", stdin=b"words"), 0, '"words"\n')

    def test_what_must_hold(self):
        for backend in others():
            with self.subTest(backend):
                self.assert_result(malt("eval", "--backend", backend, "sum(1:10)"), 0, "55\n")

    @unittest.skipUnless("inprocess" in others(), "this build has no backend inprocess")
    def test_a_module_of_its_own_shows_its_types_as_main_does(self):
        source = 'struct P; a; b; end; show([P(1, "x")][1].b); [P(1, "x")]'
        expected = malt("eval", "--backend", "malt-process", source)
        self.assertEqual(expected.returncode, 0)
        self.assert_result(malt("eval", "--backend", "inprocess", "--option", "module=new", source), 0, expected.stdout)

    @unittest.skipUnless("distributed" in others(), "this build has no backend distributed")
    def test_a_worker_of_distributed_is_one(self):
        result = malt("eval", "--backend", "distributed", "using Distributed; myid()")
        self.assertEqual(result.returncode, 0)
        self.assertGreater(int(result.stdout), 1)


if __name__ == "__main__":
    unittest.main()
