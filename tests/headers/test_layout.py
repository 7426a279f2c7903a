# SPDX-License-Identifier: MIT
"""Where things are, and which part may know which: the rules of docs/architecture.md that a reader could break unseen."""
import os
import pathlib
import re
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
TOP_LEVEL = {"CMakeLists.txt", "README.md", "backends", "core", "docs", "tests"}

# Parts of core that backends may include.
OFFERED = ("base/", "platform/", "ffi/", "worker/", "selection/", "value/", "wire/", "link/", "process/")

# Macros by which a compiler or GLib says for which platform it compiles; for which processor is another matter.
PLATFORM = re.compile(r"\b(_?_?WIN(32|64)(__)?|_WIN(32|64)|__MINGW\w*|_MSC_VER|__CYGWIN__|G_OS_\w+|G_PLATFORM_\w+|__?_?linux(__)?"
                      r"|__APPLE__|__unix(__)?|__FreeBSD__)\b")

# Files of one platform that implement a part of a header of another name.
SPLIT = {"malt-socket-pair": "malt-socket"}

# Kinds of files that can hold a comment, and so the name of the licence.
COMMENTED = {".c", ".h", ".cc", ".in", ".jl", ".py", ".sh", ".cmake", ".md", ".1", ".xml", ".yml"}
COMMENTED_NAMES = {"CMakeLists.txt", "ORDER", "run", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore"}


def project_files():
    """Files that git knows or would take; without git, as in an unpacked archive, all."""
    command = ["git", "-C", SOURCE, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    result = subprocess.run(command, capture_output=True)
    if result.returncode == 0:
        paths = [pathlib.PurePosixPath(os.fsdecode(name)) for name in result.stdout.split(b"\0") if name]
    else:
        paths = [pathlib.PurePosixPath(path.relative_to(SOURCE)) for path in SOURCE.rglob("*")]
    return [path for path in paths if (SOURCE / path).is_file()]


def includes(path):
    """(bracket, name) of each #include of a file."""
    return re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', path.read_text(), flags=re.MULTILINE)


def c_files(folder):
    return sorted([*SOURCE.glob(f"{folder}/**/*.c"), *SOURCE.glob(f"{folder}/**/*.h")])


def code_of(path):
    """The text of a C file without its comments and includes."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"^\s*#\s*include.*$", "", text, flags=re.MULTILINE)


def backends():
    return sorted(path.parent.name for path in SOURCE.glob("backends/*/CMakeLists.txt"))


class Layout(unittest.TestCase):
    def test_the_top_level_holds_what_it_shall_and_nothing_else(self):
        names = {path.parts[0] for path in project_files()}
        self.assertEqual({name for name in names if not name.startswith(".")}, TOP_LEVEL)

    def test_every_file_names_its_licence_first(self):
        for path in project_files():
            if path.suffix not in COMMENTED and path.name not in COMMENTED_NAMES:
                continue
            with self.subTest(str(path)):
                lines = (SOURCE / path).read_text().split("\n", 2)[:2]
                if not lines[0].startswith(("#!", "<?xml", "/*** BEGIN")):
                    lines = lines[:1]
                self.assertIn("SPDX-License-Identifier: MIT", "\n".join(lines))

    def test_no_file_has_a_note_to_self(self):
        for path in project_files():
            if path.suffix in COMMENTED and path.name != pathlib.Path(__file__).name:
                with self.subTest(str(path)):
                    self.assertNotRegex((SOURCE / path).read_text(), r"\b(TODO|XXX)\b")


class IncludeDirection(unittest.TestCase):
    def assert_public_only(self, path):
        entry = "malt/malt-abstract-worker.h" if path.parent == SOURCE / "docs" / "examples" / "backend" else "malt/malt.h"
        for bracket, name in includes(path):
            if name.startswith("malt/"):
                self.assertEqual(name, entry, path)
            elif bracket == '"':
                self.assertTrue((path.parent / name).is_file(), f"{path} includes {name}")

    def test_the_command_the_examples_and_the_benchmark_use_the_public_headers_only(self):
        files = c_files("core/cli") + c_files("docs/examples") + c_files("tests/bench")
        self.assertTrue(files)
        for path in files:
            with self.subTest(str(path.relative_to(SOURCE))):
                self.assert_public_only(path)

    def test_a_backend_includes_its_own_files_and_what_core_offers(self):
        for backend in backends():
            folder = SOURCE / "backends" / backend
            for path in c_files(f"backends/{backend}"):
                for bracket, name in includes(path):
                    own = (folder / name).is_file() or (path.parent / name).is_file()
                    if bracket == '"' and not own:
                        with self.subTest(f"{path.relative_to(SOURCE)} includes {name}"):
                            self.assertTrue(name.startswith(OFFERED))

    def test_core_includes_nothing_from_backends(self):
        for path in c_files("core"):
            for _, name in includes(path):
                with self.subTest(f"{path.relative_to(SOURCE)} includes {name}"):
                    self.assertNotIn("backends/", name)
                    self.assertFalse(any((SOURCE / "backends" / backend / name).is_file() for backend in backends()))

    def test_core_names_no_backend(self):
        names = set(backends()) | {"malt-process", "inprocess", "distributed"}
        types = {"MaltProcessWorker", "MaltInProcessWorker", "MaltDistributedWorker", "malt_process_worker",
                 "malt_in_process_worker", "malt_inprocess_worker", "malt_distributed_worker"}
        pattern = re.compile(r"(?<![\w-])(" + "|".join(sorted(names | types)) + r")(?:_\w+)?(?![\w-])")
        command = SOURCE / "core" / "cli"  # a host like others: it may set options of one backend
        for path in c_files("core"):
            if command in path.parents:
                continue
            with self.subTest(str(path.relative_to(SOURCE))):
                self.assertIsNone(pattern.search(code_of(path)))

    def test_only_core_platform_asks_for_the_platform(self):
        own = SOURCE / "core" / "platform"
        files = [path for path in c_files("core") + c_files("backends") if own not in path.parents]
        self.assertTrue(files)
        for path in files:
            conditions = re.findall(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*$", path.read_text(), flags=re.MULTILINE)
            for condition in conditions:
                with self.subTest(f"{path.relative_to(SOURCE)}: {condition.strip()}"):
                    self.assertIsNone(PLATFORM.search(condition))

    def test_platforms_share_their_internal_headers(self):
        """What has one file per platform has one header, in the folder above; what only one of them has, has its header there."""
        folder = SOURCE / "core" / "platform"
        for own, other in (("windows", "unix"), ("unix", "windows")):
            files = sorted((folder / own).glob("*.c"))
            self.assertTrue(files)
            for path in files:
                with self.subTest(str(path.relative_to(SOURCE))):
                    if not path.with_suffix(".h").is_file():
                        self.assertTrue((folder / other / path.name).is_file() or path.stem in SPLIT)
                        self.assertTrue((folder / f"{SPLIT.get(path.stem, path.stem)}.h").is_file())
        files = [*SOURCE.glob("core/**/*-windows.c"), *SOURCE.glob("backends/**/*-windows.c")]
        self.assertTrue(files)
        for path in files:
            stem = path.name[: -len("-windows.c")]
            with self.subTest(str(path.relative_to(SOURCE))):
                if not (path.parent / f"{stem}.h").is_file():
                    self.assertTrue(path.with_suffix(".h").is_file())
                    continue
                others = [path.parent / f"{stem}-{name}.c" for name in ("unix", "linux")]
                self.assertTrue(any(other.is_file() for other in others))

    def test_the_frame_and_the_codec_do_no_input_or_output(self):
        for path in c_files("core/wire"):
            for _, name in includes(path):
                with self.subTest(f"{path.relative_to(SOURCE)} includes {name}"):
                    self.assertFalse(name.startswith(("link/", "process/", "sys/", "unistd")))


if __name__ == "__main__":
    unittest.main()
