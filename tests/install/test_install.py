# SPDX-License-Identifier: MIT
"""The installed library, by the commands of the README, before and after its folder has been moved."""
import os
import pathlib
import re
import shutil
import stat
import sys
import unittest

from install_case import (BUILD, CMAKE, ENTRIES, HEADERS, MAJOR, SOURCE, VERSION, InstallCase, expected_files,
                          readme_blocks, tree)

LIBDIR = os.environ["MALT_LIBDIR"]
BUILD_TYPE = os.environ["MALT_BUILD_TYPE"]
HAS_CONTRACT = "MALT_CONTRACT" in os.environ
HAS_INTROSPECTION = "MALT_INTROSPECTION" in os.environ
SUM = (SOURCE / "docs" / "examples" / "hello.expected").read_text()

FIND_OTHER_VERSIONS = """
cmake_minimum_required(VERSION 3.20)
project(versions NONE)
foreach(wanted 1.0 0.99 0.0)
  find_package(Malt ${wanted} QUIET)
  if(Malt_FOUND)
    message(FATAL_ERROR "${Malt_VERSION} was taken for ${wanted}")
  endif()
endforeach()
find_package(Malt REQUIRED)
message(STATUS "version: ${Malt_VERSION}")
"""


class Install(InstallCase):
    """Tests run in the order of their names; the one that moves the prefix puts it back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.folder / "prefix"
        # The reader of the README stands in a clone.
        top = cls.folder / "clone"
        top.mkdir()
        (top / "build").symlink_to(BUILD)
        cls.commands = readme_blocks("sh", "Install")
        cls.run_command(cls(), "sh", "-euc", cls.at(cls.prefix, cls.commands.pop(0)), cwd=top)

    @staticmethod
    def at(prefix, text):
        """A text of the README, for this prefix."""
        return text.replace("$HOME/.local/lib", f"{prefix}/{LIBDIR}").replace("$HOME/.local", str(prefix))

    def paths(self, prefix):
        libraries = prefix / LIBDIR
        return {"PKG_CONFIG_PATH": f"{libraries}/pkgconfig", "LD_LIBRARY_PATH": str(libraries),
                "GI_TYPELIB_PATH": f"{libraries}/girepository-1.0"}

    def variable(self, prefix, name):
        text = self.run_command("pkg-config", f"--variable={name}", "malt", **self.paths(prefix)).strip()
        return pathlib.Path(os.path.normpath(text))

    def new_folder(self, name):
        folder = self.folder / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        return folder

    # What is there.

    def test_exactly_what_belongs_to_users_is_installed(self):
        expected = expected_files(LIBDIR, BUILD_TYPE, HAS_CONTRACT, HAS_INTROSPECTION)
        self.assertEqual(tree(self.prefix), expected)

    def test_components_share_what_is_installed_among_them(self):
        parts = {}
        for component in ("runtime", "development", "doc"):
            folder = self.new_folder(component)
            self.run_command(CMAKE, "--install", BUILD, "--prefix", folder, "--component", component)
            parts[component] = tree(folder)
        self.assertEqual(set.union(*parts.values()), tree(self.prefix))
        self.assertEqual(sum(map(len, parts.values())), len(tree(self.prefix)))
        self.assertIn(f"{LIBDIR}/libmalt.so.{VERSION}", parts["runtime"])
        self.assertIn("bin/malt", parts["runtime"])
        self.assertIn(f"{LIBDIR}/libmalt.so", parts["development"])
        self.assertEqual({name for name in parts["runtime"] if name.startswith(("include", "share/doc"))}, set())

    def test_a_staged_installation_is_the_same_byte_for_byte(self):
        stage = self.new_folder("stage")
        self.run_command(CMAKE, "--install", BUILD, "--prefix", "/opt/libmalt", DESTDIR=str(stage))
        self.assertEqual(tree(stage / "opt" / "libmalt"), tree(self.prefix))
        for name in tree(self.prefix):
            if (self.prefix / name).is_file():
                with self.subTest(name):
                    self.assertEqual((stage / "opt" / "libmalt" / name).read_bytes(), (self.prefix / name).read_bytes())

    def test_no_file_names_the_source_or_the_build_folder(self):
        self.assert_names_no_folder_of_the_build(self.prefix, SOURCE, BUILD)

    def test_only_the_owner_may_write_and_only_programs_run(self):
        for path in self.prefix.rglob("*"):
            if path.is_symlink():
                continue
            with self.subTest(str(path.relative_to(self.prefix))):
                mode = stat.S_IMODE(path.stat().st_mode)
                self.assertEqual(mode & 0o022, 0)
                if path.is_file() and ".so" not in path.name:
                    self.assertEqual(mode, 0o755 if path.parent.name == "bin" else 0o644)

    def test_the_name_of_the_library_and_its_links(self):
        libraries = self.prefix / LIBDIR
        self.assertEqual(os.readlink(libraries / "libmalt.so"), f"libmalt.so.{MAJOR}")
        self.assertEqual(os.readlink(libraries / f"libmalt.so.{MAJOR}"), f"libmalt.so.{VERSION}")
        dynamic = self.run_command("readelf", "-dW", libraries / "libmalt.so")
        self.assertIn(f"Library soname: [libmalt.so.{MAJOR}]", dynamic)
        self.assertNotRegex(dynamic, r"RUNPATH|RPATH|TEXTREL")

    def test_programs_find_the_library_from_where_they_are(self):
        way = os.path.relpath(self.prefix / LIBDIR, self.prefix / "bin")
        for program in (self.prefix / "bin").iterdir():
            with self.subTest(program.name):
                found = re.findall(r"\((R(?:UN)?PATH)\).*\[(.*)\]", self.run_command("readelf", "-dW", program))
                self.assertEqual(found, [("RUNPATH", f"$ORIGIN/{way}")])

    def test_no_binary_wants_a_stack_that_can_be_executed(self):
        for path in [*(self.prefix / "bin").iterdir(), self.prefix / LIBDIR / "libmalt.so"]:
            with self.subTest(path.name):
                self.assertRegex(self.run_command("readelf", "-lW", path), r"GNU_STACK(?:\s+0x\w+){5}\s+RW\s")

    @unittest.skipUnless(HAS_INTROSPECTION, "there is no introspection data")
    def test_introspection_data_name_the_library_by_its_soname(self):
        gir = (self.prefix / "share" / "gir-1.0" / f"Malt-{MAJOR}.gir").read_text()
        self.assertIn(f'shared-library="libmalt.so.{MAJOR}"', gir)
        self.assertIn('<package name="malt"/>', gir)

    def test_manual_pages_are_of_this_version(self):
        for page in (self.prefix / "share" / "man" / "man1").iterdir():
            with self.subTest(page.name):
                release = re.search(r'^\.TH .* "libmalt (\S+)"', page.read_text(), flags=re.MULTILINE)[1]
                self.assertEqual(release, VERSION.rpartition(".")[0])

    # How it is found.

    def test_malt_pc_says_what_is_needed_and_where_things_are(self):
        paths = self.paths(self.prefix)
        self.assertEqual(self.run_command("pkg-config", "--modversion", "malt", **paths).strip(), VERSION)
        requires = self.run_command("pkg-config", "--print-requires", "malt", **paths).splitlines()
        self.assertEqual(requires, ["glib-2.0 >= 2.72", "gobject-2.0", "gio-2.0"])
        private = self.run_command("pkg-config", "--print-requires-private", "malt", **paths).splitlines()
        self.assertEqual(private, ["gio-unix-2.0", "gmodule-no-export-2.0", "libffi >= 3.3"])
        expected = {"prefix": "", "bindir": "bin", "libdir": LIBDIR, "includedir": "include",
                    "girdir": "share/gir-1.0", "typelibdir": f"{LIBDIR}/girepository-1.0",
                    "backenddir": f"{LIBDIR}/libmalt-{MAJOR}/backends"}
        for name, folder in expected.items():
            with self.subTest(name):
                self.assertEqual(self.variable(self.prefix, name), self.prefix / folder)

    def test_headers_compile_by_themselves_as_c_and_as_cxx(self):
        flags = self.run_command("pkg-config", "--cflags", "malt", **self.paths(self.prefix)).split()
        folder = self.new_folder("headers")
        for entry in sorted(ENTRIES):
            for suffix, compiler in ((".c", "cc"), (".cc", "c++")):
                with self.subTest(entry + suffix):
                    program = folder / f"program{suffix}"
                    self.write(program, f"#include <malt/{entry}>\nguint version (void);\n")
                    self.run_command(compiler, "-fsyntax-only", "-Wall", "-Wextra", "-Werror", *flags, program)
        for part in {path.name for path in HEADERS.glob("*.h")} - ENTRIES | {"malt-version.h", "malt-enum-types.h"}:
            with self.subTest(part):
                self.write(folder / "part.c", f"#include <malt/{part}>\n")
                errors = self.run_command("cc", "-fsyntax-only", *flags, folder / "part.c", status=1)
                self.assertRegex(errors, r"Only <malt/malt(-abstract-worker)?\.h> can be included directly\.")

    def test_find_package_takes_versions_that_fit(self):
        folder = self.new_folder("versions")
        self.write(folder / "CMakeLists.txt", FIND_OTHER_VERSIONS)
        text = self.run_command(CMAKE, "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.assertIn(f"version: {VERSION}", text)

    def test_find_package_names_what_is_missing(self):
        folder = self.new_folder("missing")
        self.write(folder / "CMakeLists.txt", FIND_OTHER_VERSIONS)
        errors = self.run_command(CMAKE, "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                                  status=1, PKG_CONFIG_LIBDIR=str(folder))
        self.assertIn("glib-2.0>=2.72", errors)

    def test_a_project_of_cxx_alone_finds_it(self):
        folder = self.new_folder("cxx")
        self.write(folder / "CMakeLists.txt",
                   readme_blocks("cmake", "Install")[0].replace("project(hello C)", "project(hello CXX)")
                   .replace("hello.c)", "hello.cc)"))
        self.write(folder / "hello.cc", readme_blocks("c", "A program")[0])
        self.run_command(CMAKE, "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.run_command(CMAKE, "--build", folder / "out")
        self.assertTrue((folder / "out" / "hello").is_file())

    # How it is used.

    def assert_programs_compile_and_run(self, prefix):
        folder = self.new_folder("project")
        self.write(folder / "hello.c", readme_blocks("c", "A program")[0])
        self.write(folder / "CMakeLists.txt", readme_blocks("cmake", "Install")[0])
        self.assertEqual(len(self.commands), 2)
        for text in self.commands:
            with self.subTest(text):
                output = self.run_command("sh", "-euc", self.at(prefix, text), cwd=folder)
                self.assertEqual(output.splitlines()[-1] + "\n", SUM)
        used = self.run_command("ldd", folder / "hello", LD_LIBRARY_PATH=self.paths(prefix)["LD_LIBRARY_PATH"])
        self.assertIn(f"libmalt.so.{MAJOR} => {prefix / LIBDIR}/", used)

    def assert_installed_programs_run(self, prefix):
        programs = prefix / "bin"
        self.assertEqual(self.run_command(programs / "malt", "--version"), f"malt {VERSION}\n")
        self.assertEqual(self.run_command(programs / "malt", "eval", "6 * 7"), "42\n")
        if HAS_CONTRACT:
            self.assertIn("b01_", self.run_command(programs / "malt-contract", "--list"))
        if HAS_INTROSPECTION:
            text = readme_blocks("python", "A program")[0]
            self.assertEqual(self.run_command(sys.executable, "-c", text, **self.paths(prefix)), "2\n")

    def test_programs_of_the_readme_compile_and_run(self):
        self.assert_programs_compile_and_run(self.prefix)

    def test_everything_works_after_the_prefix_was_moved(self):
        moved = self.folder / "elsewhere" / "further" / "malt"
        moved.parent.mkdir(parents=True)
        self.prefix.rename(moved)
        try:
            self.assert_programs_compile_and_run(moved)
            self.assert_installed_programs_run(moved)
            self.assertEqual(self.variable(moved, "backenddir"), moved / LIBDIR / f"libmalt-{MAJOR}" / "backends")
        finally:
            moved.rename(self.prefix)


if __name__ == "__main__":
    unittest.main()
