# SPDX-License-Identifier: MIT
"""juliaup: which julia its launcher starts is asked once, and that julia is the worker's parent's child."""
import json
import os
import unittest

from cli_case import JULIA, CliCase, environment, malt

# As the launcher: `+CHANNEL`, JULIAUP_CHANNEL, the folder's override, the default. Each channel is a link of its own to julia.
LAUNCHER = """#!/bin/sh
echo "$PWD $*" >>'{folder}/asked'
channel=${{JULIAUP_CHANNEL:-$(cat '{folder}/default')}}
if [ -z "${{JULIAUP_CHANNEL:-}}" ] && [ -f .channel ]; then channel=$(cat .channel); fi
case ${{1:-}} in +*) channel=${{1#+}}; shift ;; esac
if [ ! -x "{folder}/channels/$channel/julia" ]; then
  echo "ERROR: \\`$channel\\` is not installed." >&2
  exit 1
fi
exec "{folder}/channels/$channel/julia" "$@"
"""
# A julia that says where it is: what the launcher starts must be told by the path of the program that runs.
CHANNEL = """#!/bin/sh
case "$*" in *BINDIR*julia_exename*) printf %s "{path}"; exit ;; esac
MALT_TEST_CHANNEL={name} exec {julia} "$@"
"""
WHICH = 'ENV["MALT_TEST_CHANNEL"]'


class Juliaup(CliCase):
    def setUp(self):
        super().setUp()
        self.bin = self.folder / "home/.juliaup/bin"
        for name in ("1.9", "1.10", "broken"):
            path = self.folder / f"channels/{name}/julia"
            self.program(path, CHANNEL.format(path=path, name=name, julia=JULIA))
        self.program(self.bin / "julia", LAUNCHER.format(folder=self.folder))
        self.program(self.bin / "juliaup", "#!/bin/sh\n")
        self.write("default", "1.9")
        self.configure()

    def program(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def configure(self, **more):
        path = self.folder / "home/.julia/juliaup/juliaup.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"Default": (self.folder / "default").read_text(), "Overrides": [], **more}))

    def environment(self, **changes):
        return environment(**{"HOME": str(self.folder / "home"), "XDG_CACHE_HOME": str(self.folder / "cache"), "JULIAUP_DEPOT_PATH": None,
                              "MALT_JULIA": str(self.bin / "julia"), **changes})

    def n_asked(self):
        asked = self.folder / "asked"
        return len(asked.read_text().splitlines()) if asked.exists() else 0

    def assert_channel(self, name, *options, cwd=None, **changes):
        result = malt("eval", "-o", "env-policy=inherit", *options, WHICH, env=self.environment(**changes), cwd=cwd)
        self.assert_result(result, 0, f'"{name}"\n')

    def assert_unavailable(self, words, *options, **changes):
        result = malt("eval", *options, "1", env=self.environment(**changes))
        self.assertEqual((result.returncode, result.stdout), (3, ""), result.stderr)
        self.assertIn(words, result.stderr)

    def test_the_launcher_is_asked_once_and_no_worker_is_its_child(self):
        for _ in range(3):
            self.assert_channel("1.9")
        self.assertEqual(self.n_asked(), 1)

    def test_a_channel_is_an_option_a_variable_and_a_first_word(self):
        self.assert_channel("1.10", "-j", "+1.10", PATH=f"{self.bin}:{os.environ['PATH']}")
        self.assert_channel("1.10", MALT_JULIA="+1.10")
        self.assert_channel("1.9", "-o", "julia=+1.9")
        self.assertEqual(self.n_asked(), 2)
        program = self.write("program.jl", f"println({WHICH}, ARGS, PROGRAM_FILE)\n")
        for command in (["run", "+1.10"], ["+1.10"]):
            result = malt(*command, program, "+x", env=self.environment())
            self.assert_result(result, 0, f'1.10["+x"]{program}\n')
        self.assertEqual(self.n_asked(), 2)

    def test_a_file_of_julia_may_begin_with_a_plus(self):
        self.write("+file.jl", "println(7)\n")
        self.assert_result(malt("run", "+file.jl", cwd=self.folder), 0, "7\n")

    def test_the_environment_says_which(self):
        self.assert_channel("1.10", JULIAUP_CHANNEL="1.10")
        self.assert_channel("1.9")
        self.assert_channel("1.9", "-j", "+1.9", JULIAUP_CHANNEL="1.10")

    def test_another_default_is_asked_for(self):
        self.assert_channel("1.9")
        self.write("default", "1.10")
        self.configure()
        self.assert_channel("1.10")
        self.assertEqual(self.n_asked(), 2)

    def test_a_julia_that_is_gone_is_asked_for(self):
        self.assert_channel("1.9")
        (self.folder / "channels/1.9/julia").rename(self.folder / "gone")
        self.assert_unavailable("`1.9` is not installed")

    def test_a_folder_has_its_override(self):
        self.write("mine/.channel", "1.10")
        self.configure(Overrides=[{"Path": str(self.folder / "mine"), "Channel": "1.10"}])
        for _ in range(2):
            self.assert_channel("1.9", cwd=self.folder)
            self.assert_channel("1.10", cwd=self.folder / "mine")
            self.assert_channel("1.10", "-o", f"cwd={self.folder / 'mine'}", cwd=self.folder)
        self.assertEqual(self.n_asked(), 2)

    def test_where_a_manifest_may_decide_the_launcher_is_asked_each_time(self):
        self.configure(Settings={"ManifestVersionDetect": True})
        for _ in range(2):
            self.assert_channel("1.9")
        self.assertEqual(self.n_asked(), 2)

    def test_all_backends_take_the_julia_itself(self):
        for backend in ("malt-process", "distributed", "inprocess"):
            with self.subTest(backend):
                self.assert_result(malt("eval", "-b", backend, "-j", "+1.10", "1 + 1", env=self.environment()), 0, "2\n")
        self.assertEqual(self.n_asked(), 1)

    def test_a_link_to_the_launcher_is_one(self):
        link = self.folder / "links/julia"
        link.parent.mkdir()
        link.symlink_to("../home/.juliaup/bin/julia")
        for _ in range(2):
            self.assert_channel("1.9", MALT_JULIA=str(link))
        self.assertEqual(self.n_asked(), 1)

    def test_what_cannot_be_had_is_said(self):
        self.assert_unavailable("`1.99` is not installed", "-j", "+1.99")
        self.assert_unavailable("'+' names no channel", "-j", "+")
        (self.bin / "juliaup").unlink()
        self.assert_unavailable("'+1.10' is a channel of juliaup", "-j", "+1.10")
        self.program(self.bin / "juliaup", "#!/bin/sh\n")
        self.program(self.bin / "julia", "#!/bin/sh\necho nonsense\n")
        self.assert_unavailable("did not say which julia it starts: it said 'nonsense'")


if __name__ == "__main__":
    unittest.main()
