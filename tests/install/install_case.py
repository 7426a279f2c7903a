# SPDX-License-Identifier: MIT
"""What the tests of installation share: a folder of their own, the commands of the README, the list of what is installed."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["MALT_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MALT_BUILD_DIR"])
CMAKE = os.environ["MALT_CMAKE"]
README = (SOURCE / "README.md").read_text()
HEADERS = SOURCE / "core" / "include" / "malt"
VERSION = re.search(r"^project\(libmalt VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text(), flags=re.MULTILINE)[1]
MAJOR = VERSION.partition(".")[0]
ENTRIES = {"malt.h", "malt-abstract-worker.h"}
SECONDS = 200


def readme_blocks(language, part):
    """The pieces of that language below a heading of the README."""
    section = re.search(rf"^## {part}$(.*?)(?=^## |\Z)", README, flags=re.MULTILINE | re.DOTALL)[1]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def tree(folder):
    """Files and links below a folder, and folders without anything in them, as texts."""
    paths = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink() or not any(path.iterdir()))
    return {str(path.relative_to(folder)) for path in paths}


def expected_files(libdir, build_type, contract=False, introspection=False, shared=True):
    headers = {path.name for path in HEADERS.glob("*.h")} | {"malt-version.h", "malt-enum-types.h"}
    files = {f"include/malt/{name}" for name in headers}
    files |= {"bin/malt", "share/man/man1/malt.1", f"{libdir}/pkgconfig/malt.pc", f"{libdir}/libmalt-{MAJOR}/backends"}
    package = ("Config", "ConfigVersion", "Targets", f"Targets-{build_type.lower()}")
    files |= {f"{libdir}/cmake/Malt/Malt{part}.cmake" for part in package}
    if shared:
        files |= {f"{libdir}/libmalt.so", f"{libdir}/libmalt.so.{MAJOR}", f"{libdir}/libmalt.so.{VERSION}"}
    else:
        files |= {f"{libdir}/libmalt.a"}
    if contract:
        files |= {"bin/malt-contract", "share/man/man1/malt-contract.1"}
    if introspection:
        files |= {f"share/gir-1.0/Malt-{MAJOR}.gir", f"{libdir}/girepository-1.0/Malt-{MAJOR}.typelib"}
    documents = [path for path in (SOURCE / "docs").rglob("*") if path.is_file() and path.suffix != ".expected"]
    files |= {f"share/doc/libmalt/{path.relative_to(SOURCE)}" for path in documents} | {"share/doc/libmalt/README.md"}
    return files


class InstallCase(unittest.TestCase):
    """A folder for everything, which has nothing to do with the source tree."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="malt-install-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name).resolve()
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "CMAKE_GENERATOR", "CMAKE_BUILD_PARALLEL_LEVEL", "MALT_JULIA")
        cls.environment = {name: os.environ[name] for name in kept if name in os.environ}
        # Key files of the user are none of the test's business.
        cls.environment.update(XDG_CONFIG_HOME=str(cls.folder / "config"), XDG_CONFIG_DIRS=str(cls.folder / "config"))

    def run_command(self, *command, cwd=None, status=0, **environment):
        """What a command prints; it must end with the status."""
        result = subprocess.run([str(word) for word in command], cwd=cwd or self.folder, stdin=subprocess.DEVNULL,
                                env={**self.environment, **environment}, capture_output=True, text=True, timeout=SECONDS)
        self.assertEqual(result.returncode, status, f"{command}:\n{result.stdout}{result.stderr}")
        return result.stdout if status == 0 else result.stdout + result.stderr

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def assert_names_no_folder_of_the_build(self, prefix, *folders):
        pattern = b"|".join(re.escape(os.fsencode(folder)) for folder in {path.resolve() for path in folders} | {*folders})
        pattern = re.compile(rb"(?<![\w.-])(?:" + pattern + rb")(?![\w-])")
        for name in tree(prefix):
            path = prefix / name
            if path.is_file():
                with self.subTest(name):
                    self.assertIsNone(pattern.search(path.read_bytes()))
