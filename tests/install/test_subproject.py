# SPDX-License-Identifier: MIT
"""The project as a part of another one, which sees the library and nothing else of it."""
import re
import unittest

from install_case import CMAKE, SOURCE, InstallCase, readme_blocks

EXPECTED = (SOURCE / "docs" / "examples" / "hello.expected").read_text()

# The README's project, in which the clone is a folder of the parent.
ADDED = readme_blocks("cmake", "Install")[1].replace("add_subdirectory(libmalt)", f'add_subdirectory("{SOURCE}" malt)')
FETCHED = re.sub(r"add_subdirectory.*", f"""set(BUILD_SHARED_LIBS OFF)
include(FetchContent)
FetchContent_Declare(malt SOURCE_DIR "{SOURCE}")
FetchContent_MakeAvailable(malt)""", ADDED)


class Subproject(InstallCase):
    def make_parent(self, name, project, *settings):
        folder = self.folder / name
        self.write(folder / "hello.c", readme_blocks("c", "A program")[0])
        self.write(folder / "CMakeLists.txt", project + "add_library(other other.c)\n")
        self.write(folder / "other.c", "int other;\n")
        # One backend and no optimisation: what is looked at is what is built, and for whom.
        self.run_command(CMAKE, "-S", folder, "-B", folder / "out", "-DMALT_BACKENDS=malt-process", *settings)
        return folder

    def test_add_subdirectory_gives_the_library_alone(self):
        folder = self.make_parent("added", ADDED)
        cache = (folder / "out" / "CMakeCache.txt").read_text()
        self.assertNotIn("BUILD_SHARED_LIBS", cache)
        self.run_command(CMAKE, "--build", folder / "out")
        self.assertEqual(self.run_command(folder / "out" / "hello"), EXPECTED)
        found = {path.name for path in (folder / "out").rglob("*") if path.is_file()}
        self.assertIn("libother.a", found)
        self.assertFalse(found & {"malt", "malt-contract", "malt-bench", "Malt-0.gir"})
        self.run_command(CMAKE, "--install", folder / "out", "--prefix", folder / "prefix")
        self.assertFalse((folder / "prefix").exists())
        # Nothing is put beside the sources of the parent, nor of the project.
        self.assertEqual({path.name for path in folder.iterdir()}, {"CMakeLists.txt", "hello.c", "other.c", "out"})

    def test_fetch_content_takes_a_static_library_too(self):
        folder = self.make_parent("fetched", FETCHED, "-DMALT_INSTALL=ON")
        rules = self.run_command("grep", "-c", "libmalt.a", folder / "out" / "_deps" / "malt-build" / "core" / "cmake_install.cmake")
        self.assertNotEqual(rules.strip(), "0")

    def test_the_options_can_be_switched_on(self):
        folder = self.make_parent("whole", ADDED + "enable_testing()\n", "-DMALT_TESTS=ON", "-DMALT_COMMAND=ON")
        text = self.run_command("ctest", "-N", "--test-dir", folder / "out")
        self.assertIn("test-worker", text)


if __name__ == "__main__":
    unittest.main()
