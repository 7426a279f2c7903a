# SPDX-License-Identifier: MIT
"""coverage.py BUILD [FILE...]: the table of coverage.sh, from what gcov says of the library's objects."""

import collections
import glob
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Percent of the lines of a folder.
WANTED = {"core/wire": 95, "core/link": 90, "backends/malt-process": 80}


def find(name, build):
    """From the top of the tree; compilers name files from there or from the build directory."""
    paths = [os.path.normpath(os.path.join(start, name)) for start in (TOP, build)]
    return next((os.path.relpath(path, TOP) for path in paths if os.path.exists(path)), "")


def count(build):
    """File -> line -> how often it was run."""
    files = collections.defaultdict(lambda: collections.defaultdict(int))
    build = os.path.abspath(build)
    objects = os.path.join(build, "core", "CMakeFiles", "malt-objects.dir")
    for notes in glob.glob(os.path.join(objects, "**", "*.gcno"), recursive=True):
        output = subprocess.check_output(["gcov", "--stdout", "--json-format", notes], cwd=build, stderr=subprocess.DEVNULL)
        for report in output.splitlines():
            for entry in json.loads(report)["files"]:
                name = find(entry["file"], build)
                if name.startswith(("core/", "backends/")) and name.endswith(".c"):
                    for line in entry["lines"]:
                        files[name][line["line_number"]] += line["count"]
    return files


def main(build, listed):
    files = count(build)
    folders = collections.defaultdict(lambda: [0, 0])
    for name, lines in files.items():
        folder = folders[os.path.dirname(name)]
        folder[0] += sum(1 for n in lines.values() if n)
        folder[1] += len(lines)
    status = 0
    for name, (n_run, n) in sorted(folders.items()):
        percent, wanted = 100 * n_run / n, WANTED.get(name, 0)
        status = status or int(percent < wanted)
        print("%-26s %6d lines %6.1f %%%s" % (name, n, percent, "  (wanted: %d %%)" % wanted if wanted else ""))
    for name in sorted(files):
        if name.startswith(tuple(listed) or ("\0",)):
            print(name, *sorted(line for line, n in files[name].items() if not n))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
