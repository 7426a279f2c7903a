# SPDX-License-Identifier: MIT
"""The public headers as a host's compiler sees them, and the symbols of the library."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
HEADERS = SOURCE / "core" / "include" / "malt"
GENERATED = BUILD / "core" / "include" / "malt"

# For hosts, and for authors of backends: these two may be included.
ENTRIES = {"malt.h", "malt-abstract-worker.h"}
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wundef", "-Wpedantic", "-Werror"]


def compilers(*names):
    return [name for name in names if shutil.which(name)]


def public_headers():
    return sorted(HEADERS.glob("*.h")) + sorted(GENERATED.glob("*.h"))


def declared_functions(headers):
    """Names of the functions that headers declare with MALT_EXPORT."""
    names = set()
    for header in headers:
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
        names.update(re.findall(r"^MALT_EXPORT\s[^;{]*?\b(malt_\w+) \(", text, flags=re.MULTILINE))
        for macro in re.findall(r"G_DECLARE_FINAL_TYPE \(\w+, (\w+),", text):
            names.discard(macro)
            names.add(f"{macro}_get_type")
    return names


def parts_of(entry):
    """The headers that an entry includes; the other entry is none."""
    parts = re.findall(r"^#include <malt/([\w-]+\.h)>", (HEADERS / entry).read_text(), flags=re.MULTILINE)
    return [part for part in parts if part not in ENTRIES]


class Headers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        package = subprocess.run(["pkg-config", "--cflags", "gio-2.0"], capture_output=True, text=True, check=True)
        cls.flags = [f"-I{SOURCE / 'core' / 'include'}", f"-I{BUILD / 'core' / 'include'}"]
        # Only our own headers are to be free of warnings.
        cls.flags += [flag.replace("-I", "-isystem", 1) for flag in package.stdout.split()]

    def compile(self, compiler, standard, text):
        language = "c++" if standard.startswith("c++") else "c"
        suffix = ".cc" if language == "c++" else ".c"
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / f"program{suffix}"
            program.write_text(text)
            command = [compiler, "-x", language, f"-std={standard}", "-fsyntax-only", *WARNINGS, *self.flags]
            return subprocess.run([*command, program], capture_output=True, text=True, timeout=60)

    def assert_compiles(self, compiler, standard, text):
        with self.subTest(f"{compiler} -std={standard}"):
            result = self.compile(compiler, standard, text)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_entry_headers_compile_as_c(self):
        for entry in ENTRIES:
            for compiler in compilers("cc", "gcc", "clang"):
                for standard in ("c11", "gnu17"):
                    self.assert_compiles(compiler, standard, f"#include <malt/{entry}>\nint unused;\n")

    def test_the_entry_headers_compile_as_cxx_and_link_as_c(self):
        text = "#include <malt/{}>\nguint version () {{ return malt_get_major_version (); }}\n"
        for entry in ENTRIES:
            for compiler in compilers("c++", "clang++"):
                self.assert_compiles(compiler, "c++17", text.format(entry))

    def test_a_part_included_directly_is_an_error_that_names_its_entry(self):
        parts = [header for header in public_headers() if header.name not in ENTRIES]
        self.assertTrue(parts)
        for part in parts:
            with self.subTest(part.name):
                result = self.compile("cc", "gnu11", f"#include <malt/{part.name}>\n")
                self.assertNotEqual(result.returncode, 0)
                entry = "malt.h" if part.name in parts_of("malt.h") else "malt-abstract-worker.h"
                self.assertIn(f"Only <malt/{entry}> can be included directly.", result.stderr)

    def test_every_part_is_included_by_one_entry(self):
        parts = [*parts_of("malt.h"), *parts_of("malt-abstract-worker.h")]
        self.assertEqual(sorted(parts), sorted(header.name for header in public_headers() if header.name not in ENTRIES))

    def test_malt_h_leaves_no_marker_behind(self):
        text = "#include <malt/malt.h>\n#ifdef MALT_INSIDE\n#error\n#endif\n#ifdef MALT_COMPILATION\n#error\n#endif\n"
        self.assert_compiles("cc", "gnu11", text + "int unused;\n")


class Symbols(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (BUILD / "libmalt.so").exists():
            raise unittest.SkipTest("the library is not a shared one")
        command = ["nm", "-D", "--defined-only", "--with-symbol-versions", BUILD / "libmalt.so"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows = [line.split()[-2:] for line in output.splitlines()]
        # A version is a symbol as well, an absolute one.
        cls.defined_versions = {name for kind, name in rows if kind == "A"}
        cls.version_of = dict(name.split("@", 1) if "@" in name else (name, "") for kind, name in rows if kind != "A")
        cls.exported = set(cls.version_of)

    def test_every_symbol_has_the_version_of_the_soname(self):
        dynamic = subprocess.run(["readelf", "-dW", BUILD / "libmalt.so"], capture_output=True, text=True,
                                 check=True).stdout
        major = re.search(r"^#define MALT_MAJOR_VERSION \((\d+)\)", (GENERATED / "malt-version.h").read_text(),
                          flags=re.MULTILINE)[1]
        self.assertIn(f"soname: [libmalt.so.{major}]", dynamic)
        self.assertEqual(self.defined_versions, {f"LIBMALT_{major}"})
        # The second @ says that it is the version that programs are linked with.
        self.assertEqual(set(self.version_of.values()), {f"@LIBMALT_{major}"})

    def test_only_names_of_this_library_are_exported(self):
        foreign = {name for name in self.exported if not name.startswith("malt_")}
        self.assertEqual(foreign, set())

    def test_what_is_declared_is_exported(self):
        self.assertEqual(declared_functions(public_headers()) - self.exported, set())

    def test_what_is_exported_is_declared(self):
        self.assertEqual(self.exported - declared_functions(public_headers()), set())

    def test_every_function_and_type_has_a_documentation_comment(self):
        texts = [path.read_text() for path in [*SOURCE.glob("core/**/*.c"), *public_headers()]]
        documented = set(re.findall(r"^ \* (\w+):", "\n".join(texts), flags=re.MULTILINE))
        functions = {name for name in self.exported if not name.endswith("_get_type")}
        functions -= {"malt_error_quark"}
        self.assertEqual(functions - documented, set())
        headers = "\n".join(header.read_text() for header in public_headers() if header.name != "malt-enum-types.h")
        types = set(re.findall(r"^typedef struct _(Malt\w+)", headers, flags=re.MULTILINE))
        types |= set(re.findall(r"^\} (Malt\w+);", headers, flags=re.MULTILINE))
        self.assertEqual(types - documented, set())

    def test_every_documented_parameter_list_is_complete(self):
        """A comment of a function names each of its parameters, and none that it does not have."""
        headers = re.sub(r"/\*.*?\*/", "", "\n".join(header.read_text() for header in public_headers()),
                         flags=re.DOTALL)
        declarations = dict(re.findall(r"\b(malt_\w+) \(([^;{}]*?)\)[^;{}()]*;", headers))
        for path in SOURCE.glob("core/**/*.c"):
            for name, comment in re.findall(r"/\*\*\n \* (malt_\w+):(.*?)\*/", path.read_text(), flags=re.DOTALL):
                if name not in declarations:
                    continue
                with self.subTest(name):
                    declared = [part.split()[-1].lstrip("*") for part in declarations[name].split(",")]
                    declared = [part for part in declared if part not in ("void", "error")]
                    described = re.findall(r"^ \* @(\w+):", comment, flags=re.MULTILINE)
                    self.assertEqual([part for part in described if part != "error"], declared)


if __name__ == "__main__":
    unittest.main()
