# SPDX-License-Identifier: MIT
"""Where things are, and which part may know which: the rules of docs/architecture.md that a reader could break unseen."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
TOP_LEVEL = {"CMakeLists.txt", "README.md", "backends", "core", "docs", "tests"}

ENTRIES = {"malt.h", "malt-abstract-worker.h"}

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
                    self.assertFalse(name.startswith(("platform/", "sys/", "unistd")))


class Table:
    """The layers as docs/architecture.md has them: for each its own name and those of all below it, and the layer of each installed header."""

    def __init__(self, root):
        page = (root / "docs" / "architecture.md").read_text()
        rows = page.split("<!-- the layers: tests/headers/test_layout.py -->")[1].split("\n\n")[1].splitlines()
        self.below, self.of_header, self.rows = {}, {}, rows
        for row in rows[2:]:
            layer, _, under, headers = (cell.strip() for cell in row.strip("|").split("|"))
            [layer], under = re.findall(r"`([^`]+)`", layer), re.findall(r"`([^`]+)`", under)
            # A layer stands only on those above it in the table, so there can be no circle.
            self.below[layer] = {layer}.union(*(self.below[name] for name in under))
            self.of_header.update((name, layer) for name in re.findall(r"`([^`]+)`", headers))


class Graph:
    """What includes what in a source tree, among the files that become the library."""

    def __init__(self, root):
        self.root, self.table = root, Table(root)
        self.installed = {name: root / "core" / "include" / "malt" / name for name in [*self.table.of_header, *ENTRIES]}
        folders = [f"core/{layer}" for layer in self.table.below if layer != "backends"] + ["backends"]
        self.files = sorted(path for folder in folders for end in "ch" for path in root.glob(f"{folder}/**/*.{end}"))

    def layer(self, path):
        if path.name in self.installed and path == self.installed[path.name]:
            return self.table.of_header.get(path.name, "an entry")
        parts = path.relative_to(self.root).parts
        return "backends" if parts[0] == "backends" else parts[1]

    def included(self, path):
        """The project's own files that a file includes; generated headers have a template, or are known by name."""
        if not path.is_file():
            template = path.with_name(path.name + ".in")
            path = template if template.is_file() else self.root / "core" / (path.name + ".in")
        for _, name in includes(path):
            if name.startswith("malt/"):
                yield self.installed[name[len("malt/"):]]
                continue
            found = [folder / name for folder in (path.parent, self.root / "core") if (folder / name).is_file()]
            if found:
                yield found[0]

    def faults(self):
        """(file, what it should not reach, by which way) of each file that reaches a layer above its own, or another backend."""
        for start in self.files:
            allowed, ways = self.table.below[self.layer(start)], {start: []}
            todo = [start]
            while todo:
                path = todo.pop()
                for target in self.included(path):
                    if target not in ways:
                        ways[target] = [*ways[path], target.name]
                        todo.append(target)
                        alien = self.layer(target) == "backends" and target.parent != start.parent
                        if self.layer(target) not in allowed or alien:
                            yield str(start.relative_to(self.root)), self.layer(target), " > ".join(ways[target])


class Layers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.graph = Graph(SOURCE)
        print("\n".join(cls.graph.table.rows))

    def test_every_folder_and_every_installed_header_has_its_layer(self):
        table = self.graph.table
        beside = {"include", "julia", "cli", "setup", "cmake"}
        folders = {path.parts[1] for path in project_files() if path.parts[0] == "core" and len(path.parts) > 2}
        self.assertEqual(folders - beside, set(table.below) - {"backends"})
        installed = {path.name.removesuffix(".in") for path in (SOURCE / "core" / "include" / "malt").iterdir()}
        self.assertEqual(installed | {"malt-enum-types.h"}, set(table.of_header) | ENTRIES)
        built = re.search(r"^set\(layers (.*)\)$", (SOURCE / "core" / "CMakeLists.txt").read_text(), flags=re.MULTILINE)[1]
        self.assertEqual([name for name in built.split() if "/" not in name], [name for name in table.below if name != "backends"])

    def test_no_file_reaches_a_layer_above_its_own(self):
        self.assertGreater(len(self.graph.files), 200)
        self.assertEqual(list(self.graph.faults()), [])

    def faults_with(self, path, line):
        """The faults in a copy of the tree in which a file has one more line."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            for name in project_files():
                if name.parts[0] in ("core", "backends") or name.name == "architecture.md":
                    (copy / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(SOURCE / name, copy / name)
            with open(copy / path, "a") as file:
                file.write(f"{line}\n")
            return list(Graph(copy).faults())

    def test_an_include_of_what_is_above_is_found(self):
        for path, line, layer in (("core/base/malt-error.c", '#include "platform/malt-pipe.h"', "platform"),
                                  ("core/selection/malt-config.c", '#include "wire/malt-frame.h"', "wire"),
                                  ("core/worker/malt-call.c", "#include <malt/malt-export.h>", "ffi"),
                                  ("core/link/malt-link.c", '#include "process/malt-launch.h"', "process"),
                                  ("core/process/malt-launch.c", "#include <malt/malt.h>", "an entry"),
                                  ("backends/inprocess/malt-inprocess-start.c", '#include "../malt-process/malt-process-worker.h"',
                                   "backends")):
            with self.subTest(line):
                self.assertIn((path, layer), {fault[:2] for fault in self.faults_with(path, line)})

    def test_an_include_of_what_is_above_is_found_through_other_headers(self):
        found = self.faults_with("core/value/malt-value-private.h", '#include "worker/malt-waiter.h"')
        self.assertIn(("core/wire/malt-wire-writer.c", "worker"), {fault[:2] for fault in found})

    def test_no_object_needs_a_symbol_of_a_layer_above_its_own(self):
        """Declarations could hide what includes show; the generated table is the one exception."""
        commands = json.loads((BUILD / "compile_commands.json").read_text())
        objects = {}
        for command in commands:
            path = pathlib.Path(command["file"])
            # The command and the judge are programs of their own.
            if any(path.is_relative_to(SOURCE / "core" / own) for own in ("cli", "julia")) or BUILD in path.parents:
                continue
            if path.is_relative_to(SOURCE / "core") or path.is_relative_to(SOURCE / "backends"):
                objects[pathlib.Path(command["directory"]) / re.search(r" -o (\S+)", command["command"])[1]] = self.graph.layer(path)
        self.assertTrue(objects)
        listing = subprocess.run(["nm", "-A", *objects], capture_output=True, text=True, check=True).stdout
        rows = [re.fullmatch(r"(.*):[0-9a-f ]* (\w) (\w+)", line) for line in listing.splitlines()]
        rows = [(objects[pathlib.Path(row[1])], row[2], row[3]) for row in rows if row]
        home = {name: layer for layer, kind, name in rows if kind in "TDRB"}
        for layer, kind, name in rows:
            if kind == "U" and name in home:
                with self.subTest(f"{layer} needs {name} of {home[name]}"):
                    self.assertIn(home[name], self.graph.table.below[layer])


if __name__ == "__main__":
    unittest.main()
