# SPDX-License-Identifier: MIT
"""Builds as packagers make them: other folders, a release, no tests; then, of the same objects, a static library."""
import re
import unittest

from install_case import (CMAKE, MAJOR, SOURCE, VERSION, InstallCase, expected_files, readme_blocks, tree)

LIBDIR = "lib/x86_64-linux-gnu"
EXPECTED = (SOURCE / "docs" / "examples" / "hello.expected").read_text()

# One backend and no optimisation: what is looked at is where things go.
OPTIONS = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O0", f"-DCMAKE_INSTALL_LIBDIR={LIBDIR}",
           "-DMALT_TESTS=OFF", "-DMALT_CONTRACT=OFF", "-DMALT_BACKENDS=malt-process"]


class Options(InstallCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.build = cls.folder / "build"
        cls.run_command(cls(), CMAKE, "-S", SOURCE, "-B", cls.build, *OPTIONS, "-DMALT_INTROSPECTION=OFF")
        cls.run_command(cls(), CMAKE, "--build", cls.build)

    def install(self, name):
        prefix = self.folder / name
        self.run_command(CMAKE, "--install", self.build, "--prefix", prefix)
        return prefix

    def configure_again(self, *options):
        self.run_command(CMAKE, "-S", SOURCE, "-B", self.build, *options)
        self.run_command(CMAKE, "--build", self.build)

    def test_1_a_release_without_tests_and_introspection_in_other_folders(self):
        prefix = self.install("release")
        self.assertEqual(tree(prefix), expected_files(LIBDIR, "Release"))
        self.assert_names_no_folder_of_the_build(prefix, SOURCE, self.build)
        self.assertEqual(self.run_command(prefix / "bin" / "malt", "--version"), f"malt {VERSION}\n")
        found = re.findall(r"\(RUNPATH\).*\[(.*)\]", self.run_command("readelf", "-dW", prefix / "bin" / "malt"))
        self.assertEqual(found, [f"$ORIGIN/../{LIBDIR}"])
        moved = prefix.rename(self.folder / "moved")
        paths = {"PKG_CONFIG_PATH": f"{moved}/{LIBDIR}/pkgconfig", "LD_LIBRARY_PATH": f"{moved}/{LIBDIR}"}
        self.build_hello(paths)
        used = self.run_command("ldd", self.folder / "hello", **paths)
        self.assertIn(f"libmalt.so.{MAJOR} => {moved / LIBDIR}/", used)

    def test_2_folders_that_are_given_by_absolute_paths_stay_there(self):
        self.configure_again(f"-DCMAKE_INSTALL_PREFIX={self.folder}/absolute",
                             f"-DCMAKE_INSTALL_LIBDIR={self.folder}/libraries",
                             f"-DCMAKE_INSTALL_INCLUDEDIR={self.folder}/headers")
        self.run_command(CMAKE, "--install", self.build)
        paths = {"PKG_CONFIG_PATH": f"{self.folder}/libraries/pkgconfig"}
        for name, folder in (("prefix", "absolute"), ("bindir", "absolute/bin"), ("libdir", "libraries"),
                             ("includedir", "headers"), ("backenddir", f"libraries/libmalt-{MAJOR}/backends")):
            with self.subTest(name):
                self.assertEqual(self.run_command("pkg-config", f"--variable={name}", "malt", **paths).strip(),
                                 f"{self.folder}/{folder}")
        self.assertEqual(self.run_command(self.folder / "absolute" / "bin" / "malt", "--version"), f"malt {VERSION}\n")
        self.build_hello(paths)
        self.configure_again(f"-DCMAKE_INSTALL_LIBDIR={LIBDIR}", "-DCMAKE_INSTALL_INCLUDEDIR=include")

    def test_3_a_static_library(self):
        self.configure_again("-DBUILD_SHARED_LIBS=OFF", "-DMALT_INTROSPECTION=ON")
        prefix = self.install("static")
        self.assertEqual(tree(prefix), expected_files(LIBDIR, "Release", shared=False))
        self.assert_names_no_folder_of_the_build(prefix, SOURCE, self.build)
        self.build_hello({"PKG_CONFIG_PATH": f"{prefix}/{LIBDIR}/pkgconfig"}, "--static")
        self.assertEqual(self.run_command(self.folder / "hello"), EXPECTED)
        folder = self.folder / "static-project"
        self.write(folder / "CMakeLists.txt", readme_blocks("cmake", "Install")[0])
        self.write(folder / "hello.c", readme_blocks("c", "A program")[0])
        self.run_command(CMAKE, "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={prefix}",
                         "-DCMAKE_LIBRARY_ARCHITECTURE=x86_64-linux-gnu")
        self.run_command(CMAKE, "--build", folder / "out")
        self.assertNotIn("libmalt", self.run_command("ldd", folder / "out" / "hello"))

    def build_hello(self, paths, *options):
        self.write(self.folder / "hello.c", readme_blocks("c", "A program")[0])
        flags = self.run_command("pkg-config", *options, "--cflags", "--libs", "malt", **paths).split()
        self.run_command("cc", "hello.c", *flags, "-o", "hello")


if __name__ == "__main__":
    unittest.main()
